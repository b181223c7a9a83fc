"""Errors of reconstructions by combination of the factors that a condition compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.conditions.maps import MOST_VALUES, axes_of
from unweave.generalise.asking import REGIONS
from unweave.generalise.reading import Found
from unweave.generalise.summary import Group
from unweave.rules import Rule

__all__ = ["ErrorMap", "error_map", "errors_figure", "lacking_maps"]

_NAMED: Final = 3


@final
@dataclass(frozen=True, eq=False)
class ErrorMap:
    """Mean excess NLL by the values of two factors, over the runs of a group.

    Attributes:
        axes: Names of the factors of the rows and of the columns; that of the rows is empty where
            there is one factor alone.
        rows: What the values of the rows are called, (R,).
        columns: What those of the columns are called, (C,).
        values: Nats an image, (R, C): of the held-out images of a cell that has any, and else of
            images like those trained on; NaN where no run has an image that is scored. Each run
            has one mean, and the cell the mean of these.
        held_out: Whether a cell has held-out images, (R, C).
        runs: How many runs it is of.
    """

    axes: tuple[str, str]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    held_out: NDArray[np.bool_]
    runs: int


def error_map(runs: Sequence[Found]) -> ErrorMap | None:
    """The map of runs of one condition; None where no run was scored for it on both sides."""
    known = [run for run in runs if _has_map(run)]
    if not known:
        return None
    first = known[0].maps["held_out"]
    known = [run for run in known if _names(run.maps["held_out"]) == _names(first)]
    inside, outside = (
        np.stack([_values(run.maps[region]) for run in known]) for region in REGIONS
    )
    each = np.where(np.isfinite(outside), outside, inside)
    count = np.isfinite(each).sum(axis=0)
    sums = np.where(np.isfinite(each), each, 0).sum(axis=0)
    values = np.full(count.shape, np.nan)
    np.divide(sums, count, out=values, where=count > 0)
    (down, across), rows, columns = _names(first)
    return ErrorMap(
        axes=(down, across),
        rows=rows,
        columns=columns,
        values=values,
        held_out=np.asarray(np.isfinite(outside).any(axis=0), np.bool_),
        runs=len(known),
    )


def errors_figure(groups: Sequence[Group]) -> tuple[str, str, Any] | None:
    """Heading, caption and figure of the maps of groups under one condition; None without any."""
    found = {group.model: each for group in groups if (each := error_map(group.runs)) is not None}
    if not found:
        return None
    first = next(iter(found.values()))
    alike = {
        name: each
        for name, each in found.items()
        if (each.axes, each.rows, each.columns) == (first.axes, first.rows, first.columns)
    }
    figure = plots.errors_by_combination(
        {name: each.values for name, each in alike.items()},
        np.any([each.held_out for each in alike.values()], axis=0),
        [_short(name) for name in first.rows],
        [_short(name) for name in first.columns],
        axes=first.axes,
    )
    return "Errors by combination", _caption(groups[0].runs[0], first), figure


def lacking_maps(groups: Sequence[Group]) -> str:
    """A sentence on runs without a map under one condition, with what adds one; or nothing."""
    runs = [run for group in groups for run in group.runs if run.kind != "composer"]
    lacking = [run for run in runs if not _has_map(run)]
    if not lacking:
        return ""
    split = lacking[0].split
    if not axes_of(split.condition, split.space):
        return (
            "There is no map of errors by combination: no factor in the rule of what is held out "
            f"has between 2 and {MOST_VALUES} values."
        )
    which = "These runs were scored" if len(lacking) == len(runs) else "Some runs were scored"
    part = "holdout" if lacking[0].config.holdout else "all"
    command = "unweave evaluate RUN --metrics reconstruction_nll"
    names = ", ".join(str(run.folder) for run in lacking[:_NAMED])
    more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
    return (
        f"{which} without errors by combination, which these two commands add: {command} --part "
        f"{part}, and {command} --data held_out, with RUN each of {names}{more}."
    )


def _has_map(run: Found) -> bool:
    """Whether a run was scored by combination on both sides, in the same cells."""
    if any(region not in run.maps for region in REGIONS):
        return False
    inside, outside = (_names(run.maps[region]) for region in REGIONS)
    return inside == outside


def _names(
    matrix: Mapping[str, Any],
) -> tuple[tuple[str, str], tuple[str, ...], tuple[str, ...]]:
    down, across = matrix["axes"]
    return (down, across), tuple(matrix["rows"]), tuple(matrix["columns"])


def _values(matrix: Mapping[str, Any]) -> NDArray[np.float64]:
    """(R, C), NaN for null."""
    return np.array(matrix["values"], np.float64)


def _short(name: str) -> str:
    """A number in three digits; other names as they are."""
    try:
        return f"{float(name):.3g}"
    except ValueError:
        return name


def _caption(run: Found, found: ErrorMap) -> str:
    """What is shown, and why these two factors are."""
    shown = " and ".join(filter(None, found.axes))
    caption = (
        f"Mean excess NLL of images by {shown}, and over runs, in nats an image. Outlined cells "
        "have images that were held out, and show these alone; others show images "
    )
    caption += "kept apart from training." if run.config.holdout else "that were trained on."
    named = Rule(run.split.condition.held_out, run.split.space).compared
    if len(named) > len(list(filter(None, found.axes))):
        caption += f" Of the {len(named)} factors in the rule, {shown} have most values."
    return caption
