"""What every learning rate that changes gives: a first value, and PyTorch's scheduler."""

from __future__ import annotations

__all__ = ["LearningRate", "Started", "Unit", "check_milestones"]

import itertools
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal, TypeAlias

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from unweave.errors import SpecError
from unweave.spec import Component, number, option

Unit: TypeAlias = Literal["steps", "epochs"]
"""What the time between two changes is counted in."""


class LearningRate(Component):
    """A learning rate that changes during the training, as one of PyTorch's schedulers does.

    The scheduler takes a step after every `every` optimiser steps, or epochs; what it counts
    itself, such as `step_size` or `patience`, it counts in its own steps. An epoch ends with the
    step in which its last image is seen.
    """

    family: ClassVar[str] = "learning rate"

    every: int = number(default=1, low=1, help="Optimiser steps, or epochs, between two changes.")
    unit: Unit = option(default="steps", help="What `every` counts: steps or epochs.")

    @property
    @abstractmethod
    def initial(self) -> float:
        """The learning rate with which the optimiser is made."""

    @abstractmethod
    def make(self, optimizer: Optimizer) -> LRScheduler:
        """PyTorch's scheduler of an optimiser that was made with the initial rate."""

    @property
    def cycles_momentum(self) -> bool:
        """Whether it changes the optimiser's momentum, or Adam's `beta1`, too."""
        return False

    def changes(self, steps: int, images: int, batch_size: int) -> int:
        """How many steps the scheduler has taken after a number of optimiser steps.

        Args:
            steps: Optimiser steps done.
            images: Number of images trained on.
            batch_size: Images in a step.
        """
        done = steps if self.unit == "steps" else steps * batch_size // images
        return done // self.every

    def check(self, logged: Sequence[str], changes: int) -> None:
        """Refuse what cannot work in a training.

        Args:
            logged: Names of all that is logged.
            changes: How many steps the scheduler takes in the whole training.

        Raises:
            SpecError: It cannot.
        """


class Started(LearningRate):
    """A learning rate that begins at `start`."""

    start: float = number(above=0, help="Learning rate at first.")

    @property
    def initial(self) -> float:
        """The learning rate with which the optimiser is made."""
        return self.start


def check_milestones(name: str, milestones: Sequence[int]) -> None:
    """Refuse milestones out of order.

    Raises:
        SpecError: They do not grow.
    """
    if any(a >= b for a, b in itertools.pairwise(milestones)):
        raise SpecError(f"{name}: milestones must grow, but are {tuple(milestones)}.")
