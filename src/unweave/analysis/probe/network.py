"""The network of a probe: the trunk of `kim`, and a linear head for each factor."""

from __future__ import annotations

__all__ = ["Probe"]

from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unweave.nn import Kim
from unweave.nn.initialise import construct

_SIDE = 64


@final
class Probe(nn.Module):
    """Tells the index of each factor of images.

    Images of another size than the trunk takes are brought to 64x64 first, by interpolation.

    Args:
        image_shape: (H, W, C).
        sizes: How many values each factor has, (K,).
    """

    def __init__(self, image_shape: tuple[int, int, int], sizes: tuple[int, ...]) -> None:
        super().__init__()
        height, width, channels = image_shape
        fits = height == width and height in Kim.sides
        self.side = height if fits else _SIDE
        self.trunk, features = Kim().trunk((self.side, self.side, channels))
        self.heads = nn.ModuleList(nn.Linear(features, size) for size in sizes)

    @classmethod
    def create(
        cls, image_shape: tuple[int, int, int], sizes: tuple[int, ...], generator: torch.Generator
    ) -> Probe:
        """A new probe on the CPU whose weights are drawn from `generator`.

        Args:
            image_shape: (H, W, C) of the images.
            sizes: Number of values of each factor.
            generator: Where first weights are drawn.
        """
        return construct(lambda: cls(image_shape, sizes), generator, Kim().initialise)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Scores of the values of each factor, K times (B, size), of images (B, C, H, W)."""
        if images.shape[2:] != (self.side, self.side):
            size = (self.side, self.side)
            images = F.interpolate(images, size, mode="bilinear", antialias=True)
        features = self.trunk(images)
        return [head(features) for head in self.heads]

    @torch.inference_mode()
    def tell(self, images: Tensor) -> Tensor:
        """The likeliest index of each factor, (B, K) int64, of images (B, C, H, W) in [0, 1]."""
        return torch.stack([scores.argmax(dim=1) for scores in self(images)], dim=1)
