"""Pairs of rows of a table between which one factor has gone by some values."""

from __future__ import annotations

__all__ = ["FEWEST", "Moves"]

import math
from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace

Rows = NDArray[np.int64]
Side = NDArray[np.bool_]

FEWEST = 20
"""Pairs of combinations that a move has at least; with fewer, its factor is left out."""

_TRIES = 100


@final
class Moves:
    """All pairs of rows of which one factor differs by a step, forwards or backwards.

    Every factor counts as a circle, so that a step past its end goes on at its beginning. A step
    is no longer than forwards and backwards are two places: of five values one or two. Factors
    without an order do not move, nor do those of fewer than three poses. Rows that have the same
    combination of factors go together, so that none of them is on another side than the rest.

    Args:
        factors: Factor indices of the rows, (N, K).
        space: Names and sizes of the factors.
        step: By how many values a factor moves, 1 or more.
        whole_circle: Whether a circle whose last value is the first pose again counts both.

    Attributes:
        moves: Number of the factor and signed step of each move, two of each factor, forwards
            first.

    Raises:
        DataError: No factor moves.
    """

    def __init__(
        self, factors: Rows, space: FactorSpace, step: int, *, whole_circle: bool = False
    ) -> None:
        rows = np.asarray(factors)
        poses = [each.size if whole_circle else each.poses for each in space.factors]
        lengths = [
            0 if factor.kind == "categorical" else min(step, (count - 1) // 2)
            for factor, count in zip(space.factors, poses, strict=True)
        ]
        if not any(lengths):
            raise DataError(
                "That needs a factor with an order and at least three different poses, and there "
                "is none here."
            )
        folded = rows % poses
        strides = _strides(folded, poses)
        self._rows = _Groups(folded @ strides)
        self.moves: list[tuple[int, int]] = []
        self._to: list[Rows] = []
        combinations = folded[self._rows.first]
        for k in np.flatnonzero(lengths).tolist():
            column = combinations[:, k]
            ways = [lengths[k], -lengths[k]]
            ends = [
                self._rows.find(
                    self._rows.keys + ((column + way) % poses[k] - column) * strides[k]
                )
                for way in ways
            ]
            if strides[k] and min(np.count_nonzero(end >= 0) for end in ends) >= FEWEST:
                self.moves += [(k, way) for way in ways]
                self._to += ends
        if not self.moves:
            raise DataError(
                f"No factor here has {FEWEST} pairs of rows that differ in it alone, by {step} of "
                f"its values at most. Score all rows of a dataset, not a sample of them."
            )

    def sides(self, share: float, state: np.random.RandomState) -> tuple[Side, Side]:
        """Which combinations are on one side and which on the other; both have all moves.

        Args:
            share: Of the combinations on the first side, about.
            state: Parts them.

        Returns:
            (C,) and (C,), for combinations in the order of their flat indices.

        Raises:
            DataError: One side would have too few to have them all.
        """
        count = len(self._rows.keys)
        one = np.zeros(count, np.bool_)
        for _ in range(_TRIES):
            one[:] = False
            one[state.permutation(count)[: round(count * share)]] = True
            if all(self._within(each, to).any() for each in (one, ~one) for to in self._to):
                return one, ~one
        raise DataError(
            f"{count:,} combinations of factors are too few to fit pairs of some and to test "
            f"pairs of others, {share:.0%} of them and the rest. Take more even numbers of pairs."
        )

    def draw(
        self, side: Side, count: int, state: np.random.RandomState
    ) -> tuple[Rows, NDArray[np.int64]]:
        """Different pairs of one side, and of which move each is.

        The move of each pair is drawn, then its first row among those that have a second one on
        this side, and of the rows that will do as that one any. A move with fewer first rows than
        are asked for gives a pair of each, and every move at least one.

        Args:
            side: Its combinations, (C,).
            count: How many pairs.
            state: Where they are drawn from.

        Returns:
            Rows of both images, (n, 2), and the place of the move in `moves`, (n,).
        """
        wanted = np.bincount(state.randint(len(self.moves), size=count), minlength=len(self.moves))
        drawn = []
        for to, asked in zip(self._to, np.maximum(wanted, 1).tolist(), strict=True):
            there = np.flatnonzero(self._within(side, to)[self._rows.group])
            first = there[state.permutation(len(there))[:asked]]
            second = self._rows.any_of(to[self._rows.group[first]], state)
            drawn.append(np.stack([first, second], axis=1))
        labels = np.repeat(np.arange(len(drawn)), [len(pairs) for pairs in drawn])
        return np.concatenate(drawn), labels

    @staticmethod
    def _within(side: Side, to: Rows) -> Side:
        """Combinations from which a move leads to one of the same side, (C,)."""
        return np.asarray(side & (to >= 0) & side[to])


@final
class _Groups:
    """Rows by a key, (N,)."""

    def __init__(self, keys: Rows) -> None:
        self._order = np.argsort(keys, kind="stable")
        self.keys, self._starts, self._counts = np.unique(
            keys[self._order], return_index=True, return_counts=True
        )
        self.group = np.searchsorted(self.keys, keys)
        self.first = self._order[self._starts]

    def find(self, keys: Rows) -> Rows:
        """The group of each key, (n,); -1 where there is none."""
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[place] == keys, place, -1)

    def any_of(self, groups: Rows, state: np.random.RandomState) -> Rows:
        """A random row of each group, (n,)."""
        chosen = (state.random_sample(len(groups)) * self._counts[groups]).astype(np.int64)
        return np.asarray(self._order[self._starts[groups] + chosen])


def _strides(folded: Rows, poses: list[int]) -> Rows:
    """By what a flat index rises with each factor; 0 for those that are constant, (K,).

    Raises:
        DataError: There are more combinations than numbers.
    """
    varies = (folded != folded[:1]).any(axis=0)
    found = np.zeros(len(poses), np.int64)
    stride = 1
    for k in np.flatnonzero(varies)[::-1].tolist():
        found[k] = stride
        stride *= poses[k]
    if stride > np.iinfo(np.int64).max:
        raise DataError(
            f"The factors here have 10^{math.log10(stride):.0f} combinations, and there is no "
            f"number for each."
        )
    return found
