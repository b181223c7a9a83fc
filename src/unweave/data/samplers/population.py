"""The images of a dataset as draws see them: any image by its odds, or one of a combination."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Final, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset
from unweave.errors import DataError
from unweave.factors import FactorSpace

__all__ = ["Population", "Propose", "population_of"]

_Flat: TypeAlias = NDArray[np.int64]
_Indices: TypeAlias = NDArray[np.int64]

Propose: TypeAlias = Callable[[_Flat, _Indices, np.random.Generator], _Indices]
"""From the places of draws, (n,), and the factors of their first images, (n, K), to those of a
further image of each, (n, K), within the space."""

# How often a first image is drawn anew, and rounds of further ones for each: 1, 4, 16, 64, 64, ...
_RENEWALS: Final = 20
_ROUNDS: Final = 8
_MOST_AT_ONCE: Final = 64
_MOST_IN_ALL: Final = 2**18


@final
class Population:
    """Images to draw from; made once a dataset by `population_of`.

    Attributes:
        space: The factors.
        sizes: How many values each has, (K,).
        is_grid: Whether every combination is there once, with equal odds: whatever lies in the
            space can be drawn.
    """

    def __init__(self, dataset: Dataset) -> None:
        """Sort the combinations of what is no full grid, so that each is found at once."""
        self.space: FactorSpace = dataset.factor_space
        self.sizes = np.array(self.space.sizes, dtype=np.int64)
        self.is_grid = dataset.is_grid and dataset.weights is None
        self._text = str(dataset.spec)
        self._count = len(dataset)
        self._table = None if dataset.labels is None else dataset.labels.indices
        self._weights = dataset.weights
        self._ends = None if dataset.weights is None else _ends(dataset.weights)
        self._heaviest = 0.0 if dataset.weights is None else float(dataset.weights.max())
        self._order: _Flat | None = None
        if self._table is not None:
            cells = self.space.ravel(self._table)
            self._order = np.argsort(cells, kind="stable")
            self._cells = cells[self._order]
        self._by_value: dict[int, tuple[_Flat, _Flat, NDArray[np.float64] | None]] = {}

    def indices(self, flat: _Flat) -> _Indices:
        """Factor indices of images, (n,) to (n, K)."""
        if self._table is not None:
            return self._table[flat]
        return np.stack(np.unravel_index(flat, self.space.sizes), axis=1).astype(np.int64)

    def any(self, count: int, rng: np.random.Generator) -> _Flat:
        """Images by their odds, with replacement, (count,)."""
        if self._ends is None:
            return rng.integers(0, self._count, count)
        return np.searchsorted(self._ends, rng.random(count), side="right").astype(np.int64)

    def __len__(self) -> int:
        """How many images there are."""
        return self._count

    def of(self, indices: _Indices, rng: np.random.Generator) -> _Flat:
        """An image of each combination, (n, K) to (n,), whatever its odds; -1 where there is none.

        Of several with one combination each is as likely.
        """
        cells = np.ravel_multi_index(tuple(indices.T), self.space.sizes)
        if self._order is None:
            return np.asarray(cells, dtype=np.int64)
        low = np.searchsorted(self._cells, cells, side="left")
        high = np.searchsorted(self._cells, cells, side="right")
        there = high > low
        place = low + (rng.random(len(cells)) * (high - low)).astype(np.int64)
        return np.where(there, self._order[np.where(there, place, 0)], -1)

    def accepted(self, indices: _Indices, rng: np.random.Generator) -> _Flat:
        """As `of`, but each image with a chance in proportion to its odds, else -1.

        Drawing combinations until there is an image so gives images by their odds.
        """
        flat = self.of(indices, rng)
        if self._weights is None:
            return flat
        return np.where(rng.random(len(flat)) * self._heaviest < self.weight(flat), flat, -1)

    def weight(self, flat: _Flat) -> NDArray[np.float64]:
        """Odds of images, (n,), on any scale; 0 for -1."""
        there = flat >= 0
        if self._weights is None:
            return there.astype(np.float64)
        return np.where(there, self._weights[flat], 0.0)

    def with_value(
        self, columns: NDArray[np.int64], values: NDArray[np.int64], rng: np.random.Generator
    ) -> _Flat:
        """Images by their odds among those with one factor as given, (n,).

        Args:
            columns: The factor of each draw, (n,).
            values: Its index, (n,); some image has it.
            rng: Where the randomness comes from.
        """
        if self.is_grid:
            indices = rng.integers(0, self.sizes, size=(len(columns), len(self.sizes)))
            indices[np.arange(len(columns)), columns] = values
            return self.of(indices, rng)
        draws = rng.random(len(columns))
        flat = np.empty(len(columns), dtype=np.int64)
        for column in np.unique(columns).tolist():
            rows = np.flatnonzero(columns == column)
            order, starts, ends = self._sorted_by(column)
            low, high = starts[values[rows]], starts[values[rows] + 1]
            if ends is None:
                place = low + (draws[rows] * (high - low)).astype(np.int64)
            else:
                below = np.where(low > 0, ends[low - 1], 0.0)
                wanted = below + draws[rows] * (ends[high - 1] - below)
                place = np.clip(np.searchsorted(ends, wanted, side="right"), low, high - 1)
            flat[rows] = order[place]
        return flat

    def further(
        self, count: int, rng: np.random.Generator, propose: Propose, what: str
    ) -> NDArray[np.int64]:
        """First images by their odds, each with one more that `propose` allows, (count, 2).

        Args:
            count: How many.
            rng: Where the randomness comes from.
            propose: Draws a further image of each; asked again until there is such an image.
            what: What is asked for, for the error.

        Raises:
            DataError: No image was found that has such a further one.
        """
        pairs = np.full((count, 2), -1, dtype=np.int64)
        pending = np.arange(count)
        for _ in range(_RENEWALS):
            pairs[pending, 0] = self.any(len(pending), rng)
            for turn in range(_ROUNDS):
                at_once = min(_MOST_AT_ONCE, 4**turn, max(1, _MOST_IN_ALL // len(pending)))
                places = np.repeat(pending, at_once)
                proposed = propose(places, self.indices(pairs[places, 0]), rng)
                found = self.accepted(proposed, rng).reshape(-1, at_once)
                first = found[np.arange(len(found)), (found >= 0).argmax(axis=1)]
                pairs[pending, 1] = first
                pending = pending[first < 0]
                if len(pending) == 0:
                    return pairs
        raise DataError(
            f"{self._text} has too few images for {what}: {_RENEWALS} images were tried, and none "
            "of the drawn combinations that belong to them is there. Use a dataset with more "
            "combinations, or let other factors change."
        )

    def none(self, what: str) -> DataError:
        """The error for images that do not belong together as is asked."""
        return DataError(
            f"{self._text} has too few images for {what}. Use a dataset with more combinations."
        )

    def _sorted_by(self, column: int) -> tuple[_Flat, _Flat, NDArray[np.float64] | None]:
        """Images by the value of a factor, where each value starts, and their cumulated odds."""
        if column not in self._by_value:
            table = (
                self.indices(np.arange(self._count))[:, column]
                if self._table is None
                else self._table[:, column]
            )
            order = np.argsort(table, kind="stable")
            starts = np.searchsorted(table[order], np.arange(self.sizes[column] + 1))
            ends = None if self._weights is None else np.cumsum(self._weights[order])
            self._by_value[column] = (order, starts.astype(np.int64), ends)
        return self._by_value[column]


_KNOWN: weakref.WeakKeyDictionary[Dataset, Population] = weakref.WeakKeyDictionary()


def population_of(dataset: Dataset) -> Population:
    """The images of a dataset; looked up once, and kept as long as the dataset is.

    Raises:
        DataError: The factors are not known.
    """
    if dataset not in _KNOWN:
        _KNOWN[dataset] = Population(dataset)
    return _KNOWN[dataset]


def _ends(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Upper ends of each image's share of 0 to 1, (n,)."""
    ends = np.cumsum(weights / weights.sum())
    # Rounding must not leave a gap at the end, where the last image that counts would be missed.
    ends[np.flatnonzero(weights)[-1] :] = 1.0
    return ends
