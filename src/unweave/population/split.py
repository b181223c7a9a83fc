"""Which images have labels that may guide a population, and which only judge it at the end."""

from __future__ import annotations

__all__ = ["LabelSplit"]

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import SpecError
from unweave.splits import keyed_permutation


@final
@dataclass(frozen=True, kw_only=True)
class LabelSplit:
    """Images for evaluation, and other images whose labels a fitness may read.

    A population is selected by its fitness, so that scores of the same images flatter it: what is
    reported of it is scored on images that no fitness has seen. With few labels the rest of the
    images still train the models, whose training reads no labels.

    Both are drawn in one order that is a pure function of number and seed, so that the labelled
    images of a smaller `labels` are among those of a larger one.

    Attributes:
        images: How many images the dataset has.
        seed: Which images those are.
        share: Of all images, kept for evaluation; 0 to let the fitness read the labels of all.
        labels: How many images have labels for the fitness; None for all that are not kept.

    Raises:
        SpecError: A number is out of range, or nothing is left for one of the two.

    Example:
        >>> split = LabelSplit(images=1000, labels=100)
        >>> len(split.evaluation), len(split.fitness)
        (200, 100)
    """

    images: int
    seed: int = 0
    share: float = 0.2
    labels: int | None = None

    def __post_init__(self) -> None:
        """Refuse what leaves nothing, or asks for more than there is."""
        if self.images < 1:
            raise SpecError(f"A split needs images, and there are {self.images}.")
        if not 0 <= self.share < 1:
            raise SpecError(
                f"The share kept for evaluation must be at least 0 and less than 1, but is "
                f"{self.share!r}."
            )
        kept = self._kept
        if self.share > 0 and not kept:
            raise SpecError(
                f"A share of {self.share:g} of {self.images} images keeps none for evaluation: "
                f"give at least {1 / self.images:.2g}, or 0 for no evaluation apart."
            )
        if kept >= self.images:
            raise SpecError(
                f"A share of {self.share:g} of {self.images} images for evaluation leaves none "
                f"for the fitness: give less."
            )
        if self.labels is not None and not 1 <= self.labels <= self.most:
            raise SpecError(
                f"labels must be from 1 to {self.most:,}, as many images as are not kept for "
                f"evaluation, but is {self.labels:,}. Give fewer labels, or a smaller share for "
                f"evaluation than {self.share:g}."
            )

    @property
    def most(self) -> int:
        """How many images are not kept for evaluation."""
        return self.images - self._kept

    @cached_property
    def evaluation(self) -> NDArray[np.int64]:
        """Flat indices of the images for evaluation, ascending, (n,) int64."""
        return np.sort(self._order[: self._kept])

    @cached_property
    def fitness(self) -> NDArray[np.int64]:
        """Flat indices of the images whose labels a fitness may read, ascending, (n,) int64."""
        return self.first(self.most)

    def first(self, count: int) -> NDArray[np.int64]:
        """Some of the images for the fitness, ascending, (n,) int64; all if there are no more.

        Those of a smaller count are among those of a larger one.
        """
        available = self.most if self.labels is None else self.labels
        return np.sort(self._order[self._kept :][: min(count, available)])

    @property
    def _kept(self) -> int:
        return round(self.share * self.images)

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        return keyed_permutation(self.images, self.seed, "labels of a population")
