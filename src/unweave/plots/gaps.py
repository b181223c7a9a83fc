"""How much worse models are where they were not trained: means over runs with their intervals."""

from __future__ import annotations

__all__ = ["generalisation_gaps"]

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from unweave.plots.names import shortened, wrapped
from unweave.plots.scales import setting_axis
from unweave.plots.series import short
from unweave.plots.style import (
    BLUE,
    FAINT,
    INK,
    MARK,
    MUTED,
    WIDTH,
    new_figure,
    styled,
    write_title,
)

_LONGEST = 30
_WORDS = 8.5
# Colours and marks of errors in distribution, held out, and of the gap between them.
_LOOKS = ((BLUE, "o"), (MARK, "D"), (INK, "s"))
# How far above and below the middle of a row the two errors of a model lie.
_APART = 0.19
# An axis of errors is logarithmic where the largest is so many times the smallest.
_FAR = 30.0
_MOST_DIGITS = 5
_LONG = 10_000


@dataclass(frozen=True)
class _Row:
    """Errors in distribution, held out, and gaps of a model: each run, mean and ends, (3, ...)."""

    values: NDArray[np.float64]
    means: NDArray[np.float64]
    ends: NDArray[np.float64]


@styled
def generalisation_gaps(
    panels: Mapping[str, Mapping[str, ArrayLike]],
    intervals: Mapping[str, Mapping[str, ArrayLike]] | None = None,
    *,
    title: str = "",
    error_label: str = "excess NLL (nats an image)",
    gap_label: str = "gap (held out \N{MINUS SIGN} in distribution)",
    regions: tuple[str, str] = ("in distribution", "held out"),
    interval_label: str = "95 % interval of the mean",
) -> Figure:
    """A row for each model of each condition: its errors in two regions, and the gap on the right.

    Large marks are means over runs, small ones behind them runs. The gap of a run is its error
    held out less its error in distribution. The axis of errors of a condition is logarithmic where
    its largest error is more than 30 times its smallest one and all are above 0; an interval is
    then cut where the axis ends.

    Args:
        panels: Condition -> model -> (n, 2), a row a run: error in distribution, error held out.
            A run with a value that is not finite is passed over.
        intervals: Condition -> model -> (3, 2): lower and upper end for the means of the error in
            distribution, of the error held out and of the gap; NaN where there is none. By
            default those of Student's t, for three runs or more.
        title: Words above.
        error_label: What the errors are, with their unit.
        gap_label: What the gaps are.
        regions: What the two regions are called.
        interval_label: What the lines through the means are.

    Returns:
        The figure; the mean gap and its interval stand in numbers at the right end of each row.

    Raises:
        ValueError: No model, a model without a finite run, or values of a wrong shape.
    """
    if not panels or not all(panels.values()):
        raise ValueError("panels must hold at least one condition, and each at least one model.")
    rows = {
        condition: {
            model: _row(condition, model, runs, (intervals or {}).get(condition, {}).get(model))
            for model, runs in of.items()
        }
        for condition, of in panels.items()
    }
    counts = [len(of) for of in rows.values()]
    title = wrapped(title, WIDTH - 0.24, 9.5)
    above = 0.12 + (0.1 + 0.16 * (title.count("\n") + 1)) * bool(title)
    foot = 0.32
    highs = [0.34 * count + 0.55 for count in counts]
    height = min(above + foot + 0.25 + sum(highs), 60.0)
    figure = new_figure(WIDTH, height)
    figure.set_layout_engine(
        "constrained", w_pad=0.06, h_pad=0.05,
        rect=(0, foot / height, 1, 1 - (foot + above) / height),
    )  # fmt: skip
    grid = figure.add_gridspec(len(rows), 2, height_ratios=counts, width_ratios=(1.25, 1))
    for number, (condition, of) in enumerate(rows.items()):
        left, right = (figure.add_subplot(grid[number, column]) for column in range(2))
        _errors(left, list(of.values()))
        _gaps(right, list(of.values()))
        left.set_yticks(range(len(of)), shortened(list(of), _LONGEST))
        left.set_title(wrapped(condition, 0.45 * WIDTH, _WORDS), fontsize=_WORDS)
        right.set_yticks([])
        if number == len(rows) - 1:
            left.set_xlabel(error_label)
            right.set_xlabel(gap_label)
    every = [row for of in rows.values() for row in of.values()]
    spans = interval_label if any(np.isfinite(row.ends).any() for row in every) else ""
    several = any(row.values.shape[1] > 1 for row in every)
    _legend(figure, regions, spans, foot, several=several)
    write_title(figure, title)
    return figure


def _row(condition: str, model: str, runs: ArrayLike, ends: ArrayLike | None) -> _Row:
    """Runs of one model, checked, with their means and intervals."""
    table = np.asarray(runs, np.float64)
    if table.ndim != 2 or table.shape[1] != 2:
        raise ValueError(
            f"{model!r} of {condition!r} must be runs by 2: error in distribution and held out; "
            f"got shape {table.shape}."
        )
    table = table[np.isfinite(table).all(axis=1)]
    if not len(table):
        raise ValueError(f"{model!r} of {condition!r} has no run whose errors are finite.")
    values = np.stack([table[:, 0], table[:, 1], table[:, 1] - table[:, 0]])
    if ends is None:
        return _Row(values, values.mean(axis=1), _student(values))
    given = np.asarray(ends, np.float64)
    if given.shape != (3, 2):
        raise ValueError(
            f"intervals of {model!r} of {condition!r} must be 3 by 2; got shape {given.shape}."
        )
    return _Row(values, values.mean(axis=1), given)


def _student(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ends of the 95 % interval of Student's t for the mean of each row; NaN for few runs."""
    from unweave.metrics.interval import FEWEST, over_draws

    if values.shape[1] < FEWEST:
        return np.full((len(values), 2), np.nan)
    found = [over_draws(tuple(row)) for row in values]
    return np.array([(one.low, one.high) for one in found])


def _errors(axes: Axes, rows: Sequence[_Row]) -> None:
    """Errors in both regions, the one in distribution above the other in each row."""
    every = np.concatenate([row.values[:2].ravel() for row in rows])
    ends = np.concatenate([row.ends[:2].ravel() for row in rows])
    log = bool(every.min() > 0 and every.max() > _FAR * every.min())
    if log:
        setting_axis(axes, "x", every, (), log=True)
        seen = np.concatenate([every, ends[np.isfinite(ends) & (ends > every.min() / 2)]])
        axes.set_xlim(seen.min() / 1.3, seen.max() * 1.3)
    else:
        seen = np.concatenate([every, ends[np.isfinite(ends)]])
        _linear(axes, seen, zero=bool(0 <= seen.min() < 0.4 * seen.max()))
    for place, row in enumerate(rows):
        for which, up in enumerate((-_APART, _APART)):
            _mark(axes, row, which, place + up)
    _frame(axes, len(rows))


def _gaps(axes: Axes, rows: Sequence[_Row]) -> None:
    """Gaps with a line where there is none, and their numbers on the right."""
    every = np.concatenate([row.values[2] for row in rows])
    ends = np.concatenate([row.ends[2] for row in rows])
    _linear(axes, np.concatenate([every, ends[np.isfinite(ends)], [0.0]]), zero=False)
    axes.axvline(0, color=FAINT, linewidth=1.0, zorder=1)
    for place, row in enumerate(rows):
        _mark(axes, row, 2, place)
        low, high = row.ends[2]
        finite = bool(np.isfinite(low) and np.isfinite(high))
        mean, *of = _signed([row.means[2], low, high] if finite else [row.means[2]])
        text = f"{mean}  [{', '.join(of)}]" if finite else mean
        axes.annotate(
            text, (1, place), xycoords=("axes fraction", "data"), xytext=(5, 0),
            textcoords="offset points", ha="left", va="center", fontsize=7, color=INK,
        )  # fmt: skip
    _frame(axes, len(rows))


def _signed(values: Sequence[float]) -> list[str]:
    """Numbers with their signs, in three digits of the largest, and equally many behind a dot."""
    most = max(map(abs, values))
    digits = min(max(2 - math.floor(math.log10(most)), 0), _MOST_DIGITS) if most else 0
    found = [f"{value:+,.{digits}f}" for value in values]
    return [
        (text if text.strip("+-0.,") else text[1:]).replace("-", "\N{MINUS SIGN}")
        for text in found
    ]


def _linear(axes: Axes, values: NDArray[np.float64], *, zero: bool) -> None:
    low, high = float(values.min()), float(values.max())
    room = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    axes.set_xlim(0.0 if zero else low - room, high + room)
    # Long numbers need more room.
    axes.xaxis.set_major_locator(MaxNLocator(5 if max(-low, high) < _LONG else 3))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def _mark(axes: Axes, row: _Row, which: int, place: float) -> None:
    """Runs, interval and mean of one quantity of a model."""
    colour, marker = _LOOKS[which]
    runs = row.values[which]
    if len(runs) > 1:
        axes.plot(runs, np.full(len(runs), place), marker="o", linestyle="", markersize=4.6,
                  color=colour, alpha=0.3, markeredgewidth=0, zorder=2)  # fmt: skip
    low, high = row.ends[which]
    if np.isfinite(low) and np.isfinite(high):
        axes.plot((low, high), (place, place), color=colour, linewidth=1.2, zorder=3,
                  solid_capstyle="butt")  # fmt: skip
    axes.plot([row.means[which]], [place], marker=marker, markersize=5.2, color=colour,
              markeredgecolor="white", markeredgewidth=0.7, linestyle="", zorder=4,
              clip_on=False)  # fmt: skip


def _frame(axes: Axes, count: int) -> None:
    axes.set_ylim(count - 0.45, -0.55)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    for place in range(1, count, 2):
        axes.axhspan(place - 0.5, place + 0.5, color="#f6f8fa", linewidth=0, zorder=0)


def _legend(
    figure: Figure, regions: tuple[str, str], interval: str, foot: float, *, several: bool
) -> None:
    """What the marks that there are mean, at the foot."""
    words = (*regions, "gap")
    handles = [
        Line2D([], [], color=colour, marker=marker, linestyle="", markersize=5.2, label=word)
        for (colour, marker), word in zip(_LOOKS, words, strict=True)
    ]
    if interval:
        handles.append(Line2D([], [], color=MUTED, linewidth=1.2, label=interval))
    if several:
        handles.append(
            Line2D([], [], color=MUTED, marker="o", linestyle="", markersize=4.6, alpha=0.4,
                   markeredgewidth=0, label="runs")
        )  # fmt: skip
    width, height = figure.get_size_inches()
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.12 / width, 0.1 / height), ncols=5,
        frameon=False, fontsize=8, borderaxespad=0, borderpad=0, handlelength=1.4,
        columnspacing=1.6,
    )  # fmt: skip
