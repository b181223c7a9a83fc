"""From a dataset that is trained on back to the split that left it, if one is known."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from unweave.conditions.recovering import recover
from unweave.conditions.split import NEITHER, TRAINED, Split, split_of
from unweave.data import DatasetSpec
from unweave.data.views import PartSpec, ViewSpec
from unweave.errors import SpecError

__all__ = ["trained_split"]


def trained_split(trained: DatasetSpec) -> Split | None:
    """The images of the whole dataset, by what they are to one that is trained on.

    Of a part of what a condition leaves to train on, such as `subset(data=without(...), ...)`,
    the rest is neither trained on nor held out. Odds change nothing.

    Args:
        trained: The dataset that is trained on.

    Returns:
        The split that left it; None where it is not known that anything was held out.

    Example:
        >>> from unweave.data import parse_dataset
        >>> split = trained_split(parse_dataset("without(data=dsprites, where='pos_x > 0.5')"))
        >>> print(split.data, split.condition.name, len(split.held_out))
        dsprites blank_side 368640
    """
    view: DatasetSpec = trained
    rows: NDArray[np.int64] | None = None
    while True:
        try:
            found = recover(view)
            break
        except SpecError:
            if not isinstance(view, ViewSpec):
                return None
        if isinstance(view, PartSpec):
            chosen = view.part().rows
            rows = chosen if rows is None else chosen[rows]
        (view,) = view.bases
    split = split_of(found.condition, found.data, found.modifier)
    return split if rows is None else _fewer(split, split.train[rows])


def _fewer(split: Split, rows: NDArray[np.int64]) -> Split:
    """A split of which only some images are trained on."""
    states = np.where(split.states == TRAINED, NEITHER, split.states).astype(np.uint8)
    states[rows] = TRAINED
    return dataclasses.replace(split, states=states)
