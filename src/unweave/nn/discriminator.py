"""The discriminator that FactorVAE trains on latents."""

from __future__ import annotations

__all__ = ["LatentDiscriminator"]

from typing import final

from torch import Tensor, nn


@final
class LatentDiscriminator(nn.Module):
    """Dense layers with leaky ReLU between them; two logits by default.

    In FactorVAE logit 0 stands for "drawn from q(z)", logit 1 for "latents permuted across the
    batch". With its defaults there are six layers, the first five of 1,000 units each, and
    4,017,002 parameters for ten latents.

    Args:
        latents: Number of latents.
        width: Units of each layer but the last.
        depth: Number of dense layers, with the one that gives the logits.
        slope: Of the leaky ReLU below zero.
        classes: Number of logits.

    References:
        | Disentangling by Factorising (Kim and Mnih, 2018)
        | https://arxiv.org/abs/1802.05983
    """

    def __init__(
        self,
        latents: int,
        width: int = 1000,
        depth: int = 6,
        slope: float = 0.2,
        classes: int = 2,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        size = latents
        for _ in range(depth - 1):
            layers += [nn.Linear(size, width), nn.LeakyReLU(slope)]
            size = width
        self.layers = nn.Sequential(*layers, nn.Linear(size, classes))

    def forward(self, z: Tensor) -> Tensor:
        """Logits (B, classes) of latents (B, L)."""
        logits: Tensor = self.layers(z)
        return logits
