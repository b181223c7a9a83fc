"""What images become when a conditional decoder is told other labels."""

from __future__ import annotations

__all__ = ["conditions"]

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unweave.plots.grid import image_grid
from unweave.plots.images import as_rgb, edge_colour, tile
from unweave.plots.shares import clipped_end
from unweave.plots.style import INK, MUTED, styled

_PAD = 2
_GAP = 6
# Inches that a letter of the name of a label takes.
_LETTER = 0.072


@styled
def conditions(
    originals: NDArray[Any],
    reconstructed: NDArray[Any],
    changed: NDArray[Any],
    groups: Sequence[tuple[str, Sequence[str]]],
) -> Figure:
    """One row an image: itself, its reconstruction, and its latents under other labels.

    Args:
        originals: (n, H, W, C) uint8 with C of 1 or 3.
        reconstructed: (n, H, W, C) uint8, decoded with the labels of the image.
        changed: (n, S, H, W, C) uint8, decoded with one label changed.
        groups: Name of each label and names of its values, S values together in the order of
            `changed`.

    Returns:
        The figure; tiles are drawn without resampling.

    Raises:
        ValueError: Wrong types or shapes, or names that do not fit.
    """
    pairs = np.stack(
        [as_rgb(originals, 4, "originals"), as_rgb(reconstructed, 4, "reconstructed")]
    )
    others = as_rgb(changed, 5, "changed")
    if others.shape[0] != pairs.shape[1] or others.shape[2:] != pairs.shape[2:]:
        raise ValueError(
            f"changed must have a row for each of the originals, of one size; got {changed.shape} "
            f"and {originals.shape}."
        )
    total = sum(len(values) for _, values in groups)
    if total != others.shape[1] or not all(len(values) for _, values in groups):
        raise ValueError(f"groups must name each of {others.shape[1]} columns; got {total} names.")

    shade = edge_colour(pairs)
    named: list[tuple[str, Sequence[str], NDArray[np.uint8]]] = [
        ("", ("original", "reconstr."), pairs.transpose(1, 0, 2, 3, 4))
    ]
    start = 0
    for label, values in groups:
        named.append((label, values, others[:, start : start + len(values)]))
        start += len(values)

    width = pairs.shape[3]
    blocks: list[NDArray[np.uint8]] = []
    heads: list[tuple[float, str]] = []
    titles: list[tuple[float, str, int]] = []
    left = 0
    for label, values, images in named:
        block = tile(images, _PAD, shade)
        titles.append((left + _PAD, label, block.shape[1]))
        heads += [
            (left + _PAD + width / 2 + place * (width + _PAD), value)
            for place, value in enumerate(values)
        ]
        blocks += [block, np.full((len(block), _GAP, 3), 255, np.uint8)]
        left += block.shape[1] + _GAP
    figure, axes, inches = image_grid(
        np.concatenate(blocks[:-1], axis=1),
        columns=heads,
        left=0.08,
        top=0.48,
        tile_width=width,
        largest_tile=0.9,
    )
    longest = max(len(text) for _, text in heads)
    size = max(4.2, min(8.0, (width + _PAD) * inches * 72 / (0.62 * longest)))
    axes.tick_params(axis="x", labelsize=size, labelcolor=MUTED)
    for at, label, across in titles:
        axes.annotate(
            clipped_end(label, max(3, int(across * inches / _LETTER))),
            (at, 0),
            xytext=(0, 18),
            textcoords="offset points",
            ha="left",
            va="bottom",
            fontsize=8.5,
            color=INK,
            annotation_clip=False,
        )
    return figure
