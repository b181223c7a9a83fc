"""Which images look the same though their factors differ, and how far apart factors are."""

from __future__ import annotations

__all__ = ["RIGHT", "Alike"]

from dataclasses import dataclass
from functools import cached_property
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.conditions.circles import period_of
from unweave.conditions.registry import root_of
from unweave.conditions.symmetries import SYMMETRIES, Exchange, Turn
from unweave.data import DatasetSpec
from unweave.factors import Factor, FactorSpace
from unweave.rules.nodes import step_of, values_of

RIGHT: Final = 1.0
"""An index is right when it is nearer to the true one than so many steps."""


@final
@dataclass(frozen=True)
class Alike:
    """Distances of combinations of factors, in steps of the grid, where what looks alike is near.

    Ordinal factors are as far apart as their indices. Circular ones are compared modulo their
    period, so that the last value of a closed one is the first again; and modulo a part of it for
    images that look the same after that turn, such as the squares of dSprites after a quarter one.
    Different values of a categorical factor are one step apart.

    Where two things in an image can be exchanged, the true factors are those of either order.

    Args:
        data: The dataset, whole.
        space: Its factors.

    Example:
        >>> from unweave.data import parse_dataset
        >>> data = parse_dataset("dsprites")
        >>> alike = Alike(data, data.factor_space)
        >>> square, heart = [0, 5, 0, 3, 3], [2, 5, 0, 3, 3]
        >>> turned = np.array([0, 5, 10, 3, 4])
        >>> alike.steps(np.array([square, heart]), np.array([turned, turned])).tolist()
        [[0.0, 0.0, 0.25, 0.0, 1.0], [1.0, 0.0, 10.0, 0.0, 1.0]]
    """

    data: DatasetSpec
    space: FactorSpace

    def steps(self, true: NDArray[np.int64], told: NDArray[np.int64]) -> NDArray[np.float64]:
        """How far what is told of images is from what is true, in steps of each factor, (n, K).

        Of the two orders of what can be exchanged, that counts in which more factors are right,
        and then that of fewer steps.

        Args:
            true: Factor indices, (n, K).
            told: Those that are told, (n, K).
        """
        nearest = self._steps(true, told)
        for exchange in self._exchanges:
            other = exchange.exchanged(self.space, true)
            there = np.flatnonzero((other >= 0).all(axis=1))
            apart = self._steps(other[there], told[there])
            wrong = [(each >= RIGHT).sum(axis=1) for each in (apart, nearest[there])]
            total = [each.sum(axis=1) for each in (apart, nearest[there])]
            better = (wrong[0] < wrong[1]) | ((wrong[0] == wrong[1]) & (total[0] < total[1]))
            nearest[there[better]] = apart[better]
        return nearest

    def first(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of all combinations with the same image, the first, (n, K).

        So a network can learn them: nothing else tells which of them an image stands for.

        Args:
            rows: Factor indices, (n, K).
        """
        result = rows.copy()
        for column, table in enumerate(self._tables):
            result[:, column] = _first(table)[rows[:, column]]
        for turn, column, table in self._turns:
            chosen = self._concerned(turn, rows)
            result[chosen, column] = _first(table)[rows[chosen, column]]
        for exchange in self._exchanges:
            other = exchange.exchanged(self.space, result)
            there = (other >= 0).all(axis=1)
            # Both orders as numbers: the flat index of a grid has its first factor slowest.
            before = np.zeros(len(rows), bool)
            before[there] = self.space.ravel(other[there]) < self.space.ravel(result[there])
            result[before] = other[before]
        return result

    def of_values(self, rows: NDArray[np.int64]) -> list[NDArray[np.float64]]:
        """How far every value of each factor is from the true one, K times (n, size), in steps.

        Args:
            rows: True factor indices, (n, K).
        """
        found = [table[rows[:, column]] for column, table in enumerate(self._tables)]
        for turn, column, table in self._turns:
            chosen = self._concerned(turn, rows)
            found[column][chosen] = table[rows[chosen, column]]
        return found

    def _steps(self, true: NDArray[np.int64], told: NDArray[np.int64]) -> NDArray[np.float64]:
        """The steps without exchanges, (n, K)."""
        line = np.arange(len(true))
        found = self.of_values(true)
        return np.stack([each[line, told[:, k]] for k, each in enumerate(found)], axis=1)

    def _concerned(self, turn: Turn, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which images look the same after a turn."""
        if turn.where is None:
            return np.arange(len(rows))
        name, label = turn.where
        column = self.space.position(name)
        place = (self.space.factors[column].labels or ()).index(label)
        return np.flatnonzero(rows[:, column] == place)

    @cached_property
    def _tables(self) -> list[NDArray[np.float64]]:
        """Steps between any two values of each factor, K times (size, size)."""
        return [self._table(factor) for factor in self.space.factors]

    @cached_property
    def _turns(self) -> list[tuple[Turn, int, NDArray[np.float64]]]:
        """Turns after which images look the same, the factor's place, and steps modulo these."""
        turns = [each for each in self._known if isinstance(each, Turn)]
        columns = [self.space.position(turn.factor) for turn in turns]
        return [
            (turn, column, self._table(self.space.factors[column], turn.share))
            for turn, column in zip(turns, columns, strict=True)
        ]

    @cached_property
    def _exchanges(self) -> list[Exchange]:
        return [each for each in self._known if isinstance(each, Exchange)]

    @cached_property
    def _known(self) -> list[object]:
        """What is declared to look alike, of the factors that are there."""
        declared = SYMMETRIES.get(root_of(self.data).name, ())
        return [each for each in declared if each.fits(self.space)]

    def _table(self, factor: Factor, share: float = 1.0) -> NDArray[np.float64]:
        """Steps between any two values of a factor, (size, size).

        Args:
            factor: The factor.
            share: After which part of its circle images of a circular one look the same.
        """
        if factor.kind == "categorical":
            return np.asarray(1.0 - np.eye(factor.size))
        index = np.arange(factor.size)
        if factor.kind == "ordinal":
            return np.asarray(np.abs(index[:, np.newaxis] - index), np.float64)
        values = values_of(factor, index=False)
        turn = period_of(self.data, factor) * share
        gaps = np.mod(values[:, np.newaxis] - values, turn)
        steps = np.minimum(gaps, turn - gaps) / step_of(factor, index=False)
        # Rounded, so that what is none, or one step, is so by any arithmetic.
        return np.asarray(np.round(steps, 6))


def _first(table: NDArray[np.float64]) -> NDArray[np.int64]:
    """Of each value the first that is no step away, (size,)."""
    return np.asarray((table == 0).argmax(axis=1), np.int64)
