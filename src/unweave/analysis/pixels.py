"""How far reconstructions are from images, image by image."""

from __future__ import annotations

__all__ = ["cross_entropy", "pixel_entropy", "squared_error"]

import torch
import torch.nn.functional as F
from torch import Tensor


def cross_entropy(logits: Tensor, images: Tensor) -> Tensor:
    """Negative log likelihood of pixels under a Bernoulli, in nats an image, (B,) float64.

    It is the same for every model whatever likelihood it was trained with. Of pixels that are
    neither 0 nor 1 it is never 0: `pixel_entropy` is what it is at least.

    Args:
        logits: Decoder output before the sigmoid, (B, C, H, W).
        images: Pixels in [0, 1], (B, C, H, W).
    """
    values = F.binary_cross_entropy_with_logits(logits.double(), images.double(), reduction="none")
    return values.flatten(1).sum(1)


def pixel_entropy(images: Tensor) -> Tensor:
    """Sum of the entropies of the pixels, -x log x - (1 - x) log(1 - x), (B,) float64 nats.

    It is the cross-entropy of a perfect reconstruction: 0 of black and white images.

    Args:
        images: Pixels in [0, 1], (B, C, H, W).
    """
    pixels = images.double()
    values: Tensor = torch.special.entr(pixels) + torch.special.entr(1 - pixels)
    return values.flatten(1).sum(1)


def squared_error(logits: Tensor, images: Tensor) -> Tensor:
    """Squared error of the expected pixels, a mean over pixels and channels, (B,) float64.

    Args:
        logits: Decoder output before the sigmoid, (B, C, H, W).
        images: Pixels in [0, 1], (B, C, H, W).
    """
    return (torch.sigmoid(logits.double()) - images.double()).square().flatten(1).mean(1)
