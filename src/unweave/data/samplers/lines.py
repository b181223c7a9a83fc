"""Images that differ in one factor alone: a first one, and another on its line."""

from __future__ import annotations

from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.samplers.population import Population
from unweave.factors import strides

__all__ = ["Lines", "lines_of"]

# A table has a number for each combination that could be where at least one in so many is there;
# else combinations are looked up among those that are.
_SPARSEST: Final = 8


@final
class Lines:
    """Pairs of images along one factor, drawn from tables without trying.

    A line are all combinations that differ in the factor alone. The first image comes by its odds
    among those whose line has another combination to go to. The combination of the second is any
    of these, or comes in proportion to the mean odds of its images, and the second image by its
    odds among them. The tables are made once; a draw reads them and takes as long whatever the
    number of images.

    Args:
        first: Where first images come from.
        second: Where second images come from; of the same factors.
        column: The factor.
        values: Which of its values the second image may have, (size,) bool; None for any.

    Attributes:
        count: How many images can be first ones.
    """

    def __init__(
        self,
        first: Population,
        second: Population,
        column: int,
        values: NDArray[np.bool_] | None = None,
    ) -> None:
        """Put the combinations of both in the order of their lines."""
        self._first, self._second = first, second
        sizes = first.space.sizes
        self._strides = strides(sizes)
        self._size, self._stride = sizes[column], int(self._strides[column])
        self._values = values
        keys = self._keys(second.combinations())
        if values is not None:
            keys = keys[values[keys % self._size]]
        self._goals = np.sort(keys)
        self._table: NDArray[np.int32] | None = None
        if first.space.size <= _SPARSEST * len(keys):
            there = np.zeros(first.space.size + 1, dtype=np.int32)
            there[1:][self._goals] = 1
            self._table = np.cumsum(there, dtype=np.int32)
        starts = first.combinations()
        low, high, own, after = self._span(self._keys(starts))
        self._starts = first.images_of(starts[high - low > after - own])
        self._start_ends: NDArray[np.float64] | None = None
        if first.weighted:
            self._start_ends = np.cumsum(first.weight(self._starts))
        self.count = len(self._starts)

    def draw(
        self, count: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First and second images, two (n,) arrays of flat indices; `count` is not 0.

        Args:
            count: How many pairs.
            rng: Where the randomness comes from.
        """
        if self._start_ends is None:
            first = self._starts[rng.integers(0, self.count, count)]
        else:
            wanted = rng.random(count) * self._start_ends[-1]
            place = np.searchsorted(self._start_ends, wanted, side="right")
            first = self._starts[np.minimum(place, self.count - 1)]
        cells: NDArray[np.int64] = self._first.indices(first) @ self._strides
        if self._second.weighted:
            return first, self._by_odds(cells, rng)
        low, high, own, after = self._span(self._keys(cells))
        goal = low + (rng.random(count) * (high - low - (after - own))).astype(np.int64)
        goal += (goal >= own) * (after - own)
        return first, self._second.one_of(self._cells(self._goals[goal]), rng)

    def _by_odds(self, cells: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
        """Second images of first combinations, (n,), out of a list of each line.

        Sums of odds along many lines would lose those that are small beside others.
        """
        own = cells // self._stride % self._size
        values = (own[:, np.newaxis] + np.arange(1, self._size)) % self._size
        others = cells[:, np.newaxis] + (values - own[:, np.newaxis]) * self._stride
        allowed = None if self._values is None else self._values[values].astype(np.float64)
        return self._second.among(others, allowed, rng)

    def _span(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
        """Where among the goals each line begins and ends, and each combination itself."""
        line = keys // self._size * self._size
        edges = (line, line + self._size, keys, keys + 1)
        if self._table is not None:
            table = self._table
            return tuple(table[edge].astype(np.int64) for edge in edges)
        return tuple(np.searchsorted(self._goals, edge).astype(np.int64) for edge in edges)

    def _keys(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """Combinations counted so that those of one line follow each other."""
        above, within = np.divmod(cells, self._size * self._stride)
        value, below = np.divmod(within, self._stride)
        return (above * self._stride + below) * self._size + value

    def _cells(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Combinations as flat indices of the grid again."""
        line, value = np.divmod(keys, self._size)
        above, below = np.divmod(line, self._stride)
        return (above * self._size + value) * self._stride + below


def lines_of(images: Population, column: int) -> Lines:
    """Pairs of images of one dataset along a factor; kept as long as the images are.

    Args:
        images: Where both images come from.
        column: The factor.
    """
    return images.once(f"lines/{column}", lambda: Lines(images, images, column))
