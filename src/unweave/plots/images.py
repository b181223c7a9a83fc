"""Tiles of images in one picture, with exact pixels."""

from __future__ import annotations

__all__ = ["Pixels", "as_rgb", "edge_colour", "enlarge", "tile"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def as_rgb(images: NDArray[Any], ndim: int, name: str) -> Pixels:
    """Images as RGB.

    Args:
        images: uint8 array of `ndim` axes; the last three are H, W, C with C of 1 or 3.
        ndim: Number of axes that is asked for.
        name: What the argument is called, for the error.

    Returns:
        uint8 array of the same shape with C = 3.

    Raises:
        ValueError: Wrong type or shape.
    """
    images = np.asarray(images)
    if images.dtype != np.uint8 or images.ndim != ndim or images.shape[-1] not in (1, 3):
        raise ValueError(
            f"{name} must be a uint8 array of {ndim} axes whose last is 1 or 3 channels; "
            f"got {images.dtype} of shape {images.shape}."
        )
    if 0 in images.shape:
        raise ValueError(f"{name} must hold at least one pixel; got shape {images.shape}.")
    return np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images


def edge_colour(images: NDArray[Any]) -> int:
    """A grey that sets tiles off: white, or light grey when the images end in light pixels.

    Args:
        images: (..., H, W, C) uint8.
    """
    edges = (images[..., 0, :, :], images[..., -1, :, :], images[..., 0, :], images[..., -1, :])
    brightness = np.mean([float(edge.mean()) for edge in edges])
    return 184 if brightness > 192 else 255


def enlarge(images: NDArray[Any], times: int) -> NDArray[Any]:
    """Repeat each pixel so often in both directions.

    Args:
        images: (..., H, W, C).
        times: At least 1.
    """
    return images.repeat(times, axis=-3).repeat(times, axis=-2)


def tile(
    images: NDArray[Any], pad: int = 2, background: int | tuple[int, int, int] = 255
) -> Pixels:
    """Join a grid of images into one, with `pad` pixels around and between them.

    Args:
        images: (rows, cols, H, W, C) uint8 with C of 1 or 3.
        pad: Pixels of background on every side and between the tiles.
        background: A grey, or red, green and blue, each 0 to 255.

    Returns:
        (rows * (H + pad) + pad, cols * (W + pad) + pad, 3) uint8.

    Raises:
        ValueError: Wrong type or shape, or a negative pad.
    """
    rgb = as_rgb(images, 5, "images")
    if pad < 0:
        raise ValueError(f"pad must be 0 or more pixels; got {pad}.")
    rows, cols, height, width, _ = rgb.shape
    framed = np.empty((rows, height + pad, cols, width + pad, 3), np.uint8)
    framed[:] = np.asarray(background, np.uint8)
    framed[:, pad:, :, pad:] = rgb.transpose(0, 2, 1, 3, 4)
    canvas = np.empty((rows * (height + pad) + pad, cols * (width + pad) + pad, 3), np.uint8)
    canvas[:] = np.asarray(background, np.uint8)
    canvas[: rows * (height + pad), : cols * (width + pad)] = framed.reshape(
        rows * (height + pad), cols * (width + pad), 3
    )
    return canvas
