"""Colours of images: red, green and blue, grey, or hue, saturation and value."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["CHANNELS", "Colour", "recolour", "to_grey", "to_hsv", "to_rgb"]

Colour: TypeAlias = Literal["rgb", "grey", "hsv"]

CHANNELS: Final[dict[Colour, int]] = {"rgb": 3, "grey": 1, "hsv": 3}
"""Channels of an image in each."""


def recolour(images: NDArray[np.uint8], colour: Colour) -> NDArray[np.uint8]:
    """Images (..., 1 or 3), grey or red, green and blue, as (..., C) in other colours."""
    if colour == "grey":
        return images if images.shape[-1] == 1 else to_grey(images)
    rgb = to_rgb(images)
    return rgb if colour == "rgb" else to_hsv(rgb)


def to_rgb(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey images (..., 1) with three equal channels; coloured ones as they are."""
    return images if images.shape[-1] == 3 else np.repeat(images, 3, axis=-1)


def to_grey(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Luma of red, green and blue, (..., 3) to (..., 1).

    It is 0.299 red + 0.587 green + 0.114 blue, the weights of ITU-R BT.601, rounded as Pillow
    rounds it, in units of 2^-16.
    """
    parts = rgb.astype(np.uint32)
    summed = 19595 * parts[..., 0] + 38470 * parts[..., 1] + 7471 * parts[..., 2] + 0x8000
    return (summed >> 16).astype(np.uint8)[..., np.newaxis]


def to_hsv(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Hue, saturation and value of red, green and blue, both (..., 3).

    With M the largest channel, m the smallest and d = M - m: the value is M; the saturation is
    255 d / M; the hue is 256 h, modulo 256, where 6 h is (G - B) / d if red is the largest,
    2 + (B - R) / d if green is, and 4 + (R - G) / d if blue is. The first of equals counts as the
    largest; halves are rounded up; of grey, hue and saturation are 0. So 256 steps of hue make
    one turn, and 0 follows 255.
    """
    red, green, blue = (rgb[..., channel].astype(np.int64) for channel in range(3))
    largest = np.maximum(np.maximum(red, green), blue)
    spread = largest - np.minimum(np.minimum(red, green), blue)
    sixths = np.where(
        largest == red,
        green - blue,
        np.where(largest == green, 2 * spread + blue - red, 4 * spread + red - green),
    )
    # Whole numbers throughout, so that no rounding depends on the machine.
    hue = _rounded(256 * sixths, 6 * np.maximum(spread, 1)) % 256
    saturation = _rounded(255 * spread, np.maximum(largest, 1))
    return np.stack([hue, saturation, largest], axis=-1).astype(np.uint8)


def _rounded(above: NDArray[np.int64], below: NDArray[np.int64]) -> NDArray[np.int64]:
    """A quotient rounded to the nearest whole number, halves up."""
    return (2 * above + below) // (2 * below)
