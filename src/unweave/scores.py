"""Scores with their provenance: how they are kept in a run folder and shown to people."""

from __future__ import annotations

__all__ = ["CLEAR_GAP", "ScoreRecord", "Scores", "load_scores", "save_scores"]

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from unweave.metrics import Matrix, Score
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

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        return {
            "metric": self.metric,
            "text": self.text,
            "protocol": self.protocol,
            "value": self.value,
            "parts": self.parts,
            "matrix": None if self.matrix is None else self.matrix.to_dict(),
            "unit": self.score.unit,
            "units": self.score.units,
            "data": self.data,
            "source": self.source,
            "part": self.part,
            "codes": self.codes,
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
        """A table for people: scores, their parts, and which latent follows which factor."""
        return "\n\n".join(_table(record) for record in self.values())

    def __repr__(self) -> str:
        """The same table."""
        return str(self)


def save_scores(folder: Path, records: tuple[ScoreRecord, ...]) -> None:
    """Add scores to `scores.json`; one with the same provenance is replaced."""
    kept = [
        row for row in load_scores(folder) if not any(_same(row, r.to_dict()) for r in records)
    ]
    rows = kept + [record.to_dict() for record in records]
    write_json(folder / "scores.json", {"format": FORMAT, "scores": rows})


def load_scores(folder: Path) -> list[dict[str, Any]]:
    """The rows of `scores.json`, oldest first; empty when nothing has been scored."""
    path = folder / "scores.json"
    rows: list[dict[str, Any]] = read_json(path)["scores"] if path.is_file() else []
    return rows


def _same(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    keys = ("metric", "protocol", "data", "part", "codes", "seed")
    return all(a.get(key) == b.get(key) for key in keys)


def _table(record: ScoreRecord) -> str:
    score = record.score
    head = (
        f"{record.metric} = {record.value:.4f}{f' {score.unit}' if score.unit else ''}   "
        f"({record.text}, protocol {record.protocol}; "
        f"{record.data}, {record.source}, part {record.part}, {record.samples:,} images, "
        f"{record.codes} codes)"
    )
    matrix = record.matrix
    if matrix is None:
        width = max(14, *(len(name) + 2 for name in record.parts), 0)
        rows = (
            f"  {name:<{width}}{value:10.4f} {score.units.get(name, score.unit)}".rstrip()
            for name, value in record.parts.items()
        )
        return "\n".join([head, *rows])
    width = max(12, *(len(c) + 3 for c in matrix.columns))
    lines = [head, "", " " * 8 + "".join(f"{c:>{width}}" for c in matrix.columns)]
    best = matrix.values.argmax(axis=0)
    for i, row in enumerate(matrix.rows):
        cells = [
            f"{value:.3f}{'*' if best[k] == i and value > 0 else ' '}"
            for k, value in enumerate(matrix.values[i])
        ]
        lines.append(f"  {row:<6}" + "".join(f"{cell:>{width}}" for cell in cells))
    parts = [f"{record.parts[c]:.3f} " if c in record.parts else "- " for c in matrix.columns]
    what = "gap" if record.metric in ("mig", "mig_sampled") else "part"
    lines.append(f"  {what:<6}" + "".join(f"{part:>{width}}" for part in parts))
    lines.append(f"  {matrix.label}; * marks the latent that follows the factor most closely")
    return "\n".join(lines)
