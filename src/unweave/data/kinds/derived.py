"""Datasets that are made of others: parts of them, other odds, images changed when read."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset, DatasetSpec
from unweave.errors import SpecError
from unweave.progress import Progress

__all__ = ["DerivedSpec", "kept_odds"]


class DerivedSpec(DatasetSpec):
    """Family of datasets without images of their own.

    A member says what it is made of and how; whether that is ready, its building and its checking
    are those of its bases.
    """

    listed: ClassVar[bool] = False

    @property
    @abstractmethod
    def bases(self) -> tuple[DatasetSpec, ...]:
        """What it is made of."""

    @abstractmethod
    def derive(self, *bases: Dataset) -> Dataset:
        """The dataset, of its bases opened.

        Raises:
            DataError: They do not allow it.
        """

    @property
    def full_grid(self) -> bool:
        """Whether its factors are known, and the first base is one."""
        return self.labelled and self.bases[0].full_grid

    @property
    def source(self) -> str:
        """That of the first base."""
        return self.bases[0].source

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C), as the first base has it."""
        return self.bases[0].image_shape

    def check_loadable(self) -> None:
        """Whether the images of all bases can be had.

        Raises:
            DataError: They cannot.
        """
        for base in self.bases:
            base.check_loadable()

    def ready(self) -> bool:
        """Whether every base is."""
        return all(base.ready() for base in self.bases)

    def open(self, progress: Progress | None = None) -> Dataset:
        """Open every base, and make the dataset of them.

        Raises:
            DataError: Images cannot be had, or the bases do not allow it.
        """
        self.check_loadable()
        return self.derive(*(base.open(progress) for base in self.bases))

    def verify(self, progress: Progress | None = None) -> None:
        """Verify every base.

        Raises:
            DataError: Images are missing or damaged.
        """
        for base in self.bases:
            base.verify(progress)


def kept_odds(base: Dataset, rows: NDArray[np.int64], text: str) -> NDArray[np.float64] | None:
    """Odds of some images of a dataset among themselves, (n,); None where all are alike.

    Args:
        base: The dataset.
        rows: Flat indices of the images, (n,).
        text: What the images are of, for the error.

    Raises:
        SpecError: None of them is ever drawn.
    """
    if base.weights is None:
        return None
    weights = base.weights[rows]
    total = weights.sum()
    if not total > 0:
        raise SpecError(f"{text} has only images that {base.spec} never draws.")
    return np.asarray(weights / total)
