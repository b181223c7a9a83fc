"""Discs and squares of one size at any place of an image, with smooth edges."""

from __future__ import annotations

import functools
import math
from typing import Final, final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

__all__ = ["SHAPES", "SIDE", "SIZE", "Sprites", "sprites"]

SIDE: Final = 64
"""Height and width of the images in pixels."""

SHAPES: Final = ("circle", "square")

SIZE: Final = 0.15
"""Edge of the square, as a share of the image's side; the circle has the same area."""

# Points along each axis of a pixel at which it is asked whether they lie inside.
_POINTS: Final = 5
_EDGE: Final = SIZE * SIDE
_RADIUS: Final = _EDGE / math.sqrt(math.pi)
_WIDTH: Final = math.ceil(2 * max(_RADIUS, _EDGE / 2)) + 1


@final
class Sprites:
    """Both shapes at all combinations of some places.

    Args:
        pos_x: Centres from the left, as shares of the image's side, (k,).
        pos_y: Centres from the top, (m,).

    Attributes:
        opacity: Covered share of each pixel in a window around the centre, times 255, rounded:
            (shapes, k, m, w, w), 0 to 255.
        left: First column of the window, (k,).
        top: First row, (m,).
    """

    def __init__(self, pos_x: NDArray[np.float64], pos_y: NDArray[np.float64]) -> None:
        """Draw all of them."""
        self.left, x = _points(pos_x)
        self.top, y = _points(pos_y)
        across, down = x[:, np.newaxis, np.newaxis, :], y[np.newaxis, :, :, np.newaxis]
        inside = (
            across**2 + down**2 < _RADIUS**2,
            np.maximum(np.abs(across), np.abs(down)) < _EDGE / 2,
        )
        split = (len(pos_x), len(pos_y), _WIDTH, _POINTS, _WIDTH, _POINTS)
        covered = np.stack([mask.reshape(split).mean(axis=(3, 5)) for mask in inside])
        self.opacity = np.floor(covered * 255 + 0.5).astype(np.uint8)

    def paint(
        self,
        images: NDArray[np.uint8],
        pos_x: NDArray[np.int64],
        pos_y: NDArray[np.int64],
        shape: NDArray[np.int64],
        color: NDArray[np.uint8],
    ) -> None:
        """Paint one sprite over each image, in place.

        Args:
            images: (n, 64, 64, C).
            pos_x: Index of each centre from the left, (n,).
            pos_y: Index from the top, (n,).
            shape: Index in `SHAPES`, (n,).
            color: (n, C).
        """
        count, channels = color.shape
        # Windows of pixels as one line each: NumPy copies long lines fast.
        windows = sliding_window_view(
            images.reshape(count, SIDE, SIDE * channels),
            (_WIDTH, _WIDTH * channels),
            axis=(1, 2),
            writeable=True,
        )
        place = (np.arange(count), self.top[pos_y], self.left[pos_x] * channels)
        # No product of two bytes, and no weighted mean of two, exceeds 16 bits.
        opacity = np.repeat(self.opacity[shape, pos_x, pos_y], channels, axis=2).astype(np.uint16)
        over = opacity * np.tile(color, _WIDTH)[:, np.newaxis]
        over += (255 - opacity) * windows[place]
        over += 127
        windows[place] = over // 255


@functools.lru_cache(maxsize=8)
def sprites(pos_x: tuple[float, ...], pos_y: tuple[float, ...]) -> Sprites:
    """The sprites at all combinations of these places, drawn once."""
    return Sprites(np.array(pos_x), np.array(pos_y))


def _points(centre: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The window of each centre along one axis.

    Returns:
        Its first pixel, (n,), and the points of its pixels from the centre, (n, w * 5), in pixels.
    """
    middle = SIDE * centre
    first = np.floor(middle - _WIDTH / 2 + 0.5).astype(np.int64)
    points = (np.arange(_WIDTH * _POINTS) + 0.5) / _POINTS
    return first, first[:, np.newaxis] + points - middle[:, np.newaxis]
