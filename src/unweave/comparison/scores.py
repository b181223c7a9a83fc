"""Scores of runs beside one another, where they were computed under the same circumstances."""

from __future__ import annotations

__all__ = ["Apart", "Cell", "GroupMean", "ScoreRow", "ScoreTable", "Scored", "scores_of"]

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeGuard, final

import numpy as np

from unweave.metrics.interval import over_runs
from unweave.results.directions import higher_is_better
from unweave.scores import repeats_of

SHARED: Final = ("protocol", "data", "source", "part", "codes", "seed", "repeats")
"""Circumstances that all scores of one call share; other numbers are no comparison."""

OWN: Final = ("text", "samples", "precision", "unit")
"""Further ones, which differ from metric to metric."""

Row: TypeAlias = Mapping[str, Any]


@final
@dataclass(frozen=True)
class Cell:
    """A score of a run.

    Attributes:
        value: The number.
        low: Lower end of its 95 % interval over draws; None without repeats.
        high: Upper end.
    """

    value: float
    low: float | None
    high: float | None


@final
@dataclass(frozen=True)
class GroupMean:
    """The mean of a score over runs that differ in their seed alone.

    Attributes:
        runs: How many have the score.
        mean: Over these.
        sd: Standard deviation, n - 1 in the denominator; None of a single run.
        low: Lower end of the 95 % bootstrap interval of the mean; None for fewer than three runs.
        high: Upper end.
    """

    runs: int
    mean: float
    sd: float | None
    low: float | None
    high: float | None


@final
@dataclass(frozen=True)
class ScoreRow:
    """One metric with one setting.

    Attributes:
        metric: Its name.
        text: With every setting that differs from its default.
        unit: Of the values; empty without one.
        samples: Rows that were scored; None where that is not known.
        precision: In which images were encoded; None where that is not known.
        higher_is_better: Whether that is so.
        cells: That of each run; None of a run that has none.
        means: That of each group; None of a group without a score.
    """

    metric: str
    text: str
    unit: str
    samples: int | None
    precision: str | None
    higher_is_better: bool
    cells: tuple[Cell | None, ...]
    means: tuple[GroupMean | None, ...]


@final
@dataclass(frozen=True)
class ScoreTable:
    """Scores that can be put side by side.

    Attributes:
        circumstances: Each of `SHARED`.
        rows: Those that at least two runs have.
        versions: Versions of unweave that computed them, in order.
    """

    circumstances: dict[str, Any]
    rows: tuple[ScoreRow, ...]
    versions: tuple[str, ...]


@final
@dataclass(frozen=True)
class Apart:
    """A score that no other run has under the same circumstances.

    Attributes:
        metric: Name of the metric.
        run: Place of the run.
        cell: The score.
        circumstances: Each of `SHARED`, and the metric's own.
        unit: Of the value.
    """

    metric: str
    run: int
    cell: Cell
    circumstances: dict[str, Any]
    unit: str


@final
@dataclass(frozen=True)
class Scored:
    """All scores of some runs.

    Attributes:
        tables: One for each circumstances under which two runs or more were scored, that with
            most scores first.
        apart: What stands alone.
        earlier: Places of runs that have scores of earlier weights, which do not count.
    """

    tables: tuple[ScoreTable, ...]
    apart: tuple[Apart, ...]
    earlier: tuple[int, ...]


def scores_of(
    scores: Sequence[Sequence[Row]],
    steps: Sequence[int],
    groups: Sequence[Sequence[int]],
    *,
    seed: int = 0,
) -> Scored:
    """Put scores of runs beside one another.

    Two scores stand in one row where protocol, data, part, kind of codes, seed, number of
    repeats, sample count, precision and settings of the metric are the same. Only finite scores
    of the weights as they are count, and of two alike the newest.

    Args:
        scores: The rows of `scores.json` of each run, oldest first.
        steps: Steps of the weights of each run.
        groups: Places of runs that are taken together.
        seed: Of the bootstrap.
    """
    found: dict[tuple[Any, ...], dict[tuple[Any, ...], dict[int, Row]]] = {}
    earlier: dict[int, None] = {}
    for place, (rows, step) in enumerate(zip(scores, steps, strict=True)):
        for row in rows:
            if row.get("step") not in (None, step):
                earlier[place] = None
                continue
            if _cell(row) is None:
                continue
            table = found.setdefault(_shared(row), {})
            own = (row["metric"], *(row.get(name) for name in OWN))
            table.setdefault(own, {})[place] = row
    tables, apart = [], []
    for shared, table in found.items():
        circumstances = dict(zip(SHARED, shared, strict=True))
        kept = {own: of for own, of in table.items() if len(of) > 1}
        for own, of in table.items():
            if own not in kept:
                apart += [_apart(own, place, row, circumstances) for place, row in of.items()]
        if kept:
            lines = [_row(own, of, len(scores), groups, seed) for own, of in kept.items()]
            known = {row.get("unweave") for of in kept.values() for row in of.values()}
            versions = tuple(sorted(str(version) for version in known if version))
            tables.append(ScoreTable(circumstances, tuple(lines), versions))
    order = sorted(tables, key=lambda table: -len(table.rows))
    alone = sorted(apart, key=lambda each: (each.metric, each.run))
    return Scored(tuple(order), tuple(alone), tuple(earlier))


def _shared(row: Row) -> tuple[Any, ...]:
    return tuple(repeats_of(row) if name == "repeats" else row.get(name) for name in SHARED)


def _row(
    own: tuple[Any, ...],
    of: Mapping[int, Row],
    runs: int,
    groups: Sequence[Sequence[int]],
    seed: int,
) -> ScoreRow:
    metric, text, samples, precision, unit = own
    cells = tuple(_cell(of[place]) if place in of else None for place in range(runs))
    return ScoreRow(
        metric=metric,
        text=text or metric,
        unit=unit or "",
        samples=samples,
        precision=precision,
        higher_is_better=higher_is_better(metric),
        cells=cells,
        means=tuple(_mean([cells[place] for place in group], seed) for group in groups),
    )


def _mean(cells: Sequence[Cell | None], seed: int) -> GroupMean | None:
    values = np.array([cell.value for cell in cells if cell is not None], np.float64)
    if not len(values):
        return None
    interval = over_runs(values, np.mean, seed)
    same = bool((values == values[0]).all())
    return GroupMean(
        runs=len(values),
        # A mean of equal values may differ from them by a rounding.
        mean=float(values[0] if same else values.mean()),
        sd=float(values.std(ddof=1)) if len(values) > 1 else None,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
    )


def _apart(own: tuple[Any, ...], place: int, row: Row, circumstances: Mapping[str, Any]) -> Apart:
    cell = _cell(row)
    assert cell is not None
    further = dict(zip(OWN, own[1:], strict=True))
    unit = further.pop("unit") or ""
    return Apart(own[0], place, cell, {**circumstances, **further}, unit)


def _cell(row: Row) -> Cell | None:
    """The score of a row; None where it is not a number."""
    value = row.get("value")
    if not _is_number(value):
        return None
    interval = row.get("interval") or {}
    low, high = interval.get("low"), interval.get("high")
    if _is_number(low) and _is_number(high):
        return Cell(float(value), float(low), float(high))
    return Cell(float(value), None, None)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
