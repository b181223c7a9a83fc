"""Shorter versions of published trainings: what is counted in steps or epochs, times a number."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from unweave.errors import SpecError
from unweave.presets import preset
from unweave.schedules import Schedule
from unweave.spec import members
from unweave.studies.axes import Settings

__all__ = ["scaled", "scaled_text"]

_LENGTHS = ("steps", "epochs")
_TEXTS = ("objective", "optimizer")


def scaled(settings: Mapping[str, Any], scale: float) -> Settings:
    """Settings of a training that takes `scale` times as long.

    Multiplied are `steps`, `epochs`, and the `steps` of every schedule in the texts of objective
    and optimiser, so that a ramp that took a third of the training still does. Whole numbers of
    steps are rounded up, so that none becomes 0. All else stays: batch size, learning rate, number
    of latents, seeds, what is counted in epochs by an optimiser, and how models are scored.

    Args:
        settings: As `fields.config_of` takes them; a preset's length and texts are put beside its
            name, where they win.
        scale: More than 0.

    Raises:
        SpecError: The scale is not above 0, or there is no such preset.
    """
    factor, result = _factor(scale), dict(settings)
    if factor == 1:
        return result
    if "preset" in result:
        rest = {name: value for name, value in result.items() if name != "preset"}
        own = preset(result["preset"]).overridden(rest)
        result |= {name: own[name] for name in (*_LENGTHS, *_TEXTS) if name in own}
    if "steps" in result:
        result["steps"] = math.ceil(result["steps"] * factor)
    if "epochs" in result:
        result["epochs"] = float(Fraction(repr(result["epochs"])) * factor)
    for name in _TEXTS:
        if name in result:
            result[name] = scaled_text(result[name], scale)
    return result


def scaled_text(text: str, scale: float) -> str:
    """The text of an objective or optimiser with the lengths of its schedules multiplied.

    Names that are not there are left as they are, and what is around the numbers, too.

    Raises:
        SpecError: The scale is not above 0.

    Example:
        >>> scaled_text("annealed_vae(capacity=linear(start=0, stop=25, steps=100000))", 0.01)
        'annealed_vae(capacity=linear(start=0, stop=25, steps=1000))'
    """
    schedules, factor = members(Schedule), _factor(scale)
    places: list[ast.Constant] = []
    for node in ast.walk(ast.parse(text, mode="eval")):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            for keyword in node.keywords if node.func.id in schedules else ():
                if keyword.arg == "steps":
                    inside = ast.walk(keyword.value)
                    places += [found for found in inside if isinstance(found, ast.Constant)]
    for place in sorted(places, key=lambda found: -found.col_offset):
        assert isinstance(place.value, int)
        before, after = text[: place.col_offset], text[place.end_col_offset :]
        text = f"{before}{math.ceil(place.value * factor)}{after}"
    return text


def _factor(scale: Any) -> Fraction:
    """The number as it is written: 0.07 of 100 is 7, and not a little more."""
    if not isinstance(scale, int | float) or not 0 < scale < math.inf:
        raise SpecError(f"scale takes a number above 0, such as 0.01, not {scale!r}.")
    return Fraction(repr(float(scale)))
