"""Which images a run is asked about: of which dataset, and which part of it."""

from __future__ import annotations

__all__ = ["asked_dataset", "asked_rows", "asked_spec", "check_asked", "check_told"]

from collections.abc import Iterable
from pathlib import Path
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from unweave.analysis.base import Told
from unweave.conditions import named_data
from unweave.data import Dataset, DatasetSpec, Progress
from unweave.data.codes import places_of, value_name
from unweave.encoding import Codes, Part
from unweave.errors import DataError, RunError, SpecError
from unweave.factors import Factor
from unweave.objectives import Method, Term
from unweave.session import training_rows
from unweave.training import TrainConfig

_MOST_VALUES: Final = 6


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


def check_told(
    config: TrainConfig, dataset: Dataset | DatasetSpec, told: Iterable[Told] = ("objective",)
) -> None:
    """Refuse to score networks that are told factors of images on data whose factors do not fit.

    Values may be numbered in another way than in the dataset that was trained on, and may be
    fewer: they are found again by name or number (`Subject.told`). But each value that a network
    is told must have been trained on.

    Args:
        config: What was trained.
        dataset: The data, opened or not.
        told: What is told while they are scored, as `Analysis.told` says it.

    Raises:
        DataError: The dataset has other factors than that which was trained on, or values that
            were not trained on of one that a network is told, or that a decoder of true factors
            has no input for.
    """
    plan, levels = config.objective.expand(), set(told)
    if plan.needs.codes is not None and levels != {"nothing"}:
        codes = plan.needs.codes.on(config.dataset.whole_space)
        codes.places(dataset.factor_space, _text(dataset))
    sources: tuple[Method | Term, ...] = ()
    if "objective" in levels:
        sources = plan.sources
    elif "method" in levels:
        sources = (plan.method,)
    readers = [each for each in sources if each.needs.factors or each.needs.labelled is not None]
    if not readers:
        return
    ours = config.dataset.factor_space
    if not dataset.labelled or dataset.factor_space.names != ours.names:
        raise DataError(
            f"{config.objective} is told labels of {config.dataset}, and {_text(dataset)} has "
            f"other factors. Leave out --data, or the analyses."
        )
    setup = config.setup
    names = {name for each in readers for name in each.labels_read(setup)}
    unknown = [
        f"{theirs.name} {_values(theirs, lacking)}"
        for theirs, known in zip(dataset.factor_space.factors, ours.factors, strict=True)
        if known.name in names and (lacking := places_of(theirs, known) < 0).any()
    ]
    if unknown:
        raise DataError(
            f"{config.objective} cannot be told {' and '.join(unknown)} of {_text(dataset)}: no "
            f"image of {config.dataset} has that, so nothing is learnt of it. Name other labels "
            "in the objective, hold out combinations of values that are trained on, or leave "
            "these images out of what is scored."
        )


def _values(factor: Factor, chosen: NDArray[np.bool_]) -> str:
    """Some values of a factor by name, or else as numbers; of many the first and the last."""
    words = [value_name(factor, int(index)) for index in np.flatnonzero(chosen)]
    if len(words) > _MOST_VALUES:
        words = [*words[: _MOST_VALUES - 2], "...", words[-1]]
    return ", ".join(words)


def _text(dataset: Dataset | DatasetSpec) -> str:
    return str(dataset.spec if isinstance(dataset, Dataset) else dataset)


def asked_rows(config: TrainConfig, part: Part, dataset: Dataset) -> NDArray[np.int64]:
    """Flat indices of a part of a dataset, (N,)."""
    if part == "all":
        return np.arange(len(dataset), dtype=np.int64)
    train_rows, held_out = training_rows(config, len(dataset))
    return train_rows if part == "train" else held_out
