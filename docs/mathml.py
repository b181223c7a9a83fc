"""Formulas as MathML, made while pages are built: they need no script and no network.

docutils reads the LaTeX. What it does not know is a warning, so that `make docs` fails.
"""

from __future__ import annotations

import html
import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging

_LOGGER = logging.getLogger(__name__)
# A symbol with something above or below it, in front of an index.
_ACCENTED = re.compile(
    r"(\\(?:hat|widehat|tilde|widetilde|bar|overline|vec|dot|underbrace|overbrace)\s*"
    r"(?:\{[^{}]*\}|\\[a-zA-Z]+|[a-zA-Z]))(?=\s*[_^])"
)
# Bars around something, which grow with it as pairs alone.
_BARS = re.compile(r"(?<!\\left)(?<!\\right)\\([lr])([vV]ert)(?![a-zA-Z])")
_SIDES = {"l": r"\left", "r": r"\right"}
# What stands between a function such as a logarithm and its argument. docutils leaves no space.
_APPLIED = re.compile(r"<mo>&ApplyFunction;</mo>(?!<mo[^>]*>[(\[{=|])")


def mathml(latex: str, block: bool) -> str:
    """A formula as a MathML element.

    Args:
        latex: The formula, without dollars.
        block: Whether it stands on lines of its own.

    Raises:
        MathError: It has a command that is not known.
    """
    latex = _BARS.sub(lambda bar: f"{_SIDES[bar[1]]}{bar[0]} ", latex)
    # Within a group docutils sets the index beside the accented symbol, otherwise beneath it.
    made: str = tex2mathml(_ACCENTED.sub(r"{{}\1}", latex), as_block=block)
    # Line breaks of the source mean nothing between elements.
    made = re.sub(r">\s+<", "><", made)
    return _APPLIED.sub('<mo lspace="0" rspace="0.1667em">&ApplyFunction;</mo>', made)


def _element(node: nodes.math | nodes.math_block) -> str:
    block = isinstance(node, nodes.math_block)
    latex = node.astext()
    try:
        return mathml(latex, block)
    except MathError as error:
        _LOGGER.warning("formula: %s In %s", error, latex, location=node)
        return f"<code>{html.escape(latex)}</code>"


def _inline(translator: Any, node: nodes.math) -> None:
    translator.body.append(_element(node))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(f'<div class="math">{_element(node)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx of the renderer and its style sheet."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.add_css_file("mathml.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
