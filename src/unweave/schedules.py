"""Schedules: the value of a weight or capacity as a function of the optimiser step."""

from __future__ import annotations

__all__ = ["Linear", "Schedule", "value_at"]

from abc import abstractmethod
from typing import ClassVar, final

from unweave.spec import Component, number


class Schedule(Component):
    """A number that depends on the step; the first optimiser step is 1."""

    family: ClassVar[str] = "schedule"

    @abstractmethod
    def at(self, step: int) -> float:
        """The value at a step."""


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


def value_at(value: float | Schedule, step: int) -> float:
    """A plain number as it is, a schedule at the given step.

    Example:
        >>> value_at(Linear(start=0.0, stop=4.0, steps=8), step=2)
        1.0
    """
    return value.at(step) if isinstance(value, Schedule) else value
