"""What rules are made of: numbers of each combination, and tests of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.factors import Factor

__all__ = [
    "NEAR",
    "Applied",
    "Column",
    "Columns",
    "Comparison",
    "Constant",
    "Joined",
    "Not",
    "Number",
    "Numbers",
    "Test",
    "Truth",
    "remainder",
    "step_of",
    "values_of",
]

NEAR: Final = 0.01
"""A number is taken for a value of a factor when it is this share of a step away from it."""
# Of that, what is left when exact values are put in order: enough for rounding to 32 bits.
_EXACT = 1e-4
# What rounding may do to a sum or product of values, relative to the largest of them.
_ROUNDING = 1e-9

Numbers: TypeAlias = NDArray[np.float64]
Truth: TypeAlias = NDArray[np.bool_]


@final
@dataclass(frozen=True)
class Columns:
    """Factors of the combinations that are asked.

    Args:
        of: From the position of a factor, and whether its index is asked for, to numbers that
            broadcast.
        exact: Whether values may lie between those of the factor, so that a little less than a
            value is less than it.
    """

    of: Callable[[int, bool], Numbers]
    exact: bool = False


class Number(ABC):
    """A number for each combination."""

    @abstractmethod
    def of(self, columns: Columns) -> Numbers:
        """The numbers, of what the columns say of each factor."""

    @abstractmethod
    def largest(self, columns: Columns) -> Numbers:
        """The largest of the values and constants that it is computed from, without signs."""

    @abstractmethod
    def factors(self) -> set[int]:
        """Positions of the factors that it depends on."""


@final
@dataclass(frozen=True)
class Constant(Number):
    """A number that is the same for all.

    Attributes:
        value: The number.
    """

    value: float

    def of(self, columns: Columns) -> Numbers:
        """As above."""
        return np.asarray(self.value)

    def largest(self, columns: Columns) -> Numbers:
        """As above."""
        return np.asarray(abs(self.value))

    def factors(self) -> set[int]:
        """As above."""
        return set()


@final
@dataclass(frozen=True)
class Column(Number):
    """A factor's value, or its index.

    Attributes:
        position: Position of the factor.
        index: Whether its index is meant; else its value.
    """

    position: int
    index: bool

    def of(self, columns: Columns) -> Numbers:
        """As above."""
        return columns.of(self.position, self.index)

    def largest(self, columns: Columns) -> Numbers:
        """As above."""
        return np.abs(columns.of(self.position, self.index))

    def factors(self) -> set[int]:
        """As above."""
        return {self.position}


@final
@dataclass(frozen=True)
class Applied(Number):
    """A function of numbers.

    Attributes:
        function: Of arrays, elementwise.
        operands: What it is given, in order.
    """

    function: Callable[..., Numbers]
    operands: tuple[Number, ...]

    def of(self, columns: Columns) -> Numbers:
        """As above."""
        return np.asarray(self.function(*(each.of(columns) for each in self.operands)))

    def largest(self, columns: Columns) -> Numbers:
        """As above."""
        found = self.operands[0].largest(columns)
        for each in self.operands[1:]:
            found = np.maximum(found, each.largest(columns))
        return found

    def factors(self) -> set[int]:
        """As above."""
        return set().union(*(each.factors() for each in self.operands))


class Test(ABC):
    """True or false for each combination."""

    @abstractmethod
    def of(self, columns: Columns) -> Truth:
        """The answers, of what the columns say of each factor."""

    @abstractmethod
    def comparisons(self) -> Iterator[Comparison]:
        """The comparisons that it is made of, from left to right."""


@final
@dataclass(frozen=True)
class Comparison(Test):
    """Two numbers compared; differences up to `near` (None: up to rounding) are none.

    Attributes:
        text: As it was written, for messages.
        sign: One of `==`, `!=`, `<`, `<=`, `>` and `>=`.
        left: The number on the left.
        right: The number on the right.
        near: Difference up to which numbers are equal; None for that of rounding.
    """

    text: str
    sign: str
    left: Number
    right: Number
    near: float | None

    def of(self, columns: Columns) -> Truth:
        """As above."""
        left, right = self.left.of(columns), self.right.of(columns)
        equality = self.sign in ("==", "!=")
        near: Numbers | float
        if self.near is None:
            # Not of what is left of them: a difference of equal numbers may be far below both.
            near = _ROUNDING * np.maximum(self.left.largest(columns), self.right.largest(columns))
            near = np.maximum(near, _ROUNDING * np.maximum(np.abs(left), np.abs(right)))
        else:
            near = self.near * (_EXACT if columns.exact and not equality else 1)
        gap = left - right
        if equality:
            same = np.abs(gap) <= near
            return np.asarray(same if self.sign == "==" else ~same)
        if self.sign in (">", ">="):
            gap = -gap
        return np.asarray(gap < -near if self.sign in ("<", ">") else gap <= near)

    def comparisons(self) -> Iterator[Comparison]:
        """As above."""
        yield self

    def factors(self) -> set[int]:
        """As above."""
        return self.left.factors() | self.right.factors()


@final
@dataclass(frozen=True)
class Joined(Test):
    """Tests of which all must hold, or any.

    Attributes:
        function: `and` or `or` of arrays.
        parts: The tests.
    """

    function: np.ufunc
    parts: tuple[Test, ...]

    def of(self, columns: Columns) -> Truth:
        """As above."""
        result = self.parts[0].of(columns)
        for part in self.parts[1:]:
            result = self.function(result, part.of(columns))
        return result

    def comparisons(self) -> Iterator[Comparison]:
        """As above."""
        for part in self.parts:
            yield from part.comparisons()


@final
@dataclass(frozen=True)
class Not(Test):
    """A test the other way round.

    Attributes:
        part: The test.
    """

    part: Test

    def of(self, columns: Columns) -> Truth:
        """As above."""
        return np.logical_not(self.part.of(columns))

    def comparisons(self) -> Iterator[Comparison]:
        """As above."""
        return self.part.comparisons()


def remainder(number: Numbers, divisor: Numbers) -> Numbers:
    """What is left of a division, 0 where but for rounding it would be."""
    rest = np.remainder(number, divisor)
    near = _ROUNDING * np.maximum(np.abs(number), np.abs(divisor))
    return np.asarray(np.where(np.abs(divisor - rest) <= near, 0.0, rest))


def values_of(factor: Factor, index: bool) -> Numbers:
    """The value of each index of a factor, or the index itself."""
    if index or factor.values is None:
        return np.arange(factor.size, dtype=np.float64)
    return np.asarray(factor.values, dtype=np.float64)


def step_of(factor: Factor, index: bool) -> float:
    """The smallest distance of two different values; 1 where there is one value only."""
    gaps = np.diff(np.unique(values_of(factor, index)))
    return float(gaps.min()) if gaps.size else 1.0
