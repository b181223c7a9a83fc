"""Squares with whole edges, painted on a batch of images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["paint"]

_Whole = NDArray[np.int64]


def paint(
    images: NDArray[np.uint8], left: _Whole, top: _Whole, size: _Whole, color: NDArray[np.uint8]
) -> None:
    """Paint one square on each image, in place.

    Args:
        images: (n, H, W, C), or a view of some of the channels.
        left: First column of each square, (n,).
        top: First row, (n,).
        size: Pixels of an edge, (n,), at least 1; all of the square lies within the image.
        color: (n, C).
    """
    # A loop over slices is faster than indices of all pixels, some hundred an image.
    for image, x, y, edge, colour in zip(
        images, left.tolist(), top.tolist(), size.tolist(), color, strict=True
    ):
        image[y : y + edge, x : x + edge] = colour
