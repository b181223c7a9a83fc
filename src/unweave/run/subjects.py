"""What analyses are given of a run."""

from __future__ import annotations

__all__ = ["subject_of"]

from typing import TYPE_CHECKING

from unweave.analysis import Subject
from unweave.data import Dataset, Progress
from unweave.encoding import Codes, Part
from unweave.run.asked import asked_rows

if TYPE_CHECKING:
    from unweave.run.opened import Run


def subject_of(
    run: Run,
    dataset: Dataset,
    *,
    part: Part = "all",
    codes: Codes = "mean",
    seed: int = 0,
    progress: Progress | None = None,
) -> Subject:
    """All that an analysis may look at.

    Args:
        run: The run, which has weights.
        dataset: Where the images come from: the run's own, or another one that fits.
        part: Which of its images are scored.
        codes: Posterior means or samples.
        seed: Seed of whatever is drawn.
        progress: Told what is being done.
    """
    return Subject(
        model=run.model,
        parts=run.parts,
        objective=run.config.last.objective,
        setup=run.config.setup,
        dataset=dataset,
        flat=asked_rows(run.config, part, dataset),
        num_train=run.config.num_train,
        trained_on=run.config.dataset,
        trained=lambda most: run.representation(part="train", progress=progress, images=most),
        codes=codes,
        seed=seed,
        step=run.step,
        progress=progress,
    )
