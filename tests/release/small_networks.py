"""Networks of a few weights, for run folders that are kept as examples of their format."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Encoder(nn.Module):
    """Images (B, 1, 64, 64) as features (B, 16): means of patches."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(16, 16)

    def forward(self, images: Tensor) -> Tensor:
        return torch.relu(self.layer(nn.functional.avg_pool2d(images, 16).flatten(1)))


class Decoder(nn.Module):
    """Latents (B, L) as logits (B, 1, 64, 64) that are alike in each patch."""

    def __init__(self, latents: int) -> None:
        super().__init__()
        self.layer = nn.Linear(latents, 16)

    def forward(self, latents: Tensor) -> Tensor:
        patches = self.layer(latents).unflatten(1, (1, 4, 4))
        return patches.repeat_interleave(16, 2).repeat_interleave(16, 3)
