"""Blocks of images below each other, with words beside their rows and above their columns."""

from __future__ import annotations

__all__ = ["Block", "image_blocks", "joined_blocks"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unweave.plots.grid import centres, image_grid, label_row
from unweave.plots.images import Pixels, as_rgb, edge_colour, tile
from unweave.plots.shown import pictured
from unweave.plots.style import ACCENT, FAINT, INK, MUTED, WIDTH, styled

_PAD = 2
_GAP = 6
# Inches that a line of words above a block takes, and that are kept free at the sides.
_HEAD = 0.2
_SIDE = 0.08
_LARGEST_TILE = 1.1
# Inches that a letter of a row's name takes.
_LETTER = 0.078


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Block:
    """Rows of images that belong together.

    Attributes:
        images: (rows, cols, H, W, C) uint8 with C of 1 or 3.
        names: What each row is called, (rows,).
        notes: A second line for each row, such as the factor that a latent follows, or None.
        faint: Whether each row is of little weight.
        heads: Words above the columns, or none.
    """

    images: NDArray[Any]
    names: Sequence[str]
    notes: Sequence[str | None] = ()
    faint: Sequence[bool] = ()
    heads: Sequence[str] = ()


@styled
def image_blocks(blocks: Sequence[Block]) -> Figure:
    """Blocks of images below each other, with the names of their rows and columns.

    Args:
        blocks: At least one; all images have one size. Short rows end early.

    Returns:
        The figure; tiles are drawn without resampling.

    Raises:
        ValueError: Wrong types or shapes, or names that do not fit.
    """
    rgb = [_checked(block) for block in blocks]
    height, width = rgb[0].shape[2:4]
    across = max(images.shape[1] for images in rgb) * (width + _PAD) + _PAD
    words = [word for block in blocks for word in (*block.names, *block.notes) if word]
    left = max(0.6, min(2.4, 0.35 + _LETTER * max(map(len, words), default=0)))
    # As `image_grid` will magnify it.
    inches = min((WIDTH - left - _SIDE) / across, _LARGEST_TILE / width)
    first, *others = blocks
    line = int(np.ceil(_HEAD / inches))
    gaps = [0] + [line + _GAP // 2 if block.heads else _GAP for block in others]
    canvas, tops = _joined(rgb, gaps)
    heads = centres(len(first.heads), width, _PAD).tolist()
    figure, axes, inches = image_grid(
        canvas,
        columns=list(zip(heads, first.heads, strict=True)),
        left=left,
        top=0.3 if first.heads else _SIDE,
        tile_width=width,
        largest_tile=_LARGEST_TILE,
    )
    two = any(note for block in blocks for note in block.notes)
    size = max(3.5, min(8.5, (height + _PAD) * inches * 72 / (2 if two else 1) * 0.72))
    longest = max((len(head) for block in blocks for head in block.heads), default=1)
    small = max(3.0, min(8.0, (width + _PAD) * inches * 72 / (0.66 * longest)))
    axes.tick_params(axis="x", labelsize=small, labelcolor=MUTED)
    for number, (block, top) in enumerate(zip(blocks, tops, strict=True)):
        faint = block.faint or [False] * len(block.names)
        notes = block.notes or [None] * len(block.names)
        places = top + centres(len(block.names), height, _PAD)
        for middle, name, note, pale in zip(places, block.names, notes, faint, strict=True):
            texts = [(name, FAINT if pale else INK)]
            texts += [(note, FAINT if pale else ACCENT)] if note else []
            for place, (text, colour) in enumerate(texts):
                up = ((len(texts) - 1) / 2 - place) * size * 1.3
                label_row(axes, middle, text, size, colour, up)
        if number:
            for at, head in zip(centres(len(block.heads), width, _PAD), block.heads, strict=True):
                axes.text(at, top - 1, head, fontsize=small, color=MUTED, ha="center", va="bottom")
    return figure


def joined_blocks(blocks: Sequence[Block]) -> Pixels:
    """Blocks of images below each other, without words; (H, W, 3) uint8."""
    rgb = [_checked(block) for block in blocks]
    return pictured(_joined(rgb, [0] + [_GAP] * (len(rgb) - 1))[0])


def _checked(block: Block) -> Pixels:
    rgb = as_rgb(block.images, 5, "images")
    for name, given, length in (
        ("names", block.names, rgb.shape[0]),
        ("notes", block.notes or block.names, rgb.shape[0]),
        ("faint", block.faint or block.names, rgb.shape[0]),
        ("heads", block.heads or range(rgb.shape[1]), rgb.shape[1]),
    ):
        if len(given) != length:
            raise ValueError(f"{name} must be {length}, one for each; got {len(given)}.")
    return rgb


def _joined(rgb: Sequence[Pixels], gaps: Sequence[int]) -> tuple[Pixels, list[int]]:
    """One canvas, and where each block begins on it."""
    shade = min(edge_colour(images) for images in rgb)
    tiled = [tile(images, _PAD, shade) for images in rgb]
    canvas = np.full(
        (sum(map(len, tiled)) + sum(gaps), max(part.shape[1] for part in tiled), 3), 255, np.uint8
    )
    tops, at = [], 0
    for part, gap in zip(tiled, gaps, strict=True):
        at += gap
        canvas[at : at + len(part), : part.shape[1]] = part
        tops.append(at)
        at += len(part)
    return canvas, tops
