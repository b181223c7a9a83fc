"""Rows of images, each with its name."""

from __future__ import annotations

__all__ = ["image_rows"]

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unweave.plots.grid import centres, image_grid, label_row
from unweave.plots.images import Pixels, as_rgb, edge_colour, tile
from unweave.plots.names import wrapped
from unweave.plots.style import INK, WIDTH, styled, write_title

_PAD = 2
# Inches that an image is wide at most, and kept free on the right.
_LARGEST_TILE = 1.1
_SIDE = 0.08


@styled
def image_rows(
    images: NDArray[Any] | Sequence[NDArray[Any]], labels: Sequence[str], title: str = ""
) -> Figure:
    """A grid of images whose rows have names, such as one factor at a time of a dataset.

    Args:
        images: (rows, cols, H, W, C) uint8 with C of 1 or 3; or rows (cols, H, W, C) that may
            differ in length and size. Short rows end early. Smaller images are magnified by a
            whole number, and stand in the middle of their tiles.
        labels: (rows,) name of each row.
        title: Words above the grid.

    Returns:
        The figure; tiles are drawn without resampling.

    Raises:
        ValueError: Wrong type or shape, no row, or labels that do not fit.
    """
    found = [as_rgb(row, 4, "each row of images") for row in images]
    if len(labels) != len(found) or not found:
        raise ValueError(f"labels must be one for each of {len(found)} rows; got {len(labels)}.")
    height, width = (max(row.shape[axis] for row in found) for axis in (1, 2))
    shade = min(edge_colour(row) for row in found)
    rgb = np.full((len(found), max(map(len, found)), height, width, 3), shade, np.uint8)
    for place, row in zip(rgb, found, strict=True):
        place[: len(row)] = _fitted(row, height, width, shade)
    canvas = tile(rgb, _PAD, shade)
    left = min(2.4, 0.35 + 0.078 * max(map(len, labels)))
    # As wide as `image_grid` will make it.
    wide = min(WIDTH - left - _SIDE, canvas.shape[1] * _LARGEST_TILE / width)
    title = wrapped(title, left + wide + _SIDE - 0.24, 9.5)
    top = 0.36 + 0.16 * title.count("\n") if title else 0.08
    figure, axes, inches = image_grid(
        canvas, columns=[], left=left, top=top, tile_width=width, largest_tile=_LARGEST_TILE
    )
    size = max(3.5, min(8.5, (height + _PAD) * inches * 72 * 0.72))
    for middle, label in zip(centres(len(found), height, _PAD), labels, strict=True):
        label_row(axes, middle, label, size, INK)
    write_title(figure, title)
    return figure


def _fitted(images: Pixels, height: int, width: int, shade: int) -> Pixels:
    """Images (n, h, w, 3) magnified by a whole number, in the middle of tiles of a size."""
    times = min(height // images.shape[1], width // images.shape[2])
    large = images.repeat(times, axis=1).repeat(times, axis=2)
    tiles = np.full((len(images), height, width, 3), shade, np.uint8)
    top, left = (height - large.shape[1]) // 2, (width - large.shape[2]) // 2
    tiles[:, top : top + large.shape[1], left : left + large.shape[2]] = large
    return tiles
