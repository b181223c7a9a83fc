"""Rows of a table drawn for a metric: samples, training and test sets, pairs and groups."""

from __future__ import annotations

__all__ = [
    "COMPAT_HELP",
    "SHARE_HELP",
    "Compat",
    "GridSampler",
    "Groups",
    "Pairs",
    "RowSampler",
    "Sampler",
    "check_interventions",
    "check_published_scale",
    "grid_rows",
    "in_order",
    "sampler",
]

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics.draws import Draws
from unweave.representation import Representation

Rows = NDArray[np.int64]
Compat = Literal["none", "dlib", "dlib2019"]
"""Whose published draws and solvers a metric repeats, if any."""

COMPAT_HELP = (
    "dlib: draws, solvers and names of parts as in disentanglement_lib; dlib2019: and the solvers "
    "that were scikit-learn's defaults in 2019."
)
"""What the field `compat` of metrics is told of in lists."""

SHARE_HELP = (
    "Instead of drawn rows, the share of all rows to fit on, from the first in the order given; "
    "the rest is to test on."
)
"""What the field `share` of metrics is told of in lists."""

# How many points disentanglement_lib draws at a time.
_CHUNK = 16
# Codes whose squares can be summed in single precision, as the reference does.
_LARGEST = 1e15
# Rows that are drawn at once for pairs and groups; what stands in memory meanwhile.
_BLOCK = 2**16


@final
@dataclass(frozen=True, eq=False)
class Pairs:
    """Batches of pairs of rows that share the value of one factor.

    Attributes:
        factor: The shared factor of each batch, (n,).
        first: Rows of the first images, (n, batch).
        second: Rows of the second images, (n, batch).
    """

    factor: Rows
    first: Rows
    second: Rows


@final
@dataclass(frozen=True, eq=False)
class Groups:
    """Batches of rows that all have one value of one factor.

    Attributes:
        factor: The fixed factor of each batch, (n,).
        rows: Rows of its images, (n, batch).
    """

    factor: Rows
    rows: Rows


class Sampler(ABC):
    """Draws rows of one table; each call goes on with the same stream.

    Attributes:
        random_state: The stream in scikit-learn's form, for estimators that draw after the rows.
    """

    random_state: np.random.RandomState

    @abstractmethod
    def sample(self, count: int) -> Rows:
        """Rows of a sample, (count,)."""

    @abstractmethod
    def split(self, train: int, test: int) -> tuple[Rows, Rows]:
        """Rows to fit on and rows to test on."""

    @abstractmethod
    def at_once(self, count: int) -> Rows:
        """Rows of a sample that is drawn in one go, (count,)."""

    @abstractmethod
    def pairs(self, points: int, batch: int) -> Pairs:
        """Batches of pairs that share a factor chosen at random."""

    @abstractmethod
    def groups(self, votes: int, batch: int) -> Groups:
        """Batches with one factor, chosen at random, fixed at a random value."""


@final
class GridSampler(Sampler):
    """Draws combinations of factors from a full grid, as disentanglement_lib does.

    Each factor of each point is uniform and independent, with replacement, from NumPy's frozen
    `RandomState` stream in the order of the reference: samples in chunks of 16, a training set
    before its test set, and within a chunk one factor after the other.

    Args:
        factors: Factor indices of the table's rows, (N, K); every combination once.
        factor_space: Names and sizes of the factors.
        draws: Gives the stream.

    Raises:
        DataError: The rows are not the full grid.

    References:
        | Challenging Common Assumptions in the Unsupervised Learning of Disentangled
        | Representations (Locatello et al., 2019)
        | https://arxiv.org/abs/1811.12359
    """

    def __init__(
        self, factors: NDArray[np.int64], factor_space: FactorSpace, draws: Draws
    ) -> None:
        self._sizes = factor_space.sizes
        self._rows = grid_rows(factors, factor_space)
        self.random_state = draws.legacy()

    def sample(self, count: int) -> Rows:
        """Rows drawn in chunks of 16, (count,)."""
        whole, rest = divmod(count, _CHUNK)
        drawn = self._draw(np.repeat(self._sizes, _CHUNK), whole)
        chunks = drawn.reshape(whole, len(self._sizes), _CHUNK)
        combinations = np.moveaxis(chunks, 1, -1).reshape(whole * _CHUNK, len(self._sizes))
        return np.concatenate([self._look_up(combinations), self.at_once(rest)])

    def split(self, train: int, test: int) -> tuple[Rows, Rows]:
        """Rows to fit on, then rows to test on; they may overlap."""
        first = self.sample(train)
        return first, self.sample(test)

    def at_once(self, count: int) -> Rows:
        """Rows drawn in one go, (count,)."""
        drawn = self._draw(np.repeat(self._sizes, count), 1)
        return self._look_up(drawn.reshape(len(self._sizes), count).T)

    def pairs(self, points: int, batch: int) -> Pairs:
        """Batches of pairs; of each the factor is drawn first, then both sides."""
        blocks = [self._batches(size, batch, sides=2) for size in _blocks(points, batch)]
        factor = np.concatenate([block[0] for block in blocks])
        first, second = np.concatenate([block[1] for block in blocks], axis=1)
        return Pairs(factor=factor, first=first, second=second)

    def groups(self, votes: int, batch: int) -> Groups:
        """Batches whose fixed factor, drawn first, keeps the value of the first row."""
        blocks = [self._batches(size, batch, sides=1) for size in _blocks(votes, batch)]
        factor = np.concatenate([block[0] for block in blocks])
        return Groups(factor=factor, rows=np.concatenate([block[1][0] for block in blocks]))

    def _batches(self, count: int, batch: int, sides: int) -> tuple[Rows, Rows]:
        """Fixed factors, (count,), and rows, (sides, count, batch).

        A single side has one value of the fixed factor, the first that it drew; a second side
        takes those of the first, row by row.
        """
        width = len(self._sizes)
        highs = np.concatenate([[width], np.tile(np.repeat(self._sizes, batch), sides)])
        drawn = self._draw(highs, count)
        factor = drawn[:, 0].copy()
        values = drawn[:, 1:].reshape(count, sides, width, batch)
        every = np.arange(count)
        kept = values[every, 0, factor]
        values[every, -1, factor] = kept if sides == 2 else kept[:, :1]
        return factor, self._look_up(np.moveaxis(values, (1, 3), (0, 2)))

    def _draw(self, highs: Rows, times: int) -> Rows:
        """Whole numbers below each of `highs`, one after the other, (times, len(highs)).

        Given several bounds, `RandomState` draws number by number what one call for each of them
        would draw, at a fraction of the time.
        """
        size = (times, len(highs))
        return self.random_state.randint(np.broadcast_to(highs, size), dtype=np.int64)

    def _look_up(self, combinations: Rows) -> Rows:
        """Rows of combinations (..., K), (...)."""
        columns = tuple(np.moveaxis(combinations, -1, 0))
        return np.asarray(self._rows[np.ravel_multi_index(columns, self._sizes)], np.int64)


@final
class RowSampler(Sampler):
    """Draws rows of any table, complete grid or not.

    Samples are without replacement, and a test set shares no row with its training set. Where a
    table has fewer rows than are asked for, all are taken, and a training and test set share them
    in the proportion asked for. In pairs and groups a factor that varies is chosen at random, a
    row gives its value, and rows with that value are drawn with replacement.

    Args:
        factors: Factor indices of the table's rows, (N, K).
        draws: Gives the stream.

    Raises:
        DataError: There are fewer than two rows.
    """

    def __init__(self, factors: NDArray[np.int64], draws: Draws) -> None:
        if len(factors) < 2:
            raise DataError(f"A metric needs at least 2 rows, and there are {len(factors)}.")
        self._factors = np.asarray(factors)
        self._rng = draws.generator()
        self.random_state = np.random.RandomState(int(self._rng.integers(2**32)))

    def sample(self, count: int) -> Rows:
        """Different rows in random order, all of them when there are no more than `count`."""
        return self._rng.permutation(len(self._factors))[:count]

    def split(self, train: int, test: int) -> tuple[Rows, Rows]:
        """Rows to fit on and other rows to test on."""
        rows = self.sample(train + test)
        if len(rows) < train + test:
            train = min(max(1, round(len(rows) * train / (train + test))), len(rows) - 1)
        return rows[:train], rows[train:]

    def at_once(self, count: int) -> Rows:
        """The same as `sample`."""
        return self.sample(count)

    def pairs(self, points: int, batch: int) -> Pairs:
        """Batches of pairs: first rows are any, second rows any others with the shared value."""
        factor = self._choose_factors(points)
        first = self._rng.integers(len(self._factors), size=(points, batch))
        second = self._alike(factor[:, None], first)
        return Pairs(factor=factor, first=first, second=second)

    def groups(self, votes: int, batch: int) -> Groups:
        """Batches of rows that have one value in common."""
        factor = self._choose_factors(votes)
        leaders = self._rng.integers(len(self._factors), size=(votes, 1))
        rows = self._alike(factor[:, None], np.repeat(leaders, batch, axis=1))
        return Groups(factor=factor, rows=rows)

    def _choose_factors(self, count: int) -> Rows:
        varying = np.flatnonzero((self._factors != self._factors[:1]).any(axis=0))
        if not varying.size:
            raise DataError("Pairs need a factor that varies, but every factor is constant here.")
        return np.asarray(varying[self._rng.integers(varying.size, size=count)], np.int64)

    def _alike(self, factor: Rows, rows: Rows) -> Rows:
        """For each row a random row, itself too, with the same value of its factor."""
        factor = np.broadcast_to(factor, rows.shape)
        places = self._rng.random(rows.shape)
        found = np.empty(rows.shape, np.int64)
        for k in np.unique(factor):
            here = factor == k
            column = self._factors[:, k]
            order = np.argsort(column, kind="stable")
            _, value, counts = np.unique(column, return_inverse=True, return_counts=True)
            # Of each row, where in that order its value begins, and how many rows have it.
            starts, counts = (np.cumsum(counts) - counts)[value], counts[value]
            chosen = rows[here]
            offsets = (places[here] * counts[chosen]).astype(np.int64)
            found[here] = order[starts[chosen] + offsets]
        return found


def sampler(table: Representation, draws: Draws, compat: Compat) -> Sampler:
    """The sampler that a setting of `compat` asks for.

    Args:
        table: Codes and factors that rows are drawn of.
        draws: Seed and name of the metric.
        compat: Whose published code is repeated.

    Raises:
        DataError: The table is not a full grid and should be, or has fewer than two rows; or
            codes are so large that published arithmetic fails.
    """
    factors = np.asarray(table.factors)
    if compat == "none":
        return RowSampler(factors, draws)
    check_published_scale(table.mean)
    return GridSampler(factors, table.factor_space, draws)


def check_published_scale(codes: NDArray[np.floating]) -> None:
    """Refuse codes (N, L) that are too large for the arithmetic of the reference.

    Raises:
        DataError: One is beyond 1e15.
    """
    largest = max(float(codes.max()), -float(codes.min()))
    if largest > _LARGEST:
        raise DataError(
            f"Published protocols take codes as they are, in single precision, where squares of "
            f"numbers beyond {_LARGEST:g} overflow, and the largest code is {largest:g}. Divide "
            f"the codes by one number, or score them with protocol unweave."
        )


def _blocks(count: int, batch: int) -> list[int]:
    """How many batches to draw at once, again and again, until there are `count`."""
    step = max(1, _BLOCK // batch)
    return [min(step, count - start) for start in range(0, count, step)]


def in_order(count: int, share: float) -> tuple[Rows, Rows]:
    """The first rows, to fit on, and the rest, to test on, as they stand.

    Args:
        count: Number of rows.
        share: Of the rows to fit on, rounded up to a whole row.

    Raises:
        DataError: Nothing is left to test on.
    """
    first = math.ceil(count * share)
    if first >= count:
        raise DataError(
            f"A share of {share:g} of {count} rows to fit on leaves none to test on: give more "
            f"rows or a smaller share."
        )
    return np.arange(first), np.arange(first, count)


def check_interventions(
    name: str, factors: NDArray[np.int64], factor_space: FactorSpace, compat: Compat
) -> None:
    """Refuse tables in which a metric cannot tell factors apart.

    Args:
        name: The metric.
        factors: Factor indices of the rows, (N, K).
        factor_space: Names and sizes of the factors.
        compat: Whose draws.

    Raises:
        DataError: Fewer than two factors vary, or `compat` needs the full grid and this is not
            one.
    """
    if compat != "none":
        grid_rows(factors, factor_space)
    varying = int((factors != factors[:1]).any(axis=0).sum())
    if varying < 2:
        raise DataError(
            f"{name} tells factors apart, so at least two must vary, and here "
            f"{varying} of {factors.shape[1]} does: name the metrics to score, without "
            f"{name}."
        )


def grid_rows(factors: NDArray[np.int64], factor_space: FactorSpace) -> Rows:
    """The row of each combination in C order, (size,).

    Raises:
        DataError: A combination is missing or stands twice.
    """
    if not factor_space.factors:
        raise DataError(
            "Published protocols draw from the full grid of factors, and none are known here. "
            "Score it with protocol unweave, which takes any table."
        )
    size = factor_space.size
    flat = factor_space.ravel(np.asarray(factors))
    if len(flat) == size and (flat == np.arange(size)).all():
        return flat
    rows = np.full(size, -1, np.int64) if size <= len(flat) else np.empty(0, np.int64)
    if rows.size:
        rows[flat] = np.arange(len(flat))
    if len(flat) != size or (rows < 0).any():
        missing = size - np.unique(flat).size
        what = f"{missing:,} are missing" if missing else "some stand more than once"
        raise DataError(
            f"Published protocols draw from the full grid of {size:,} combinations "
            f"({' x '.join(map(str, factor_space.sizes))}), but the table has {len(flat):,} rows, "
            f"and {what}. Score it with protocol unweave, which takes any table."
        )
    return rows
