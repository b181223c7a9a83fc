"""How the order of some methods moves from one measure, or setting, to the next."""

from __future__ import annotations

__all__ = ["rank_lines"]

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unweave.plots.names import shortened, wrapped
from unweave.plots.style import GRID, INK, MUTED, SERIES, WIDTH, new_figure, styled

_LONGEST = 36
_LONGEST_PLACE = 40
_WORDS = 8.5
_DASHES = ("-", (0, (4, 2)), (0, (1, 1.5)))


@styled
def rank_lines(
    panels: Mapping[str, ArrayLike],
    lines: Sequence[str],
    places: Sequence[str],
    title: str = "",
    place_label: str = "",
) -> Figure:
    """A line for each method through its ranks, the best on top; it breaks where it has none.

    Args:
        panels: Words above a panel -> (lines, places) ranks from 1 on, NaN where there is none.
        lines: What each line is called.
        places: What ranks are given for, from left to right.
        title: Words above the panels.
        place_label: What the places are.

    Returns:
        The figure; lines of equal rank lie side by side. Names stand at the right end, those of
        lines that have no rank there below the others.

    Raises:
        ValueError: Nothing to draw, or ranks that do not fit the names.
    """
    if not panels or not lines or not places:
        raise ValueError("rank_lines needs at least one panel, one line and one place.")
    names, marks = shortened(lines, _LONGEST), shortened(places, _LONGEST_PLACE)
    longest, longest_mark = max(map(len, names)), max(map(len, marks))
    tilt = longest_mark * len(places) * 0.075 > WIDTH - 2.5
    foot = 0.2 + (0.055 * longest_mark if tilt else 0.1) + 0.2 * bool(place_label)
    each = 0.35 + max(0.27 * len(lines), 0.7) + foot
    figure = new_figure(WIDTH, min(0.15 + 0.3 * bool(title) + each * len(panels), 60.0))
    figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06)
    for number, (name, given) in enumerate(panels.items()):
        ranks = np.asarray(given, np.float64)
        if ranks.shape != (len(lines), len(places)):
            raise ValueError(
                f"ranks of {name!r} must be {len(lines)} by {len(places)}; got {ranks.shape}."
            )
        axes = figure.add_subplot(len(panels), 1, number + 1)
        axes.set_title(wrapped(name, WIDTH - 1, _WORDS), fontsize=_WORDS)
        _panel(axes, ranks, names)
        axes.set_xticks(
            range(len(places)), marks, rotation=35 if tilt else 0,
            ha="right" if tilt else "center", rotation_mode="anchor",
        )  # fmt: skip
        # Room for the names at the right end, which are as wide as their letters.
        wide = 0.068 * longest / (WIDTH - 0.068 * longest - 0.8)
        reach = max(len(places) - 1, 1)
        axes.set_xlim(-0.15 * min(reach, 1), (len(places) - 1) + (wide + 0.04) * reach)
        if place_label:
            axes.set_xlabel(place_label)
    if title:
        figure.suptitle(title, x=0.008, ha="left")
    return figure


def _panel(axes: Axes, ranks: NDArray[np.float64], lines: Sequence[str]) -> None:
    shifted = _apart(ranks)
    lowest = float(np.nanmax(ranks)) if np.isfinite(ranks).any() else 1.0
    taken: list[float] = []
    ends = shifted[np.isfinite(shifted[:, -1]), -1]
    free = float(np.ceil(ends.max())) + 1 if len(ends) else 1.0
    for place, name in enumerate(lines):
        colour = SERIES[place % len(SERIES)]
        dash = _DASHES[place // len(SERIES) % len(_DASHES)]
        axes.plot(
            range(ranks.shape[1]), shifted[place], color=colour, linestyle=dash, marker="o",
            markersize=4.5, linewidth=1.8,
        )  # fmt: skip
        if not np.isfinite(shifted[place]).any():
            continue
        height = float(shifted[place, -1])
        if not np.isfinite(height):
            # Of a line that ends earlier, below all others.
            height = free
            free += 1
        axes.annotate(
            name, (ranks.shape[1] - 1, height), xytext=(8, 0), fontsize=7.5,
            textcoords="offset points", va="center", color=colour if ranks.shape[1] > 1 else INK,
        )  # fmt: skip
        taken.append(height)
    axes.set_yticks(range(1, int(lowest) + 1))
    axes.set_ylim(max(lowest, *taken, 1.0) + 0.5, 0.5)
    axes.set_ylabel("rank", color=MUTED)
    axes.grid(visible=False)
    # As far as there are ranks: names stand to the right of them.
    axes.hlines(range(1, int(lowest) + 1), -0.15, ranks.shape[1] - 1, color=GRID, zorder=0)
    axes.tick_params(length=0)


def _apart(ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lines of equal rank a little apart, so that each can be seen."""
    shifted = ranks.copy()
    for column in range(ranks.shape[1]):
        for rank in np.unique(ranks[np.isfinite(ranks[:, column]), column]):
            same = np.flatnonzero(ranks[:, column] == rank)
            shifted[same, column] += 0.22 * (np.arange(len(same)))
    return shifted
