"""Shorter versions of published trainings: what is counted in steps or epochs, times a number."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from fractions import Fraction
from typing import Any, Final, TypeAlias

from unweave.errors import SpecError
from unweave.presets import preset
from unweave.schedules import Schedule
from unweave.spec import members
from unweave.studies.axes import Settings
from unweave.training import LearningRate

__all__ = ["COUNTED", "scaled", "scaled_text"]

_LENGTHS = ("steps", "epochs")
_TEXTS = ("objective", "optimizer")

COUNTED: Final[Mapping[str, tuple[str, ...]]] = {
    "step_lr": ("step_size",),
    "multi_step_lr": ("milestones",),
    "constant_lr": ("total_iters",),
    "linear_lr": ("total_iters",),
    "polynomial_lr": ("total_iters",),
    "cosine_annealing_lr": ("t_max",),
    "cosine_annealing_warm_restarts": ("t_0",),
    "cyclic_lr": ("step_size_up", "step_size_down"),
    "one_cycle_lr": ("total_steps",),
    "sequential_lr": ("milestones",),
    "plateau": ("patience", "cooldown"),
}
"""Fields of a learning rate that count its own steps, of which each takes `every` steps or epochs;
others count nothing, or have a schedule that does."""

_Change: TypeAlias = tuple[int, int, str]
"""Where a piece of a text begins and ends, and what stands there instead."""


def scaled(settings: Mapping[str, Any], scale: float) -> Settings:
    """Settings of a training that takes `scale` times as long.

    Multiplied are `steps`, `epochs`, and what is counted in the texts of objective and optimiser:
    the `steps` of every schedule, and of a learning rate the time between two changes where it is
    more than one step or epoch, else the number of changes, such as `step_size` or a plateau's
    `patience`. So a ramp that took a third of the training still does. Whole numbers are rounded
    up, so that none becomes 0. All else stays: batch size, learning rate and its factors, number
    of latents, seeds, and how models are scored.

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
    """The text of an objective or optimiser with its lengths multiplied.

    Names that are not there are left as they are, and what is around the numbers, too.

    Raises:
        SpecError: The scale is not above 0.

    Example:
        >>> scaled_text("annealed_vae(capacity=linear(start=0, stop=25, steps=100000))", 0.01)
        'annealed_vae(capacity=linear(start=0, stop=25, steps=1000))'
        >>> scaled_text("adam(lr=step_lr(start=0.1, step_size=30, every=50))", 0.1)
        'adam(lr=step_lr(start=0.1, step_size=30, every=5))'
    """
    factor = _factor(scale)
    if factor == 1:
        return text
    changes = list(_changes(ast.parse(text, mode="eval").body, factor))
    for begin, end, new in sorted(changes, reverse=True):
        text = f"{text[:begin]}{new}{text[end:]}"
    return text


def _changes(node: ast.AST, factor: Fraction) -> Iterator[_Change]:
    """What must be written otherwise in a part of a text."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        name, given = node.func.id, {each.arg: each.value for each in node.keywords}
        if name in members(Schedule):
            if "steps" in given:
                yield from _multiplied(given["steps"], factor)
        elif name in members(LearningRate):
            every = given.get("every")
            if (
                isinstance(every, ast.Constant)
                and isinstance(every.value, int)
                and every.value > 1
            ):
                between = math.ceil(every.value * factor)
                yield from _multiplied(every, factor)
                # What rounding has left over is made up for by the number of changes.
                factor = factor * every.value / between
            yield from _counts(node, name, given, factor)
    for child in ast.iter_child_nodes(node):
        yield from _changes(child, factor)


def _counts(
    node: ast.Call, name: str, given: Mapping[str | None, ast.expr], factor: Fraction
) -> Iterator[_Change]:
    """The counts of a learning rate, also those that are not written and have a default."""
    defaults = {field.name: field.default for field in fields(members(LearningRate)[name])}
    for count in COUNTED.get(name, ()):
        default = defaults[count]
        if count in given:
            yield from _multiplied(given[count], factor)
        elif isinstance(default, int) and math.ceil(default * factor) != default:
            assert node.end_col_offset is not None
            end = node.end_col_offset - 1
            comma = ", " if node.keywords else ""
            yield end, end, f"{comma}{count}={math.ceil(default * factor)}"


def _multiplied(node: ast.expr, factor: Fraction) -> Iterator[_Change]:
    """The whole numbers in a value, multiplied; several of them keep growing."""
    last: int | None = None
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, int):
            number = math.ceil(each.value * factor)
            last = number if last is None else max(number, last + 1)
            assert each.end_col_offset is not None
            yield each.col_offset, each.end_col_offset, str(last)


def _factor(scale: Any) -> Fraction:
    """The number as it is written: 0.07 of 100 is 7, and not a little more."""
    if not isinstance(scale, int | float) or not 0 < scale < math.inf:
        raise SpecError(f"scale takes a number above 0, such as 0.01, not {scale!r}.")
    return Fraction(repr(float(scale)))
