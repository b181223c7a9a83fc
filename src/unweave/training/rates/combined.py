"""Learning rates that are made of others: one after the other, or all at once."""

from __future__ import annotations

__all__ = ["ChainedLR", "SequentialLR"]

from collections.abc import Sequence
from typing import ClassVar, final

from torch.optim import Optimizer, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from unweave.errors import SpecError
from unweave.spec import number, option
from unweave.training.rates.base import LearningRate, check_milestones
from unweave.training.rates.cycles import CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from unweave.training.rates.plateau import Plateau
from unweave.training.rates.scheduled import LambdaLR, MultiplicativeLR


@final
class SequentialLR(LearningRate):
    """Several learning rates one after the other: PyTorch's `SequentialLR`.

    Each begins at its own `start`, the second after the first of `milestones` steps and so on, and
    counts from there.
    """

    name: ClassVar[str] = "sequential_lr"

    rates: tuple[LearningRate, ...] = option(help="The learning rates in their order.")
    milestones: tuple[int, ...] = number(low=1, help="After how many steps each next one begins.")

    def validate(self) -> None:
        """Refuse what cannot be one of several, and milestones that do not fit."""
        _check_parts(
            self.name,
            self.rates,
            (Plateau, OneCycleLR, MultiplicativeLR, SequentialLR, ChainedLR),
        )
        if len(self.milestones) != len(self.rates) - 1:
            raise SpecError(
                f"sequential_lr: rates takes one more than there are milestones, but there are "
                f"{len(self.rates)} rates and {len(self.milestones)} milestones."
            )
        check_milestones(self.name, self.milestones)

    @property
    def initial(self) -> float:
        """The learning rate with which the optimiser is made."""
        return self.rates[0].initial

    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler."""
        schedulers: list[LRScheduler] = []
        for rate in self.rates:
            # PyTorch would let all begin at the optimiser's own learning rate.
            _begin(optimizer, rate)
            schedulers.append(rate.make(optimizer))
        _begin(optimizer, self.rates[0])
        return lr_scheduler.SequentialLR(optimizer, schedulers, list(self.milestones))


@final
class ChainedLR(LearningRate):
    """The product of several learning rates: PyTorch's `ChainedScheduler`.

    All have the same `start`, and each multiplies the learning rate at each step.
    """

    name: ClassVar[str] = "chained_lr"

    rates: tuple[LearningRate, ...] = option(help="The learning rates.")

    def validate(self) -> None:
        """Refuse what sets a learning rate and does not multiply it, and different starts."""
        _check_parts(
            self.name,
            self.rates,
            (
                Plateau, OneCycleLR, CyclicLR, LambdaLR, CosineAnnealingWarmRestarts, SequentialLR,
                ChainedLR,
            ),
        )  # fmt: skip
        starts = {rate.initial for rate in self.rates}
        if len(starts) > 1:
            raise SpecError(
                f"chained_lr: all rates change one learning rate, so they must have the same "
                f"start, but have {', '.join(f'{start:g}' for start in sorted(starts))}."
            )

    @property
    def initial(self) -> float:
        """The learning rate with which the optimiser is made."""
        return self.rates[0].initial

    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler."""
        schedulers = [rate.make(optimizer) for rate in self.rates]
        return lr_scheduler.ChainedScheduler(schedulers, optimizer)


def _begin(optimizer: Optimizer, rate: LearningRate) -> None:
    """Have an optimiser as if it had been made for a rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] = rate.initial


def _check_parts(
    name: str, rates: Sequence[LearningRate], refused: tuple[type[LearningRate], ...]
) -> None:
    if not rates:
        raise SpecError(f"{name}: rates takes at least one learning rate.")
    for rate in rates:
        if isinstance(rate, refused):
            raise SpecError(
                f"{name}: rates cannot hold {rate.name}, nor any of "
                f"{', '.join(cls.name for cls in refused if not isinstance(rate, cls))}."
            )
        if rate.cycles_momentum:
            raise SpecError(
                f"{name}: {rate.name} would change the momentum for the others, too: write "
                f"cycle_momentum=False."
            )
        if (rate.every, rate.unit) != (1, "steps"):
            raise SpecError(
                f"{name}: all rates change at once, so every and unit are given to {name} and not "
                f"to {rate.name}."
            )
