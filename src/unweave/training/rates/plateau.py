"""A learning rate that falls where the training gets no better."""

from __future__ import annotations

__all__ = ["Plateau"]

from collections.abc import Sequence
from typing import ClassVar, Literal, final

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau

from unweave.errors import SpecError, nearest
from unweave.spec import number, option
from unweave.training.rates.base import Started, Unit


@final
class Plateau(Started):
    """Smaller by `factor` where what is monitored gets no better: PyTorch's `ReduceLROnPlateau`.

    Every `every` epochs, or steps, the mean of what is monitored since the last time is compared
    with the best one so far. After more than `patience` times without a better one the learning
    rate is multiplied by `factor`, and never falls below `stop`. Scores, such as `scores/mig` with
    `mode=max`, are compared where there is a new one.
    """

    name: ClassVar[str] = "plateau"

    unit: Unit = option(default="epochs", help="What `every` counts: steps or epochs.")
    factor: float = number(default=0.1, above=0, below=1, help="Factor of a decay.")
    patience: int = number(default=10, low=0, help="How often in a row it may be no better.")
    stop: float = number(default=0.0, low=0, help="Smallest learning rate, PyTorch's min_lr.")
    monitor: str = option(
        default="loss/model", help="What is compared, as metrics.jsonl names it: group/name."
    )
    mode: Literal["min", "max"] = option(default="min", help="Whether less is better, or more.")
    threshold: float = number(default=1e-4, low=0, help="By how much better counts as better.")
    threshold_mode: Literal["rel", "abs"] = option(
        default="rel", help="Whether that is a part of the best one, or absolute."
    )
    cooldown: int = number(default=0, low=0, help="How often after a decay nothing is counted.")
    eps: float = number(default=1e-8, low=0, help="Smallest decay that is made.")

    def validate(self) -> None:
        """Refuse a smallest learning rate that is above the first."""
        if self.stop > self.start:
            raise SpecError(
                f"plateau: stop must be at most start, which is {self.start:g}, but is "
                f"{self.stop:g}."
            )

    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler."""
        return ReduceLROnPlateau(
            optimizer,
            mode=self.mode,
            factor=self.factor,
            patience=self.patience,
            threshold=self.threshold,
            threshold_mode=self.threshold_mode,
            cooldown=self.cooldown,
            min_lr=self.stop,
            eps=self.eps,
        )

    def check(self, logged: Sequence[str], changes: int) -> None:
        """Refuse to monitor what is not logged."""
        if self.monitor not in logged:
            raise SpecError(
                f"plateau: monitor {self.monitor!r:.100} is not logged in this training. "
                f"{nearest(self.monitor, logged)}"
            )
