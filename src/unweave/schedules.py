"""Schedules: the value of a weight or capacity as a function of the optimiser step."""

from __future__ import annotations

__all__ = [
    "Cosine",
    "Cyclical",
    "Delayed",
    "Geometric",
    "Linear",
    "Piecewise",
    "Schedule",
    "Staircase",
    "StepDecay",
    "value_at",
]

import itertools
import math
from abc import abstractmethod
from bisect import bisect_left
from typing import ClassVar, final

from unweave.errors import SpecError
from unweave.spec import Component, number, option


class Schedule(Component):
    """A number that depends on the step; the first optimiser step is 1.

    What a member counts in optimiser steps is its field `steps`, so that a shorter version of a
    training can shorten it.
    """

    family: ClassVar[str] = "schedule"

    @abstractmethod
    def at(self, step: int) -> float:
        """The value at a step."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """A smallest and a largest number between which all of its values lie."""


@final
class Linear(Schedule):
    """From `start` to `stop` in equal increments over `steps` steps, then constant.

    The value at step t is `start + (stop - start) * min(t / steps, 1)`; with `steps=0` it is
    `stop` from the start. Both directions are allowed.
    """

    name: ClassVar[str] = "linear"

    start: float = number(help="Value before the first step.")
    stop: float = number(help="Value from the last step of the ramp on.")
    steps: int = number(low=0, help="Length of the ramp in optimiser steps.")

    def at(self, step: int) -> float:
        """The value at a step."""
        if step >= self.steps:
            return self.stop
        return self.start + (self.stop - self.start) * max(step, 0) / self.steps

    @property
    def bounds(self) -> tuple[float, float]:
        """Its two ends."""
        return _ordered(self.start, self.stop)


@final
class Cosine(Schedule):
    """From `start` to `stop` along half a cosine over `steps` steps, then constant.

    It begins and ends slowly: the value at step t is
    `stop + (start - stop) * (1 + cos(pi * min(t / steps, 1))) / 2`.
    """

    name: ClassVar[str] = "cosine"

    start: float = number(help="Value before the first step.")
    stop: float = number(help="Value from the last step on.")
    steps: int = number(low=1, help="Length in optimiser steps.")

    def at(self, step: int) -> float:
        """The value at a step."""
        if step >= self.steps:
            return self.stop
        share = (1 + math.cos(math.pi * max(step, 0) / self.steps)) / 2
        return self.stop + (self.start - self.stop) * share

    @property
    def bounds(self) -> tuple[float, float]:
        """Its two ends."""
        return _ordered(self.start, self.stop)


@final
class Geometric(Schedule):
    """From `start` to `stop` by equal factors over `steps` steps, then constant.

    The value at step t is `start * (stop / start) ** min(t / steps, 1)`: an exponential decay, or
    growth, that has an end.
    """

    name: ClassVar[str] = "geometric"

    start: float = number(above=0, help="Value before the first step.")
    stop: float = number(above=0, help="Value from the last step on.")
    steps: int = number(low=1, help="Length in optimiser steps.")

    def at(self, step: int) -> float:
        """The value at a step."""
        if step >= self.steps:
            return self.stop
        # Through logarithms: the quotient of two numbers in range may be out of it.
        low, high = math.log(self.start), math.log(self.stop)
        value = math.exp(low + (high - low) * max(step, 0) / self.steps)
        return min(max(value, self.bounds[0]), self.bounds[1])

    @property
    def bounds(self) -> tuple[float, float]:
        """Its two ends."""
        return _ordered(self.start, self.stop)


@final
class StepDecay(Schedule):
    """From `start` on, multiplied by `factor` after each `steps` steps.

    The value at step t is `start * factor ** floor(t / steps)`.
    """

    name: ClassVar[str] = "step_decay"

    start: float = number(help="Value at first.")
    factor: float = number(default=0.1, low=0, high=1, help="What it is multiplied by.")
    steps: int = number(low=1, help="Steps between two changes.")

    def at(self, step: int) -> float:
        """The value at a step."""
        return self.start * self.factor ** (max(step, 0) // self.steps)

    @property
    def bounds(self) -> tuple[float, float]:
        """From nothing to `start`."""
        return _ordered(0.0, self.start)


@final
class Piecewise(Schedule):
    """Constant but for some steps, after each of which it takes its next value.

    With `values=(a, b, c)` and `steps=(10, 20)` it is a up to and including step 10, b from step
    11 to 20, and c after that. `piecewise(values=(0, 5), steps=(1000,))` is a weight that begins
    to count after 1000 steps.
    """

    name: ClassVar[str] = "piecewise"

    values: tuple[float, ...] = option(help="Its values, one more than there are steps.")
    steps: tuple[int, ...] = number(low=0, help="The last step of each value but the last.")

    def validate(self) -> None:
        """Refuse numbers of values and steps that do not fit, and steps out of order."""
        if len(self.values) != len(self.steps) + 1:
            raise SpecError(
                f"piecewise: values takes one number more than steps, but there are "
                f"{len(self.values)} values and {len(self.steps)} steps."
            )
        if any(a >= b for a, b in itertools.pairwise(self.steps)):
            raise SpecError(f"piecewise: steps must grow, but are {self.steps}.")

    def at(self, step: int) -> float:
        """The value at a step."""
        return self.values[bisect_left(self.steps, step)]

    @property
    def bounds(self) -> tuple[float, float]:
        """Its smallest and its largest value."""
        return min(self.values), max(self.values)


@final
class Cyclical(Schedule):
    """Again and again from `start` up to `stop`, where it stays for the rest of the cycle.

    With tau = ((t - 1) mod steps) / steps the value at step t is
    `start + (stop - start) * min(tau / rise, 1)`; after the last cycle it stays at `stop`.

    References:
        | Cyclical Annealing Schedule: A Simple Approach to Mitigating KL Vanishing
        | Fu, Li, Liu, Gao, Celikyilmaz, Carin, 2019, arXiv 1903.10145
    """

    name: ClassVar[str] = "cyclical"

    start: float = number(default=0.0, help="Value at the first step of a cycle.")
    stop: float = number(default=1.0, help="Value at the end of a cycle, and after the last.")
    steps: int = number(low=1, help="Length of a cycle in optimiser steps.")
    rise: float = number(default=0.5, above=0, high=1, help="Part of a cycle that it rises for.")
    cycles: int = number(default=4, low=1, help="Number of cycles.")

    def at(self, step: int) -> float:
        """The value at a step."""
        done = max(step - 1, 0)
        if done >= self.steps * self.cycles:
            return self.stop
        share = done % self.steps / (self.steps * self.rise)
        return self.stop if share >= 1 else self.start + (self.stop - self.start) * share

    @property
    def bounds(self) -> tuple[float, float]:
        """Its two ends."""
        return _ordered(self.start, self.stop)


@final
class Delayed(Schedule):
    """Another schedule that begins later: up to step `steps` it has its value of step 0."""

    name: ClassVar[str] = "delayed"

    schedule: Schedule = option(help="What begins later.")
    steps: int = number(low=0, help="How many optimiser steps later.")

    def at(self, step: int) -> float:
        """The value at a step."""
        return self.schedule.at(max(step - self.steps, 0))

    @property
    def bounds(self) -> tuple[float, float]:
        """Those of the other schedule."""
        return self.schedule.bounds


@final
class Staircase(Schedule):
    """Another schedule that is looked at every `steps` steps only, and constant in between.

    With `steps` as long as an epoch it is one that changes once an epoch.
    """

    name: ClassVar[str] = "staircase"

    schedule: Schedule = option(help="What gives the values.")
    steps: int = number(low=1, help="Optimiser steps between two looks.")

    def at(self, step: int) -> float:
        """The value at a step."""
        return self.schedule.at(max(step, 0) // self.steps * self.steps)

    @property
    def bounds(self) -> tuple[float, float]:
        """Those of the other schedule."""
        return self.schedule.bounds


def value_at(value: float | Schedule, step: int) -> float:
    """A plain number as it is, a schedule at the given step.

    Example:
        >>> value_at(Linear(start=0.0, stop=4.0, steps=8), step=2)
        1.0
    """
    return value.at(step) if isinstance(value, Schedule) else value


def _ordered(one: float, other: float) -> tuple[float, float]:
    return (one, other) if one <= other else (other, one)
