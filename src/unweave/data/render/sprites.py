"""The images of dSprites, drawn from their geometry: a white sprite on black, 64 by 64 pixels.

The data set is Matthey, Higgins, Hassabis and Lerchner (2017), "dSprites: Disentanglement testing
Sprites dataset". Its images are not copied here: the outlines below were fitted to published
images, of which they leave about one pixel in ten images wrong.

Pixel centres have whole coordinates 0..63, x to the right and y downwards. A pixel is 1 when its
centre lies inside the outline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave.factors import Factor, FactorSpace

__all__ = [
    "FACTOR_SPACE",
    "IMAGE_BYTES",
    "RADIUS",
    "REVISION",
    "SIDE",
    "inside",
    "packed_blocks",
    "render",
]

REVISION: Final = 1
"""Raised when an image changes, so that stores drawn before are not taken for the new images."""

SIDE: Final = 64
IMAGE_BYTES: Final = SIDE * SIDE // 8

FACTOR_SPACE: Final = FactorSpace(
    (
        Factor("shape", 3, (1.0, 2.0, 3.0), "categorical", labels=("square", "ellipse", "heart")),
        Factor("scale", 6, tuple(np.linspace(0.5, 1, 6).tolist()), "ordinal"),
        Factor("orientation", 40, tuple(np.linspace(0, 2 * np.pi, 40).tolist()), "circular", True),
        Factor("pos_x", 32, tuple(np.linspace(0, 1, 32).tolist()), "ordinal"),
        Factor("pos_y", 32, tuple(np.linspace(0, 1, 32).tolist()), "ordinal"),
    )
)

# Pixels at scale 1.
_SQUARE = 9.596
_ELLIPSE = (12.758, 7.214)
_HEART_WIDTH = 0.5997 * 16
_HEART_HEIGHT = 0.662
_HEART_SHIFT = -1.4425

RADIUS: Final = (13.58, 12.76, 11.26)
"""No point of an outline lies farther from the centre than this, in pixels at scale 1."""

_Floats = NDArray[np.float64]


def render(indices: ArrayLike) -> NDArray[np.uint8]:
    """Draw images.

    Args:
        indices: Factor indices, (n, 5), columns as in `FACTOR_SPACE`.

    Returns:
        (n, 64, 64) of 0 and 1.

    Raises:
        FactorIndexError: The array has another shape or type, or an index is out of range.
    """
    rows = FACTOR_SPACE.check_indices(indices)
    packed = np.empty((len(rows), IMAGE_BYTES), dtype=np.uint8)
    for place, (shape, scale, orientation) in enumerate(rows[:, :3].tolist()):
        packed[place] = _poses(shape, scale, orientation, rows[place, 3:4], rows[place, 4:5])[0]
    return np.unpackbits(packed, axis=1).reshape(-1, SIDE, SIDE)


def packed_blocks(kept: Sequence[ArrayLike]) -> Iterator[NDArray[np.uint8]]:
    """Draw a grid of images as packed bits, in C order of the kept values.

    The whole data set takes seconds on one core; a second thread was measured to gain nothing.

    Args:
        kept: Indices of each of the five factors, (k_0,) .. (k_4,).

    Yields:
        (k_3 * k_4, 512) bytes, all positions of one shape, scale and orientation: eight pixels a
        byte, the first pixel in the highest bit.

    Raises:
        FactorIndexError: An index is out of range.
    """
    FACTOR_SPACE.subspace(kept)
    columns = [np.asarray(indices, dtype=np.int64) for indices in kept]
    for shape, scale, orientation in product(*(column.tolist() for column in columns[:3])):
        yield _poses(shape, scale, orientation, columns[3], columns[4])


def _poses(
    shape: int, scale: int, orientation: int, pos_x: NDArray[np.int64], pos_y: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """One sprite at every combination of positions, packed, (len(pos_x) * len(pos_y), 512)."""
    size = 0.5 + 0.1 * scale
    radius = RADIUS[shape] * size
    width = int(2 * radius) + 1
    first_x, x = _window(pos_x, radius, width)
    first_y, y = _window(pos_y, radius, width)
    angle = orientation * 2 * np.pi / 39
    cos, sin = np.cos(angle), np.sin(angle)
    rows = np.arange(width)
    images = np.zeros((len(pos_x), len(pos_y), SIDE), dtype=">u8")
    for column in range(len(pos_x)):
        # (len(pos_y), width, width): a part that fits the cache of a core.
        u = (cos * x[column] - sin * y[:, :, np.newaxis]) / size
        w = (sin * x[column] + cos * y[:, :, np.newaxis]) / size
        window = np.zeros((len(pos_y), width, 4), dtype=np.uint8)
        bits = np.packbits(inside(shape, u, w), axis=2)
        window[:, :, : bits.shape[2]] = bits
        # The window is at most 28 pixels wide: as a 32-bit word it is shifted to its columns.
        words = window.view(">u4")[:, :, 0].astype(np.uint64) << np.uint64(32)
        words >>= np.uint64(first_x[column])
        images[column, np.arange(len(pos_y))[:, np.newaxis], first_y[:, np.newaxis] + rows] = words
    return images.view(np.uint8).reshape(-1, IMAGE_BYTES)


def _window(
    pos: NDArray[np.int64], radius: float, width: int
) -> tuple[NDArray[np.int64], _Floats]:
    """The pixels that a sprite can cover along one axis.

    Returns:
        The first pixel, (n,), and the offsets of `width` pixels from the centre, (n, width).
    """
    centre = 15.5 + 32 * pos / 31
    first = np.ceil(centre - radius).astype(np.int64)
    return first, first[:, np.newaxis] + np.arange(width) - centre[:, np.newaxis]


def inside(shape: int, u: _Floats, w: _Floats) -> NDArray[np.bool_]:
    """Whether points lie inside a shape.

    Args:
        shape: Its index: square, ellipse, heart.
        u: The points from the sprite's centre in its own coordinates, to the right, in pixels at
            scale 1.
        w: The same downwards, of the shape of `u`.
    """
    if shape == 0:
        return np.less(np.maximum(np.abs(u), np.abs(w)), _SQUARE)
    if shape == 1:
        return np.less((u / _ELLIPSE[0]) ** 2 + (w / _ELLIPSE[1]) ** 2, 1)
    # The classic heart curve: u = width sin^3 a,
    # w = shift - height (13 cos a - 5 cos 2a - 2 cos 3a - cos 4a).
    # Each |u| is met by two angles, a and pi - a, whose cosines differ in sign alone, so the curve
    # is two functions of |u|: even powers of the cosine are their mean, odd ones half their
    # distance.
    sin = np.cbrt(np.abs(u) / _HEART_WIDTH)
    cos2 = 1 - sin * sin
    even = 5 * (2 * cos2 - 1) + 8 * cos2 * (cos2 - 1) + 1
    odd = np.sqrt(np.maximum(cos2, 0)) * (13 - 2 * (4 * cos2 - 3))
    middle = _HEART_SHIFT + _HEART_HEIGHT * even
    inside: NDArray[np.bool_] = np.less(np.abs(w - middle), _HEART_HEIGHT * odd)
    return np.logical_and(inside, cos2 > 0)
