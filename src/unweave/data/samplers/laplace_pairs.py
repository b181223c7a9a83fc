"""Pairs of images between which factors move a little, seldom far."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.samplers.further import draw_pairs
from unweave.data.samplers.population import Population
from unweave.data.samplers.two import MovingSampler
from unweave.factors import strides
from unweave.spec import number

__all__ = ["LaplacePairs"]


@final
class LaplacePairs(MovingSampler):
    """Two images between which every factor moves by a discrete Laplace law: LAP pairs.

    The first is any image. Each factor that is not held goes from index i to index j, one of its n
    values, in proportion to `exp(-|j - i| * rate / log(n))`, independently of the others, so that
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

    def choose(
        self, images: Population, count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw the rates, then the images.

        Raises:
            SpecError: Every factor is held.
            DataError: There are no such pairs.
        """
        columns = self.moving(images.space)
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
        """As of `Proposal`: the same goals for all draws, each with chances of its own."""
        columns = self._columns.tolist()
        sizes = tuple(int(self._sizes[column]) for column in columns)
        listed = math.prod(sizes)
        if listed > longest:
            return
        steps = strides(tuple(self._sizes.tolist()))
        goals = np.stack(np.unravel_index(np.arange(listed), sizes), axis=1) @ steps[columns]
        rest = first.copy()
        rest[:, columns] = 0
        begins = rest @ steps
        part = max(1, longest // listed)
        for begin in range(0, len(places), part):
            rows = np.arange(begin, min(begin + part, len(places)))
            chances = _chances(first[rows][:, columns], sizes, self._rates[places[rows]])
            yield rows, begins[rows, np.newaxis] + goals, chances.reshape(len(rows), -1)


def _chances(
    start: NDArray[np.int64], sizes: tuple[int, ...], rates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The chance of every combination of the factors that move, (n, *sizes).

    Args:
        start: Where they are, (n, columns).
        sizes: How many values each has.
        rates: Of each draw, (n,).
    """
    count = len(start)
    chances: NDArray[np.float64] = np.ones((count, *(1 for _ in sizes)))
    for axis, size in enumerate(sizes):
        odds = _odds(start[:, axis], size, rates, stays=True)
        shape = [count, *(1 for _ in sizes)]
        shape[1 + axis] = size
        chances = chances * (odds / odds.sum(axis=1, keepdims=True)).reshape(shape)
    draws, places = np.arange(count), list(start.T)
    here = (draws, *places)
    stay = chances[here]
    chances[here] = 0
    for axis, size in enumerate(sizes):
        odds = _odds(start[:, axis], size, rates, stays=False)
        share = stay / len(sizes) / odds.sum(axis=1)
        line = np.moveaxis(chances, 1 + axis, -1)
        line[(draws, *places[:axis], *places[axis + 1 :])] += share[:, np.newaxis] * odds
    return chances


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
