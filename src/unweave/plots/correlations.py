"""How closely scores agree, as a table with shades."""

from __future__ import annotations

__all__ = ["correlation_matrix"]

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from unweave.plots.names import shortened, wrapped
from unweave.plots.style import (
    DIVERGING,
    FAINT,
    INK,
    WIDTH,
    label_scale,
    new_figure,
    styled,
    write_title,
)

_MOST_NUMBERS = 24
# Inches that a letter of a name takes.
_LETTER = 0.066
_SCALE_LETTER = 0.064
_BOLD = 0.0912
_LONGEST = 44


@styled
def correlation_matrix(
    values: ArrayLike, names: Sequence[str], title: str = "", value_label: str = ""
) -> Figure:
    """A heat map from -1 to 1, with the numbers in its cells where there is room for them.

    Args:
        values: (M, M), from -1 to 1.
        names: (M,).
        title: Words above the table.
        value_label: What the numbers are; beside the scale.

    Returns:
        The figure; a value that is not finite is a dash.

    Raises:
        ValueError: Wrong shape, names that do not fit it, or a value out of range.
    """
    table = np.asarray(values, np.float64)
    count = len(names)
    if table.shape != (count, count) or count == 0:
        raise ValueError(f"values must be {count} by {count}, one each name; got {table.shape}.")
    if (np.abs(table[np.isfinite(table)]) > 1 + 1e-9).any():
        raise ValueError("values must lie between -1 and 1.")
    names = shortened(names, _LONGEST)
    longest = max(map(len, names))
    left = 0.25 + _LETTER * longest
    cell = min(0.62, (WIDTH - left - 1.0) / count)
    head = 0.12 + 0.3 * bool(title)
    foot = 0.2 + 0.75 * _LETTER * longest
    side = cell * count
    tall = max(side, 1.0, _SCALE_LETTER * len(value_label))
    width = left + side + 1.0
    if title:
        width = max(width, min(WIDTH, 0.24 + _BOLD * len(title)))
        title = wrapped(title, width - 0.24, 9.5)
        head += 0.16 * title.count("\n")
    height = head + tall + foot
    figure = new_figure(width, height)
    axes = figure.add_axes((left / width, (foot + tall - side) / height, side / width,
                            side / height))  # fmt: skip
    picture = axes.imshow(
        np.ma.masked_invalid(table), cmap=DIVERGING, vmin=-1, vmax=1, interpolation="nearest"
    )
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    size = min(8.0, cell * 72 * 0.26)
    axes.set_xticks(range(count), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(count), names)
    axes.tick_params(length=0, labelcolor=INK, labelsize=min(8.5, cell * 72 * 0.6))
    for (row, column), value in np.ndenumerate(table):
        if not np.isfinite(value):
            axes.text(column, row, "\N{EN DASH}", ha="center", va="center", color=FAINT)
        elif count <= _MOST_NUMBERS:
            text = f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")
            colour = "white" if abs(value) > 0.6 else INK
            axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
    scale = figure.add_axes(((left + side + 0.2) / width, foot / height,
                             0.12 / width, tall / height))  # fmt: skip
    bar = figure.colorbar(picture, cax=scale, ticks=[-1, -0.5, 0, 0.5, 1])
    label_scale(bar, value_label)
    write_title(figure, title)
    return figure
