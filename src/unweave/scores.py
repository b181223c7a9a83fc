"""Scores with their provenance: how they are kept in a run folder and shown to people."""

from __future__ import annotations

__all__ = ["CLEAR_GAP", "ScoreRecord", "Scores", "load_scores", "repeats_of", "save_scores"]

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from unweave import display
from unweave.errors import RunError
from unweave.metrics import Matrix, Score, show
from unweave.rundir import FORMAT, read_json, write_json

CLEAR_GAP = 0.1
"""Smallest gap at which people are told that a latent follows a factor."""


@final
@dataclass(frozen=True)
class ScoreRecord:
    """A score, and all that must be known to compare it with another.

    Attributes:
        metric: Name of the metric.
        score: Value, parts and matrix.
        text: The metric with every setting that differs from its default.
        protocol: Name and version of the protocol.
        data: Text of the dataset.
        source: `rendered` or `archive`.
        part: `train`, `holdout` or `all`.
        codes: `mean` or `sampled`.
        samples: Rows that were scored.
        seed: Seed of the draws.
        step: Optimiser steps of the weights that were scored.
        unweave: Version that computed it.
        precision: In which the images were encoded, `float32` or `bfloat16`; None where that is
            not known, as of codes that were given.
    """

    metric: str
    score: Score
    text: str
    protocol: str
    data: str
    source: str
    part: str
    codes: str
    samples: int
    seed: int
    step: int
    unweave: str
    precision: str | None = None

    @property
    def value(self) -> float:
        """The headline number."""
        return self.score.value

    @property
    def parts(self) -> dict[str, float]:
        """Further numbers by name."""
        return self.score.parts

    @property
    def matrix(self) -> Matrix | None:
        """The table behind the score."""
        return self.score.matrix

    def _repr_html_(self) -> str:
        """Value, interval, parts, table and provenance, for a notebook."""
        unit = self.score.unit
        title = f"{self.metric} = {display.number(self.value)} {unit}".rstrip()
        details = self.score.details(show.name_of_parts(self.metric))
        return display.shown(title, *details, display.facts(_facts(self)))

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        return {
            "metric": self.metric,
            "text": self.text,
            "protocol": self.protocol,
            **show.form(self.score),
            "data": self.data,
            "source": self.source,
            "part": self.part,
            "codes": self.codes,
            "precision": self.precision,
            "samples": self.samples,
            "seed": self.seed,
            "step": self.step,
            "unweave": self.unweave,
        }


@final
class Scores(Mapping[str, ScoreRecord]):
    """Scores by the name of their metric; printing gives a table."""

    def __init__(self, records: tuple[ScoreRecord, ...]) -> None:
        self._records = {record.metric: record for record in records}

    def __getitem__(self, name: str) -> ScoreRecord:
        """The score of a metric."""
        return self._records[name]

    def __iter__(self) -> Iterator[str]:
        """Names of the metrics."""
        return iter(self._records)

    def __len__(self) -> int:
        """Number of scores."""
        return len(self._records)

    def __str__(self) -> str:
        """A table for people: scores, their parts, and which latent follows which factor.

        More than three scores are shown in short, one below the other.
        """
        records = tuple(self.values())
        if len(records) <= show.IN_FULL:
            return "\n\n".join(_table(record) for record in records)
        heads = dict.fromkeys(map(_about, records))
        short = show.compact({record.metric: record.score for record in records})
        return "\n".join([*heads, "", short])

    def __repr__(self) -> str:
        """The same table."""
        return str(self)

    def _repr_html_(self) -> str:
        """A table with a row for each score, and what stands behind each, for a notebook."""
        records = tuple(self.values())
        if not records:
            return display.shown("No scores")
        columns: dict[str, list[object]] = {
            "metric": [record.metric for record in records],
            "value": [display.number(record.value) for record in records],
            "unit": [record.score.unit for record in records],
            "95 % over draws": [
                record.score.interval.text() if record.score.interval else "" for record in records
            ],
        }
        filled = {name: cells for name, cells in columns.items() if any(cells)}
        rows = list(zip(*filled.values(), strict=True))
        opened = len(records) == 1
        behind = [
            display.folded(
                record.text,
                *record.score.details(show.name_of_parts(record.metric)),
                opened=opened,
            )
            for record in records
        ]
        given_all = dict.fromkeys(_about(record) for record in records)
        return display.shown(
            "Score" if opened else f"{len(records)} scores",
            *map(display.note, given_all),
            display.table(tuple(filled), rows, ("value",)),
            *behind,
        )


def save_scores(folder: Path, records: tuple[ScoreRecord, ...]) -> None:
    """Add scores to `scores.json`; one with the same provenance is replaced."""
    kept = [
        row for row in load_scores(folder) if not any(_same(row, r.to_dict()) for r in records)
    ]
    rows = kept + [record.to_dict() for record in records]
    write_json(folder / "scores.json", {"format": FORMAT, "scores": rows})


def load_scores(folder: Path) -> list[dict[str, Any]]:
    """The rows of `scores.json`, oldest first; empty when nothing has been scored.

    Raises:
        RunError: The file is damaged.
    """
    path = folder / "scores.json"
    if not path.is_file():
        return []
    form = read_json(path)
    rows = form.get("scores") if isinstance(form, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RunError(f"{path} is damaged: it has no list of scores. Remove it, and score again.")
    return rows


def _same(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    keys = ("metric", "protocol", "data", "part", "codes", "seed")
    return all(a.get(key) == b.get(key) for key in keys) and repeats_of(a) == repeats_of(b)


def repeats_of(row: Mapping[str, Any]) -> int:
    """How many draws a stored score is a mean of."""
    interval = row.get("interval")
    return 1 if interval is None else len(interval["values"])


def _provenance(record: ScoreRecord) -> str:
    precision = f" in {record.precision}" if record.precision else ""
    return (
        f"{record.data}, {record.source}, part {record.part}, {record.samples:,} images, "
        f"{record.codes} codes{precision}"
    )


def _about(record: ScoreRecord) -> str:
    """What the scores of one call mostly have in common."""
    return f"protocol {record.protocol}; {_provenance(record)}"


def _facts(record: ScoreRecord) -> dict[str, object]:
    """All that must be known to compare a score with another, but for the score itself."""
    return {
        "metric": record.text,
        "protocol": record.protocol,
        "data": f"{record.data} ({record.source}), part {record.part}",
        "images": f"{record.samples:,}",
        "codes": record.codes,
        "precision": record.precision,
        "seed": record.seed,
        "step": f"{record.step:,}",
        "unweave": record.unweave,
    }


def _table(record: ScoreRecord) -> str:
    score = record.score
    head = (
        f"{record.metric} = {record.value:.4f}{f' {score.unit}' if score.unit else ''}   "
        f"({record.text}, protocol {record.protocol}; {_provenance(record)})"
    )
    return "\n".join([head, *show.details(record.metric, score)])
