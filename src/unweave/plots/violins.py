"""How scores of many runs are spread, group by group."""

from __future__ import annotations

__all__ = ["violins"]

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from unweave.plots.names import shortened, wrapped
from unweave.plots.style import BLUE, INK, MARK, MUTED, WIDTH, new_figure, styled

_LONGEST = 44
# Inches that a letter of a group's name takes, and the size of the words above a panel.
_LETTER = 0.064
_WORDS = 8.5
# Inches for the number of values at the right end of a row.
_NUMBER = 0.45
# With more runs the points of a group would hide its shape.
_MOST_POINTS = 200
# Fewer points have no shape.
_FEWEST = 5
# No axis goes further.
_LARGEST = 1e150
_GOLDEN = 0.6180339887498949


@styled
def violins(
    panels: Mapping[str, Mapping[str, ArrayLike]], title: str = "", value_label: str = ""
) -> Figure:
    """A row for each group: how dense its values lie, each value, and their median.

    All panels have the same groups, from the top, and the same scale. A shape ends at the least
    and at the greatest value, and is as wide as the density of a Gaussian kernel; groups of fewer
    than five values, or of equal ones, have none. Where there are more than 200 values their
    points are left out.

    Args:
        panels: Words above a panel -> group -> its values, (n,), n of at least 0; values that are
            not finite, or of a size of 1e150 or more, are passed over.
        title: Words above the panels.
        value_label: What the values are, with their unit.

    Returns:
        The figure; each row says how many values it has, and its median is the orange mark.

    Raises:
        ValueError: No panel or no group, or values that are no list.
    """
    groups = list(dict.fromkeys(group for panel in panels.values() for group in panel))
    if not groups:
        raise ValueError("panels must hold at least one group; got none.")
    found = {
        name: [_finite(panel.get(group, ()), group) for group in groups]
        for name, panel in panels.items()
    }
    every = np.concatenate([values for panel in found.values() for values in panel])
    names = shortened(groups, _LONGEST)
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    wide = (WIDTH - _LETTER * max(map(len, names)) - 0.3) / columns - 0.1
    heads = {name: wrapped(name, wide, _WORDS) for name in panels}
    lines = max(head.count("\n") + 1 for head in heads.values())
    height = 0.75 + 0.3 * bool(title) + max(0.34 * len(groups), 0.6)
    height += 0.2 * (len(panels) > 1) + 0.14 * (lines - 1)
    figure = new_figure(WIDTH, min(height * rows, 60.0))
    figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06)
    for number, (name, values) in enumerate(found.items()):
        axes = figure.add_subplot(rows, columns, number + 1)
        _panel(axes, values)
        _scale(axes, every, wide)
        axes.set_title(heads[name], fontsize=_WORDS)
        axes.set_yticks(range(len(groups)), [""] * len(groups) if number % columns else names)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.set_ylim(len(groups) - 0.4, -0.6)
        if value_label and number >= len(found) - columns:
            axes.set_xlabel(value_label)
    if title:
        figure.suptitle(title, x=0.008, ha="left")
    return figure


def _panel(axes: Axes, groups: list[NDArray[np.float64]]) -> None:
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    for place, values in enumerate(groups):
        axes.annotate(
            f"n = {len(values)}", (1, place), xycoords=("axes fraction", "data"), fontsize=6.5,
            color=MUTED, ha="right", va="bottom", xytext=(0, 2), textcoords="offset points",
        )  # fmt: skip
        if not len(values):
            continue
        if _has_shape(values):
            drawn = axes.violinplot(
                [values], [place], orientation="horizontal", widths=0.8, showextrema=False
            )
            for body in drawn["bodies"]:  # type: ignore[attr-defined]
                body.set(facecolor=BLUE, edgecolor=BLUE, alpha=0.28, linewidth=0.6)
        if len(values) <= _MOST_POINTS:
            # Offsets that are spread evenly and are the same every time.
            offsets = (np.arange(len(values)) * _GOLDEN % 1 - 0.5) * 0.3
            axes.plot(
                np.sort(values), place + offsets, marker="o", linestyle="", markersize=2.6,
                color=BLUE, alpha=0.7, markeredgewidth=0,
            )  # fmt: skip
        axes.plot(
            [np.median(values)], [place], marker="|", markersize=13, markeredgewidth=2.2,
            color=MARK, linestyle="", zorder=4,
        )  # fmt: skip


def _has_shape(values: NDArray[np.float64]) -> bool:
    """Whether there are enough values, and a spread whose square is a number above 0."""
    if len(values) < _FEWEST or np.ptp(values) <= 1e-12 * np.abs(values).max():
        return False
    return bool(np.var(values) > np.finfo(np.float64).tiny)


def _scale(axes: Axes, every: NDArray[np.float64], wide: float) -> None:
    """The same ends for all panels, with room for marks, and for numbers at the right."""
    axes.xaxis.set_major_locator(MaxNLocator(5))
    if len(every):
        low, high = float(every.min()), float(every.max())
        room = 0.06 * (high - low) or 0.05 * (abs(high) or 1.0)
        numbers = (high - low + room) * _NUMBER / (wide - _NUMBER)
        axes.set_xlim(low - room, high + numbers)


def _finite(values: ArrayLike, group: str) -> NDArray[np.float64]:
    numbers = np.asarray(values, np.float64)
    if numbers.ndim != 1:
        raise ValueError(f"values of {group!r} must be a list; got shape {numbers.shape}.")
    return numbers[np.abs(numbers) < _LARGEST]
