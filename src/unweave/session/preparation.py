"""Everything that is made ready, and checked, before the first step."""

from __future__ import annotations

__all__ = [
    "Setting",
    "check_place",
    "check_space",
    "copy_weights",
    "initial_weights",
    "prepare",
    "training_rows",
]

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import torch

from unweave.data import Dataset, Progress
from unweave.errors import RunError
from unweave.observers import check_sampled, check_scored
from unweave.rundir import is_run
from unweave.session.folder import CHECKPOINT, read_config
from unweave.splits import holdout
from unweave.training import Learner, StepReport, TrainConfig, fit
from unweave.training.checkpoint import load_tensors
from unweave.training.source import ImageSource


@final
@dataclass(frozen=True)
class Setting:
    """A training that is ready to run.

    Attributes:
        config: What is trained, with its phases.
        dataset: Where images come from.
        rows: Flat indices of those that are trained on.
        learner: Networks and optimisers, with the settings of the next step.
        source: Gives the batches of these settings.
    """

    config: TrainConfig
    dataset: Dataset
    rows: np.ndarray
    learner: Learner
    source: ImageSource

    def steps(self, done: int) -> Iterator[StepReport]:
        """Train from the step after `done` to the last one, through all phases.

        Where a phase begins, a new learner goes on from the tensors of the one before: as a resume
        does from those of a checkpoint.
        """
        learner, source = self.learner, self.source
        for start, stop in self.config.spans(done):
            if start > done:
                settings = self.config.at(start + 1)
                learner = _next(learner, settings, self.dataset, len(self.rows))
                source = _source(self.dataset, self.rows, settings, learner)
            yield from fit(learner, source, start=start, stop=stop)


def _next(learner: Learner, settings: TrainConfig, dataset: Dataset, images: int) -> Learner:
    """A learner with other settings, and all that a learner has learned."""
    new = Learner(settings, dataset.spec.image_shape, images)
    new.restore(learner.tensors())
    return new


def _source(
    dataset: Dataset, rows: np.ndarray, settings: TrainConfig, learner: Learner
) -> ImageSource:
    chosen = None if len(rows) == len(dataset) else rows
    return ImageSource(dataset, chosen, settings, learner.plan.needs)


def prepare(
    config: TrainConfig,
    progress: Progress | None,
    initial: Mapping[str, torch.Tensor] | None = None,
    done: int = 0,
) -> Setting:
    """Build the networks of a resolved configuration and open its dataset.

    Args:
        config: What is trained.
        progress: Shows the preparation of the dataset.
        initial: Weights to start from, or None for new ones.
        done: Steps that the training has behind it: the settings are those of the next one.

    Raises:
        RunError: The weights do not fit.
        SpecError: A metric that is to be scored on the way is unknown.
        DataError: The dataset cannot be had, or such a metric cannot score it.
    """
    config.dataset.check_loadable()
    rows, _ = training_rows(config, config.dataset.count)
    check_sampled(config, len(rows))
    settings = config.at(done + 1)
    learner = Learner(settings, config.dataset.image_shape, len(rows))
    if initial is not None:
        copy_weights(learner, initial, str(config.init_from))
    # Last, since a dataset that is not there yet takes its time.
    dataset = config.dataset.open(progress)
    check_scored(config, dataset, rows)
    return Setting(config, dataset, rows, learner, _source(dataset, rows, settings, learner))


def training_rows(config: TrainConfig, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Flat indices of the images trained on and of those held out."""
    if config.holdout == 0:
        return np.arange(count, dtype=np.int64), np.empty(0, np.int64)
    return holdout(count, config.holdout, config.seed)


def check_place(folder: Path, overwrite: bool, config: TrainConfig) -> None:
    """Refuse to train into a folder that is in the way.

    Args:
        folder: Of the training.
        overwrite: Whether a run that is there may be replaced.
        config: What shall be trained.

    Raises:
        RunError: It is a run and `overwrite` is not set, it is the run whose weights are the
            start, or it is something else.
    """
    try:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return
    except (OSError, ValueError) as error:
        raise RunError(f"{folder} cannot be a run folder: {error}.") from error
    if not folder.is_dir() or not is_run(folder):
        raise RunError(f"{folder} exists and is not a run folder; choose another name with --out.")
    if not overwrite:
        raise RunError(
            f"{folder} exists. Go on with it (--resume), replace it (--overwrite), or choose "
            f"another name (--out)."
        )
    if config.init_from is not None and folder.resolve() == Path(config.init_from).resolve():
        raise RunError(
            f"{folder} cannot be replaced by a run that starts from its weights (--init-from); "
            f"choose another name (--out)."
        )


def initial_weights(run: Path) -> dict[str, torch.Tensor]:
    """Weights of another run's checkpoint: those that it is scored with."""
    read_config(run)
    return load_tensors(run / CHECKPOINT).weights


@torch.no_grad()
def copy_weights(learner: Learner, tensors: Mapping[str, torch.Tensor], origin: str) -> None:
    """Copy the weights of another run's model and of the parts that both have.

    Raises:
        RunError: That model lacks weights, or has them in another shape.
    """
    for name, value in learner.weights().items():
        if name not in tensors:
            if name.startswith("part/"):
                continue
            raise RunError(f"--init-from {origin}: it has no weights for {name}.")
        if tensors[name].shape != value.shape:
            raise RunError(
                f"--init-from {origin}: {name} has shape {tuple(tensors[name].shape)} there and "
                f"{tuple(value.shape)} here; architecture, image shape and latents must agree, "
                f"as must the labels that the models are told, and whether latents have noise."
            )
        value.copy_(tensors[name])
    if learner.average is not None:
        learner.average.begin()


def check_space(folder: Path, learner: Learner) -> None:
    """Refuse to start where not even a checkpoint, and a new one beside it, would fit.

    Raises:
        RunError: The disk is nearly full.
    """
    # Weights and two moments, in float32, and perhaps a mean of the weights; twice, since a new
    # checkpoint is written before the old one goes; and a megabyte for everything else.
    copies = 3 if learner.average is None else 4
    need = 2 * copies * sum(value.nbytes for value in learner.weights().values()) + 2**20
    place = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    if free < need:
        raise RunError(
            f"The run in {folder} needs at least {need / 1e6:.0f} MB, and {free / 1e6:.0f} MB are "
            f"free. Free some space, or choose another folder with --out or UNWEAVE_RUNS."
        )
