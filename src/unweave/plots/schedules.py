"""What the tuned settings of a population were over its steps, and which way the best one took."""

from __future__ import annotations

__all__ = ["schedules"]

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from unweave.plots.lineage import descent
from unweave.plots.scales import as_numbers, setting_axis
from unweave.plots.series import short, step_axis
from unweave.plots.style import BLUE, MARK, MUTED, WIDTH, new_figure, styled

_HIGH = 1.75
# Where the best member has a smaller part of the steps than that, as with large batches, the axis
# ends so many times as far as the member.
_SMALL, _BEYOND = 0.4, 1.5


@styled
def schedules(
    starts: ArrayLike,
    stops: ArrayLike,
    fields: Mapping[str, Sequence[Any] | NDArray[Any]],
    origins: ArrayLike,
    winner: int | None = None,
    log: Collection[str] = (),
    title: str = "",
    choices: Collection[str] = (),
) -> Figure:
    """A panel for each setting: a faint line for each member, and a bold one for the best.

    A node is a member in a round; its value holds from its first step to its last one, and comes
    from the value of the node whose weights it had.

    Args:
        starts: (n,) optimiser steps before each node.
        stops: (n,) its last step.
        fields: Name -> (n,) values, numbers or texts.
        origins: (n,) the node from which its weights come; -1 where they are new.
        winner: The node whose line of descent is bold.
        log: Names whose axis is logarithmic, where all values are above zero.
        title: Words above.
        choices: Names whose numbers stand apart, each one with a mark of its own.

    Returns:
        The figure; it says what the values of the best member were at its end. Where others take
        many more steps than it, their last ones are cut off, which the axis says.

    Raises:
        ValueError: No fields or no nodes, or lists of different length.
    """
    begin, end = np.asarray(starts, np.float64), np.asarray(stops, np.float64)
    before = np.asarray(origins, np.int64)
    if not fields or not len(begin):
        raise ValueError("schedules needs at least one field and one node.")
    for name, given in {"stops": end, "origins": before, **fields}.items():
        if np.shape(given) != begin.shape:
            raise ValueError(f"{name} has shape {np.shape(given)}, and starts {begin.shape}.")
    line = [] if winner is None else descent(before, winner)
    shown = float(end.max())
    if line and end[winner] < _SMALL * shown:
        shown = _BEYOND * float(end[winner])
    height = 0.75 + _HIGH * len(fields)
    figure = new_figure(WIDTH, height)
    figure.set_layout_engine(
        "constrained", w_pad=0.06, h_pad=0.06, rect=(0, 0, 1, 1 - 0.3 / height)
    )
    for number, (name, given) in enumerate(fields.items()):
        axes = figure.add_subplot(len(fields), 1, number + 1)
        values, names = as_numbers(given, choices=name in choices)
        _segments(axes, begin, end, values, before, line)
        setting_axis(axes, "y", values, names, log=name in log and bool((values > 0).all()))
        axes.set_title(name, pad=4)
        if line:
            last = names[int(values[line[-1]])] if names else short(float(values[line[-1]]))
            axes.text(1, 1.03, f"{last} at the end", transform=axes.transAxes, fontsize=7.5,
                      color=MUTED, va="bottom", ha="right")  # fmt: skip
        axes.set_xlim(0, max(shown, 1.0))
        step_axis(axes, labelled=number == len(fields) - 1)
        if shown < end.max() and number == len(fields) - 1:
            axes.set_xlabel(f"step; other members go on to {end.max():,.0f}")
    handles = [Line2D([], [], color=BLUE, alpha=0.45, linewidth=1, label="each member")]
    if line:
        label = "the best member and those that its weights come from"
        handles.append(Line2D([], [], color=MARK, linewidth=2.2, label=label))
    figure.legend(handles=handles, loc="upper right", ncols=2, frameon=False, fontsize=7.5,
                  borderpad=0.2)  # fmt: skip
    if title:
        figure.text(0.008, 1 - 0.1 / height, title, fontweight="bold", fontsize=9.5, va="top")
    return figure


def _segments(
    axes: Axes,
    begin: NDArray[np.float64],
    end: NDArray[np.float64],
    values: NDArray[np.float64],
    before: NDArray[np.int64],
    line: list[int],
) -> None:
    """Steps of each node, and from the value before to its own; those of a line over them."""
    alpha = float(np.clip(4 / np.sqrt(len(begin)), 0.18, 0.55))

    def of(node: int) -> list[tuple[float, float]]:
        own = [(begin[node], values[node]), (end[node], values[node])]
        first = before[node]
        return own if first < 0 else [(begin[node], values[first]), *own]

    axes.add_collection(
        LineCollection([of(node) for node in range(len(begin))], colors=BLUE, linewidths=0.9,
                       alpha=alpha, zorder=2)
    )  # fmt: skip
    if line:
        x, y = np.array([point for node in line for point in of(node)]).T
        axes.plot(x, y, color=MARK, linewidth=2.2, zorder=3, solid_joinstyle="miter")
    axes.margins(y=0.12)
    axes.update_datalim([point for node in range(len(begin)) for point in of(node)])
    axes.autoscale_view()
