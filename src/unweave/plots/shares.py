"""How often each value of some factors occurs, as bars."""

from __future__ import annotations

__all__ = ["clipped_end", "share_bars"]

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from unweave.plots.style import BLUE, FAINT, MUTED, WIDTH, new_figure, styled

_COLUMNS = 4
_MOST_BARS = 64
_MOST_NAMES = 4
_LONGEST_NAME = 8
_LONGEST_END = 12
_LEAVES_ROOM = 16
_LONGEST_TITLE = 18


@styled
def share_bars(
    shares: Mapping[str, ArrayLike], names: Mapping[str, Sequence[str]], title: str = ""
) -> Figure:
    """A panel of bars for each factor, from no share at the foot of each.

    Of a factor with more than 64 values, neighbours are joined to at most 64 bars.

    Args:
        shares: Factor -> (values,) share of the images, which sum to 1.
        names: Factor -> (values,) what each value is called. The names of the first and the last
            are written, or all of them where they are few and short.
        title: Words above the panels.

    Returns:
        The figure. A thin line in each panel is where all bars would end if they were equal.

    Raises:
        ValueError: No factor, a share that is negative, or names that do not fit.
    """
    if not shares:
        raise ValueError("shares must hold at least one factor; got none.")
    columns = min(_COLUMNS, len(shares))
    rows = -(-len(shares) // columns)
    figure = new_figure(WIDTH, (0.5 if title else 0.15) + 1.3 * rows)
    figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.05)
    for number, (factor, values) in enumerate(shares.items()):
        heights = np.asarray(values, np.float64)
        if heights.ndim != 1 or not (heights >= 0).all() or len(names[factor]) != len(heights):
            raise ValueError(
                f"shares[{factor!r}] must be at least 0, one for each of {len(names[factor])} "
                f"names; got shape {heights.shape}."
            )
        axes = figure.add_subplot(rows, columns, number + 1)
        axes.set_title(factor, pad=4, fontsize=9.5 if len(factor) <= _LONGEST_TITLE else 7)
        _panel(axes, heights, names[factor])
    if title:
        figure.suptitle(title, x=0.008, ha="left")
    return figure


def _panel(axes: Axes, heights: NDArray[np.float64], names: Sequence[str]) -> None:
    """Bars of one factor, each as wide as the values that it stands for."""
    count = len(heights)
    edges = np.unique(np.linspace(0, count, min(count, _MOST_BARS) + 1).astype(np.int64))
    joined = np.add.reduceat(heights, edges[:-1])
    widths: Any = np.diff(edges)
    gap = 0.2 if count <= 20 else 0.0
    axes.bar(edges[:-1] + widths / 2, joined, widths * (1 - gap), color=BLUE)
    axes.axhline(float(joined.mean()), color=FAINT, linewidth=0.8, linestyle=(0, (3, 2)))
    axes.set_xlim(0, count)
    axes.set_ylim(0, max(1.12 * float(joined.max()), 1e-12))
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.3g}%"))
    axes.tick_params(axis="both", length=0, labelsize=7)
    if count == 1 or (count <= _MOST_NAMES and max(map(len, names)) <= _LONGEST_NAME):
        axes.set_xticks([place + 0.5 for place in range(count)], names)
        return
    first, last = clipped_end(names[0]), clipped_end(names[-1])
    axes.set_xticks([0, count], [first, last])
    at_first, at_last = axes.get_xticklabels()
    at_first.set_horizontalalignment("left")
    at_last.set_horizontalalignment("right")
    if len(first) + len(last) <= _LEAVES_ROOM:
        axes.text(
            0.5, -0.05, f"{count:,} values", transform=axes.transAxes, fontsize=6.5, color=MUTED,
            ha="center", va="top",
        )  # fmt: skip


def clipped_end(name: str, longest: int = _LONGEST_END) -> str:
    """As much of a name as there is room for, such as at an end of the axis."""
    return name if len(name) <= longest else f"{name[: longest - 1]}\N{HORIZONTAL ELLIPSIS}"
