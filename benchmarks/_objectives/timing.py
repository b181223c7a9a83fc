"""How long an update of an objective takes, on a batch of noise in the form that it needs."""

from __future__ import annotations

__all__ = ["Timed", "milliseconds"]

import time
from dataclasses import dataclass, field
from typing import Any, final

import torch

from unweave.settings import make_config
from unweave.training import Learner
from unweave.training.precision import resolve
from unweave.training.random_batch import random_batch


@final
@dataclass
class Timed:
    """An objective with its networks and one batch, updated again and again.

    Attributes:
        objective: Its text.
        data: Text of the dataset, which gives shapes and factors and is not opened.
        settings: Further fields of the configuration, such as batch size and architecture.
    """

    objective: str
    data: str
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Build the networks."""
        config = make_config(self.data, self.objective, steps=1, **self.settings)
        self._learner = Learner(resolve(config), config.dataset.image_shape, config.num_train)
        needs = self._learner.plan.needs
        batch = random_batch(
            self._learner.setup, needs, torch.Generator().manual_seed(0), self._learner.device
        )
        self._batch = batch
        self._step = 0
        self.encoded = needs.encoded(config.batch_size)

    def update(self) -> None:
        """One optimiser step of every player."""
        self._step += 1
        self._learner.update(self._batch, self._step)


def milliseconds(timed: Timed, steps: int) -> float:
    """Mean time of an update over some steps, after as many that are not timed, at most ten."""
    for _ in range(min(10, steps)):
        timed.update()
    begun = time.perf_counter()
    for _ in range(steps):
        timed.update()
    return 1000 * (time.perf_counter() - begun) / steps
