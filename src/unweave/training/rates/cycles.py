"""Learning rates that go up and down."""

from __future__ import annotations

__all__ = ["CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"]

from collections.abc import Sequence
from typing import ClassVar, Literal, final

from torch.optim import Optimizer, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from unweave.errors import SpecError
from unweave.spec import number, option
from unweave.training.rates.base import LearningRate, Started


@final
class CosineAnnealingWarmRestarts(Started):
    """Down along half a cosine, again and again: PyTorch's `CosineAnnealingWarmRestarts`."""

    name: ClassVar[str] = "cosine_annealing_warm_restarts"

    start: float = number(above=0, help="Learning rate after each restart.")
    t_0: int = number(low=1, help="Steps to the first restart.")
    t_mult: int = number(default=1, low=1, help="How many times longer each next period is.")
    eta_min: float = number(default=0.0, low=0, help="Smallest learning rate.")

    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler."""
        return lr_scheduler.CosineAnnealingWarmRestarts(
            optimizer, self.t_0, self.t_mult, self.eta_min
        )


@final
class CyclicLR(Started):
    """Up to `max_lr` and back to `start`, again and again: PyTorch's `CyclicLR`.

    With `cycle_momentum` the momentum, or Adam's `beta1`, goes the other way, from `max_momentum`
    to `base_momentum`, and what the optimiser says of it does not count.
    """

    name: ClassVar[str] = "cyclic_lr"

    start: float = number(above=0, help="Smallest learning rate, PyTorch's base_lr.")
    max_lr: float = number(above=0, help="Largest learning rate.")
    step_size_up: int = number(default=2000, low=1, help="Steps up.")
    step_size_down: int | None = number(default=None, low=1, help="Steps down; None for as many.")
    mode: Literal["triangular", "triangular2", "exp_range"] = option(
        default="triangular", help="How high the cycles are: equally, each half the last, gamma."
    )
    gamma: float = number(default=1.0, above=0, help="Factor of a step in mode exp_range.")
    cycle_momentum: bool = option(default=True, help="Whether the momentum goes the other way.")
    base_momentum: float = number(default=0.8, low=0, below=1, help="Smallest momentum.")
    max_momentum: float = number(default=0.9, low=0, below=1, help="Largest momentum.")

    def validate(self) -> None:
        """Refuse a largest learning rate, or momentum, that is below the smallest."""
        if self.max_lr < self.start:
            raise SpecError(
                f"cyclic_lr: max_lr must be at least start, which is {self.start:g}, but is "
                f"{self.max_lr:g}."
            )
        _check_momenta(self)

    @property
    def cycles_momentum(self) -> bool:
        """Whether it changes the optimiser's momentum, or Adam's `beta1`, too."""
        return self.cycle_momentum

    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler."""
        return lr_scheduler.CyclicLR(
            optimizer,
            self.start,
            self.max_lr,
            step_size_up=self.step_size_up,
            step_size_down=self.step_size_down,
            mode=self.mode,
            gamma=self.gamma,
            cycle_momentum=self.cycle_momentum,
            base_momentum=self.base_momentum,
            max_momentum=self.max_momentum,
        )


@final
class OneCycleLR(LearningRate):
    """Once up to `max_lr` and far down, in `total_steps` steps: PyTorch's `OneCycleLR`.

    It begins at `max_lr / div_factor` and ends at that divided by `final_div_factor`. With
    `cycle_momentum` the momentum, or Adam's `beta1`, goes the other way. A training that is longer
    is refused.
    """

    name: ClassVar[str] = "one_cycle_lr"

    max_lr: float = number(above=0, help="Largest learning rate.")
    total_steps: int = number(low=1, help="Length of the cycle in steps.")
    pct_start: float = number(default=0.3, low=0, high=1, help="Part of the cycle that it rises.")
    anneal_strategy: Literal["cos", "linear"] = option(
        default="cos", help="The shape: cos, linear."
    )
    cycle_momentum: bool = option(default=True, help="Whether the momentum goes the other way.")
    base_momentum: float = number(default=0.85, low=0, below=1, help="Smallest momentum.")
    max_momentum: float = number(default=0.95, low=0, below=1, help="Largest momentum.")
    div_factor: float = number(default=25.0, above=0, help="Largest by first learning rate.")
    final_div_factor: float = number(default=1e4, above=0, help="First by last learning rate.")
    three_phase: bool = option(
        default=False, help="Whether it comes down as it rose, and then on."
    )

    def validate(self) -> None:
        """Refuse a rise in one step, and a largest momentum that is below the smallest.

        PyTorch divides by the number of steps between the ends of the rise.
        """
        _check_momenta(self)
        if self.pct_start * self.total_steps == 1:
            raise SpecError(
                f"one_cycle_lr: with pct_start {self.pct_start:g} the first of {self.total_steps} "
                f"steps would be the whole rise, at its first and its largest learning rate at "
                f"once. Take a larger pct_start, or 0 for no rise."
            )

    @property
    def initial(self) -> float:
        """The learning rate with which the optimiser is made."""
        return self.max_lr / self.div_factor

    @property
    def cycles_momentum(self) -> bool:
        """Whether it changes the optimiser's momentum, or Adam's `beta1`, too."""
        return self.cycle_momentum

    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler."""
        return lr_scheduler.OneCycleLR(
            optimizer,
            self.max_lr,
            total_steps=self.total_steps,
            pct_start=self.pct_start,
            anneal_strategy=self.anneal_strategy,
            cycle_momentum=self.cycle_momentum,
            base_momentum=self.base_momentum,
            max_momentum=self.max_momentum,
            div_factor=self.div_factor,
            final_div_factor=self.final_div_factor,
            three_phase=self.three_phase,
        )

    def check(self, logged: Sequence[str], changes: int) -> None:
        """Refuse a training that is longer than the cycle, or ends with a fall of no steps."""
        if changes > self.total_steps:
            raise SpecError(
                f"one_cycle_lr: total_steps is {self.total_steps}, but this training changes the "
                f"learning rate {changes} times. Give at least as many, or a larger `every`."
            )
        before = self.pct_start * self.total_steps - 1
        if changes == self.total_steps and (2 * before if self.three_phase else before) == (
            self.total_steps - 1
        ):
            # PyTorch would divide by the number of steps of the last fall.
            raise SpecError(
                f"one_cycle_lr: with pct_start {self.pct_start:g} none of the {self.total_steps} "
                f"steps is left for the last fall, and this training changes the learning rate as "
                f"often. Take a smaller pct_start, or more total_steps."
            )


def _check_momenta(rate: CyclicLR | OneCycleLR) -> None:
    """Refuse a largest momentum that is below the smallest, where they count."""
    if rate.cycle_momentum and rate.max_momentum < rate.base_momentum:
        raise SpecError(
            f"{rate.name}: max_momentum must be at least base_momentum, which is "
            f"{rate.base_momentum:g}, but is {rate.max_momentum:g}."
        )
