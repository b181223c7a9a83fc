"""What a sampler is: it draws images that belong together."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset
from unweave.data.samplers.population import Population, population_of
from unweave.errors import SpecError
from unweave.factors import FactorSpace
from unweave.spec import Component

__all__ = ["Sampler", "varying"]


class Sampler(Component):
    """Family of draws of several images at once: pairs, triplets, walks.

    A sampler knows no dataset: it draws from any whose factors are known, full grid or not, and
    what it draws is a function of the generator alone. Where a dataset has odds, the first image
    of a draw comes by them, and further images in proportion to them among those that the sampler
    allows. Where combinations are missing, further images are drawn again until they are there; a
    first image that has no others is drawn anew.
    """

    family: ClassVar[str] = "sampler"

    @property
    @abstractmethod
    def per_draw(self) -> int:
        """How many images a draw has."""

    @abstractmethod
    def choose(
        self, images: Population, count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw, from images that are looked up already; `draw` is the way in.

        Args:
            images: Those of a dataset whose factors are known.
            count: How many draws, at least 1.
            rng: Where the randomness comes from.

        Returns:
            Flat indices, (count, per_draw).
        """

    def draw(self, dataset: Dataset, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw.

        Args:
            dataset: Where the images come from.
            count: How many draws.
            rng: Where the randomness comes from, such as `splits.keyed_generator(seed, "pairs",
                step)`.

        Returns:
            Flat indices, (count, per_draw) int64, one row a draw.

        Raises:
            SpecError: A field does not fit the factors, or the count is negative.
            DataError: The factors are not known, or there are no images that belong together so.
        """
        if count < 0:
            raise SpecError(f"{self.name}: cannot draw {count} times: give at least 0.")
        images = population_of(dataset)
        if count == 0:
            return np.empty((0, self.per_draw), dtype=np.int64)
        return self.choose(images, count, rng)


def varying(
    sampler: Sampler, space: FactorSpace, names: tuple[str, ...] = ()
) -> NDArray[np.int64]:
    """Columns of the factors that may change: those that are named, or all with several values.

    Raises:
        SpecError: A name is unknown, comes twice or is of a factor with one value, or no factor
            has several.
    """
    if len(set(names)) < len(names):
        raise SpecError(f"{sampler.name}: factors has a name twice: {', '.join(names)}.")
    for name in names:
        if space.sizes[space.position(name)] < 2:
            raise SpecError(f"{sampler.name}: {name} has one value, so it cannot change.")
    chosen = names or tuple(factor.name for factor in space.factors if factor.size > 1)
    if not chosen:
        raise SpecError(f"{sampler.name}: no factor has more than one value, so none can change.")
    return np.array([space.position(name) for name in chosen], dtype=np.int64)
