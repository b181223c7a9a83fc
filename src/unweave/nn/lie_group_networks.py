"""Networks between images, group features and latents."""

from __future__ import annotations

__all__ = ["ExactLinear", "GroupDecoder", "GroupEncoder"]

import itertools
from collections.abc import Sequence
from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unweave.nn.autocast import without_autocast
from unweave.nn.lie_group_maps import DirectProduct


@final
class ExactLinear(nn.Linear):
    """A dense layer in the precision of its weights, under autocast too.

    Group elements lie near the identity, and what tells them apart would be rounded away.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Values (B, D) of (B, C)."""
        with without_autocast(input):
            return F.linear(input.to(self.weight.dtype), self.weight, self.bias)


@final
class GroupEncoder(nn.Module):
    """From group features (B, sum of S) to moments of the latents, two networks for each group.

    One gives the means of the group's latents and one their log variances; each has a hidden layer
    of 4 S units with a ReLU.

    Args:
        sizes: Number S of features of each group.
        latents: Number of latents of each.
        moments: 2 for means and log variances, (B, 2 L) with all means first; 1 for means alone.
    """

    def __init__(self, sizes: Sequence[int], latents: Sequence[int], moments: int) -> None:
        super().__init__()
        self.sizes = list(sizes)
        self.networks = nn.ModuleList(
            nn.Sequential(nn.Linear(size, 4 * size), nn.ReLU(), nn.Linear(4 * size, count))
            for _ in range(moments)
            for size, count in zip(sizes, latents, strict=True)
        )

    def forward(self, features: Tensor) -> Tensor:
        """Means of all groups, then log variances of all."""
        parts = torch.split(features, self.sizes, dim=1)
        given = zip(self.networks, itertools.cycle(parts), strict=False)
        return torch.cat([network(part) for network, part in given], dim=1)


@final
class GroupDecoder(nn.Module):
    """From latents to group elements, and from these to logits of pixels.

    Labels that a conditional model is told stand behind the latents; they go past the group, and
    into the image beside its elements.

    Args:
        latents: Number of latents L.
        groups: From latents (B, L) to features (B, S).
        pixels: From features, with labels behind them, to logits (B, C, H, W).
    """

    def __init__(self, latents: int, groups: nn.Module, pixels: nn.Module) -> None:
        super().__init__()
        self.latents = latents
        self.groups = groups
        self.pixels = pixels

    def generators(self) -> list[Tensor]:
        """The generators of each group, (L_k, M_k, M_k); none where two layers stand for it."""
        return self.groups.generators() if isinstance(self.groups, DirectProduct) else []

    def group(self, z: Tensor) -> Tensor:
        """Group features (B, S), float32, of latents (B, L)."""
        with without_autocast(z):
            features: Tensor = self.groups(z)
        return features

    def image(self, features: Tensor) -> Tensor:
        """Logits (B, C, H, W) of group features, and labels behind them where there are any."""
        logits: Tensor = self.pixels(features)
        return logits

    def forward(self, z: Tensor) -> Tensor:
        """Logits (B, C, H, W) of latents, with labels behind them in a conditional model."""
        features = self.group(z[:, : self.latents])
        if z.shape[1] > self.latents:
            features = torch.cat([features, z[:, self.latents :]], dim=1)
        return self.image(features)
