"""Black-and-white images in colour: a coloured sprite, noise or a picture behind it."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["colored", "noisy", "over_picture"]

_Bytes = NDArray[np.uint8]

# Eight pixels of one byte as 24 bytes of 0 and 255, three channels a pixel.
_EXPANDED: Final = np.ascontiguousarray(
    np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1).repeat(3, axis=1) * 255
).view(np.uint64)


def colored(masks: _Bytes, colors: NDArray[np.float64]) -> _Bytes:
    """The sprite in one colour on black.

    Args:
        masks: (n, H, W, 1) of 0 and 1.
        colors: Red, green and blue of each image between 0 and 1, (n, 3).

    Returns:
        (n, H, W, 3) of 0 to 255, rounded.
    """
    images = _expand(masks)
    images &= _rows(np.floor(colors * 255 + 0.5).astype(np.uint8), masks.shape[2])
    return _in_pixels(images, masks)


def noisy(masks: _Bytes, noise: _Bytes) -> _Bytes:
    """The sprite white, and noise around it: mask plus noise, at most white.

    Args:
        masks: (n, H, W, 1) of 0 and 1.
        noise: Of each image, pixel and channel, (n, H * W * 3) of 0 to 255.

    Returns:
        (n, H, W, 3) of 0 to 255.
    """
    images = _expand(masks)
    images |= noise.reshape(images.shape)
    return _in_pixels(images, masks)


def over_picture(
    masks: _Bytes,
    picture: _Bytes,
    top: NDArray[np.int64],
    left: NDArray[np.int64],
    colors: NDArray[np.float64],
) -> _Bytes:
    """A part of a picture, tinted; its negative where the sprite is.

    The background is the mean of the picture and one colour an image, rounded.

    Args:
        masks: (n, H, W, 1) of 0 and 1.
        picture: (rows, columns, 3) of 0 to 255, contiguous.
        top: First row of each image's part, (n,).
        left: First column, (n,).
        colors: Red, green and blue of each image, between 0 and below 1, (n, 3).

    Returns:
        (n, H, W, 3) of 0 to 255.
    """
    height, width = masks.shape[1:3]
    rows, columns, _ = picture.shape
    # Every run of `width` pixels that a row of the picture holds, without a copy.
    runs = np.lib.stride_tricks.as_strided(
        picture,
        (rows, columns - width + 1, 3 * width),
        (3 * columns, 3, 1),
        writeable=False,
    )
    parts = runs[top[:, np.newaxis] + np.arange(height), left[:, np.newaxis]]
    # round((p + 255 c) / 2) = floor((p + t) / 2) for a whole t = floor(255 c) + 1, at most 255;
    # and the floor of a mean of two bytes fits in bytes: what they share, and half of the rest.
    tint = _rows((np.floor(colors * 255) + 1).astype(np.uint8), width)
    images = parts ^ tint
    images >>= np.uint8(1)
    parts &= tint
    images += parts
    images ^= _expand(masks)
    return _in_pixels(images, masks)


def _expand(masks: _Bytes) -> _Bytes:
    """Masks, (n, H, W, 1) of 0 and 1, as (n, H, 3 W) of 0 and 255."""
    count, height, width, _ = masks.shape
    pixels = math.prod((height, width))
    packed = np.packbits(masks.reshape(count, pixels), axis=1)
    expanded = np.take(_EXPANDED, packed, axis=0).view(np.uint8).reshape(count, -1)
    return expanded[:, : 3 * pixels].reshape(count, height, 3 * width)


def _rows(colors: _Bytes, width: int) -> _Bytes:
    """A row of pixels in one colour an image, (n, 1, 3 width)."""
    return np.tile(colors, (1, width))[:, np.newaxis]


def _in_pixels(images: _Bytes, masks: _Bytes) -> _Bytes:
    return images.reshape(*masks.shape[:3], 3)
