"""Whose weights went where in a population, from round to round."""

from __future__ import annotations

__all__ = ["descent", "lineage"]

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from unweave.plots.style import (
    FAINT,
    INK,
    MARK,
    SEQUENTIAL,
    WIDTH,
    label_scale,
    new_figure,
    styled,
)

# Inches of a member's row, and of all of them, at most.
_ROW = 0.27
_TALLEST = 9.0


def descent(origins: ArrayLike, node: int) -> list[int]:
    """A node and those that its weights come from, the oldest first.

    Args:
        origins: (n,) of each node that from which its weights come; -1 where they are new.
        node: The last one.

    Raises:
        ValueError: The origins run in a circle.
    """
    before = np.asarray(origins, np.int64)
    line = [node]
    while before[line[-1]] >= 0:
        line.append(int(before[line[-1]]))
        if len(line) > len(before):
            raise ValueError("origins run in a circle.")
    return line[::-1]


@styled
def lineage(
    rounds: ArrayLike,
    members: ArrayLike,
    scores: ArrayLike,
    origins: ArrayLike,
    winner: int | None = None,
    title: str = "",
    score_label: str = "score",
) -> Figure:
    """A row for each member and a column for each round; lines show where weights went.

    A point is a member in a round, the darker the better its score; one without a score is a
    cross. A slanted line is a copy of weights; where no line comes to a point its weights were
    new.

    Args:
        rounds: (n,) the round of each node, from 1.
        members: (n,) its member, from 0.
        scores: (n,) its score; what is not finite is none.
        origins: (n,) the node from which its weights come; -1 where they are new.
        winner: The node whose line of descent stands out.
        title: Words above.
        score_label: What scores are; beside the scale.

    Returns:
        The figure.

    Raises:
        ValueError: No nodes, arrays of different length, or an origin that is no node.
    """
    x, y = np.asarray(rounds, np.float64), np.asarray(members, np.float64)
    values, before = np.asarray(scores, np.float64), np.asarray(origins, np.int64)
    if x.ndim != 1 or not len(x) or not x.shape == y.shape == values.shape == before.shape:
        raise ValueError(
            f"rounds, members, scores and origins must be lists of one length; got {x.shape}, "
            f"{y.shape}, {values.shape} and {before.shape}."
        )
    if (before < -1).any() or (before >= len(x)).any():
        raise ValueError(f"origins must be -1 or one of the {len(x)} nodes.")
    rows = int(y.max()) + 1
    tall = min(max(_ROW * rows, 1.0), _TALLEST)
    figure = new_figure(WIDTH, tall + 1.05)
    figure.set_layout_engine(
        "constrained", w_pad=0.06, h_pad=0.06, rect=(0, 0, 1, 1 - 0.3 / (tall + 1.05))
    )
    axes = figure.add_subplot()
    size = _size(tall / rows, (WIDTH - 1.8) / max(np.ptp(x), 1))
    _lines(axes, x, y, before, size)
    found = np.isfinite(values)
    scale = _scale(values[found])
    points = axes.scatter(
        x[found], y[found], c=values[found], s=size**2, cmap=SEQUENTIAL, vmin=scale[0],
        vmax=scale[1], edgecolors=FAINT, linewidths=0.5, zorder=4,
    )  # fmt: skip
    axes.scatter(
        x[~found], y[~found], s=(0.8 * size) ** 2, color=INK, marker="x", linewidths=1.1, zorder=4
    )
    if winner is not None:
        line = descent(before, winner)
        # Over the points of others, and under its own.
        axes.plot(x[line], y[line], color=MARK, linewidth=0.24 * size + 0.9, zorder=5)
        axes.scatter(
            x[line], y[line], c=values[line], s=size**2, cmap=SEQUENTIAL, vmin=scale[0],
            vmax=scale[1], edgecolors=MARK, linewidths=0.05 * size + 0.5, zorder=6,
        )  # fmt: skip
        axes.scatter(
            x[winner], y[winner], s=(1.45 * size) ** 2, facecolors="none", edgecolors=MARK,
            linewidths=0.12 * size + 0.8, zorder=7,
        )  # fmt: skip
    _axis(axes, x, rows)
    if found.any():
        label_scale(figure.colorbar(points, ax=axes, aspect=30, pad=0.015), score_label)
    _key(figure, winner is not None, not found.all(), title)
    return figure


def _size(row: float, column: float) -> float:
    """Diameter of a point, in points, where rows and columns are so many inches apart."""
    return float(np.clip(72 * 0.62 * min(row, column), 2.0, 9.0))


def _scale(values: NDArray[np.float64]) -> tuple[float, float]:
    """The ends of the shades; the lowest score is not as light as the paper."""
    if not len(values):
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    reach = (high - low) or abs(high) or 1.0
    return low - 0.12 * reach, high


def _lines(
    axes: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    before: NDArray[np.int64],
    size: float,
) -> None:
    """A line from each node to the one that went on from it."""
    ends = np.flatnonzero(before >= 0)
    starts = before[ends]
    pairs = np.stack([np.stack([x[k], y[k]], axis=1) for k in (starts, ends)], axis=1)
    copied = y[starts] != y[ends]
    for which, alpha in (
        (~copied, 0.55),
        (copied, float(np.clip(16 / np.sqrt(len(x)), 0.4, 0.85))),
    ):
        axes.add_collection(
            LineCollection(
                list(pairs[which]), colors=FAINT, linewidths=0.06 * size + 0.5, alpha=alpha,
                zorder=2,
            )
        )  # fmt: skip


def _axis(axes: Axes, x: NDArray[np.float64], rows: int) -> None:
    axes.grid(visible=False)
    axes.set_xlim(x.min() - 0.6, x.max() + 0.6)
    axes.set_ylim(rows - 0.4, -0.6)
    for axis, most in ((axes.xaxis, 15), (axes.yaxis, 20)):
        axis.set_major_locator(MaxNLocator(most, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes.tick_params(length=0)
    axes.set_xlabel("round")
    axes.set_ylabel("member")
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_visible(False)


def _key(figure: Figure, won: bool, lost: bool, title: str) -> None:
    """The title, and what lines and marks mean, in one row above."""
    handles = [Line2D([], [], color=FAINT, linewidth=1.2, label="weights that went on")]
    if won:
        label = "those of the best member"
        handles.append(Line2D([], [], color=MARK, linewidth=2.4, label=label))
    if lost:
        handles.append(
            Line2D([], [], color=INK, linestyle="", marker="x", markersize=5, label="no score")
        )
    figure.legend(
        handles=handles, loc="upper right", ncols=3, frameon=False, fontsize=7.5, borderpad=0.2,
        bbox_to_anchor=(1, 1),
    )  # fmt: skip
    if title:
        figure.text(0.008, 1 - 0.1 / figure.get_figheight(), title, fontweight="bold",
                    fontsize=9.5, va="top")  # fmt: skip
