"""Learning rates that follow a schedule of `unweave.schedules`."""

from __future__ import annotations

__all__ = ["LambdaLR", "MultiplicativeLR"]

from typing import ClassVar, final

from torch.optim import Optimizer, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from unweave.errors import SpecError
from unweave.schedules import Schedule
from unweave.spec import number, option
from unweave.training.rates.base import Started


@final
class LambdaLR(Started):
    """A schedule times `start`: PyTorch's `LambdaLR` with a schedule as its function.

    With every and unit at their defaults the learning rate of optimiser step t is
    `start * schedule.at(t)`; with others, the schedule counts changes and the first is 1.
    """

    name: ClassVar[str] = "lambda_lr"

    schedule: Schedule = option(help="Factor of each step, or with start 1 the learning rate.")
    start: float = number(default=1.0, above=0, help="What the schedule is multiplied by.")

    def validate(self) -> None:
        """Refuse learning rates below zero."""
        _check_not_negative(self.name, self.schedule)

    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler."""
        return lr_scheduler.LambdaLR(optimizer, lambda done: self.schedule.at(done + 1))


@final
class MultiplicativeLR(Started):
    """Multiplied at each step by the value of a schedule: PyTorch's `MultiplicativeLR`.

    The first learning rate is `start`; the factor of the k-th change is `schedule.at(k)`.
    """

    name: ClassVar[str] = "multiplicative_lr"

    schedule: Schedule = option(help="Factor of each change.")

    def validate(self) -> None:
        """Refuse learning rates below zero."""
        _check_not_negative(self.name, self.schedule)

    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler."""
        return lr_scheduler.MultiplicativeLR(optimizer, self.schedule.at)


def _check_not_negative(name: str, schedule: Schedule) -> None:
    low, _ = schedule.bounds
    if low < 0:
        raise SpecError(f"{name}: schedule must not be negative, but {schedule} falls to {low:g}.")
