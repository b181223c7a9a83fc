"""A figure that shows a canvas of pixels without resampling, with words over its columns."""

from __future__ import annotations

__all__ = ["centres", "image_grid", "label_row"]

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unweave.plots.style import MUTED, WIDTH, new_figure

_TARGET_DPI = 170
_RIGHT = 0.08
_BOTTOM = 0.08


def image_grid(
    canvas: NDArray[Any],
    *,
    columns: list[tuple[float, str]],
    left: float,
    top: float,
    tile_width: int,
    largest_tile: float = 1.1,
) -> tuple[Figure, Axes, float]:
    """Lay a canvas into a figure so that each of its pixels is a square of whole pixels.

    Args:
        canvas: (H, W, 3) uint8.
        columns: Position in canvas pixels and text of each label above the canvas.
        left: Inches kept free on the left for the labels of the rows.
        top: Inches kept free above.
        tile_width: Width of one tile in canvas pixels.
        largest_tile: Inches that one tile may be wide at most.

    Returns:
        The figure; its axes, whose data coordinates are canvas pixels; inches of a canvas pixel.
    """
    height, width, _ = canvas.shape
    inches = min((WIDTH - left - _RIGHT) / width, largest_tile / tile_width)
    scale = max(1, round(inches * _TARGET_DPI))
    dpi = max(1, round(scale / inches))

    left_px, right_px = round(left * dpi), round(_RIGHT * dpi)
    top_px, bottom_px = round(top * dpi), round(_BOTTOM * dpi)
    total_w = left_px + width * scale + right_px
    total_h = top_px + height * scale + bottom_px
    # The canvas of Agg drops fractions: without the margin 1439.9999 pixels would be 1439.
    figure = new_figure((total_w + 0.01) / dpi, (total_h + 0.01) / dpi, dpi)
    axes = figure.add_axes(
        (
            left_px / total_w,
            bottom_px / total_h,
            width * scale / total_w,
            height * scale / total_h,
        )
    )
    axes.imshow(canvas, interpolation="nearest", aspect="auto", extent=(0, width, height, 0))
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_yticks([])
    axes.set_xticks([at for at, _ in columns], [text for _, text in columns])
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False, pad=3)
    axes.tick_params(axis="x", colors=MUTED)
    return figure, axes, scale / dpi


def centres(count: int, size: int, pad: int) -> NDArray[np.float64]:
    """Middle of each of `count` tiles along one axis of a canvas, in canvas pixels."""
    return pad + size / 2 + (size + pad) * np.arange(count, dtype=np.float64)


def label_row(
    axes: Axes, middle: float, text: str, size: float, colour: str, up: float = 0
) -> None:
    """Write words left of a canvas, level with a place on it.

    Args:
        axes: The axes that show the canvas.
        middle: Height of the place in canvas pixels.
        text: The words.
        size: Font size in points.
        colour: Colour of the words.
        up: Points above the place.
    """
    axes.annotate(
        text,
        (0, middle),
        xytext=(-6, up),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=size,
        color=colour,
        annotation_clip=False,
    )
