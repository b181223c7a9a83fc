"""Presets of populations and recursions, as `unweave presets` lists them."""

from __future__ import annotations

__all__ = ["is_one", "preset_lines", "preset_rows", "wrapped"]

import textwrap
from collections.abc import Sequence
from typing import Any

_COMMANDS = {
    "populations": "unweave population run --preset NAME",
    "recursions": "unweave population recurse --preset NAME",
}


def is_one(name: str) -> bool:
    """Whether a name is that of such a preset, also with a number of labels, or of a source."""
    plain = name.partition("(")[0].strip()
    return any(each == plain or each.startswith(f"{plain}/") for each in _abouts())


def preset_rows(names: Sequence[str] = ()) -> dict[str, list[dict[str, Any]]]:
    """Of each kind its presets: `name`, `about` and, of those that are named, `settings`.

    Args:
        names: Those to show, or sources, of which all are shown; none for all there are.

    Raises:
        SpecError: A name has something behind it that no preset has.
    """
    from unweave.population.presets import population_preset
    from unweave.population.recursion.presets import RECURSION_PRESETS

    known = _abouts()
    chosen = [
        each
        for name in names or [""]
        for each in ([n for n in known if not name or n.startswith(f"{name}/")] or [name])
    ]
    found: dict[str, list[dict[str, Any]]] = {"populations": [], "recursions": []}
    for name in dict.fromkeys(chosen):
        if name in RECURSION_PRESETS:
            kind, settings = "recursions", _of_recursion(name) if names else {}
            about = RECURSION_PRESETS[name]
        else:
            each = population_preset(name)
            kind, settings = "populations", _settings(each.arguments)
            about = each.about
        row = {"name": name, "about": about}
        found[kind].append(row | {"settings": settings} if names else row)
    return found


def preset_lines(rows: dict[str, list[dict[str, Any]]]) -> list[str]:
    """What `preset_rows` gives, to read."""
    lines: list[str] = []
    for kind, command in _COMMANDS.items():
        if rows[kind]:
            lines += ["", f"{kind.upper()}: {command}", ""]
        for row in rows[kind]:
            lines += [row["name"], *wrapped(row["about"])]
            for key, value in row.get("settings", {}).items():
                for each in value if isinstance(value, list) else [value]:
                    lines += wrapped(f"{key}={each}")
    return lines


def wrapped(text: str) -> list[str]:
    """A text below its name."""
    return textwrap.wrap(
        text, 80, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )


def _abouts() -> dict[str, str]:
    """Names and sentences of all populations and recursions."""
    from unweave.population.presets import POPULATION_PRESETS
    from unweave.population.recursion.presets import RECURSION_PRESETS

    return {name: each.about for name, each in POPULATION_PRESETS.items()} | RECURSION_PRESETS


def _settings(arguments: Any) -> dict[str, Any]:
    """Arguments of a population, each as a number or as its text."""
    flat = {**arguments, **arguments.get("further", {})}
    flat.pop("further", None)
    return {key: _text(value) for key, value in flat.items()}


def _of_recursion(name: str) -> dict[str, Any]:
    """What tells a recursion from others, and each of its populations in a text."""
    from unweave.population.recursion import make_recursion

    recursion = make_recursion(preset=name)
    populations = {
        stage: f"{each.members} members of {each.models}, {each.rounds} rounds at most, "
        f"ranked by {each.fitness}"
        for stage in ("first", "leaf", "final")
        for each in (getattr(recursion, stage),)
    }
    return {
        "dataset": str(recursion.dataset),
        **populations,
        "leaf_runs": recursion.leaf_runs,
        "levels": recursion.levels,
        "least": recursion.least,
        "reduction": str(recursion.reduction),
        "merge": recursion.merge,
    }


def _text(value: Any) -> Any:
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, tuple):
        return [_text(each) for each in value]
    return str(value)
