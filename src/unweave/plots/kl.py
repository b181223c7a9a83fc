"""How much information each latent carries, over training and at its end."""

from __future__ import annotations

__all__ = ["kl_bars", "kl_curves"]

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

from unweave.plots.series import mark_lost, step_axis, thin
from unweave.plots.style import BLUE, FAINT, MUTED, SERIES, WIDTH, new_figure, styled
from unweave.plots.traversals import INACTIVE_KL, order_by_kl

_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.6)), (0, (1, 1.3)))


@styled
def kl_curves(steps: ArrayLike, kl: ArrayLike, names: Sequence[str] | None = None) -> Figure:
    """KL of each latent over training, named at the end of its line.

    Args:
        steps: (n,) optimiser steps.
        kl: (n, L) nats.
        names: (L,) names of the latents, by default z0, z1, ...

    Returns:
        The figure; latents that end below `INACTIVE_KL` are grey. The end of a latent is its last
        finite value; where one stops being finite there is a cross at the foot.

    Raises:
        ValueError: Wrong shapes.
    """
    x, y = np.asarray(steps, np.float64), np.asarray(kl, np.float64)
    if x.ndim != 1 or y.ndim != 2 or len(x) != len(y) or 0 in y.shape:
        raise ValueError(f"steps (n,) and kl (n, L) do not fit: got {x.shape} and {y.shape}.")
    names = _names(names, y.shape[1])
    last = np.array([_last(column) for column in y.T])
    order = order_by_kl(last)
    active = [i for i in order if last[i] >= INACTIVE_KL]
    idle = [names[i] for i in sorted(set(order) - set(active))]
    figure = new_figure(WIDTH, max(3.2, 0.8 + 0.17 * (len(active) + len(_rows(idle)))))
    figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06)
    axes = figure.add_subplot()
    colours = {}
    width = 1.4 if len(active) <= 2 * len(SERIES) else 0.9
    for rank, i in reversed(list(enumerate(order))):
        colours[i] = SERIES[rank % len(SERIES)] if i in active else FAINT
        dash = _DASHES[rank // len(SERIES) % len(_DASHES)] if i in active else "-"
        axes.plot(*thin(x, y[:, i]), color=colours[i], linestyle=dash, linewidth=width,
                  marker="o" if len(x) == 1 else "", markersize=4, clip_on=len(x) > 1)  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.set_xlim(min(0.0, x[0]), x[-1] if x[-1] > min(0.0, x[0]) else x[0] + 1)
    axes.set_ylabel("KL (nats)")
    step_axis(axes, labelled=True, wide=True)
    lost = ~np.isfinite(y).all(axis=1)
    if lost.any():
        mark_lost(axes, float(x[lost][0]))
    _name_lines(
        axes, [(f"{names[i]}  {last[i]:.2f}", last[i], colours[i]) for i in active], _rows(idle)
    )
    return figure


@styled
def kl_bars(kl: ArrayLike, labels: Sequence[str] | None = None) -> Figure:
    """KL of each latent as a bar, highest first.

    Args:
        kl: (L,) nats.
        labels: (L,) names of the latents, by default z0, z1, ...

    Returns:
        The figure; latents below `INACTIVE_KL` are grey.

    Raises:
        ValueError: Wrong shape.
    """
    nats = np.asarray(kl, np.float64)
    if nats.ndim != 1 or not len(nats):
        raise ValueError(f"kl must be one number for each latent; got shape {nats.shape}.")
    names = _names(labels, len(nats))
    order = order_by_kl(nats)
    figure = new_figure(WIDTH, 2.6)
    figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06)
    axes = figure.add_subplot()
    colours = [BLUE if nats[i] >= INACTIVE_KL else FAINT for i in order]
    bars = axes.bar(range(len(nats)), nats[order], width=0.72, color=colours)
    if len(nats) <= 24:
        axes.bar_label(bars, [f"{nats[i]:.2f}" for i in order], padding=2, fontsize=7.5)
    axes.set_xticks(range(len(nats)), [names[i] for i in order], rotation=90 * (len(nats) > 24))
    axes.set_xlim(-0.6, max(len(nats), 4) - 0.4)
    axes.margins(y=0.12)
    axes.grid(visible=False, axis="x")
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel("KL (nats)")
    return figure


def _last(values: NDArray[np.float64]) -> float:
    """The last finite value, or 0 where there is none."""
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else 0.0


def _rows(idle: list[str]) -> list[str]:
    """Lines that name the idle latents together; none where there are none."""
    rows = [" ".join(idle[i : i + 5]) for i in range(0, len(idle), 5)]
    return [*rows, f"below {INACTIVE_KL}"] if idle else []


def _name_lines(axes: Axes, active: list[tuple[str, float, str]], rows: list[str]) -> None:
    """Write each active latent beside the end of its line, and the idle ones together below."""
    low, high = axes.get_ylim()
    gap = (high - low) * min(0.062, 1 / max(len(active) + len(rows), 1))
    words = [*active, ("\n".join(rows), low, FAINT)] if rows else active
    floor, ceiling = low + gap * (len(rows) + 0.5), high - gap / 2
    heights = [height for _, height, _ in active]
    places = [*_spread(heights, gap, floor, ceiling), low][: len(words)]
    for (text, height, colour), place in zip(words, places, strict=True):
        several = "\n" in text
        axes.annotate(
            text,
            xy=(1, height),
            xytext=(1.03, place),
            xycoords=("axes fraction", "data"),
            textcoords=("axes fraction", "data"),
            va="bottom" if several else "center",
            fontsize=7.5,
            color=MUTED if several else colour,
            annotation_clip=False,
            arrowprops=None if several else {
                "arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )  # fmt: skip


def _names(names: Sequence[str] | None, count: int) -> list[str]:
    chosen = [f"z{i}" for i in range(count)] if names is None else list(names)
    if len(chosen) != count:
        raise ValueError(f"There must be one name for each of {count} latents; got {len(chosen)}.")
    return chosen


def _spread(places: list[float], gap: float, floor: float, ceiling: float) -> list[float]:
    """Move descending places apart until they are `gap` apart, each as little as may be.

    The squares of the ways have the smallest sum, which is an isotonic regression. None goes below
    `floor` or above `ceiling`, between which there must be room for all.
    """
    if not places:
        return []
    steps = gap * np.arange(len(places))
    moved = isotonic_regression(np.asarray(places) + steps, increasing=False).x
    return list(np.clip(moved, floor + steps[-1], ceiling) - steps)
