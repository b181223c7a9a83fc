"""The 50 published images of 3DShapes, cut out of two figures that show them enlarged."""

from __future__ import annotations

__all__ = ["published"]

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIDE = 64

# An image of 64 pixels is shown so that the centres of its first and last pixel lie on the rim, so
# a pixel is a 63rd part of the width; and a little to the left of and above whole pixels.
_RIGHT, _DOWN = 0.3, -0.7
# What of white is mixed into the outermost pixels.
_WHITE = 31 / 255


def published(folder: Path) -> NDArray[np.uint8]:
    """The images, (50, 64, 64, 3), row by row of the first figure and then of the second.

    The first row of pixels, which is sky, is all but hidden; the second stands for it.

    Raises:
        FileNotFoundError: The folder has no such figures.
    """
    from PIL import Image

    images = []
    for name in ("published_images_a.png", "published_images_b.png"):
        with Image.open(folder / name) as figure:
            pixels = np.asarray(figure.convert("RGB"))
        shown = (pixels < 255).any(axis=2)
        for top, bottom in _runs(shown.any(axis=1)):
            for left, right in _runs(shown.any(axis=0)):
                images.append(_reduced(pixels[top:bottom, left:right]))
    return np.stack(images)


def _runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First place and place after the last of each stretch of marks."""
    edges = np.flatnonzero(np.diff(np.pad(marked, 1).astype(int)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _reduced(tile: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One pixel of each that was enlarged."""
    colours = tile.astype(float)
    for rim in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        colours[rim] = (colours[rim] - 255 * _WHITE) / (1 - _WHITE)
    rows, columns = (
        np.clip(np.floor(offset + np.arange(SIDE) * 143 / 63), first, length - 1).astype(int)
        for offset, first, length in ((_DOWN, 1, len(tile)), (_RIGHT, 0, tile.shape[1]))
    )
    chosen = colours[rows[:, np.newaxis], columns]
    return np.asarray(np.rint(np.clip(chosen, 0, 255)), dtype=np.uint8)
