"""Scores of a run that has none of its weights yet."""

from __future__ import annotations

__all__ = ["score_unscored"]

from typing import TYPE_CHECKING

from unweave.analysis import TestLosses
from unweave.data import Progress
from unweave.errors import DataError
from unweave.metrics.protocols import DEFAULT, metrics_of, protocol
from unweave.scores import load_scores

if TYPE_CHECKING:
    from unweave.run.opened import Run


def score_unscored(run: Run, progress: Progress | None = None) -> str:
    """Score a run by what the default protocol scores unasked, if none of that is there.

    An analysis alone does not count, but for a model without an encoder, which has its test
    losses.

    Args:
        run: The run, which has weights.
        progress: Shows the encoding.

    Returns:
        Why it cannot be scored, such as a model of a single latent; else empty.
    """
    needed = {metric.name for metric in metrics_of(protocol(DEFAULT), None)}
    asked = None
    if not run.config.objective.expand().encodes:
        asked = (TestLosses.name,)
        needed = set(asked)
    data = str(run.config.dataset)
    rows = [row for row in load_scores(run.folder) if row["data"] == data]
    if any(row["step"] == run.step and row["metric"] in needed for row in rows):
        return ""
    try:
        run.evaluate(asked, progress=progress)
    except DataError as error:
        return str(error)
    return ""
