"""Latents while their factor is set, and while another one is set as well, as small panels."""

from __future__ import annotations

__all__ = ["Intervention", "interventions"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from unweave.plots.names import shortened
from unweave.plots.responses import Order
from unweave.plots.series import short
from unweave.plots.shares import clipped_end
from unweave.plots.sheet import (
    Cell,
    add_lines,
    column_heads,
    head_of,
    new_sheet,
    write_column,
    write_head,
    write_words,
)
from unweave.plots.style import (
    BLUE,
    CYCLIC,
    FAINT,
    INK,
    MARK,
    MUTED,
    SEQUENTIAL,
    SERIES,
    WIDTH,
    styled,
)

# Inches.
_LEFT = 0.9
_GAP = 0.07
_WIDEST = 1.3
_TALLEST = 0.8
_SHORTEST = 0.5
_LONGEST = 24
_FOOT = 0.12


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Intervention:
    """A latent, the factor that it is most robust with, and what else moves it.

    Attributes:
        latent: Its name.
        parent: Number of that factor.
        order: Whether the factor's V values have an order, and whether the last meets the first.
        places: Where each value stands, (V,), from 0 to 1 of the way.
        mean: Mean of the latent for each value, (V,); NaN where there is no image.
        deviation: Standard deviation around it, (V,).
        curves: Of each factor, means for each value of the parent and of this one, (V, W); None
            of the parent itself.
        robustness: With each factor, (K,).
    """

    latent: str
    parent: int
    order: Order
    places: NDArray[np.float64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    curves: tuple[NDArray[np.float64] | None, ...]
    robustness: NDArray[np.float64]


@styled
def interventions(
    rows: Sequence[Intervention],
    factors: Sequence[str],
    orders: Sequence[Order],
    *,
    title: str = "",
    note: str = "",
) -> Figure:
    """Panels of latents by factors; every panel of a row has the values of its parent across.

    In the column of the parent stand the mean of the latent and its spread. In another column
    stand the means for each value of that factor, a line each: where only the parent moves the
    latent, all lines are the same. The layout is that of disentanglement_lib.

    Args:
        rows: One a latent, from top to bottom.
        factors: Names of the K factors.
        orders: Whether the values of each have an order; their lines are shades then.
        title: Words above.
        note: Smaller words below the title.

    Returns:
        The figure.

    Raises:
        ValueError: There is nothing to draw, or shapes do not fit.
    """
    _check(rows, factors, orders)
    columns = len(factors)
    names = shortened(factors, _LONGEST)
    wide, tilted, names_high, beyond = column_heads(names, WIDTH - _LEFT - 0.1, _WIDEST, _GAP)
    tall = min(_TALLEST, max(_SHORTEST, 0.7 * wide))
    width = max(_LEFT + columns * (wide + _GAP) + max(0.1, beyond), 4.6)
    low, high = _range(rows)
    words = (
        "Across: the values of the factor that a latent is most robust with, which is framed: "
        "mean and standard deviation. Other columns: means for each value of their factor, a line "
        "each, from light to dark where values have an order. The number is the robustness. All "
        f"go from {short(low)} to {short(high)}."
    )
    head = head_of(title, f"{note} {words}".strip(), width)
    top = head.height + names_high
    cells = [
        [Cell(_LEFT + k * (wide + _GAP), top + j * (tall + _GAP), wide, tall)
         for k in range(columns)]
        for j in range(len(rows))
    ]  # fmt: skip
    height = top + len(rows) * (tall + _GAP) + _FOOT
    figure, axes = new_sheet(width, height, [cell for row in cells for cell in row])
    write_head(axes, head)
    palettes = {order: _palette(order) for order in set(orders)}
    for row, line in zip(rows, cells, strict=True):
        middle = line[0].top + tall / 2
        parent = clipped_end(factors[row.parent], 12)
        write_words(axes, _LEFT - 0.08, middle - 0.08, row.latent, 8.5, ha="right", color=INK)
        write_words(axes, _LEFT - 0.08, middle + 0.08, parent, 7, ha="right", color=MARK)
        for column, cell in enumerate(line):
            _panel(axes, cell, row, column, palettes[orders[column]], (low, high))
    for cell, name in zip(cells[0], names, strict=True):
        write_column(axes, cell, name, tilted=tilted)
    return figure


def _check(rows: Sequence[Intervention], factors: Sequence[str], orders: Sequence[Order]) -> None:
    if not rows or not factors or len(orders) != len(factors):
        raise ValueError("interventions needs a latent, a factor, and an order for each factor.")
    for row in rows:
        count = len(row.places)
        fits = row.mean.shape == row.deviation.shape == (count,)
        fits &= len(row.curves) == len(row.robustness) == len(factors)
        fits &= all(of is None or (of.ndim == 2 and len(of) == count) for of in row.curves)
        if not fits or not 0 <= row.parent < len(factors):
            raise ValueError(f"The arrays of {row.latent} do not fit {len(factors)} factors.")


def _range(rows: Sequence[Intervention]) -> tuple[float, float]:
    parts = [np.concatenate([row.mean - row.deviation, row.mean + row.deviation]) for row in rows]
    parts += [np.ravel(of) for row in rows for of in row.curves if of is not None]
    values = np.concatenate(parts)
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (-1.0, 1.0)
    reach = 0.05 * (high - low) or 1.0
    # The number stands in the upper corner.
    return low - reach, high + 3 * reach


def _palette(order: Order) -> list[str]:
    """Colours of the lines of a factor's values; of those in order shades."""
    if order == "categorical":
        return list(SERIES)
    if order == "circular":
        return [to_hex(CYCLIC(k / 5)) for k in range(5)]
    return [to_hex(shade) for shade in SEQUENTIAL(np.linspace(0.3, 1, 5))]


def _panel(
    axes: Axes,
    cell: Cell,
    row: Intervention,
    column: int,
    palette: Sequence[str],
    limits: tuple[float, float],
) -> None:
    low, high = limits
    zero = (0 - low) / (high - low)
    if 0 < zero < 1:
        ends = np.stack([cell.x([0, 1]), cell.y([zero, zero])], axis=1)
        add_lines(axes, [ends], colors=FAINT, linewidths=0.5, zorder=1)
    x = cell.x(0.05 + 0.9 * row.places / max(1.0, float(row.places.max(initial=0))))
    of = row.curves[column]
    if of is None:
        known = np.isfinite(row.mean)
        mean, spread = row.mean[known], row.deviation[known]
        lower, middle, upper = (
            np.stack([x[known], cell.y((value - low) / (high - low))], axis=1)
            for value in (mean - spread, mean, mean + spread)
        )
        band = np.concatenate([lower, upper[::-1]])
        fill = PolyCollection([band], facecolor=BLUE, alpha=0.2, linewidth=0, zorder=1.5)
        axes.add_collection(fill, autolim=False)
        add_lines(axes, [middle], colors=BLUE, linewidths=1.4, zorder=2)
        frame = Rectangle((cell.left, cell.top), cell.width, cell.height, fill=False,
                          edgecolor=MARK, linewidth=1.4, zorder=3)  # fmt: skip
        axes.add_artist(frame)
    else:
        lines, colours = [], []
        for k, values in enumerate(of.T):
            known = np.isfinite(values)
            if known.any():
                y = cell.y((values[known] - low) / (high - low))
                lines.append(np.stack([x[known], y], axis=1))
                # Few values take colours as far apart as many.
                place = k * (len(palette) - 1) // max(of.shape[1] - 1, 1)
                colours.append(palette[k if palette[0] == SERIES[0] else place])
        add_lines(axes, lines, colors=colours, linewidths=0.9, alpha=0.9, zorder=2)
    write_words(axes, cell.left + cell.width - 0.03, cell.top + 0.075,
                f"{row.robustness[column]:.2f}".replace("-", "\N{MINUS SIGN}"), 6.5, ha="right",
                color=MARK if of is None else MUTED)  # fmt: skip
