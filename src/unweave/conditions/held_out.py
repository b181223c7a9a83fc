"""The images that are held out of a dataset that is trained on, as a dataset of their own."""

from __future__ import annotations

from typing import Final

from unweave.conditions.recovering import recover
from unweave.data import DatasetSpec, parse_dataset

__all__ = ["HELD_OUT_DATA", "held_out_text", "named_data"]

HELD_OUT_DATA: Final = "held_out"
"""What stands for the images held out of whatever was trained on, where data are named."""


def held_out_text(data: DatasetSpec) -> str:
    """Text of the dataset of the images that are held out of one that is trained on.

    Of `without(data=X, where=R)` they are `only(data=X, where=R)`. Where a dataset is what a
    published condition leaves to train on, with published modifiers or without, they are those
    that it holds out: with `horz_gt20` of MPI3D there are images that are neither. So it is also
    where one's own rule leaves the same images.

    What a training holds out by `holdout` is something else: images like those that it trains on.

    Args:
        data: The dataset that is trained on.

    Raises:
        SpecError: Nothing is held out of it, or it is not known what; the message says what to
            name instead.

    Example:
        >>> held_out_text(parse_dataset("without(data=dsprites, where='pos_x > 0.5')"))
        "only(data=dsprites, where='pos_x > 0.5')"
    """
    return recover(data).held_out_text


def named_data(data: DatasetSpec | str, trained_on: DatasetSpec) -> DatasetSpec:
    """The dataset that a user names beside the one that was trained on.

    Args:
        data: A dataset, its text, or `held_out`, the images held out of the one trained on.
        trained_on: The dataset that was trained on.

    Raises:
        SpecError: There is no such dataset, or it is not known what was held out.
    """
    if not isinstance(data, str):
        return data
    if data.strip() == HELD_OUT_DATA:
        return parse_dataset(held_out_text(trained_on))
    return parse_dataset(data)
