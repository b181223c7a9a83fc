"""What pages of methods and metrics say that the code knows: facts, fields, settings, papers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from reference import component_texts as texts
from unweave.metrics import PROTOCOLS, Metric
from unweave.objectives import Method, Objective, parse_objective
from unweave.presets import PRESETS
from unweave.presets.dlib import dlib_objective
from unweave.presets.dlib_numbers import METHODS as DLIB_METHODS
from unweave.presets.dlib_numbers import MODELS
from unweave.spec import Component, field_hints, value_text
from unweave.spec.hints import choices

__all__ = ["blocks"]

# Terms by which published code adds a method to others, and the method.
_STAND_FOR = {"total_correlation": "beta_tcvae", "density_ratio_tc": "factor_vae"}


def blocks(cls: type[Component]) -> dict[str, str]:
    """The generated blocks of a member's page, by their marks, in order."""
    if issubclass(cls, Method):
        made = {"facts": _method_facts(cls), "fields": _fields(cls), "presets": _presets(cls)}
    else:
        assert issubclass(cls, Metric)
        made = {"facts": _metric_facts(cls), "fields": _fields(cls), "protocols": _protocols(cls)}
    return made | {"references": texts.references(cls)}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _method_facts(cls: type[Method]) -> str:
    plan = Objective((cls(),)).expand()
    latents = {
        "posterior": "samples of a Gaussian posterior",
        "codes": "codes without noise",
        "given": "none; the decoder is given true factors",
    }[plan.latent]
    of_a_draw = plan.needs.reconstructed
    least = max(plan.min_batch, of_a_draw)
    multiple = f", a multiple of {of_a_draw}" if of_a_draw > 1 else ""
    lines = [
        f"- Beside images a step needs: {', '.join(texts.needs(plan)) or 'nothing'}.",
        f"- Images in a batch: {least} or more{multiple}.",
        f"- Latents that are decoded: {latents}.",
        f"- Logged terms: {_listed(list(plan.terms))}.",
    ]
    if plan.players:
        names = _listed([player.name for player in plan.players])
        lines.append(f"- Trained beside the model, with a loss of its own: {names}.")
    return "\n".join(lines)


def _metric_facts(cls: type[Metric]) -> str:
    low, high = cls.bounds
    span = f"from {_bound(low, 'minus infinity')} to {_bound(high, 'infinity')}"
    lines = [
        f"- Value: {span}; {'higher' if cls.higher_is_better else 'lower'} is better.",
        f"- Reads: {', '.join(cls.needs)}.",
    ]
    if cls.invariant_to:
        lines.append(f"- Of the latents it does not matter: {', '.join(cls.invariant_to)}.")
    if cls.aliases:
        lines.append(f"- Other names that it may be asked for by: {_listed(cls.aliases)}.")
    if cls.opt_in:
        lines.append("- Computed only when it is named.")
    return "\n".join(lines)


def _bound(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else f"{value:g}"


def _fields(cls: type[Component]) -> str:
    hints = field_hints(cls)
    lines = ["| field | default | what it is |", "|---|---|---|"]
    for field in dataclasses.fields(cls):
        default, about = value_text(field.default, hints[field.name]), field.metadata["help"]
        if field.name == "compat":
            kinds = [choice for choice in choices(hints["compat"]) if choice != default]
            about = f"Repeats published code: {_listed(kinds)}, told below."
        lines.append(f"| `{field.name}` | `{default}` | {about} |")
    return "\n".join(lines) if len(lines) > 2 else "It has no fields."


def _presets(cls: type[Method]) -> str:
    found: dict[str, list[str]] = {}
    for preset in PRESETS.values():
        if cls.name in _methods_in(preset.objective):
            found.setdefault(preset.objective, []).append(preset.name)
    rows = [f"| {_first(names)} | `{text}` |" for text, names in found.items()]
    for name, strengths in DLIB_METHODS.items():
        text, *others = [dlib_objective(name, strength) for strength in strengths]
        if cls.name in _methods_in(text):
            count = MODELS // len(DLIB_METHODS)
            rows.append(f"| {count:,} of `dlib/NUMBER` | `{text}`<br>and {len(others)} others |")
    if not rows:
        return "No preset uses it."
    return "\n".join(["| presets | objective |", "|---|---|", *rows])


def _methods_in(objective: str) -> set[str]:
    plan = parse_objective(objective).expand()
    added = {method for term, method in _STAND_FOR.items() if term in plan.terms}
    own = plan.method.name
    return added if added and own == "vae" else added | {own}


def _first(names: Sequence[str]) -> str:
    """Names; of many the first three."""
    if len(names) <= 4:
        return _listed(names)
    return f"{_listed(names[:3])} and {len(names) - 3} others"


def _protocols(cls: type[Metric]) -> str:
    lines = ["| protocol | its text |", "|---|---|"]
    lines += [
        f"| `{protocol.name}/{protocol.version}` | `{metric}` |"
        for protocol in PROTOCOLS.values()
        for metric in protocol.metrics
        if metric.name == cls.name
    ]
    return "\n".join(lines) if len(lines) > 2 else "No protocol has it; it is asked for by name."
