"""The part of a page in which latents are moved by hand, as HTML with everything inside."""

from __future__ import annotations

__all__ = ["SOURCES", "explorer_frame", "explorer_page", "explorer_section"]

import math
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from unweave import plots
from unweave.report.policy import script_policy

SOURCES: Final = {
    "javascript": ("", "worker-src blob:"),
    "onnx": ("blob: 'wasm-unsafe-eval'", ""),
    "strips": ("", ""),
}
"""What each way to decode needs of a page's policy beside the digests of its scripts, as
`script_policy` takes it: sources of scripts, and further directives.

A worker and ONNX Runtime Web are made of what stands in the page. Nothing may be fetched.
"""

_PARTS: Final = {
    "javascript": ("weights",),
    "onnx": ("onnx", "script", "module"),
    "strips": (),
}
_SCRIPTS: Final = {
    "javascript": ("weights.js", "convolution.js", "runtime.js", "worker.js"),
    "onnx": ("weights.js", "onnx.js"),
    "strips": ("strips.js",),
}


def explorer_section(decoder: str, content: Mapping[str, Any]) -> str:
    """The part of a page, HTML, with its scripts and style.

    Args:
        decoder: How pictures are decoded: `javascript`, `onnx` or `strips`.
        content: What `unweave.explorer` gathers, JSON.
    """
    plain = dict(content)
    runtime = plain.pop("runtime", {})
    texts = {"weights": plain.pop("weights", ""), "onnx": plain.pop("onnx", "")}
    texts |= {"script": runtime.get("script", ""), "module": runtime.get("module", "")}
    return (
        _environment()
        .get_template("section.html.j2")
        .render(
            decoder=decoder,
            content=plain,
            inactive=plots.INACTIVE_KL,
            first=plain["starts"][0]["given"],
            parts={name: Markup(texts[name]) for name in _PARTS[decoder]},
            scripts=(*_SCRIPTS[decoder], "controls.js", "main.js"),
            version=runtime.get("version", ""),
        )
    )


def explorer_page(decoder: str, content: Mapping[str, Any], title: str) -> str:
    """A whole page with nothing but the explorer.

    Args:
        decoder: How latents are decoded: a key of `SOURCES`.
        content: What the page needs, for JSON.
        title: Of the page.
    """
    section = explorer_section(decoder, content)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            title=title,
            policy=Markup(script_policy(section, *SOURCES[decoder])),
            section=Markup(section),
        )
    )


def explorer_frame(page: str, height: int = 760) -> str:
    """A page as a fragment of another one, which neither styles nor scripts reach."""
    return (
        f'<iframe title="Explorer" sandbox="allow-scripts" loading="lazy" srcdoc="{escape(page)}" '
        f'style="width: 100%; height: {height}px; border: 0"></iframe>'
    )


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("unweave.report", "explorer"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["written"] = _written
    environment.filters["shown"] = _shown
    return environment


def _written(control: Mapping[str, Any], given: list[float]) -> float:
    """The value of a slider that stands for what a decoder is given."""
    at = control["at"]
    if control["kind"] == "latent":
        return float(given[at])
    if control["kind"] == "number":
        return float((given[at] - control["offset"]) / control["scale"])
    turn = math.atan2(given[at], given[at + 1]) / (2 * math.pi) % 1
    return float(control["first"] + turn * control["period"])


def _shown(value: float) -> str:
    """A number beside a slider."""
    return f"{value:.2f}"
