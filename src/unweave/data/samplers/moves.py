"""Factors that move by offsets drawn at random, each on its own."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.factors import FactorSpace, strides

__all__ = ["MOST_LISTED", "Moves"]

MOST_LISTED: Final = 2**18
"""So many combinations are listed at once; draws with more move so many factors that drawing alone
finds images."""


@final
class Moves:
    """Which factors move in each draw, and by how much, all offsets being as likely.

    Args:
        space: The factors.
        columns: Those that may move.
        numbers: How many of them move in each draw, (n,); which, is drawn here.
        offsets: By what each factor may move, (K,) arrays.
        poses: Where each factor begins again, (K,).
        rng: Where the randomness comes from.

    Attributes:
        moved: Whether each factor moves in each draw, (n, K).
    """

    def __init__(
        self,
        space: FactorSpace,
        columns: NDArray[np.int64],
        numbers: NDArray[np.int64],
        offsets: tuple[NDArray[np.int64], ...],
        poses: NDArray[np.int64],
        rng: np.random.Generator,
    ) -> None:
        """Draw which factors move."""
        keys = rng.random((len(numbers), len(columns)))
        ranks = keys.argsort(axis=1).argsort(axis=1)
        self.moved = np.zeros((len(numbers), len(space.sizes)), dtype=np.bool_)
        self.moved[:, columns] = ranks < numbers[:, np.newaxis]
        self._columns = columns
        self._offsets = offsets
        self._poses = poses
        self._strides = strides(space.sizes)

    def propose(
        self, places: NDArray[np.int64], first: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Factors of a further image of each draw, (n, K).

        Args:
            places: Which draws, (n,).
            first: Factors of their first images, (n, K).
            rng: Where the randomness comes from.
        """
        second = first.copy()
        for column in self._columns.tolist():
            rows = np.flatnonzero(self.moved[places, column])
            offsets = self._offsets[column]
            drawn = offsets[rng.integers(0, len(offsets), len(rows))]
            second[rows, column] = (first[rows, column] + drawn) % self._poses[column]
        return second

    def listed(
        self, places: NDArray[np.int64], first: NDArray[np.int64], longest: int
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], None]]:
        """All further images of draws, those together in which the same factors move.

        Args:
            places: Which draws, (n,).
            first: Factors of their first images, (n, K).
            longest: Draws with more of them are left out.

        Yields:
            Rows of `places`, (r,); all combinations of each, (r, m), as flat indices of the whole
            grid; and None, since they are as likely.
        """
        kinds, kind = np.unique(self.moved[places], axis=0, return_inverse=True)
        for number, moved in enumerate(kinds):
            columns = np.flatnonzero(moved).tolist()
            listed = math.prod(len(self._offsets[column]) for column in columns)
            if listed > longest:
                continue
            rows = np.flatnonzero(kind.reshape(-1) == number)
            part = max(1, MOST_LISTED // listed)
            for start in range(0, len(rows), part):
                some = rows[start : start + part]
                yield some, self._cells(first[some], columns), None

    def _cells(self, first: NDArray[np.int64], columns: list[int]) -> NDArray[np.int64]:
        """All combinations of offsets of some columns, (n, K) to (n, m) flat indices."""
        rest = first.copy()
        rest[:, columns] = 0
        cells = (rest @ self._strides)[:, np.newaxis]
        for column in columns:
            goals = first[:, [column]] + self._offsets[column]
            goals = goals % self._poses[column] * self._strides[column]
            cells = (cells[:, :, np.newaxis] + goals[:, np.newaxis]).reshape(len(first), -1)
        return cells
