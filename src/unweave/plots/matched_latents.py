"""How far latents of one model go with those of another, in the order in which they match."""

from __future__ import annotations

__all__ = ["matched_latents"]

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from unweave.plots.style import (
    DIVERGING,
    INK,
    MUTED,
    WIDTH,
    label_scale,
    new_figure,
    styled,
)

_LARGEST = 0.46
_SCALE = 0.8
_LETTER = 0.068
_SCALE_LETTER = 0.064
# Points below which numbers cannot be read.
_READABLE = 5.0


@styled
def matched_latents(
    table: ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    row_label: str = "",
    column_label: str = "",
    value_label: str = "correlation",
) -> Figure:
    """A heat map of correlations, in which the k-th row matches the k-th column.

    Args:
        table: Correlations from -1 to 1, (L1, L2), rows and columns in the order of the match;
            what has no match comes last.
        rows: Names of the latents of the first model, (L1,).
        columns: Names of those of the second, (L2,).
        row_label: What the first model is called.
        column_label: What the second one is called.
        value_label: What the numbers are.

    Returns:
        The figure, matches outlined, with numbers where there is room for them.

    Raises:
        ValueError: Shapes do not fit, or a value is out of range.
    """
    values = np.asarray(table, np.float64)
    if not values.size or values.shape != (len(rows), len(columns)):
        raise ValueError(
            f"table must be {len(rows)} by {len(columns)}, and not empty; got {values.shape}."
        )
    if not (np.abs(values) <= 1 + 1e-9).all():
        raise ValueError("Correlations must lie between -1 and 1.")
    left = 0.4 + _LETTER * max(map(len, rows))
    cell = min(_LARGEST, (WIDTH - left - _SCALE) / len(columns))
    wide, tall = cell * len(columns), cell * len(rows)
    tilted = _LETTER * 1.1 * max(map(len, columns)) > cell
    top = 0.36 + (0.05 + 0.72 * _LETTER * max(map(len, columns)) if tilted else 0.12)
    scale = max(tall, 0.9, _SCALE_LETTER * len(value_label))
    width, height = max(left + wide + _SCALE, 3.2), top + scale + 0.12
    figure = new_figure(width, height)
    axes = figure.add_axes((left / width, 1 - (top + tall) / height, wide / width, tall / height))
    picture = axes.imshow(values, cmap=DIVERGING, vmin=-1, vmax=1, aspect="auto",
                          interpolation="nearest")  # fmt: skip
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    size = max(4.0, min(8.0, cell * 72 * 0.5))
    axes.set_xticks(range(len(columns)), list(columns), rotation=40 if tilted else 0,
                    ha="left" if tilted else "center", rotation_mode="anchor")  # fmt: skip
    axes.set_yticks(range(len(rows)), list(rows))
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False,
                     labelcolor=INK, labelsize=size, pad=3)  # fmt: skip
    figure.text(left / width, 1 - 0.06 / height, column_label, fontsize=8.5, color=MUTED,
                va="top", ha="left")  # fmt: skip
    figure.text(0.08 / width, 1 - (top + tall / 2) / height, row_label, fontsize=8.5,
                color=MUTED, va="center", ha="left", rotation=90)  # fmt: skip
    number = min(7.5, cell * 72 * 0.27)
    if number >= _READABLE:
        for (row, column), value in np.ndenumerate(values):
            words = f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")
            axes.text(column, row, words, ha="center", va="center", fontsize=number,
                      color="white" if abs(value) > 0.6 else INK)  # fmt: skip
    for place in range(min(values.shape)):
        axes.add_patch(
            Rectangle((place - 0.5, place - 0.5), 1, 1, fill=False, edgecolor=INK, linewidth=1.2,
                      clip_on=False, zorder=3)
        )  # fmt: skip
    bar = figure.add_axes(((left + wide + 0.18) / width, 1 - (top + scale) / height, 0.12 / width,
                           scale / height))  # fmt: skip
    label_scale(figure.colorbar(picture, cax=bar, ticks=[-1, -0.5, 0, 0.5, 1]), value_label)
    return figure
