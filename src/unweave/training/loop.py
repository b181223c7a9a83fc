"""The training loop: a generator of step reports."""

from __future__ import annotations

__all__ = ["StepReport", "fit"]

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from unweave.training.learner import Learner
from unweave.training.source import ImageSource


@final
@dataclass(frozen=True)
class StepReport:
    """One optimiser step has been taken.

    Attributes:
        step: Its number, from 1.
        images: Images encoded in it.
        learner: The weights after it, and the running means.
    """

    step: int
    images: int
    learner: Learner


def fit(learner: Learner, source: ImageSource, *, start: int, stop: int) -> Iterator[StepReport]:
    """Train from the step after `start` up to and including `stop`.

    The consumer logs, saves, scores and stops; the loop does nothing else and waits for nothing.

    Args:
        learner: What is trained, with the state after the step `start`.
        source: Where batches come from.
        start: Optimiser steps that have been done.
        stop: The last step.

    Example:
        >>> for report in fit(learner, source, start=0, stop=1000):  # doctest: +SKIP
        ...     if report.step % 50 == 0:
        ...         print(report.learner.tracker.read().values)
    """
    for step in range(start + 1, stop + 1):
        learner.update(source.batch(step), step)
        yield StepReport(step=step, images=source.images_per_step, learner=learner)
