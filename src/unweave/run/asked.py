"""Which images a run is asked about: of which dataset, and which part of it."""

from __future__ import annotations

__all__ = ["asked_dataset", "asked_rows", "asked_spec", "check_asked", "check_told"]

from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from unweave.conditions import named_data
from unweave.data import Dataset, DatasetSpec, Progress
from unweave.encoding import Codes, Part
from unweave.errors import DataError, RunError, SpecError
from unweave.objectives import Method
from unweave.session import training_rows
from unweave.training import TrainConfig


def check_asked(
    config: TrainConfig, folder: Path, part: Part, codes: Codes, data: str | DatasetSpec | None
) -> None:
    """Refuse what cannot be encoded, before a dataset is opened.

    Args:
        config: What was trained.
        folder: That of the run, for messages.
        part: `train`, `holdout` or `all` of the images.
        codes: `mean` or `sampled`.
        data: Another dataset than the run's own, or None.

    Raises:
        SpecError: There is no such part, or no such kind of codes.
        RunError: The run has not this part, or it is not one of the other dataset.
    """
    for name, value, allowed in (
        ("part", part, get_args(Part)),
        ("codes", codes, get_args(Codes)),
    ):
        if value not in allowed:
            raise SpecError(f"Unknown {name} {value!r}. Choose one of: {', '.join(allowed)}.")
    if part != "all" and data is not None:
        raise RunError(f"part {part!r} is of the run's own data; leave out --data or --part.")
    if part == "holdout" and config.holdout == 0:
        raise RunError(f"{folder} holds no images out; it was trained without --holdout.")


def asked_spec(config: TrainConfig, data: str | DatasetSpec) -> DatasetSpec:
    """Another dataset than the run's own, not opened.

    Args:
        config: What was trained.
        data: The dataset; `held_out` is that of the images held out of the run's own.

    Raises:
        SpecError: There is no such dataset, or it is not known what was held out.
        DataError: Its images have another shape than those that were trained on.
    """
    spec = named_data(data, config.dataset)
    if spec.image_shape != config.dataset.image_shape:
        raise DataError(
            f"{spec} has images of shape {spec.image_shape}, but the run was trained on "
            f"{config.dataset.image_shape}."
        )
    return spec


def asked_dataset(
    config: TrainConfig, data: str | DatasetSpec, progress: Progress | None
) -> Dataset:
    """Another dataset than the run's own, as `asked_spec` has it, opened.

    Args:
        config: What was trained.
        data: The dataset.
        progress: Shows its preparation.

    Raises:
        SpecError: There is no such dataset, or it is not known what was held out.
        DataError: Its images have another shape than those that were trained on, or cannot be had.
    """
    return asked_spec(config, data).open(progress)


def check_told(config: TrainConfig, dataset: Dataset | DatasetSpec) -> None:
    """Refuse to score an objective that is told labels on data with others.

    Args:
        config: What was trained.
        dataset: The data, opened or not.

    Raises:
        DataError: The dataset has other factors than that which was trained on, or values that a
            decoder of true factors has no input for.
    """
    plan = config.objective.expand()
    needs = plan.needs
    if needs.codes is not None:
        codes = needs.codes.on(config.dataset.whole_space)
        codes.places(dataset.factor_space, _text(dataset))
    readers = [source for source in plan.sources if source.needs.factors]
    if not readers:
        return
    fits = dataset.labelled
    if fits:
        ours, theirs = config.dataset.factor_space, dataset.factor_space
        alone = all(isinstance(each, Method) and each.compares_factors for each in readers)
        fits = ours.names == theirs.names if alone else ours == theirs
    if not fits:
        raise DataError(
            f"{config.objective} is told labels of {config.dataset}, and {_text(dataset)} has "
            f"other factors. Leave out --data, or the analyses."
        )


def _text(dataset: Dataset | DatasetSpec) -> str:
    return str(dataset.spec if isinstance(dataset, Dataset) else dataset)


def asked_rows(config: TrainConfig, part: Part, dataset: Dataset) -> NDArray[np.int64]:
    """Flat indices of a part of a dataset, (N,)."""
    if part == "all":
        return np.arange(len(dataset), dtype=np.int64)
    train_rows, held_out = training_rows(config, len(dataset))
    return train_rows if part == "train" else held_out
