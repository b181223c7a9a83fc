"""Learning rates that fall, or rise at first, after a rule of their own."""

from __future__ import annotations

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LinearLR",
    "MultiStepLR",
    "PolynomialLR",
    "StepLR",
]

from typing import ClassVar, final

from torch.optim import Optimizer, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from unweave.spec import number
from unweave.training.rates.base import Started, check_milestones


@final
class StepLR(Started):
    """Multiplied by `gamma` after each `step_size` steps: PyTorch's `StepLR`."""

    name: ClassVar[str] = "step_lr"

    step_size: int = number(low=1, help="Steps between two decays.")
    gamma: float = number(default=0.1, above=0, help="Factor of a decay.")

    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler."""
        return lr_scheduler.StepLR(optimizer, self.step_size, self.gamma)


@final
class MultiStepLR(Started):
    """Multiplied by `gamma` at each of the `milestones`: PyTorch's `MultiStepLR`."""

    name: ClassVar[str] = "multi_step_lr"

    milestones: tuple[int, ...] = number(low=1, help="After how many steps, growing.")
    gamma: float = number(default=0.1, above=0, help="Factor of a decay.")

    def validate(self) -> None:
        """Refuse milestones out of order."""
        check_milestones(self.name, self.milestones)

    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler."""
        return lr_scheduler.MultiStepLR(optimizer, list(self.milestones), self.gamma)


@final
class ConstantLR(Started):
    """A part of `start` for the first `total_iters` steps: PyTorch's `ConstantLR`."""

    name: ClassVar[str] = "constant_lr"

    start: float = number(above=0, help="Learning rate after the first steps.")
    factor: float = number(default=1 / 3, above=0, high=1, help="Part of it at first.")
    total_iters: int = number(default=5, low=0, help="Number of first steps.")

    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler."""
        return lr_scheduler.ConstantLR(optimizer, self.factor, self.total_iters)


@final
class LinearLR(Started):
    """From one part of `start` to another in equal increments: PyTorch's `LinearLR`."""

    name: ClassVar[str] = "linear_lr"

    start: float = number(above=0, help="What both factors are parts of.")
    start_factor: float = number(default=1 / 3, above=0, high=1, help="Part of it at first.")
    end_factor: float = number(default=1.0, low=0, high=1, help="Part of it in the end.")
    total_iters: int = number(default=5, low=1, help="Steps from one to the other.")

    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler."""
        return lr_scheduler.LinearLR(
            optimizer, self.start_factor, self.end_factor, self.total_iters
        )


@final
class ExponentialLR(Started):
    """Multiplied by `gamma` at each step: PyTorch's `ExponentialLR`."""

    name: ClassVar[str] = "exponential_lr"

    gamma: float = number(above=0, help="Factor of a step.")

    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler."""
        return lr_scheduler.ExponentialLR(optimizer, self.gamma)


@final
class PolynomialLR(Started):
    """Down to 0 along a polynomial in `total_iters` steps: PyTorch's `PolynomialLR`."""

    name: ClassVar[str] = "polynomial_lr"

    total_iters: int = number(default=5, low=1, help="Steps down to 0.")
    power: float = number(default=1.0, above=0, help="Power of the polynomial.")

    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler."""
        return lr_scheduler.PolynomialLR(optimizer, self.total_iters, self.power)


@final
class CosineAnnealingLR(Started):
    """Down to `eta_min` along half a cosine in `t_max` steps: PyTorch's `CosineAnnealingLR`.

    After `t_max` steps it rises again, as PyTorch's does; mostly `t_max` is the whole training.
    """

    name: ClassVar[str] = "cosine_annealing_lr"

    t_max: int = number(low=1, help="Steps down to the smallest learning rate.")
    eta_min: float = number(default=0.0, low=0, help="Smallest learning rate.")

    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler."""
        return lr_scheduler.CosineAnnealingLR(optimizer, self.t_max, self.eta_min)
