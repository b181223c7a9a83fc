"""Originals above what the model makes of them."""

from __future__ import annotations

__all__ = ["reconstructions"]

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unweave.plots.grid import image_grid, label_row
from unweave.plots.images import as_rgb, edge_colour, tile
from unweave.plots.style import MUTED, styled

_PAD = 2
_BLOCK_GAP = 6
_MOST_COLUMNS = 10


@styled
def reconstructions(
    originals: NDArray[Any], reconstructed: NDArray[Any], columns: int | None = None
) -> Figure:
    """Each original with its reconstruction under it.

    Args:
        originals: (n, H, W, C) uint8 with C of 1 or 3.
        reconstructed: (n, H, W, C) uint8, in the same order.
        columns: Pairs side by side; 10 at most by default. More pairs go on below.

    Returns:
        The figure; tiles are drawn without resampling.

    Raises:
        ValueError: Wrong types or shapes, or columns below 1.
    """
    above = as_rgb(originals, 4, "originals")
    below = as_rgb(reconstructed, 4, "reconstructed")
    if above.shape != below.shape:
        raise ValueError(
            "originals and reconstructed must have one shape; "
            f"got {originals.shape} and {reconstructed.shape}."
        )
    count, height, width, _ = above.shape
    columns = min(count, _MOST_COLUMNS) if columns is None else columns
    if columns < 1:
        raise ValueError(f"columns must be 1 or more; got {columns}.")
    columns = min(columns, count)

    background = edge_colour(above)
    blocks = []
    for start in range(0, count, columns):
        pairs = np.stack([above[start : start + columns], below[start : start + columns]])
        block = tile(pairs, _PAD, background)
        if missing := columns - pairs.shape[1]:
            empty = np.full((len(block), missing * (width + _PAD), 3), 255, np.uint8)
            block = np.concatenate([block, empty], axis=1)
        blocks += [block, np.full((_BLOCK_GAP, block.shape[1], 3), 255, np.uint8)]
    canvas = np.concatenate(blocks[:-1])

    figure, axes, inches = image_grid(
        canvas, columns=[], left=1.05, top=0.08, tile_width=width, largest_tile=1.0
    )
    size = max(4.0, min(8.5, height * inches * 72 * 0.8))
    step = len(blocks[0]) + _BLOCK_GAP
    for number in range(len(blocks) // 2):
        for row, word in enumerate(("original", "reconstructed")):
            middle = number * step + _PAD + row * (height + _PAD) + height / 2
            label_row(axes, middle, word, size, MUTED)
    return figure
