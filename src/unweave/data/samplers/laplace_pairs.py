"""Pairs of images between which factors move a little, seldom far."""

from __future__ import annotations

from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.samplers.base import Sampler, moving
from unweave.data.samplers.population import Population
from unweave.spec import number, option

__all__ = ["LaplacePairs"]


@final
class LaplacePairs(Sampler):
    """Two images between which every factor moves by a discrete Laplace law: LAP pairs.

    The first is any image. Each factor that is not held goes from index i to index j, one of its n
    values, in proportion to exp(-|j - i| * rate / log(n)), independently of the others, so that
    most stay or move a little. When none has moved, one of them, each as likely, moves by the same
    law without j = i. Indices are taken in order, also those of circular factors, as published.

    Source: Klindt et al. (2021), "Towards nonlinear disentanglement in natural data with temporal
    sparse coding", arXiv 2007.10930, whose code holds the factors that it knows to be categorical.
    """

    name: ClassVar[str] = "laplace_pairs"

    rate: float | Literal["random"] = number(
        default=1.0,
        above=0,
        help="The larger, the less factors move; random is between 1 and 10, anew for each pair.",
    )
    held: tuple[str, ...] | None = option(
        default=None, help="Factors that never move; left out, the categorical ones."
    )

    @property
    def per_draw(self) -> int:
        """Two."""
        return 2

    def choose(
        self, images: Population, count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw the rates, then the images.

        Raises:
            SpecError: Every factor is held.
            DataError: There are no such pairs.
        """
        columns = moving(self, images.space, self.held)
        rates = (
            rng.uniform(1, 10, count)
            if isinstance(self.rate, str)
            else np.full(count, float(self.rate))
        )

        def propose(
            places: NDArray[np.int64], first: NDArray[np.int64], rng: np.random.Generator
        ) -> NDArray[np.int64]:
            second = first.copy()
            for column in columns.tolist():
                second[:, column] = _move(
                    first[:, column], int(images.sizes[column]), rates[places], rng
                )
            still = np.flatnonzero((second == first).all(axis=1))
            mover = columns[rng.integers(0, len(columns), len(still))]
            for column in columns.tolist():
                rows = still[mover == column]
                second[rows, column] = _move(
                    first[rows, column],
                    int(images.sizes[column]),
                    rates[places[rows]],
                    rng,
                    stays=False,
                )
            return second

        return images.further(count, rng, propose, "pairs between which factors move")


def _move(
    start: NDArray[np.int64],
    size: int,
    rates: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    stays: bool = True,
) -> NDArray[np.int64]:
    """Draw where a factor goes from each start, (n,)."""
    distance = np.abs(np.arange(size) - start[:, np.newaxis])
    # Relative to the nearest value that is allowed: some odds are 1 however large the rate is.
    nearest = 0 if stays else 1
    odds = np.exp(-np.abs(distance - nearest) * (rates / np.log(size))[:, np.newaxis])
    if not stays:
        odds[distance == 0] = 0
    ends = np.cumsum(odds, axis=1)
    # Below the last end, so that rounding never leads past the last value.
    wanted = rng.random(len(start)) * ends[:, -1]
    moved = np.minimum((ends <= wanted[:, np.newaxis]).sum(axis=1), size - 1)
    return np.asarray(moved, dtype=np.int64)
