"""A few labelled images, for semi-supervised training and selection of models."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset
from unweave.data.samplers.base import Sampler
from unweave.data.samplers.labellers import Labeller, LabelTable, Perfect
from unweave.data.samplers.population import Population
from unweave.errors import SpecError
from unweave.factors import FactorSpace
from unweave.spec import number, option
from unweave.splits import keyed_generator, keyed_permutation

__all__ = ["FewLabels", "Labelled"]


@final
@dataclass(frozen=True, eq=False)
class FewLabels:
    """The images that have labels.

    Args:
        flat: Their flat indices, ascending, (n,).
        labels: (n, L) whole numbers from 0.
        names: The factor that each column is of, (L,).
        sizes: How many different labels each column may have, (L,).
    """

    flat: NDArray[np.int64]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    sizes: tuple[int, ...]

    def of(self, flat: NDArray[np.int64]) -> NDArray[np.int64]:
        """Labels of some of these images, (m,) to (m, L).

        Raises:
            SpecError: One of the images has no labels.
        """
        place = np.minimum(np.searchsorted(self.flat, flat), len(self.flat) - 1)
        if (self.flat[place] != flat).any():
            raise SpecError("Labels are asked for of an image that has none.")
        return self.labels[place]


@final
class Labelled(Sampler):
    """Images out of a few that have labels, one a draw, with replacement.

    Which images have labels, and what the labels are, goes by the seed alone: they are the images
    of `subset` with the same number and seed, and are the same in every draw. `few` gives them all
    with their labels, and `few(...).of(...)` the labels of a draw.

    With a `train_share` below 1 some of them are never drawn, and serve to choose among models:
    `validation` gives these.

    Source: Locatello et al. (2020), "Disentangling factors of variation using few labels", with
    100 or 1,000 labelled images; their code draws these with replacement, here none comes twice.
    It trains on a share of 0.9 of them.

    Example:
        `labelled(images=100, labeller=noisy(probability=0.2), seed=3)`
    """

    name: ClassVar[str] = "labelled"

    images: int = number(default=1000, low=1, help="How many images have labels.")
    labeller: Labeller = option(default=Perfect(), help="What the labels are.")
    seed: int = number(default=0, low=0, help="The images and their labels are drawn from it.")
    train_share: float = number(
        default=1.0, above=0, high=1, help="The part of the labelled images that is drawn from."
    )

    @property
    def per_draw(self) -> int:
        """One."""
        return 1

    @property
    def drawn(self) -> int:
        """How many images are drawn from: the share of them, rounded up."""
        # A product such as 0.7 * 10 is a little above the whole number that it stands for.
        return math.ceil(round(self.train_share * self.images, 6))

    def choose(
        self, images: Population, count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw among the images that have labels.

        Raises:
            SpecError: There are fewer images.
        """
        chosen = self._chosen(len(images), self.drawn)
        return chosen[rng.integers(0, len(chosen), (count, 1))]

    def few(self, dataset: Dataset) -> FewLabels:
        """All images that have labels, with them.

        Args:
            dataset: Where the images come from.

        Raises:
            SpecError: There are fewer images, or the labeller does not fit the factors.
            DataError: The factors are not known.
        """
        space: FactorSpace = dataset.factor_space
        chosen = self._chosen(len(dataset), self.images)
        table = self.label(dataset.factors(chosen), space)
        return FewLabels(chosen, table.labels, table.names, table.sizes)

    def validation(self, dataset: Dataset) -> FewLabels:
        """The images that have labels and are never drawn, with their labels.

        Args:
            dataset: Where the images come from.

        Raises:
            SpecError: There are fewer images, or the labeller does not fit the factors.
            DataError: The factors are not known.
        """
        few = self.few(dataset)
        left = ~np.isin(few.flat, self._chosen(len(dataset), self.drawn))
        return FewLabels(few.flat[left], few.labels[left], few.names, few.sizes)

    def label(self, indices: NDArray[np.int64], space: FactorSpace) -> LabelTable:
        """Label images as those are that have labels.

        Args:
            indices: Their factor indices, (n, K).
            space: The factors.

        Raises:
            SpecError: The labeller does not fit the factors.
        """
        return self.labeller.label(indices, space, keyed_generator(self.seed, "labels"))

    def columns(self, space: FactorSpace) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """What labels there are, before there are images.

        Args:
            space: The factors.

        Returns:
            The factor that each column is of, and how many different labels it may have.

        Raises:
            SpecError: The labeller does not fit the factors.
        """
        table = self.label(np.empty((0, len(space.factors)), dtype=np.int64), space)
        return table.names, table.sizes

    def check(self, count: int) -> None:
        """Refuse more labels than there are images to label.

        Args:
            count: How many images there are.

        Raises:
            SpecError: There are fewer.
        """
        if self.images > count:
            raise SpecError(
                f"{self.name}: images is {self.images:,}, but there are {count:,} to label. Give "
                f"images={count}, or less."
            )

    def _chosen(self, count: int, first: int) -> NDArray[np.int64]:
        """Flat indices of the first of the images that have labels, ascending."""
        self.check(count)
        return _rows(count, first, self.seed)


@functools.lru_cache(maxsize=8)
def _rows(count: int, images: int, seed: int) -> NDArray[np.int64]:
    """Which images have labels; kept, since each draw asks for them."""
    rows = np.sort(keyed_permutation(count, seed, "subset")[:images])
    rows.flags.writeable = False
    return rows
