"""The images of a dataset as draws see them: any image by its odds, or one of a combination."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Final, TypeAlias, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset
from unweave.data.labels import Places
from unweave.factors import FactorSpace

__all__ = ["Population", "population_of"]

_Flat: TypeAlias = NDArray[np.int64]
_Indices: TypeAlias = NDArray[np.int64]
T = TypeVar("T")


@final
class Population:
    """Images to draw from; made once a dataset by `population_of`.

    Attributes:
        text: The dataset's text.
        space: The factors.
        sizes: How many values each has, (K,).
    """

    def __init__(self, dataset: Dataset) -> None:
        """Look up what the draws need."""
        self.text = str(dataset.spec)
        self.space: FactorSpace = dataset.factor_space
        self.sizes = np.array(self.space.sizes, dtype=np.int64)
        self._count = len(dataset)
        self._table = None if dataset.labels is None else dataset.labels.indices
        self._weights = dataset.weights
        self._ends = None if dataset.weights is None else _ends(dataset.weights)
        self._heaviest = 0.0 if dataset.weights is None else float(dataset.weights.max())
        self._places = None if dataset.labels is None else dataset.labels.places(self.space)
        self._means: NDArray[np.float64] | None = None
        self._by_value: dict[int, tuple[_Flat, _Flat, NDArray[np.float64] | None]] = {}
        self._kept: dict[str, Any] = {}

    def __len__(self) -> int:
        """How many images there are."""
        return self._count

    @property
    def weighted(self) -> bool:
        """Whether images have odds."""
        return self._weights is not None

    @property
    def is_grid(self) -> bool:
        """Whether every combination is there once, in C order."""
        return self._table is None

    def once(self, key: str, make: Callable[[], T]) -> T:
        """What a sampler makes of these images, made at most once and kept as long as they are."""
        if key not in self._kept:
            self._kept[key] = make()
        value: T = self._kept[key]
        return value

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

    def of(self, indices: _Indices, rng: np.random.Generator) -> _Flat:
        """An image of each combination, (n, K) to (n,), whatever its odds; -1 where there is none.

        Of several with one combination each is as likely.
        """
        cells = np.ravel_multi_index(tuple(indices.T), self.space.sizes)
        if self._places is None:
            return np.asarray(cells, dtype=np.int64)
        place = self._places.of(cells)
        within = (rng.random(len(cells)) * self._places.counts[place]).astype(np.int64)
        found = self._places.order[self._places.starts[place] + within]
        return np.where(place >= 0, found, -1)

    def combinations(self) -> _Flat:
        """The combinations that may be drawn, as flat indices of the whole grid, ascending."""
        cells = np.arange(self._count) if self._places is None else self._places.cells
        if self._weights is None:
            return cells
        odds = self._weights if self._places is None else self._mean_odds(self._places)
        return cells[odds > 0]

    def images_of(self, cells: NDArray[np.int64]) -> _Flat:
        """All images of some combinations, but for those that are never drawn.

        Args:
            cells: Flat indices of the whole grid of combinations that are there, each once, (m,).
        """
        flat = cells
        if self._places is not None:
            taken = np.zeros(len(self._places.cells), dtype=np.bool_)
            taken[self._places.of(cells)] = True
            flat = self._places.order[np.repeat(taken, self._places.counts)]
        return flat if self._weights is None else flat[self._weights[flat] > 0]

    def one_of(self, cells: NDArray[np.int64], rng: np.random.Generator) -> _Flat:
        """An image of each combination, by the odds among its own, (n,).

        Args:
            cells: Flat indices of the whole grid of combinations that are there, (n,).
            rng: Where the randomness comes from.
        """
        if self._places is None:
            return cells
        return self._within(self._places, self._places.of(cells), rng)

    def weight(self, flat: _Flat) -> NDArray[np.float64]:
        """Odds of images, on any scale; 0 for -1."""
        there = flat >= 0
        if self._weights is None:
            return there.astype(np.float64)
        return np.where(there, self._weights[flat], 0.0)

    def accepted(self, indices: _Indices, rng: np.random.Generator) -> _Flat:
        """As `of`, but each image with a chance in proportion to its odds, else -1.

        Drawing combinations until there is an image so gives images by their odds.
        """
        flat = self.of(indices, rng)
        if self._weights is None:
            return flat
        return np.where(rng.random(len(flat)) * self._heaviest < self.weight(flat), flat, -1)

    def among(
        self,
        cells: NDArray[np.int64],
        chances: NDArray[np.float64] | None,
        rng: np.random.Generator,
    ) -> _Flat:
        """What `accepted` gives in the end, of combinations that are all listed; -1 for nothing.

        Args:
            cells: Combinations of each draw, (n, m), as flat indices of the whole grid.
            chances: Those of each combination, (n, m), None where they are alike.
            rng: Where the randomness comes from.
        """
        count, listed = cells.shape
        if self._places is None:
            place = cells
            odds = self.weight(cells)
        else:
            place = self._places.of(cells)
            odds = np.where(place >= 0, self._mean_odds(self._places)[place], 0.0)
        if chances is not None:
            odds = odds * chances
        ends = np.cumsum(odds, axis=1)
        wanted = rng.random(count) * ends[:, -1]
        last = listed - 1 - (odds[:, ::-1] > 0).argmax(axis=1)
        chosen = np.minimum((ends <= wanted[:, np.newaxis]).sum(axis=1), last)
        rows = np.arange(count)
        flat = place[rows, chosen]
        if self._places is not None:
            flat = self._within(self._places, flat, rng)
        return np.where(ends[:, -1] > 0, flat, -1)

    def with_value(
        self, columns: NDArray[np.int64], values: NDArray[np.int64], rng: np.random.Generator
    ) -> _Flat:
        """Images by their odds among those with one factor as given, (n,).

        Args:
            columns: The factor of each draw, (n,).
            values: Its index, (n,); some image has it.
            rng: Where the randomness comes from.
        """
        if self._table is None and self._weights is None:
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

    def _mean_odds(self, places: Places) -> NDArray[np.float64]:
        """The mean odds of the images of each combination, computed once."""
        if self._means is None:
            total = np.ones(len(places.cells))
            if self._weights is not None:
                total = np.add.reduceat(self._weights[places.order], places.starts) / places.counts
            self._means = total
        return self._means

    def _within(self, places: Places, chosen: _Flat, rng: np.random.Generator) -> _Flat:
        """Images by their odds among those of one combination each, (n,)."""
        within = (rng.random(len(chosen)) * places.counts[chosen]).astype(np.int64)
        flat: _Flat = places.order[places.starts[chosen] + within]
        if self._weights is None:
            return flat
        several = np.flatnonzero(places.counts[chosen] > 1)
        draws = rng.random(len(several))
        # One combination after the other: all draws of one go by the same odds.
        combinations, inverse = np.unique(chosen[several], return_inverse=True)
        grouped = np.argsort(inverse, kind="stable")
        last = np.cumsum(np.bincount(inverse, minlength=len(combinations)))
        for place, here in zip(combinations, np.split(grouped, last[:-1]), strict=False):
            start = places.starts[place]
            images = places.order[start : start + places.counts[place]]
            ends = _ends(self._weights[images])
            flat[several[here]] = images[np.searchsorted(ends, draws[here], side="right")]
        return flat

    def _sorted_by(self, column: int) -> tuple[_Flat, _Flat, NDArray[np.float64] | None]:
        """Images by the value of a factor, where each value starts, and their cumulated odds."""
        if column not in self._by_value:
            table = self.indices(np.arange(self._count))[:, column]
            order = np.argsort(table, kind="stable")
            starts = np.searchsorted(table[order], np.arange(self.sizes[column] + 1))
            ends = None if self._weights is None else np.cumsum(self._weights[order])
            self._by_value[column] = (order, starts.astype(np.int64), ends)
        return self._by_value[column]


_KNOWN: Final[weakref.WeakKeyDictionary[Dataset, Population]] = weakref.WeakKeyDictionary()


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
