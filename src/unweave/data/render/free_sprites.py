"""The shapes of dSprites at any scale, orientation and position, with sharp or smooth edges."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unweave.data.render.sprites import RADIUS, SIDE, inside

__all__ = ["REVISION", "covered"]

REVISION: Final = 1
"""Raised when an image changes."""

# Points looked at together: what fits the cache of a core is several times faster.
_POINTS: Final = 2**16

_Floats = NDArray[np.float64]


def covered(shape: NDArray[np.int64], pose: _Floats, points: int) -> NDArray[np.uint8]:
    """How much of each pixel the sprite covers.

    With one point, the pixel's centre, and poses of dSprites, images are those of dSprites.

    Args:
        shape: 0 to 2: square, ellipse, heart, (n,).
        pose: Scale from 0.5 to 1, orientation in radians, pos_x and pos_y from 0 to 1, (n, 4).
        points: Points along each axis of a pixel, evenly spread over it, at most 15.

    Returns:
        How many of a pixel's points lie inside, (n, 64, 64).
    """
    images = np.zeros((len(shape), SIDE, SIDE), dtype=np.uint8)
    for kind, rows in _alike(shape, pose[:, 0], points):
        size, angle, pos_x, pos_y = pose[rows].T
        radius = RADIUS[kind] * size.max()
        width = _width(radius)
        first_x, x = _window(pos_x, radius, width, points)
        first_y, y = _window(pos_y, radius, width, points)
        cos, sin = np.cos(angle) / size, np.sin(angle) / size
        u = _each(cos, x)[:, np.newaxis, :] - _each(sin, y)[:, :, np.newaxis]
        w = _each(sin, x)[:, np.newaxis, :] + _each(cos, y)[:, :, np.newaxis]
        hits = inside(kind, u, w).view(np.uint8)
        hits = hits.reshape(len(rows), width, points, width * points).sum(axis=2, dtype=np.uint8)
        hits = hits.reshape(len(rows), width, width, points).sum(axis=3, dtype=np.uint8)
        steps = np.arange(width)
        images[
            rows[:, np.newaxis, np.newaxis],
            first_y[:, np.newaxis, np.newaxis] + steps[:, np.newaxis],
            first_x[:, np.newaxis, np.newaxis] + steps,
        ] = hits
    return images


def _alike(
    shape: NDArray[np.int64], scale: _Floats, points: int
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Rows of one shape and about one scale, few enough to be drawn together."""
    for kind, radius in enumerate(RADIUS):
        rows = np.flatnonzero(shape == kind)
        rows = rows[np.argsort(-scale[rows], kind="stable")]
        while len(rows) > 0:
            side = _width(radius * scale[rows[0]]) * points
            count = max(1, _POINTS // side**2)
            yield kind, rows[:count]
            rows = rows[count:]


def _width(radius: float) -> int:
    """Pixels along an axis that a sprite of this radius can touch."""
    return int(2 * radius + 1) + 1


def _window(
    pos: _Floats, radius: float, width: int, points: int
) -> tuple[NDArray[np.int64], _Floats]:
    """First pixel of each window, (n,), and points from its centre, (n, width * points)."""
    centre = 15.5 + 32 * pos
    first = np.ceil(centre - radius - 0.5).astype(np.int64)
    steps = (np.arange(width * points) + 0.5) / points - 0.5
    return first, (first - centre)[:, np.newaxis] + steps


def _each(factor: _Floats, rows: _Floats) -> _Floats:
    """Rows, each times its factor."""
    return factor[:, np.newaxis] * rows
