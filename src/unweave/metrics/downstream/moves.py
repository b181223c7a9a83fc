"""Pairs of rows of a table between which one factor has gone by some values."""

from __future__ import annotations

__all__ = ["FEWEST", "Moves", "Side"]

from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace, strides
from unweave.metrics.downstream.interventions import RowsByKey

Rows = NDArray[np.int64]
Side = NDArray[np.bool_]

FEWEST = 20
"""Pairs of combinations that a move has at least; with fewer, its factor is left out."""

_TRIES = 100


@final
class Moves:
    """All pairs of rows of which one factor differs by a step, forwards or backwards.

    Every factor counts as a circle, so that a step past its end goes on at its beginning. A step
    is so short that both ways lead to different poses: of five one or two. Factors without an
    order do not move, nor do those of fewer than three poses. Rows that show the same poses of all
    factors go together, so that none of them is on another side than the rest.

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
        poses = [each.poses for each in space.factors]
        lengths = [
            0 if factor.kind == "categorical" else min(step, (count - 1) // 2)
            for factor, count in zip(space.factors, poses, strict=True)
        ]
        places = [each.size for each in space.factors] if whole_circle else poses
        if not any(lengths):
            raise DataError(
                "That needs a factor with an order and at least three different poses, and there "
                "is none here."
            )
        folded = rows % places
        rises = strides(tuple(places))
        self._rows = RowsByKey(folded @ rises)
        self.moves: list[tuple[int, int]] = []
        self._to: list[Rows] = []
        combinations = folded[self._rows.first]
        _, self._shown = np.unique((combinations % poses) @ rises, return_inverse=True)
        for k in np.flatnonzero(lengths).tolist():
            column = combinations[:, k]
            ways = [lengths[k], -lengths[k]]
            ends = [
                self._rows.find(self._rows.keys + ((column + way) % places[k] - column) * rises[k])
                for way in ways
            ]
            if min(np.count_nonzero(end >= 0) for end in ends) >= FEWEST:
                self.moves += [(k, way) for way in ways]
                self._to += ends
        if not self.moves:
            raise DataError(
                f"It needs a factor with {FEWEST} pairs of combinations that differ in it alone, "
                f"by {step} of its values at most, either way, and there is none here. Score all "
                f"rows of a dataset, not a sample; one of fewer combinations has no score."
            )

    def sides(self, share: float, state: np.random.RandomState) -> tuple[Side, Side]:
        """Which combinations are on one side and which on the other; both have all moves.

        Args:
            share: Of the combinations of poses on the first side.
            state: Parts them.

        Returns:
            (C,) and (C,), for combinations in the order of their flat indices.

        Raises:
            DataError: One side would have too few to have them all.
        """
        count = int(self._shown.max()) + 1
        for _ in range(_TRIES):
            chosen = np.zeros(count, np.bool_)
            chosen[state.permutation(count)[: round(count * share)]] = True
            one = chosen[self._shown]
            if all(self._within(each, to).any() for each in (one, ~one) for to in self._to):
                return one, ~one
        raise DataError(
            f"{count:,} combinations of factors leave no pairs to one side where {share:.1%} of "
            f"them are fitted and the rest tested. The numbers of pairs must be nearer each other."
        )

    def fewest(self, side: Side) -> int:
        """Pairs of combinations of one side that the move has which has fewest there."""
        return min(int(self._within(side, to).sum()) for to in self._to)

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
