"""What watches a training: scores and pictures at intervals, snapshots."""

from __future__ import annotations

__all__ = [
    "Observer",
    "PeriodicPicture",
    "PeriodicScores",
    "Snapshots",
    "check_sampled",
    "check_scored",
    "observers_of",
]

import logging
from abc import ABC, abstractmethod
from pathlib import Path
from typing import final

import numpy as np

from unweave import metrics
from unweave.data import Dataset
from unweave.encoding import encode_rows, represent
from unweave.errors import DataError, SpecError
from unweave.jsonlines import append_line
from unweave.metrics.evaluate import check_rows
from unweave.pictures import probe_indices, reconstruct
from unweave.progress import Progress
from unweave.representation import Representation
from unweave.settings import check_scored_metrics
from unweave.splits import keyed_generator
from unweave.tracking import Tracking
from unweave.training import Learner, TrainConfig
from unweave.training.affinity import all_cores
from unweave.training.checkpoint import save_tensors

log = logging.getLogger("unweave")

SCORED_IMAGES = 10_000
PROBE_IMAGES = 10


class Observer(ABC):
    """Looks at the weights every so many steps and never changes them.

    Attributes:
        every: After so many steps it looks again.
    """

    every: int

    @abstractmethod
    def look(self, learner: Learner, step: int, seconds: float) -> None:
        """Called after a step that is a multiple of `every`.

        Args:
            learner: Its weights are those after the step.
            step: Optimiser steps done.
            seconds: Of training until now.
        """


@final
class PeriodicScores(Observer):
    """Scores of a fixed random subset of the training images, into metrics.jsonl."""

    def __init__(
        self,
        config: TrainConfig,
        dataset: Dataset,
        rows: np.ndarray,
        folder: Path,
        tracking: Tracking,
        alive: Progress,
    ) -> None:
        self.every = config.evaluate_every
        self._alive = alive
        self._metrics = config.scored_metrics
        self._dataset = dataset
        self._folder = folder
        self._tracking = tracking
        self._rows = _scored_rows(config, rows)

    def look(self, learner: Learner, step: int, seconds: float) -> None:
        """Encode the subset, append a line of scores, and tell them to the learning rate."""
        shape = (len(self._rows), learner.model.latents)
        mean = np.empty(shape, np.float32)
        logvar = None if learner.model.deterministic else np.empty(shape, np.float32)
        encode_rows(learner.model, self._dataset, self._rows, mean, logvar)
        table = represent(mean, logvar, self._dataset, self._rows)
        with all_cores():
            found = self._score(table, step)
        learner.hear(found)
        line = {
            "event": "scores",
            "step": step,
            "seconds": round(seconds, 3),
            "samples": len(self._rows),
            "scores": found,
        }
        append_line(self._folder / "metrics.jsonl", line)
        self._tracking.scores(step, found)

    def _score(self, table: Representation, step: int) -> dict[str, float]:
        """Values by the names of the metrics; without those that these codes cannot have."""
        found: dict[str, float] = {}
        for name in self._metrics:
            try:
                scores = metrics.evaluate(table, metrics=(name,), progress=self._alive)
                found[name] = scores[name].value
            except DataError as error:
                log.warning("Step %d has no score by %s. %s", step, name, error)
        return found


def check_sampled(config: TrainConfig, count: int) -> None:
    """Refuse scores on the way that a sample of the images cannot have.

    Args:
        config: Of the run.
        count: How many images are trained on.

    Raises:
        SpecError: A metric wants all images, and these are more than are scored on the way.
    """
    if count <= SCORED_IMAGES:
        return
    for metric in check_scored_metrics(config):
        if metric.of_all_rows:
            raise SpecError(
                f"train: scores on the way are of {SCORED_IMAGES:,} images, and {metric.name} "
                f"wants all {count:,}. Leave it out of evaluate_metrics, and score it afterwards."
            )


def check_scored(config: TrainConfig, dataset: Dataset, rows: np.ndarray) -> None:
    """Refuse scores on the way that no codes of these images can have.

    Args:
        config: Of the run.
        dataset: What is trained on.
        rows: Flat indices of the images that are trained on, (N,).

    Raises:
        SpecError: As by `check_scored_metrics`.
        DataError: A metric cannot score these images, whatever their codes are.
    """
    if not config.evaluate_every:
        return
    chosen = check_scored_metrics(config)
    space, factors = dataset.known_factors(_scored_rows(config, rows))
    for metric in chosen:
        check_rows(metric, factors, space, config.latents)


def _scored_rows(config: TrainConfig, rows: np.ndarray) -> np.ndarray:
    """The images that are scored on the way: always the same of one seed."""
    rng = keyed_generator(config.seed, "periodic scores")
    return np.sort(rng.choice(rows, min(SCORED_IMAGES, len(rows)), replace=False))


@final
class PeriodicPicture(Observer):
    """Reconstructions of fixed probe images, as `figures/training/step-N.png`."""

    def __init__(
        self,
        every: int,
        dataset: Dataset,
        rows: np.ndarray,
        seed: int,
        folder: Path,
        tracking: Tracking,
    ) -> None:
        self.every = every
        self._dataset = dataset
        self._folder = folder
        self._tracking = tracking
        self._rows = rows[probe_indices(PROBE_IMAGES, len(rows), seed)]

    def look(self, learner: Learner, step: int, seconds: float) -> None:
        """Draw the probe images and their reconstructions."""
        # Here: matplotlib takes half a second, for which trainings without pictures do not wait.
        from unweave import plots

        originals, decoded = reconstruct(learner.model, self._dataset, self._rows)
        figure = plots.reconstructions(originals, decoded)
        path = self._folder / "figures" / "training" / f"step-{step:07d}.png"
        plots.save(figure, path)
        self._tracking.picture(step, "reconstructions", path)


@final
class Snapshots(Observer):
    """Weights kept for good, as `snapshots/step-N.safetensors`."""

    def __init__(self, every: int, folder: Path) -> None:
        self.every = every
        self._folder = folder

    def look(self, learner: Learner, step: int, seconds: float) -> None:
        """Write the weights."""
        path = self._folder / "snapshots" / f"step-{step:07d}.safetensors"
        save_tensors(path, learner.weights(), step=step, seconds=seconds)


def observers_of(
    config: TrainConfig,
    dataset: Dataset,
    rows: np.ndarray,
    folder: Path,
    tracking: Tracking,
    alive: Progress,
) -> list[Observer]:
    """The observers that a configuration asks for; trackers are told what they find.

    Args:
        config: Of the run.
        dataset: What is trained on.
        rows: Flat indices of the images to score and to draw, (N,).
        folder: Of the run.
        tracking: Trackers of the run.
        alive: Called while what takes long goes on.
    """
    found: list[Observer] = []
    if config.snapshot_every:
        found.append(Snapshots(config.snapshot_every, folder))
    if config.evaluate_every:
        found.append(PeriodicScores(config, dataset, rows, folder, tracking, alive))
    if config.picture_every:
        every = config.picture_every
        found.append(PeriodicPicture(every, dataset, rows, config.seed, folder, tracking))
    return found
