"""Rows of a table in which one factor has another value."""

from __future__ import annotations

__all__ = ["Interventions", "RowsByKey"]

from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.factors import FactorSpace

Rows = NDArray[np.int64]


@final
class Interventions:
    """Finds rows that differ from given ones in one factor.

    Where a table has every combination of factors, all other factors stay as they are. Where it
    has not, that cannot be: then any row with the value stands for it, so that factors which go
    together in the table go together here.

    Args:
        factors: Factor indices of the rows, (N, K).
        factor_space: Names and sizes of the factors.

    Attributes:
        complete: Whether every combination occurs.
    """

    def __init__(self, factors: Rows, factor_space: FactorSpace) -> None:
        self._factors = np.asarray(factors)
        self._space = factor_space
        flat = factor_space.ravel(self._factors)
        self.complete = len(flat) >= factor_space.size and (
            np.unique(flat).size == factor_space.size
        )
        if self.complete:
            self._index = RowsByKey(flat)

    def values(self, factor: int) -> Rows:
        """The values of a factor that occur, in order."""
        return np.unique(self._factors[:, factor])

    def change(
        self, rows: Rows, factor: int, values: Rows | int, state: np.random.RandomState
    ) -> Rows:
        """Rows with a value of a factor.

        Args:
            rows: Where to start from, (n,).
            factor: The factor that changes.
            values: Its new values, which occur in the table, (n,), or one for all.
            state: Chooses among several rows that will do; else nothing is drawn from it.

        Returns:
            (n,).
        """
        values = np.broadcast_to(np.asarray(values, np.int64), rows.shape)
        if not self.complete:
            rows_of = RowsByKey(self._factors[:, factor])
            return rows_of.any_of(rows_of.find(values), state)
        combinations = self._factors[rows].copy()
        combinations[:, factor] = values
        return self._index.any_of(self._index.find(self._space.ravel(combinations)), state)


@final
class RowsByKey:
    """Rows that have the same key, together.

    Args:
        keys: Of each row, (N,).

    Attributes:
        keys: The different ones, in order, (G,).
        first: The first row of each, (G,).
    """

    def __init__(self, keys: Rows) -> None:
        self._order = np.argsort(keys, kind="stable")
        self.keys, self._starts, self._counts = np.unique(
            keys[self._order], return_index=True, return_counts=True
        )
        self.first = self._order[self._starts]
        self._given = keys

    @cached_property
    def group(self) -> Rows:
        """Of each row the place of its key among `keys`, (N,)."""
        return np.searchsorted(self.keys, self._given)

    def find(self, keys: Rows) -> Rows:
        """The group of each key, (n,); -1 where there is none."""
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[place] == keys, place, -1)

    def any_of(self, groups: Rows, state: np.random.RandomState) -> Rows:
        """A random row of each group, (n,); nothing is drawn where each has one row."""
        count = self._counts[groups]
        chosen = np.zeros(len(groups), np.int64)
        if (count > 1).any():
            chosen = (state.random_sample(len(groups)) * count).astype(np.int64)
        return np.asarray(self._order[self._starts[groups] + chosen], np.int64)
