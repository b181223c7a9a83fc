"""Pairs of images between which factors move a little, seldom far."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.samplers.base import Sampler, moving
from unweave.data.samplers.further import draw_pairs
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

        steps = _Steps(columns, images.sizes, rates)
        return draw_pairs(images, steps, count, rng, "pairs between which factors move")


@final
class _Steps:
    """Where the factors of a further image are, of draws with a rate each."""

    def __init__(
        self,
        columns: NDArray[np.int64],
        sizes: NDArray[np.int64],
        rates: NDArray[np.float64],
    ) -> None:
        self._columns = columns
        self._sizes = sizes
        self._rates = rates

    def propose(
        self, places: NDArray[np.int64], first: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """As of `Proposal`: all factors move on their own, and one does if none has."""
        rates = self._rates[places]
        second = first.copy()
        for column in self._columns.tolist():
            size = int(self._sizes[column])
            second[:, column] = _move(first[:, column], size, rates, rng)
        still = np.flatnonzero((second == first).all(axis=1))
        mover = self._columns[rng.integers(0, len(self._columns), len(still))]
        for column in self._columns.tolist():
            rows = still[mover == column]
            size = int(self._sizes[column])
            second[rows, column] = _move(first[rows, column], size, rates[rows], rng, stays=False)
        return second

    def listed(
        self, places: NDArray[np.int64], first: NDArray[np.int64], longest: int
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
        """As of `Proposal`, one draw after the other."""
        columns = self._columns.tolist()
        sizes = [int(self._sizes[column]) for column in columns]
        if math.prod(sizes) > longest:
            return
        table = np.stack(np.unravel_index(np.arange(math.prod(sizes)), sizes), axis=1)
        for row, (place, start) in enumerate(zip(places, first, strict=True)):
            here = start[columns]
            chances = np.ones(())
            for value, size in zip(here.tolist(), sizes, strict=True):
                odds = _odds(np.array([value]), size, self._rates[[place]], stays=True)[0]
                chances = np.multiply.outer(chances, odds / odds.sum())
            stay = chances[tuple(here)]
            chances[tuple(here)] = 0
            for axis, size in enumerate(sizes):
                odds = _odds(here[[axis]], size, self._rates[[place]], stays=False)[0]
                line = (*here[:axis], slice(None), *here[axis + 1 :])
                chances[line] += stay / len(sizes) * odds / odds.sum()
            every = np.repeat(start[np.newaxis], len(table), axis=0)
            every[:, columns] = table
            yield np.array([row]), every[np.newaxis], chances.reshape(1, -1)


def _odds(
    start: NDArray[np.int64], size: int, rates: NDArray[np.float64], *, stays: bool
) -> NDArray[np.float64]:
    """In proportion to what a factor goes from each start to each value, (n, size)."""
    distance = np.abs(np.arange(size) - start[:, np.newaxis])
    # Relative to the nearest value that is allowed: some odds are 1 however large the rate is.
    nearest = 0 if stays else 1
    odds: NDArray[np.float64] = np.exp(
        -np.abs(distance - nearest) * (rates / np.log(size))[:, np.newaxis]
    )
    if not stays:
        odds[distance == 0] = 0
    return odds


def _move(
    start: NDArray[np.int64],
    size: int,
    rates: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    stays: bool = True,
) -> NDArray[np.int64]:
    """Draw where a factor goes from each start, (n,)."""
    ends = np.cumsum(_odds(start, size, rates, stays=stays), axis=1)
    wanted = rng.random(len(start)) * ends[:, -1]
    moved = (ends <= wanted[:, np.newaxis]).sum(axis=1)
    # Rounding must not lead past the last value.
    return np.asarray(np.minimum(moved, size - 1), dtype=np.int64)
