"""Scores of several runs: a dot for each, with its interval, and means of groups below."""

from __future__ import annotations

__all__ = ["run_scores"]

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from unweave.plots.names import shortened
from unweave.plots.run_curves import MOST_RUNS, run_look
from unweave.plots.series import short
from unweave.plots.style import GRID, INK, MUTED, WIDTH, new_figure, styled

_COLUMNS = 3
_LONGEST = 24
_ROW = 0.2

Value: TypeAlias = tuple[float, float | None, float | None]
"""A score, and the ends of its interval, None where it has none."""


@styled
def run_scores(
    panels: Mapping[str, Mapping[str, Value]],
    runs: Sequence[str],
    groups: Sequence[str] = (),
    *,
    run_interval: str = "95 % interval over draws",
    group_interval: str = "95 % interval of the mean over runs",
) -> Figure:
    """A panel for each score, with a row for each run and, below a line, for each group of runs.

    Args:
        panels: Score -> run or group -> value and the ends of its interval.
        runs: The runs, at most `MOST_RUNS`, in the order of their colours.
        groups: Further rows, whose values are means.
        run_interval: What the lines through values of runs are.
        group_interval: What those through means are.

    Returns:
        The figure; each panel has a scale of its own.

    Raises:
        ValueError: No panel, too many runs, or a row that is named nowhere.
    """
    rows = [*runs, *groups]
    if not panels or not rows:
        raise ValueError("panels must hold at least one score, and runs at least one run.")
    if len(runs) > MOST_RUNS:
        raise ValueError(f"runs must be at most {MOST_RUNS}; got {len(runs)}.")
    for title, values in panels.items():
        if unknown := set(values) - set(rows):
            raise ValueError(f"{title!r} has rows that are not there: {sorted(unknown)}.")
    columns = min(len(panels), _COLUMNS)
    lines = -(-len(panels) // columns)
    foot = 0.34
    height = foot + lines * (_ROW * len(rows) + 0.62)
    figure = new_figure(WIDTH, height)
    figure.set_layout_engine(
        "constrained", w_pad=0.06, h_pad=0.05, rect=(0, foot / height, 1, 1 - foot / height)
    )
    words = shortened(rows, _LONGEST)
    for number, (title, values) in enumerate(panels.items()):
        axes = figure.add_subplot(lines, columns, number + 1)
        axes.set_title(title, fontsize=8.5)
        _panel(axes, values, runs, groups)
        axes.set_yticks(range(len(rows)), words if number % columns == 0 else [""] * len(rows))
        axes.tick_params(axis="y", length=0, labelcolor=INK)
    _legend(figure, panels, runs, groups, run_interval, group_interval, height)
    return figure


def _panel(
    axes: Axes, values: Mapping[str, Value], runs: Sequence[str], groups: Sequence[str]
) -> None:
    """One score."""
    seen: list[float] = []
    for place, name in enumerate([*runs, *groups]):
        if name not in values:
            axes.text(0.5, place, "\N{EN DASH}", transform=axes.get_yaxis_transform(),
                      color=MUTED, ha="center", va="center", fontsize=8)  # fmt: skip
            continue
        value, low, high = values[name]
        colour, _, marker = run_look(place) if place < len(runs) else (INK, None, "D")
        if low is not None and high is not None:
            axes.plot((low, high), (place, place), color=colour, linewidth=1.3, zorder=2,
                      solid_capstyle="butt")  # fmt: skip
            seen += [low, high]
        axes.plot([value], [place], marker=marker, markersize=5, color=colour, linestyle="",
                  markeredgecolor="white", markeredgewidth=0.6, zorder=3)  # fmt: skip
        seen.append(value)
    if groups:
        axes.axhline(len(runs) - 0.5, color=GRID, linewidth=1.0)
    low, high = (min(seen), max(seen)) if seen else (0.0, 1.0)
    room = 0.12 * (high - low) or 0.1 * abs(high) or 0.5
    axes.set_xlim(low - room, high + room)
    axes.set_ylim(len(runs) + len(groups) - 0.5, -0.5)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda number, _: short(number)))
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def _legend(
    figure: Figure,
    panels: Mapping[str, Mapping[str, Value]],
    runs: Sequence[str],
    groups: Sequence[str],
    run_interval: str,
    group_interval: str,
    height: float,
) -> None:
    """What dots and lines are, as far as there are any."""
    known = {
        name
        for values in panels.values()
        for name, (_, *ends) in values.items()
        if None not in ends and np.isfinite(np.array(ends, np.float64)).all()
    }
    of_runs = f"run, with its {run_interval}" if known & set(runs) else "run"
    handles = [Line2D([], [], color=MUTED, marker="o", markersize=5, label=of_runs,
                      linestyle="-" if known & set(runs) else "")]  # fmt: skip
    if groups:
        of_groups = f"mean, with the {group_interval}" if known & set(groups) else "mean"
        handles.append(Line2D([], [], color=INK, marker="D", markersize=5, label=of_groups,
                              linestyle="-" if known & set(groups) else ""))  # fmt: skip
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.12 / WIDTH, 0.08 / height), ncols=2,
        frameon=False, fontsize=8, borderaxespad=0, borderpad=0, handlelength=1.6,
        columnspacing=1.6, labelcolor=MUTED,
    )  # fmt: skip
