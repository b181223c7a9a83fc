"""The discriminator that FactorVAE trains on latents."""

from __future__ import annotations

__all__ = ["LatentDiscriminator"]

from typing import final

from torch import Tensor, nn


@final
class LatentDiscriminator(nn.Module):
    """Six dense layers, 1,000 units each, leaky ReLU of slope 0.2; two logits.

    Logit 0 stands for "drawn from q(z)", logit 1 for "latents permuted across the batch". For ten
    latents there are 4,017,002 parameters.

    References:
        | Disentangling by Factorising (Kim and Mnih, 2018)
        | https://arxiv.org/abs/1802.05983
    """

    def __init__(self, latents: int, width: int = 1000, depth: int = 6) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        size = latents
        for _ in range(depth - 1):
            layers += [nn.Linear(size, width), nn.LeakyReLU(0.2)]
            size = width
        self.layers = nn.Sequential(*layers, nn.Linear(size, 2))

    def forward(self, z: Tensor) -> Tensor:
        """Logits (B, 2) of latents (B, L)."""
        logits: Tensor = self.layers(z)
        return logits
