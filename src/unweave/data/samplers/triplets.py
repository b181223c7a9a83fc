"""Triplets of images, the second nearer to the first than the third."""

from __future__ import annotations

from typing import ClassVar, Final, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.samplers.base import Sampler
from unweave.data.samplers.population import Population
from unweave.spec import number, option

__all__ = ["Triplets"]

_ROUNDING: Final = 1e-9


@final
class Triplets(Sampler):
    """An anchor, a positive and a negative: any three images, put in order of their distance.

    The two are exchanged when the second is farther from the anchor than the third; equally far
    ones stay as they were drawn. The distance is

    - `factors`: how many factors differ;
    - `manhattan`: the sum of the differences of indices, each divided by the largest that the
      factor allows when `scaled`;
    - `combined`: by the number of factors, and the sum where that is equal.

    Source: the distance-ordered sampler of disent (Michlo, github.com/nmichlo/disent), whose
    `manhattan_scaled` is the default.
    """

    name: ClassVar[str] = "triplets"

    distance: Literal["factors", "manhattan", "combined"] = option(
        default="manhattan", help="What is compared: factors, manhattan or combined."
    )
    scaled: bool = option(
        default=True, help="Whether differences are divided by the largest of their factor."
    )
    swapped: float = number(
        default=0.0,
        low=0,
        high=1,
        help="Share of triplets in which positive and negative are exchanged, as noise.",
    )

    @property
    def per_draw(self) -> int:
        """Three: anchor, positive, negative."""
        return 3

    def choose(
        self, images: Population, count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw the images, and put them in order."""
        drawn = images.any(3 * count, rng).reshape(count, 3)
        anchor, second, third = (images.indices(column) for column in drawn.T)
        scale = np.maximum(images.sizes - 1, 1) if self.scaled else 1
        differ, far = [], []
        for other in (second, third):
            differ.append((anchor != other).sum(axis=1))
            far.append((np.abs(anchor - other) / scale).sum(axis=1))
        # Equal sums of other fractions differ by rounding.
        farther = far[0] - far[1] > _ROUNDING
        if self.distance == "manhattan":
            wrong = farther
        else:
            wrong = differ[0] > differ[1]
            if self.distance == "combined":
                wrong |= (differ[0] == differ[1]) & farther
        wrong ^= rng.random(count) < self.swapped
        drawn[wrong] = drawn[wrong][:, [0, 2, 1]]
        return drawn
