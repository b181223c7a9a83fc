"""From run folders to tables."""

from __future__ import annotations

__all__ = ["collect"]

import json
import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, final

import polars as pl

from unweave.progress import Progress
from unweave.results.fields import Cell
from unweave.results.finding import find_runs
from unweave.results.reading import RUN_FIELDS, Record, read_run
from unweave.results.table import CIRCUMSTANCES, TAKEN, Results, own_name
from unweave.scores import repeats_of

_WHOLE = ("score_seed", "repeats", "samples")


def collect(
    folders: Sequence[str | Path],
    *,
    parts: Sequence[str] | None = (),
    progress: Progress | None = None,
) -> Results:
    """Read all runs that some folders stand for.

    A training that is found in several folders, as studies share runs, is one run, with the
    scores of all of them.

    Args:
        folders: Runs, studies, or folders of either.
        parts: Which parts of scores are scores of their own, as `dci.completeness`; None for all.
        progress: Shows how many runs have been read.

    Raises:
        RunError: A folder does not exist, or there is no run in it.
    """
    found, notes = find_runs(folders)
    making = _Making(None if parts is None else frozenset(map(own_name, parts)))
    for done, place in enumerate(found, 1):
        making.add(read_run(place))
        if progress is not None:
            progress("reading runs", done, len(found))
    return making.results(notes)


@final
class _Making:
    """The tables in the making: of scores only numbers, as there may be millions."""

    def __init__(self, parts: frozenset[str] | None) -> None:
        self._parts = parts
        self._places: dict[str, int] = {}
        self._runs: list[dict[str, Cell]] = []
        self._config: dict[str, dict[int, Cell]] = {}
        self._cases: dict[tuple[Any, ...], int] = {}
        self._versions: dict[str, int] = {}
        # Of each score: run, case, step or -1, version or -1; and its value.
        self._whole = tuple(array("q") for _ in range(4))
        self._values = array("d")
        self._draws: dict[int, tuple[float, ...]] = {}
        # Where the scores of each run stand.
        self._ranges: list[list[range]] = []
        self._seen: set[tuple[str, ...]] = set()
        self._quantities: set[str] = set()
        self._twice: list[str] = []
        self._differing: dict[str, None] = {}

    def add(self, record: Record) -> None:
        """Add a run, or what is new about one that is there."""
        known = self._places.get(record.identity)
        if known is None:
            place = self._places[record.identity] = len(self._runs)
            self._runs.append(record.facts)
            self._ranges.append([])
            for name, value in record.config.items():
                self._config.setdefault(name, {})[place] = value
        else:
            place = known
            self._twice.append(str(record.facts["run"]))
            if self._runs[place]["state"] != "finished" == record.facts["state"]:
                self._runs[place] = record.facts
        cases = self._whole[1]
        start = len(self._values)
        there = {cases[k]: k for part in self._ranges[place] for k in part}
        for row in record.scores:
            self._add_score(place, row, there, start)
        self._ranges[place].append(range(start, len(self._values)))

    def _add_score(
        self, place: int, row: Mapping[str, Any], there: dict[int, int], start: int
    ) -> None:
        """Add a score and its parts.

        Args:
            place: The run.
            row: What its folder says.
            there: Case -> where the run's score of it stands.
            start: Where the scores of this folder begin.
        """
        metric, unit = row["metric"], row.get("unit") or ""
        circumstances = (
            row["protocol"], row.get("data"), row.get("source"), row.get("part"),
            row.get("codes"), row.get("seed"), repeats_of(row), row.get("text"),
            row.get("samples"), row.get("precision"),
        )  # fmt: skip
        parts: Mapping[str, float | None] = row.get("parts") or {}
        signature = (metric, *parts)
        if signature not in self._seen:
            self._seen.add(signature)
            self._quantities.update((metric, *(f"{metric}.{part}" for part in parts)))
        step, version = row.get("step"), row.get("unweave")
        rest = (
            -1 if step is None else step,
            -1 if version is None else self._versions.setdefault(version, len(self._versions)),
        )
        case = self._case(metric, unit, circumstances)
        found = self._put(metric, (place, case, *rest), _number(row["value"]), there, start)
        interval = row.get("interval")
        if interval and found is not None:
            ends = (interval.get("low"), interval.get("high"), interval.get("sd"))
            self._draws[found] = tuple(map(_number, ends))
        if self._parts is None or self._parts:
            units = row.get("units") or {}
            for part, number in parts.items():
                name = f"{metric}.{part}"
                if self._parts is None or name in self._parts:
                    case = self._case(name, units.get(part, unit), circumstances)
                    self._put(name, (place, case, *rest), _number(number), there, start)

    def _case(self, metric: str, unit: str, circumstances: tuple[Any, ...]) -> int:
        return self._cases.setdefault((metric, unit, *circumstances), len(self._cases))

    def _put(
        self,
        name: str,
        whole: tuple[int, int, int, int],
        value: float,
        there: dict[int, int],
        start: int,
    ) -> int | None:
        """Where a number is put; None where the run has one of its case that goes before it.

        Of one folder the last counts. Of several one of the weights as they are goes before one
        of earlier weights, then a number before none, then the first.
        """
        place, case, step, _ = whole
        known = there.get(case)
        if known is None:
            for column, number in zip(self._whole, whole, strict=True):
                column.append(number)
            self._values.append(value)
            there[case] = len(self._values) - 1
            return there[case]
        if known < start:
            old = self._values[known]
            worth = self._worth(place, step, value)
            before = self._worth(place, self._whole[2][known], old)
            if worth == before and old != value and not math.isnan(old):
                self._differing[f"{name} of {self._runs[place]['key']}"] = None
            if worth <= before:
                return None
        self._draws.pop(known, None)
        for column, number in zip(self._whole, whole, strict=True):
            column[known] = number
        self._values[known] = value
        return known

    def _worth(self, place: int, step: int, value: float) -> tuple[bool, bool]:
        """What makes one of two values of a score count."""
        return step in (-1, self._runs[place]["step"]), not math.isnan(value)

    def results(self, notes: Sequence[str]) -> Results:
        """All tables."""
        count = len(self._runs)
        runs: dict[str, pl.Series] = {"id": pl.Series(range(count), dtype=pl.Int64)}
        for name in RUN_FIELDS:
            runs[name] = _column([facts[name] for facts in self._runs])
        config = {}
        heads = list(dict.fromkeys(name.partition(".")[0] for name in self._config))
        for name in sorted(self._config, key=lambda name: heads.index(name.partition(".")[0])):
            values = self._config[name]
            column = _column([values.get(place) for place in range(count)])
            config[f"config.{name}" if name in TAKEN else name] = column
        cases = self._case_table()
        # By run, and within a run not by when scores were computed.
        order = cases.select("case").with_row_index("position")
        scores = self._score_table().join(order, on="case").sort("id", "position").drop("position")
        return Results(
            runs=pl.DataFrame(runs | config),
            cases=cases,
            scores=scores,
            config=tuple(config),
            quantities=frozenset(self._quantities),
            notes=(*notes, *self._notes()),
        )

    def _case_table(self) -> pl.DataFrame:
        names = ("metric", "unit", *CIRCUMSTANCES)
        columns = zip(*self._cases, strict=True) if self._cases else ((),) * len(names)
        frame = pl.DataFrame(
            {
                name: pl.Series(column, dtype=pl.Int64 if name in _WHOLE else pl.String)
                for name, column in zip(names, columns, strict=True)
            }
        )
        numbers = pl.Series("case", range(len(frame)), dtype=pl.Int64)
        return frame.insert_column(0, numbers).sort("metric", *CIRCUMSTANCES, "unit")

    def _score_table(self) -> pl.DataFrame:
        place, case, step, version = (pl.Series(column, dtype=pl.Int64) for column in self._whole)
        values = pl.Series(self._values, dtype=pl.Float64)
        rows = pl.DataFrame({"row": pl.Series(list(self._draws), dtype=pl.Int64)})
        ends = [[ends[k] for ends in self._draws.values()] for k in range(3)]
        for name, column in zip(("draws_low", "draws_high", "draws_sd"), ends, strict=True):
            rows = rows.with_columns(pl.Series(name, column, dtype=pl.Float64).fill_nan(None))
        versions = pl.Series(list(self._versions), dtype=pl.Enum(list(self._versions)))
        frame = pl.DataFrame(
            {
                "id": place,
                "case": case,
                "value": values.fill_nan(None),
                "row": pl.Series(range(len(values)), dtype=pl.Int64),
                "score_step": step.set(step < 0, None),
                "score_unweave": versions.gather(version.set(version < 0, None)),
            }
        )
        return frame.join(rows, on="row", how="left", maintain_order="left").drop("row")

    def _notes(self) -> Iterator[str]:
        if self._twice:
            yield (
                f"{_folders(len(self._twice))} of a training that another folder has, too, so "
                f"that it counts once: {_few(self._twice)}."
            )
        if self._differing:
            yield (
                "Folders of one training have different values of a score; the one found first "
                f"counts: {_few(list(self._differing))}."
            )


def _number(value: float | None) -> float:
    return math.nan if value is None or not math.isfinite(value) else value


def _folders(count: int) -> str:
    return "1 folder is" if count == 1 else f"{count} folders are"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def _column(values: Sequence[Cell]) -> pl.Series:
    """Values as numbers where all of them are; else as texts, which tell 1 from 1.0 no more."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pl.Series(values, dtype=pl.Boolean)
    if kinds == {int} and all(value is None or abs(int(value)) < 2**63 for value in values):
        return pl.Series(values, dtype=pl.Int64)
    if kinds and kinds <= {int, float}:
        return pl.Series([None if v is None else float(v) for v in values], dtype=pl.Float64)
    texts = [v if v is None or isinstance(v, str) else _number_text(v) for v in values]
    return pl.Series(texts, dtype=pl.String)


def _number_text(value: Cell) -> str:
    whole = isinstance(value, float) and math.isfinite(value) and value == int(value)
    return str(int(value)) if whole and value is not None else json.dumps(value)
