"""A score with all that is said of it, made by hand."""

from __future__ import annotations

from typing import Any

from unweave.metrics import Matrix, Score
from unweave.scores import ScoreRecord

__all__ = ["record_of"]


def record_of(matrix: Matrix, **changes: Any) -> ScoreRecord:
    """A MIG of 0.25 with its matrix; `changes` are other fields of the record."""
    fields: dict[str, Any] = {
        "metric": "mig",
        "score": Score(0.25, {"shape": 0.125, "scale": 0.5}, matrix),
        "text": "mig(bins=20)",
        "protocol": "unweave/1",
        "data": "dsprites",
        "source": "rendered",
        "part": "all",
        "codes": "mean",
        "samples": 737_280,
        "seed": 0,
        "step": 100,
        "unweave": "0.1.0",
    }
    return ScoreRecord(**{**fields, **changes})
