"""Optimisers of the model player, by name."""

from __future__ import annotations

__all__ = ["Adam", "Optimizer"]

from abc import abstractmethod
from typing import ClassVar, final

import torch
from torch import nn

from unweave.spec import Component, number


class Optimizer(Component):
    """How a player's parameters follow its gradient."""

    family: ClassVar[str] = "optimizer"

    @abstractmethod
    def make(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        """The PyTorch optimiser."""


@final
class Adam(Optimizer):
    """Adam, in PyTorch's fused form."""

    name: ClassVar[str] = "adam"

    lr: float = number(default=5e-4, above=0, help="Learning rate.")
    beta1: float = number(default=0.9, low=0, below=1, help="Decay of the mean of gradients.")
    beta2: float = number(
        default=0.999, low=0, below=1, help="Decay of the mean of squared gradients."
    )

    def make(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        """The PyTorch optimiser."""
        return torch.optim.Adam(parameters, lr=self.lr, betas=(self.beta1, self.beta2), fused=True)
