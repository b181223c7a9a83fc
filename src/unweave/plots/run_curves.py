"""How several trainings went, over one another."""

from __future__ import annotations

__all__ = ["MOST_RUNS", "run_curves", "run_look"]

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike

from unweave.plots.names import shortened
from unweave.plots.scales import magnitude
from unweave.plots.series import Array, short, step_axis, thin
from unweave.plots.style import MUTED, SERIES, WIDTH, new_figure, styled

Dashes: TypeAlias = Literal["-"] | tuple[float, tuple[float, float]]

_DASHES: tuple[Dashes, ...] = ("-", (0, (4, 1.6)))
_MARKERS = ("o", "s")

MOST_RUNS = len(SERIES) * len(_DASHES)
"""Runs that can be told apart in one figure."""

_LONGEST = 34
# A scale is logarithmic where the beginning is so many times what comes later.
_FALL = 10
# The first part of a training is no measure of what is worth seeing.
_EARLY = 0.05
# Highest over lowest value up to which a logarithmic scale has marks between powers of ten.
_FEW_DECADES = 200


def run_look(place: int) -> tuple[str, Dashes, str]:
    """Colour, kind of line and mark of one of several runs, the same in all figures."""
    kind = place // len(SERIES) % len(_DASHES)
    return SERIES[place % len(SERIES)], _DASHES[kind], _MARKERS[kind]


@styled
def run_curves(
    panels: Mapping[str, Mapping[str, tuple[ArrayLike, ArrayLike]]], names: Sequence[str]
) -> Figure:
    """A panel for each series, with a line for each run that has it.

    A series that falls by more than tenfold and stays above zero gets a logarithmic scale, and its
    axis says so; else a panel begins where its lines are after the first twentieth of the
    training, and says how far they reach beyond it. Nothing is smoothed.

    Args:
        panels: Series -> run -> (steps (n,), values (n,)).
        names: The runs, at most `MOST_RUNS`, in the order of their colours.

    Returns:
        The figure, with the runs named at its foot. Values that are not finite are gaps.

    Raises:
        ValueError: No series, too many runs, a run without a name, or lengths that differ.
    """
    if not panels:
        raise ValueError("panels must hold at least one series; got none.")
    if not 0 < len(names) <= MOST_RUNS:
        raise ValueError(f"names must be 1 to {MOST_RUNS} runs; got {len(names)}.")
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    words = shortened(list(names), _LONGEST)
    across = max(1, min(len(words), int(WIDTH / (0.45 + 0.068 * max(map(len, words))))))
    foot = 0.1 + 0.19 * -(-len(words) // across)
    height = 0.3 + 2.2 * rows + foot
    figure = new_figure(WIDTH, height)
    figure.set_layout_engine(
        "constrained", w_pad=0.06, h_pad=0.06, rect=(0, foot / height, 1, 1 - foot / height)
    )
    for number, (title, lines) in enumerate(panels.items()):
        if unknown := set(lines) - set(names):
            raise ValueError(f"names must have every run; {sorted(unknown)} are not there.")
        axes = figure.add_subplot(rows, columns, number + 1)
        axes.set_title(title, fontsize=8.5)
        found = {name: _checked(title, name, line) for name, line in lines.items()}
        _panel(axes, found, list(names))
        step_axis(axes, labelled=number >= len(panels) - columns)
    handles = []
    for place, word in enumerate(words):
        colour, dashes, _ = run_look(place)
        handles.append(Line2D([], [], color=colour, linestyle=dashes, label=word))
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.12 / WIDTH, 0.06 / height),
        ncols=across, frameon=False, fontsize=8, borderaxespad=0, borderpad=0, handlelength=2.2,
        columnspacing=1.6, labelcolor=MUTED,
    )  # fmt: skip
    return figure


def _checked(title: str, name: str, line: tuple[ArrayLike, ArrayLike]) -> tuple[Array, Array]:
    steps, values = (np.asarray(part, np.float64) for part in line)
    if steps.ndim != 1 or steps.shape != values.shape:
        raise ValueError(
            f"{title!r} of {name!r} must be steps and values of one length; "
            f"got shapes {steps.shape} and {values.shape}."
        )
    return steps, values


def _panel(axes: Axes, lines: Mapping[str, tuple[Array, Array]], names: Sequence[str]) -> None:
    """One series of all runs."""
    early, late = [], []
    for name, (steps, values) in lines.items():
        colour, dashes, marker = run_look(names.index(name))
        finite = np.isfinite(values)
        axes.plot(
            *thin(steps, np.where(finite, values, np.nan)), color=colour, linestyle=dashes,
            linewidth=1.2, markersize=4, marker=marker if finite.sum() == 1 else "",
        )  # fmt: skip
        after = finite & (steps >= _EARLY * steps.max()) if len(steps) else finite
        early.append(values[finite & ~after])
        late.append(values[after])
    kept, start = np.concatenate(late or [[]]), np.concatenate(early or [[]])
    every = np.concatenate([kept, start])
    if not len(every):
        axes.set_yticks([])
        return
    kept = kept if len(kept) else every
    written = short
    if every.min() > 0 and every.max() > _FALL * np.median(kept):
        axes.set_yscale("log")
        axes.set_ylabel("logarithmic scale", fontsize=7.5)
        few = every.max() < _FEW_DECADES * every.min()
        axes.yaxis.set_major_locator(
            LogLocator(subs=(1, 2, 5) if few else (1,), numticks=8 if few else 5)
        )
        axes.yaxis.set_minor_locator(NullLocator())
        written = magnitude
    else:
        room = 0.06 * (kept.max() - kept.min()) or 0.1 * abs(kept.max()) or 1.0
        axes.set_ylim(kept.min() - room, kept.max() + room)
        if every.max() > kept.max() + room:
            _reach(axes, "\N{UPWARDS ARROW}", float(every.max()), 0.97)
        if every.min() < kept.min() - room:
            _reach(axes, "\N{DOWNWARDS ARROW}", float(every.min()), 0.03)
        axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: written(value)))
    ends = [steps[-1] for steps, _ in lines.values() if len(steps)]
    axes.set_xlim(0, max(ends) or 1)


def _reach(axes: Axes, arrow: str, value: float, place: float) -> None:
    """Say how far lines reach beyond the end of a panel."""
    axes.text(
        0.97, place, f"{arrow} from {short(value)}", fontsize=7, color=MUTED,
        transform=axes.transAxes, ha="right", va="top" if place > 0.5 else "bottom",
    )  # fmt: skip
