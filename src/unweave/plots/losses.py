"""How the loss and its terms went during training."""

from __future__ import annotations

__all__ = ["loss_curves"]

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike

from unweave.plots.scales import magnitude
from unweave.plots.series import Array, mark_lost, short, step_axis, thin
from unweave.plots.style import BLUE, INK, MUTED, WIDTH, new_figure, styled

# Highest over lowest value up to which a logarithmic scale has marks between powers of ten.
_FEW_DECADES = 200


@styled
def loss_curves(
    history: Mapping[str, tuple[ArrayLike, ArrayLike]], units: Mapping[str, str] | None = None
) -> Figure:
    """Small multiples: one panel for each series, each with a scale of its own.

    A series that falls by more than tenfold and stays above zero gets a logarithmic scale, and its
    axis says so. Where the first steps would flatten the rest, the panel begins below them and
    says where they started. Nothing is smoothed; long series are thinned with their peaks kept.

    Args:
        history: Name -> (steps (n,), values (n,)), in the order of the panels; the total first.
        units: Name -> unit, such as "nats an image"; written over the panel.

    Returns:
        The figure. A value that is not finite is marked with a cross at the foot of its panel.

    Raises:
        ValueError: No series, or steps and values of different length.
    """
    if not history:
        raise ValueError("history must hold at least one series; got none.")
    units = units or {}
    columns = min(len(history), 2 if len(history) in (2, 4) else 3)
    rows = -(-len(history) // columns)
    figure = new_figure(WIDTH, 0.35 + 1.85 * rows)
    figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06)
    for number, (name, (steps, values)) in enumerate(history.items()):
        x, y = np.asarray(steps, np.float64), np.asarray(values, np.float64)
        if x.ndim != 1 or x.shape != y.shape:
            raise ValueError(
                f"history[{name!r}] must be steps and values of one length; "
                f"got shapes {x.shape} and {y.shape}."
            )
        axes = figure.add_subplot(rows, columns, number + 1)
        _panel(axes, x, y, INK if number == 0 else BLUE)
        axes.set_title(name, pad=14)
        finite = y[np.isfinite(y)]
        last = f"{short(float(finite[-1]))} at the end" if len(finite) else "no finite value"
        unit = units.get(name, "")
        axes.text(
            0, 1.03, f"{unit}; {last}" if unit else last,
            transform=axes.transAxes, fontsize=7.5, color=MUTED, va="bottom",
        ).set_in_layout(False)  # fmt: skip
        step_axis(axes, labelled=number >= len(history) - columns)
    return figure


def _panel(axes: Axes, x: Array, y: Array, colour: str) -> None:
    finite = np.isfinite(y)
    if not finite.any():
        axes.set_yticks([])
    else:
        early = y[finite][: max(1, finite.sum() // 20)]
        late = y[finite][finite.sum() // 5 :]
        axes.plot(
            *thin(x, y), color=colour, linewidth=1.3 if len(x) <= 400 else 0.8, markersize=4,
            marker="o" if finite.sum() == 1 else "", clip_on=finite.sum() > 1,
        )  # fmt: skip
        if y[finite].min() > 0 and early.max() > 10 * np.median(late):
            axes.set_yscale("log")
            axes.set_ylabel("logarithmic scale", fontsize=7.5)
            few = y[finite].max() < _FEW_DECADES * y[finite].min()
            axes.yaxis.set_major_locator(
                LogLocator(subs=(1, 2, 5) if few else (1,), numticks=8 if few else 5)
            )
            axes.yaxis.set_minor_locator(NullLocator())
        else:
            _clip(axes, y[finite], late)
            axes.yaxis.set_major_locator(MaxNLocator(5))
        written = magnitude if axes.get_yscale() == "log" else short
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: written(v)))
    if len(x):
        axes.set_xlim(min(0.0, x[0]), x[-1] if x[-1] > min(0.0, x[0]) else x[0] + 1)
    if not finite.all():
        mark_lost(axes, float(x[~finite][0]))


def _clip(axes: Axes, values: Array, late: Array) -> None:
    """Begin below a start that would flatten the rest, and say what it was."""
    low, high = float(late.min()), float(late.max())
    reach = (high - low) or abs(high) or 1.0
    # A term that rises from nothing is worth seeing whole, so a low start is rarely cut.
    above, below = values.max() > high + 8 * reach, values.min() < low - 20 * reach
    if above or below:
        bottom = low - 0.6 * reach if below else float(values.min()) - 0.1 * reach
        top = high + 0.6 * reach if above else float(values.max()) + 0.1 * reach
        axes.set_ylim(bottom, top)
        peak = float(values.max() if above else values.min())
        side = "\N{UPWARDS ARROW}" if above else "\N{DOWNWARDS ARROW}"
        axes.text(
            0.97, 0.96 if above else 0.04, f"{side} from {short(peak)}", fontsize=7, color=MUTED,
            transform=axes.transAxes, ha="right", va="top" if above else "bottom",
        )  # fmt: skip
