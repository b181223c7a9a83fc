"""Priors: where the values of a tuned field come from when a member starts anew."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar, TypeAlias, final

import numpy as np

from unweave.errors import SpecError
from unweave.spec import Component, number, option

__all__ = [
    "Choice",
    "Grid",
    "Integers",
    "LogIntegers",
    "LogUniform",
    "Prior",
    "Uniform",
    "Value",
]

Value: TypeAlias = int | float | str
"""What a tuned field may be."""


class Prior(Component):
    """A distribution of the values of a field."""

    family: ClassVar[str] = "prior"

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> Value:
        """One value, as plain Python gives it."""

    @property
    @abstractmethod
    def ends(self) -> tuple[float, float] | None:
        """The smallest and the largest value that is drawn; None where the values are texts."""

    @property
    def whole(self) -> bool:
        """Whether all values are whole numbers."""
        return False

    @property
    def choices(self) -> tuple[Value, ...] | None:
        """The values among which a field stays for good; None where it may leave them."""
        return None


@final
class LogUniform(Prior):
    """Numbers from `low` to `high` whose logarithms are equally likely."""

    name: ClassVar[str] = "log_uniform"

    low: float = number(above=0, help="Smallest value.")
    high: float = number(above=0, help="Largest value.")

    def validate(self) -> None:
        """Refuse ends out of order."""
        _check_order(self.name, self.low, self.high)

    def draw(self, rng: np.random.Generator) -> float:
        """One number."""
        exponent = rng.uniform(math.log(self.low), math.log(self.high))
        # Through the logarithm and back a number may leave its ends by a rounding error.
        return min(max(math.exp(exponent), self.low), self.high)

    @property
    def ends(self) -> tuple[float, float]:
        """Its two ends."""
        return self.low, self.high


@final
class Uniform(Prior):
    """Numbers from `low` to `high`, all equally likely."""

    name: ClassVar[str] = "uniform"

    low: float = number(help="Smallest value.")
    high: float = number(help="Largest value.")

    def validate(self) -> None:
        """Refuse ends out of order."""
        _check_order(self.name, self.low, self.high)

    def draw(self, rng: np.random.Generator) -> float:
        """One number."""
        share = rng.random()
        # A weighted mean, since the difference of two numbers in range may be out of it.
        return min(max((1 - share) * self.low + share * self.high, self.low), self.high)

    @property
    def ends(self) -> tuple[float, float]:
        """Its two ends."""
        return self.low, self.high


@final
class Integers(Prior):
    """Whole numbers from `low` to `high`, both included, all equally likely."""

    name: ClassVar[str] = "integers"

    low: int = number(help="Smallest value.")
    high: int = number(help="Largest value.")

    def validate(self) -> None:
        """Refuse ends out of order."""
        _check_order(self.name, self.low, self.high)

    def draw(self, rng: np.random.Generator) -> int:
        """One whole number."""
        return int(rng.integers(self.low, self.high, endpoint=True))

    @property
    def ends(self) -> tuple[float, float]:
        """Its two ends."""
        return self.low, self.high

    @property
    def whole(self) -> bool:
        """Always."""
        return True


@final
class LogIntegers(Prior):
    """Whole numbers from `low` to `high` whose logarithms are about equally likely.

    The odds of k are those of the interval from k to k + 1 under a log-uniform distribution from
    `low` to `high + 1`, log((k + 1) / k) / log((high + 1) / low).
    """

    name: ClassVar[str] = "log_integers"

    low: int = number(low=1, help="Smallest value.")
    high: int = number(low=1, help="Largest value.")

    def validate(self) -> None:
        """Refuse ends out of order."""
        _check_order(self.name, self.low, self.high)

    def draw(self, rng: np.random.Generator) -> int:
        """One whole number."""
        exponent = rng.uniform(math.log(self.low), math.log(self.high + 1))
        return min(max(math.floor(math.exp(exponent)), self.low), self.high)

    @property
    def ends(self) -> tuple[float, float]:
        """Its two ends."""
        return self.low, self.high

    @property
    def whole(self) -> bool:
        """Always."""
        return True


@final
class Grid(Prior):
    """One of some numbers, all equally likely, from which later steps may lead away.

    A grid of whole numbers alone, however they are written, gives whole numbers, and a field that
    is drawn from it keeps to whole numbers.
    """

    name: ClassVar[str] = "grid"

    values: tuple[int | float, ...] = option(help="The numbers.")

    def validate(self) -> None:
        """Refuse no numbers, and numbers that are there twice."""
        _check_distinct(self.name, self.values)
        kind = int if all(_is_whole(value) for value in self.values) else float
        object.__setattr__(self, "values", tuple(map(kind, self.values)))

    def draw(self, rng: np.random.Generator) -> int | float:
        """One of the numbers."""
        return self.values[int(rng.integers(len(self.values)))]

    @property
    def ends(self) -> tuple[float, float]:
        """The smallest and the largest of the numbers."""
        return min(self.values), max(self.values)

    @property
    def whole(self) -> bool:
        """Whether all of them are whole numbers."""
        return all(isinstance(value, int) for value in self.values)


@final
class Choice(Prior):
    """One of some texts or numbers, all equally likely, among which a field stays for good."""

    name: ClassVar[str] = "choice"

    values: tuple[int | float | str, ...] = option(help="The texts or numbers.")

    def validate(self) -> None:
        """Refuse no values, values that are there twice, and texts beside numbers."""
        _check_distinct(self.name, self.values)
        texts = [isinstance(value, str) for value in self.values]
        if any(texts) and not all(texts):
            raise SpecError(
                f"choice: values are either texts or numbers, but {self.values} has both."
            )
        # 4.0 is written as 4, and is to be the same value after it was read.
        plain = tuple(
            int(value) if isinstance(value, float) and _is_whole(value) else value
            for value in self.values
        )
        object.__setattr__(self, "values", plain)

    def draw(self, rng: np.random.Generator) -> Value:
        """One of the values."""
        return self.values[int(rng.integers(len(self.values)))]

    @property
    def ends(self) -> tuple[float, float] | None:
        """The smallest and the largest of the numbers; None of texts."""
        numbers = [value for value in self.values if not isinstance(value, str)]
        return (min(numbers), max(numbers)) if numbers else None

    @property
    def whole(self) -> bool:
        """Whether all of them are whole numbers."""
        return all(isinstance(value, int) for value in self.values)

    @property
    def choices(self) -> tuple[Value, ...]:
        """The values, numbers in their order."""
        numbers = [value for value in self.values if not isinstance(value, str)]
        return tuple(sorted(numbers)) if numbers else self.values


def _is_whole(value: float) -> bool:
    """Whether a number is written without a decimal point."""
    return float(value).is_integer() and abs(value) < 1e15


def _check_order(name: str, low: float, high: float) -> None:
    if low >= high:
        raise SpecError(f"{name}: low must be less than high, but they are {low:g} and {high:g}.")


def _check_distinct(name: str, values: tuple[Value, ...]) -> None:
    if not values:
        raise SpecError(f"{name}: values takes at least one, such as values=(8, 16).")
    if len(set(values)) < len(values):
        raise SpecError(f"{name}: each value stands once, but the values are {values}.")
