"""Circular factors on two latents: codes coloured by value, and the path of their means."""

from __future__ import annotations

__all__ = ["Circle", "circles"]

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Wedge
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from unweave.plots.names import shortened
from unweave.plots.shares import clipped_end
from unweave.plots.sheet import head_of, write_head
from unweave.plots.style import CYCLIC, FAINT, INK, MUTED, WIDTH, new_figure, styled

Points: TypeAlias = NDArray[np.float64]

_MOST_POINTS = 1500
# So many codes would be hidden by the path, and stand above it.
_FEW = 120
# Inches.
_LEFT = 0.62
_RIGHT = 1.3
_GAP = 0.12
_LARGEST = 2.3
_BETWEEN = 0.72
_LONGEST = 24


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Circle:
    """A circular factor on two latents.

    Attributes:
        factor: Its name.
        latents: What the two latents are, such as `z3, orientation`.
        panels: Of each: its name, codes (n, 2), the value of each as a share of the way round
            (n,), and the means by value in their order, (V, 2).
        marks: What the legend names: shares of the way round and the names of the values there.
    """

    factor: str
    latents: tuple[str, str]
    panels: tuple[tuple[str, Points, Points, Points], ...]
    marks: tuple[tuple[float, str], ...]


@styled
def circles(rows: Sequence[Circle], *, title: str = "", note: str = "") -> Figure:
    """A row of scatter plots for each circular factor; at most 1,500 evenly chosen codes a panel.

    Args:
        rows: One a factor, from top to bottom.
        title: Words above.
        note: Smaller words below the title.

    Returns:
        The figure. All panels of a row have the same axes, equal in both directions.

    Raises:
        ValueError: There is nothing to draw, or shapes do not fit.
    """
    _check(rows)
    columns = max(len(row.panels) for row in rows)
    room = WIDTH - _LEFT - _RIGHT
    side = min(_LARGEST, (room - _GAP * (columns - 1)) / columns)
    width = max(_LEFT + columns * side + (columns - 1) * _GAP + _RIGHT, 4.6)
    head = head_of(title, note, width)
    height = head.height + len(rows) * (side + _BETWEEN)
    figure = new_figure(width, height)
    whole = figure.add_axes((0, 0, 1, 1))
    whole.set(xlim=(0, width), ylim=(height, 0))
    whole.set_axis_off()
    write_head(whole, head)
    for number, row in enumerate(rows):
        top = head.height + number * (side + _BETWEEN) + 0.24
        limits = _limits([codes for _, codes, _, _ in row.panels])
        names = shortened([name for name, *_ in row.panels], _LONGEST)
        for column, (_, codes, places, path) in enumerate(row.panels):
            left = _LEFT + column * (side + _GAP)
            axes = figure.add_axes((left / width, (height - top - side) / height, side / width,
                                    side / height))  # fmt: skip
            _draw(axes, codes, places, path, limits)
            axes.set_title(names[column], fontsize=8.5, pad=4)
            axes.set_xlabel(clipped_end(row.latents[0], 22), labelpad=2)
            if column:
                axes.tick_params(labelleft=False)
            else:
                axes.set_ylabel(clipped_end(row.latents[1], 22), labelpad=2)
        left = _LEFT + len(row.panels) * (side + _GAP)
        _legend(whole, row, (left + 0.56, top + side / 2), side)
    return figure


def _check(rows: Sequence[Circle]) -> None:
    if not rows or not all(row.panels for row in rows):
        raise ValueError("circles needs at least one factor with one panel.")
    for row in rows:
        for name, codes, places, path in row.panels:
            if (
                codes.shape != (len(places), 2) or path.ndim != 2 or path.shape[1] != 2
                or not len(codes)
            ):  # fmt: skip
                raise ValueError(
                    f"{row.factor}, {name}: codes must be (n, 2) with n at least 1, with n places "
                    f"and a path (V, 2); got {codes.shape}, {places.shape} and {path.shape}."
                )


def _limits(codes: Sequence[Points]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Limits of both axes, equally long, around all codes."""
    every = np.concatenate(codes)
    middle = (every.min(axis=0) + every.max(axis=0)) / 2
    reach = 0.54 * float(np.ptp(every, axis=0).max()) or 1.0
    low, high = middle - reach, middle + reach
    return (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))


def _draw(
    axes: Axes,
    codes: Points,
    places: Points,
    path: Points,
    limits: tuple[tuple[float, float], tuple[float, float]],
) -> None:
    kept = np.arange(0, len(codes), max(1, -(-len(codes) // _MOST_POINTS)))
    # Few codes would be hidden by the path through their means.
    few = len(kept) <= _FEW
    axes.scatter(codes[kept, 0], codes[kept, 1], s=18 if few else 4, c=CYCLIC(places[kept] % 1),
                 alpha=0.9 if few else 0.6, linewidths=0, zorder=3.2 if few else 2)  # fmt: skip
    closed = np.concatenate([path, path[:1]])
    axes.plot(closed[:, 0], closed[:, 1], color="white", linewidth=2.6, zorder=3)
    axes.plot(closed[:, 0], closed[:, 1], color=INK, linewidth=1.1, zorder=3.1)
    axes.axhline(0, color=FAINT, linewidth=0.6, zorder=1)
    axes.axvline(0, color=FAINT, linewidth=0.6, zorder=1)
    axes.set(xlim=limits[0], ylim=limits[1])
    axes.grid(visible=False)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.tick_params(labelsize=7, length=2, pad=2)


def _legend(whole: Axes, row: Circle, centre: tuple[float, float], side: float) -> None:
    """A ring with the colours of the values, and the names of some."""
    x, y = centre
    radius = 0.22
    turns = np.linspace(0, 1, 61)
    for start, end in itertools.pairwise(turns.tolist()):
        # Down is up on a sheet, where angles so go clockwise, from the right.
        angles = 360 * start - 90, 360 * end - 90 + 0.5
        ring = Wedge((x, y), radius, *angles, width=0.09, facecolor=CYCLIC(start), linewidth=0)
        whole.add_artist(ring)
    for place, name in row.marks:
        angle = 2 * np.pi * place
        across, down = np.sin(angle), -np.cos(angle)
        whole.text(
            x + (radius + 0.06) * across, y + (radius + 0.09) * down,
            clipped_end(name, 8 if abs(across) < 0.2 else 6),
            fontsize=6.5, color=MUTED, va="center_baseline",
            ha="center" if abs(across) < 0.2 else "left" if across > 0 else "right",
        )  # fmt: skip
    heading = clipped_end(row.factor, 14)
    whole.text(x, y - min(0.5, side / 2), heading, fontsize=8, color=INK, ha="center",
               fontweight="bold", va="bottom")  # fmt: skip
