"""How the scores of a population went from round to round."""

from __future__ import annotations

__all__ = ["round_scores"]

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, ScalarFormatter
from numpy.typing import ArrayLike, NDArray

from unweave.plots.style import BLUE, GRID, INK, MARK, MUTED, WIDTH, new_figure, styled


@styled
def round_scores(
    rounds: ArrayLike, scores: ArrayLike, title: str = "", score_label: str = "score"
) -> Figure:
    """The best and the median score of each round, and between which quartiles the middle half is.

    Args:
        rounds: (n,) the round of each score, from 1.
        scores: (n,) what is not finite is none, and counted at the foot.
        title: Words above.
        score_label: What the scores are; beside their axis.

    Returns:
        The figure; quartiles are linear between scores, as NumPy has them.

    Raises:
        ValueError: No scores, or lists of different length.
    """
    x, values = np.asarray(rounds, np.int64), np.asarray(scores, np.float64)
    if x.ndim != 1 or not len(x) or x.shape != values.shape:
        raise ValueError(
            f"rounds and scores must be lists of one length; got {x.shape} and {values.shape}."
        )
    places = np.unique(x)
    table = np.full((len(places), 4), np.nan)
    lost = np.zeros(len(places), np.int64)
    for row, place in enumerate(places):
        of = values[x == place]
        found = of[np.isfinite(of)]
        lost[row] = len(of) - len(found)
        if len(found):
            table[row] = [found.max(), *np.quantile(found, [0.5, 0.25, 0.75])]
    best, median, low, high = table.T
    figure = new_figure(WIDTH, 3.0)
    figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06)
    axes = figure.add_subplot()
    marker = "o" if len(places) <= 40 else ""
    axes.fill_between(places, low, high, color=BLUE, alpha=0.16, linewidth=0,
                      label="middle half")  # fmt: skip
    axes.plot(places, median, color=BLUE, marker=marker, markersize=3, label="median")
    axes.plot(places, best, color=MARK, marker=marker, markersize=3.5, linewidth=1.9,
              label="best of the round")  # fmt: skip
    if len(places) == 1:
        axes.vlines(places, low, high, color=BLUE, alpha=0.3, linewidth=5)
    axes.margins(y=0.08)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    if lost.any():
        _foot(axes, places, lost)
    axes.set_xlim(places[0] - 0.5, places[-1] + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(15, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes.yaxis.set_major_formatter(ScalarFormatter(useOffset=False))
    axes.set_xlabel("round")
    axes.set_ylabel(score_label)
    figure.legend(loc="outside upper right", ncols=4, frameon=False, fontsize=7.5, borderpad=0.2)
    if title:
        figure.text(0.008, 1 - 0.1 / figure.get_figheight(), title, fontweight="bold",
                    fontsize=9.5, va="top")  # fmt: skip
    return figure


def _foot(axes: Axes, places: NDArray[np.int64], lost: NDArray[np.int64]) -> None:
    """How many members have no score, on a strip of its own below the scores."""
    low, high = axes.get_ylim()
    axes.set_yticks([tick for tick in axes.get_yticks() if low <= tick <= high])
    axes.set_ylim(low - 0.17 * (high - low), high)
    axes.add_patch(
        Rectangle((0, 0), 1, 0.13, transform=axes.transAxes, color=GRID, linewidth=0, zorder=1.5)
    )
    foot = axes.get_xaxis_transform()
    some = lost > 0
    axes.plot(places[some], np.full(some.sum(), 0.095), transform=foot, color=INK, linestyle="",
              marker="x", markersize=4, label="members without a score", zorder=3)  # fmt: skip
    for place, count in zip(places[some], lost[some], strict=True):
        axes.text(place, 0.01, f"{count}", transform=foot, fontsize=6.5, color=MUTED, ha="center",
                  va="bottom")  # fmt: skip
