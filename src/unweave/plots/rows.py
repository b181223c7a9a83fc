"""Rows of images, each with its name."""

from __future__ import annotations

__all__ = ["image_rows"]

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from numpy.typing import NDArray

from unweave.plots.grid import centres, image_grid, label_row
from unweave.plots.images import as_rgb, edge_colour, tile
from unweave.plots.style import INK, styled

_PAD = 2


@styled
def image_rows(images: NDArray[Any], labels: Sequence[str], title: str = "") -> Figure:
    """A grid of images whose rows have names, such as one factor at a time of a dataset.

    Args:
        images: (rows, cols, H, W, C) uint8 with C of 1 or 3.
        labels: (rows,) name of each row.
        title: Words above the grid.

    Returns:
        The figure; tiles are drawn without resampling.

    Raises:
        ValueError: Wrong type or shape, or labels that do not fit.
    """
    rgb = as_rgb(images, 5, "images")
    rows, _, height, width, _ = rgb.shape
    if len(labels) != rows:
        raise ValueError(f"labels must be one for each of {rows} rows; got {len(labels)}.")
    canvas = tile(rgb, _PAD, edge_colour(rgb))
    left = min(2.4, 0.35 + 0.078 * max(map(len, labels)))
    figure, axes, inches = image_grid(
        canvas, columns=[], left=left, top=0.36 if title else 0.08, tile_width=width
    )
    size = max(3.5, min(8.5, (height + _PAD) * inches * 72 * 0.72))
    for middle, label in zip(centres(rows, height, _PAD), labels, strict=True):
        label_row(axes, middle, label, size, INK)
    if title:
        axes.set_title(title, x=_PAD / canvas.shape[1], pad=6)
    return figure
