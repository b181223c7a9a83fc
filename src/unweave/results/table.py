"""Runs and their scores as two tables, and as a single tidy one."""

from __future__ import annotations

__all__ = ["OWN", "SCORE_FIELDS", "SHARED", "Results", "collect", "own_name"]

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, final

import polars as pl

from unweave.metrics.protocols import names_of
from unweave.progress import Progress
from unweave.results.fields import Cell
from unweave.results.finding import find_runs
from unweave.results.reading import RUN_FIELDS, Record, read_run
from unweave.scores import repeats_of

SHARED: Final = ("protocol", "data", "source", "part", "codes", "score_seed", "repeats")
"""Under which circumstances a score was computed: those that all scores of one call share."""

OWN: Final = ("settings", "samples", "score_precision")
"""Further circumstances, which differ from metric to metric."""

SCORE_FIELDS: Final = (
    "metric", "value", "unit", "draws_low", "draws_high", "draws_sd", *SHARED, *OWN, "score_step",
    "score_unweave",
)  # fmt: skip

_WHOLE = ("score_seed", "repeats", "samples", "score_step")
_NUMBERS = ("value", "draws_low", "draws_high", "draws_sd")


@final
@dataclass(frozen=True)
class Results:
    """Runs and scores.

    Attributes:
        runs: One row a run: `id`, `RUN_FIELDS`, and the columns of the configuration.
        scores: One row a score: `id` of its run, and `SCORE_FIELDS`. A score that is not a number
            has no value.
        config: Names of the columns of the configuration.
        quantities: Each metric, and each `METRIC.PART`, that any run has.
        notes: What was passed over, or stands in more than one place.
        asked: Metrics in the order in which they were asked for; empty for all.
    """

    runs: pl.DataFrame
    scores: pl.DataFrame
    config: tuple[str, ...]
    quantities: frozenset[str]
    notes: tuple[str, ...]
    asked: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics of which there are scores, as they were asked for, or by name."""
        return self.asked or tuple(sorted(self.scores["metric"].unique().to_list()))

    def tidy(self) -> pl.DataFrame:
        """One row a score, with everything that is known of its run beside it.

        A run without a score has one row, without a metric.
        """
        joined = self.runs.join(self.scores, on="id", how="left", maintain_order="left_right")
        facts = [name for name in RUN_FIELDS if name not in ("message", "unweave")]
        return joined.select(*facts, *SCORE_FIELDS, "message", "unweave", *self.config)

    def of_runs(self, kept: pl.DataFrame) -> Results:
        """The same for some of the runs."""
        return replace(self, runs=kept, scores=self.scores.join(kept, on="id", how="semi"))


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


def own_name(asked: str) -> str:
    """A metric, or a part of one, by the metric's own name where it is asked for by an alias."""
    head, dot, part = asked.partition(".")
    return names_of((head,))[0] + dot + part


@final
class _Making:
    """Two tables in the making, column by column."""

    def __init__(self, parts: frozenset[str] | None) -> None:
        self._parts = parts
        self._places: dict[str, int] = {}
        self._runs: list[dict[str, Cell]] = []
        self._config: dict[str, dict[int, Cell]] = {}
        self._scores: dict[str, list[Any]] = {name: [] for name in ("id", *SCORE_FIELDS)}
        self._known: dict[tuple[Any, ...], Any] = {}
        self._quantities: set[str] = set()
        self._twice: list[str] = []
        self._differing: list[str] = []
        self._words: dict[str, str] = {}

    def add(self, record: Record) -> None:
        """Add a run, or what is new about one that is there."""
        known = self._places.get(record.identity)
        if known is None:
            place = self._places[record.identity] = len(self._runs)
            self._runs.append(record.facts)
            for name, value in record.config.items():
                self._config.setdefault(name, {})[place] = self._word(value)
        else:
            place = known
            self._twice.append(str(record.facts["run"]))
            if self._runs[place]["state"] != "finished" == record.facts["state"]:
                self._runs[place] = record.facts
        for row in sorted(record.scores, key=_order):
            self._add_score(place, row)

    def _add_score(self, place: int, row: Mapping[str, Any]) -> None:
        shared = {
            "protocol": row["protocol"],
            "data": row.get("data"),
            "source": row.get("source"),
            "part": row.get("part"),
            "codes": row.get("codes"),
            "score_seed": row.get("seed"),
            "repeats": repeats_of(row),
            "settings": row.get("text"),
            "samples": row.get("samples"),
            "score_precision": row.get("precision"),
            "score_step": row.get("step"),
            "score_unweave": row.get("unweave"),
        }
        metric, value = row["metric"], row["value"]
        key = (place, metric, *shared.values())
        if key in self._known:
            if self._known[key] != value:
                self._differing.append(f"{metric} of {self._runs[place]['key']}")
            return
        self._known[key] = value
        interval = row.get("interval") or {}
        draws = {f"draws_{name}": interval.get(name) for name in ("low", "high", "sd")}
        unit = row.get("unit") or ""
        self._append(place, metric, value, unit, shared | draws)
        units = row.get("units") or {}
        for part, number in (row.get("parts") or {}).items():
            name = self._word(f"{metric}.{part}")
            self._quantities.add(name)
            if self._parts is None or name in self._parts:
                self._append(place, name, number, units.get(part, unit), shared)

    def _append(
        self, place: int, metric: str, value: float | None, unit: str, rest: Mapping[str, Any]
    ) -> None:
        self._quantities.add(metric)
        row = {"id": place, "metric": metric, "value": value, "unit": unit, **rest}
        for name, column in self._scores.items():
            column.append(self._word(row.get(name)))

    def _word(self, value: Any) -> Any:
        """The same text as one object, however often it comes."""
        return self._words.setdefault(value, value) if isinstance(value, str) else value

    def results(self, notes: Sequence[str]) -> Results:
        """Both tables."""
        count = len(self._runs)
        runs: dict[str, pl.Series] = {"id": pl.Series(range(count), dtype=pl.Int32)}
        for name in RUN_FIELDS:
            runs[name] = _column([facts[name] for facts in self._runs])
        config = {}
        heads = list(dict.fromkeys(name.partition(".")[0] for name in self._config))
        for name in sorted(self._config, key=lambda name: heads.index(name.partition(".")[0])):
            values = self._config[name]
            # A column of the configuration never hides one of those that are always there.
            hidden = name in runs or name in SCORE_FIELDS
            column = f"config.{name}" if hidden else name
            config[column] = _column([values.get(place) for place in range(count)])
        return Results(
            runs=pl.DataFrame(runs | config),
            scores=pl.DataFrame(
                {
                    name: pl.Series(values, dtype=_dtype(name))
                    for name, values in self._scores.items()
                }
            ),
            config=tuple(config),
            quantities=frozenset(self._quantities),
            notes=(*notes, *self._notes()),
        )

    def _notes(self) -> Iterator[str]:
        if self._twice:
            yield (
                f"{_folders(len(self._twice))} of a training that another folder has, too, so "
                f"that it counts once: {_few(self._twice)}."
            )
        if self._differing:
            yield (
                "Folders of one training have different values of a score; the one found first "
                f"counts: {_few(self._differing)}."
            )


def _folders(count: int) -> str:
    return "1 folder is" if count == 1 else f"{count} folders are"


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def _order(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Scores of a run in an order that does not depend on when they were computed."""
    names = ("metric", "protocol", "data", "source", "part", "codes", "seed")
    return (*(f"{row.get(name)}" for name in names), f"{repeats_of(row):09}")


def _dtype(name: str) -> Any:
    if name == "id":
        return pl.Int32
    return pl.Int64 if name in _WHOLE else pl.Float64 if name in _NUMBERS else pl.String


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
