"""What figures of a training over its steps share: thinning, the step axis, short numbers."""

from __future__ import annotations

__all__ = ["Array", "mark_lost", "short", "step_axis", "thin"]

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from unweave.plots.style import MARK

Array = NDArray[np.float64]

_MOST_POINTS = 1200
_LONG_STEPS, _LONGER_STEPS = 40_000, 1_000_000


def thin(steps: ArrayLike, values: ArrayLike, most: int = _MOST_POINTS) -> tuple[Array, Array]:
    """At most about `most` points of a series, with the ends and every peak and dip kept.

    The series is cut into equal stretches; of each the lowest and the highest point stay, and
    points that are not finite stay too when they are the first of their stretch.

    Args:
        steps: (n,) ascending.
        values: (n,).
        most: Points above which the series is thinned.

    Returns:
        Steps and values, each (m,), in order.
    """
    x, y = np.asarray(steps, np.float64), np.asarray(values, np.float64)
    if len(x) <= most:
        return x, y
    keep = {0, len(x) - 1}
    for part in np.array_split(np.arange(len(x)), max(1, most // 2 - 1)):
        finite = part[np.isfinite(y[part])]
        keep.update(part[~np.isfinite(y[part])][:1].tolist())
        if len(finite):
            keep.update((int(finite[y[finite].argmin()]), int(finite[y[finite].argmax()])))
    chosen = sorted(keep)
    return x[chosen], y[chosen]


def step_axis(axes: Axes, *, labelled: bool, wide: bool = False) -> None:
    """Whole steps with thousands set apart, and the word under the axis when asked for.

    Args:
        axes: Where to; its limits are set.
        labelled: Whether the word is written.
        wide: Whether it has a row of its own, so that there is room for more marks.
    """
    # Long numbers need room.
    most = axes.get_xlim()[1]
    few = 4 if wide or most < _LONG_STEPS else 3 if most < _LONGER_STEPS else 2
    axes.xaxis.set_major_locator(MaxNLocator(few, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))
    if labelled:
        axes.set_xlabel("step")


def mark_lost(axes: Axes, step: float) -> None:
    """A cross at the foot of a panel where values stop being finite, and words beside it."""
    axes.plot(
        [step], [0.03], marker="x", color=MARK, markeredgewidth=2, clip_on=False, linestyle="",
        transform=axes.get_xaxis_transform(),
    )  # fmt: skip
    # On the side that has room.
    low, high = axes.get_xlim()
    right = step > (low + high) / 2
    axes.annotate(
        "not finite", (step, 0.03), xycoords=axes.get_xaxis_transform(),
        xytext=(-7 if right else 7, 0), textcoords="offset points", fontsize=7, color=MARK,
        ha="right" if right else "left", va="center",
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.8},
    )  # fmt: skip


def short(value: float) -> str:
    """A number in three digits, for reading rather than computing."""
    if value == 0 or 0.001 <= abs(value) < 100_000:
        text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    else:
        text = f"{value:.1e}"
    return text.replace("-", "\N{MINUS SIGN}")
