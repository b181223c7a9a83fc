"""dSprites drawn slowly and obviously: every pixel of the image against an outline, one at a time.

Shares no code with the renderer: the heart is a fine polygon and a pixel is inside when a ray
from it crosses the outline an odd number of times.
"""

from __future__ import annotations

import functools
import math

import numpy as np

__all__ = ["heart_outline", "inside_polygon", "sprite"]


@functools.cache
def heart_outline(points: int = 20_000) -> np.ndarray:
    """The heart of unit scale as a polygon, (points, 2): u to the right, w downwards, pixels."""
    angle = np.arange(points) * (2 * np.pi / points)
    u = 0.5997 * 16 * np.sin(angle) ** 3
    w = -1.4425 - 0.662 * (
        13 * np.cos(angle) - 5 * np.cos(2 * angle) - 2 * np.cos(3 * angle) - np.cos(4 * angle)
    )
    return np.stack([u, w], axis=1)


def inside_polygon(x: float, y: float, polygon: np.ndarray) -> bool:
    """Whether a ray from (x, y) to the right crosses the polygon an odd number of times."""
    x0, y0 = polygon.T
    below = y0 > y
    edges = np.flatnonzero(below != np.roll(below, -1))
    x0, y0, x1, y1 = *polygon[edges].T, *polygon[(edges + 1) % len(polygon)].T
    ends = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
    return bool(np.count_nonzero(ends > x) % 2)


def sprite(shape: int, scale: int, orientation: int, pos_x: int, pos_y: int) -> np.ndarray:
    """One image, (64, 64) of 0 and 1, from factor indices in the published order."""
    size = 0.5 + 0.1 * scale
    angle = orientation * 2 * math.pi / 39
    centre_x = 15.5 + 32 * pos_x / 31
    centre_y = 15.5 + 32 * pos_y / 31
    outline = heart_outline()
    image = np.zeros((64, 64), dtype=np.uint8)
    for row in range(64):
        for column in range(64):
            x, y = column - centre_x, row - centre_y
            if math.hypot(x, y) > 14 * size:  # no outline reaches so far
                continue
            u = (math.cos(angle) * x - math.sin(angle) * y) / size
            w = (math.sin(angle) * x + math.cos(angle) * y) / size
            if shape == 0:
                inside = max(abs(u), abs(w)) < 9.596
            elif shape == 1:
                inside = (u / 12.758) ** 2 + (w / 7.214) ** 2 < 1
            else:
                inside = inside_polygon(u, w, outline)
            image[row, column] = inside
    return image
