"""Scores during a training, a small panel each."""

from __future__ import annotations

__all__ = ["score_curves"]

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike

from unweave.plots.series import short, step_axis, thin
from unweave.plots.style import BLUE, MUTED, WIDTH, new_figure, styled

_FEW = 40


@styled
def score_curves(
    steps: ArrayLike, scores: Mapping[str, ArrayLike], images: int | None = None
) -> Figure:
    """Each score over the steps of a training, from zero on.

    Args:
        steps: Optimiser steps, (n,).
        scores: Name -> values (n,); NaN where there is none, which lines pass over.
        images: How many images were scored.

    Returns:
        The figure. The highest value is marked; a score that never is finite has an empty panel.

    Raises:
        ValueError: There is no score, or steps and values are not of one length.
    """
    x = np.asarray(steps, np.float64)
    if not scores or x.ndim != 1 or not len(x):
        raise ValueError("score_curves needs at least one score and one step.")
    columns = min(len(scores), 3)
    rows = -(-len(scores) // columns)
    width = WIDTH if columns > 1 else 4.6
    figure = new_figure(width, 0.35 + 2.1 * rows)
    figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06)
    for number, (name, values) in enumerate(scores.items()):
        y = np.asarray(values, np.float64)
        if y.shape != x.shape:
            raise ValueError(
                f"scores[{name!r}] must be one for each of {len(x)} steps; got {y.shape}."
            )
        axes = figure.add_subplot(rows, columns, number + 1)
        axes.set_title(name.replace("_", " "), pad=24)
        known = np.isfinite(y)
        words, highest = "no finite value", ""
        if known.any():
            axes.plot(*thin(x[known], y[known]), color=BLUE, markersize=3,
                      marker="o" if known.sum() <= _FEW else "")  # fmt: skip
            best = int(np.flatnonzero(known)[y[known].argmax()])
            axes.plot([x[best]], [y[best]], marker="o", markersize=6, markerfacecolor="none",
                      markeredgecolor=BLUE, linestyle="")  # fmt: skip
            last = float(y[known][-1])
            words = f"{short(last)} at the end"
            highest = f"highest {short(y[best])} at step {x[best]:,.0f}"
            low, high = float(min(y[known].min(), 0)), float(max(y[known].max(), 0))
            reach = (high - low) or 1.0
            axes.set_ylim(low - 0.05 * reach * (low < 0), high + 0.12 * reach)
        if number == 0 and images is not None:
            words += f" ({images:,} images)"
        # Words are no part of the layout, which would make room for them at the panel's expense.
        axes.text(
            0, 1.03, f"{words}\n{highest}", transform=axes.transAxes, fontsize=7.5, color=MUTED,
            va="bottom", linespacing=1.15,
        ).set_in_layout(False)  # fmt: skip
        axes.set_xlim(0, x[-1] * 1.02 if x[-1] > 0 else 1)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: short(v)))
        step_axis(axes, labelled=number >= len(scores) - columns, wide=columns == 1)
    return figure
