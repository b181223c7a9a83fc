"""Running means of what is logged, kept on the device so that a step never waits for the host."""

from __future__ import annotations

__all__ = ["Record", "Tracker", "logged_names"]

from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from unweave.objectives import Plan


def logged_names(plan: Plan, latents: int) -> list[str]:
    """Names of all that is logged of a training, in their order."""
    names = ["loss/model", *(f"loss/{player.name}" for player in plan.players)]
    names += [f"raw/{term}" for term in plan.terms]
    names += [f"weighted/{term}" for term in plan.terms]
    names += [f"watched/{name}" for name in plan.watched]
    if plan.latent == "posterior":
        names += [f"kl/{j}" for j in range(latents)]
    return names


@final
@dataclass(frozen=True)
class Record:
    """Means over the steps since the last record.

    Attributes:
        steps: Number of steps averaged.
        values: By name: `loss/...`, `raw/...`, `weighted/...` and `kl/J` for latent J, nats; and
            `watched/...`, what else a term has logged.
        first_bad: Name -> step at which it first was not finite; empty when all is well.
    """

    steps: int
    values: dict[str, float]
    first_bad: dict[str, int]


@final
class Tracker:
    """Sums named scalars step by step; reading is the only transfer to the host."""

    def __init__(self, names: list[str], device: torch.device) -> None:
        self.names = names
        self.sums = torch.zeros(len(names), dtype=torch.float64, device=device)
        self.first_bad = torch.zeros(len(names), dtype=torch.int64, device=device)
        self.count = 0

    def add(self, values: Tensor, step: int) -> None:
        """Add one step's values, float32 in the order of `names`."""
        values = values.detach()
        self.sums += values
        fresh = ~values.isfinite() & (self.first_bad == 0)
        self.first_bad.masked_fill_(fresh, step)
        self.count += 1

    def read(self) -> Record:
        """The means so far, without a reset."""
        means = (self.sums / max(self.count, 1)).tolist()
        bad = self.first_bad.tolist()
        return Record(
            steps=self.count,
            values=dict(zip(self.names, means, strict=True)),
            first_bad={name: step for name, step in zip(self.names, bad, strict=True) if step},
        )

    def reset(self) -> None:
        """Start a new interval."""
        self.sums.zero_()
        self.count = 0
