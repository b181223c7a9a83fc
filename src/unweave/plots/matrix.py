"""Which latent knows how much about which factor, as a table with shades."""

from __future__ import annotations

__all__ = ["best_latents", "latent_factor_matrix"]

from collections.abc import Sequence
from textwrap import wrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from unweave.plots.names import wrapped
from unweave.plots.style import (
    FAINT,
    INK,
    MARK,
    MUTED,
    SEQUENTIAL,
    WIDTH,
    label_scale,
    new_figure,
    styled,
    write_title,
)

# Inches of a letter and of a line of the words beside a scale.
_CHARACTER, _LINE = 0.065, 0.14
# Inches of a letter of the title.
_BOLD = 0.0912


def best_latents(matrix: ArrayLike) -> list[int | None]:
    """The row with the highest value of each column; None where no value is above zero.

    Args:
        matrix: (L, K); values that are not finite are passed over.

    Returns:
        K row numbers; of equal values the first.
    """
    values = np.asarray(matrix, np.float64)
    known = np.where(np.isfinite(values), values, -np.inf)
    return [int(i) if known[i, k] > 0 else None for k, i in enumerate(known.argmax(axis=0))]


@styled
def latent_factor_matrix(
    matrix: ArrayLike,
    factor_names: Sequence[str],
    latent_names: Sequence[str],
    title: str = "",
    value_label: str = "",
) -> Figure:
    """A heat map with the numbers in its cells; the best latent of each factor is outlined.

    Args:
        matrix: (L, K), one row a latent and one column a factor.
        factor_names: (K,).
        latent_names: (L,).
        title: Words above the table.
        value_label: What the numbers are, with their unit; beside the scale.

    Returns:
        The figure; a value that is not finite is a dash.

    Raises:
        ValueError: Wrong shape, or names that do not fit it.
    """
    values = np.asarray(matrix, np.float64)
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(f"matrix must be latents by factors; got shape {values.shape}.")
    rows, columns = values.shape
    if len(latent_names) != rows or len(factor_names) != columns:
        raise ValueError(
            f"matrix has {rows} latents and {columns} factors; got {len(latent_names)} "
            f"latent_names and {len(factor_names)} factor_names."
        )
    finite = values[np.isfinite(values)]
    top = max(float(finite.max()), 0.0) if len(finite) else 0.0
    low = min(float(finite.min()), 0.0) if len(finite) else 0.0

    cell_h = 0.3 if rows <= 32 else 0.18
    scale_h = max(cell_h * rows, 0.9)
    # The words beside the scale go along it, in as many lines as they need.
    lines = wrap(value_label, int(scale_h / _CHARACTER))
    margin = 1.25 + _LINE * max(0, len(lines) - 1)
    cell_w = min(1.05, (WIDTH - 0.65 - margin) / columns)
    left = min(1.6, 0.2 + 0.075 * max(len(name) for name in latent_names))
    tilt = max(len(name) for name in factor_names) * 0.078 > cell_w
    head = (0.25 if not tilt else 0.3 + 0.055 * max(map(len, factor_names))) + 0.32 * bool(title)
    wide, high = cell_w * columns, cell_h * rows
    width = max(left + wide + margin, min(WIDTH, 0.24 + _BOLD * len(title)))
    title = wrapped(title, width - 0.24, 9.5)
    head += 0.16 * title.count("\n")
    height = head + scale_h + 0.12
    figure = new_figure(width, height)
    axes = figure.add_axes((left / width, (height - head - high) / height, wide / width,
                            high / height))  # fmt: skip
    shown = np.ma.masked_invalid(values)
    picture = axes.imshow(
        shown, cmap=SEQUENTIAL, vmin=low, vmax=top if top > low else low + 1, aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    _cells(axes, values, min(8.5, cell_h * 72 * 0.42, cell_w * 72 * 0.2))
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks(
        range(columns), list(factor_names),
        rotation=35 if tilt else 0, ha="left" if tilt else "center",
    )  # fmt: skip
    axes.set_yticks(range(rows), list(latent_names))
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.tick_params(labelcolor=INK, labelsize=8.5 if cell_h > 0.2 else 7)
    for column, row in enumerate(best_latents(values)):
        if row is not None:
            axes.add_patch(
                Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor=MARK,
                          linewidth=1.8, clip_on=False, zorder=3)
            )  # fmt: skip
    scale = figure.add_axes(((left + wide + 0.2) / width, (height - head - scale_h) / height,
                             0.12 / width, scale_h / height))  # fmt: skip
    label_scale(figure.colorbar(picture, cax=scale), "\n".join(lines))
    write_title(figure, title)
    return figure


def _cells(axes: Axes, values: NDArray[np.float64], size: float) -> None:
    """Write each number in its cell, light on dark shades."""
    if size < 3.5:
        return
    finite = values[np.isfinite(values)]
    top = max(float(finite.max()), 0.0) if len(finite) else 0.0
    for (row, column), value in np.ndenumerate(values):
        if not np.isfinite(value):
            axes.text(column, row, "\N{EN DASH}", ha="center", va="center", color=FAINT)
            continue
        text = f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")
        dark = top > 0 and value > 0.55 * top
        colour = "white" if dark else INK if value >= 0.1 * top else MUTED
        axes.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
