"""One frame of a moving picture: images, and under them what is decoded while something walks."""

from __future__ import annotations

__all__ = ["frame"]

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from unweave import plots

_PAD = 2


def frame(
    originals: NDArray[np.uint8],
    grid: NDArray[np.uint8],
    names: Sequence[str] | None,
    head: str = "",
) -> NDArray[np.uint8]:
    """Images in a row, and rows of decoded ones below a gap.

    Args:
        originals: (cols, H, W, C).
        grid: (rows, cols, H, W, C).
        names: What each row of the grid is called, which may have several lines; None for pixels
            alone.
        head: Words above, where rows have names.

    Returns:
        (height, width, 3); of equal names all frames have one size.
    """
    rows, tall = len(grid), originals.shape[1]
    every = ["original", *(names or [""] * rows)]
    blocks = [
        plots.Block(images=originals[None], names=every[:1]),
        plots.Block(images=grid, names=every[1:]),
    ]
    canvas: NDArray[np.uint8] = plots.joined_blocks(blocks)
    if names is None:
        return canvas
    # Rows of the second block stand at equal distances up to the lower end.
    below = len(canvas) - rows * (tall + _PAD) - _PAD
    middles = [_PAD + tall / 2]
    middles += [below + _PAD + tall / 2 + k * (tall + _PAD) for k in range(rows)]
    if head:
        higher = plots.above(canvas, [head], [canvas.shape[1] / 2])
        shift = len(higher) - len(canvas)
        canvas, middles = higher, [middle + shift for middle in middles]
    return plots.beside(canvas, every, middles)
