"""Images as soft as those that decoders give."""

from __future__ import annotations

__all__ = ["blurred"]

import math

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from unweave.training.resident import on_device

# What lies further out, in standard deviations, has no part in a pixel.
_REACH = 3.0


def blurred(images: Tensor, sigma: float) -> Tensor:
    """Images (B, C, H, W) after a Gaussian filter; beyond an edge its pixels go on.

    Args:
        images: The images, on any device.
        sigma: Standard deviation of the filter in pixels; 0 leaves images as they are.
    """
    reach = math.ceil(_REACH * sigma)
    if reach == 0:
        return images
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    line = on_device((weights / weights.sum()).astype(np.float32), images.device)
    channels = images.shape[1]
    padded = F.pad(images, (reach,) * 4, mode="replicate")
    rows = F.conv2d(padded, line.view(1, 1, 1, -1).repeat(channels, 1, 1, 1), groups=channels)
    return F.conv2d(rows, line.view(1, 1, -1, 1).repeat(channels, 1, 1, 1), groups=channels)
