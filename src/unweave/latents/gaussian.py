"""Diagonal Gaussian posteriors."""

from __future__ import annotations

__all__ = ["DiagonalGaussian", "log_normal"]

import math
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

_LOG_2PI = math.log(2 * math.pi)


def log_normal(z: Tensor, mean: Tensor, logvar: Tensor) -> Tensor:
    """Log density of a normal distribution in nats, elementwise; shapes broadcast.

    Args:
        z: Where the density is asked for.
        mean: Mean of the distribution.
        logvar: Logarithm of its variance.
    """
    return -0.5 * (_LOG_2PI + logvar + (z - mean).square() * torch.exp(-logvar))


@final
@dataclass(frozen=True)
class DiagonalGaussian:
    """The posterior q(z given x) of a batch, with independent latents.

    Attributes:
        mean: Posterior means, (B, L) float32.
        logvar: Logarithms of the posterior variances, (B, L) float32.
    """

    mean: Tensor
    logvar: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """Reparameterised sample from standard normal `noise` of the shape of `mean`."""
        return self.mean + torch.exp(0.5 * self.logvar) * noise

    def kl(self) -> Tensor:
        """KL divergence to the standard normal prior in nats, per image and latent, (B, L)."""
        return 0.5 * (self.mean.square() + self.logvar.exp() - 1.0 - self.logvar)

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density of `z` (B, L) in nats, elementwise."""
        return log_normal(z, self.mean, self.logvar)

    def pairwise_log_prob(self, z: Tensor) -> Tensor:
        """Log density of sample i under posterior j in nats, per latent: (B, B, L)."""
        return log_normal(z[:, None, :], self.mean[None], self.logvar[None])
