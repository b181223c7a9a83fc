"""Which axis shows values best that lie far apart: a plain, a logarithmic or a broken one."""

from __future__ import annotations

__all__ = ["AxisKind", "axis_kind", "broken_limits", "linear_limits", "mark_break"]

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from unweave.plots.style import FAINT, MUTED

AxisKind = Literal["linear", "broken", "log"]

# Shares of the range: of the least empty gap at which an axis is broken, and of the side of it
# that would be pressed otherwise.
_EMPTY = 1 / 4
_PRESSED = 1 / 5
# An axis is logarithmic where so many of the values would lie in so low a part of it,
_MOST = 2 / 3
_LOWEST = 1 / 10
# and where the largest is so many times the smallest.
_FAR = 100.0
# Share of the range that is kept free beyond its ends.
_ROOM = 0.08


def axis_kind(values: ArrayLike) -> AxisKind:
    """What axis is best for some values.

    Broken at the largest empty gap between neighbours where that takes a quarter of the range or
    more, and a side of it with half of the values or more would be pressed into less than a fifth.
    Logarithmic where two thirds of the values of the axis, or of a part of the broken one, would
    still lie in its lowest tenth, all values are above 0, and the largest is 100 times the
    smallest or more. Linear otherwise.

    Args:
        values: (n,); values that are not finite are passed over.
    """
    found = _sorted(values)
    place = _break(found)
    parts = [found] if place is None else [found[: place + 1], found[place + 1 :]]
    if len(found) and found[0] > 0 and found[-1] >= _FAR * found[0] and any(map(_low, parts)):
        return "log"
    return "linear" if place is None else "broken"


def linear_limits(values: ArrayLike) -> tuple[float, float]:
    """Ends of an axis with room around its values.

    It starts at 0 where no value is below and the least is not far above.

    Args:
        values: (n,) with at least one finite one.
    """
    found = _sorted(values)
    low, high = float(found[0]), float(found[-1])
    room = _ROOM * (high - low) or 0.1 * abs(high) or 1.0
    return (0.0 if 0 <= low < 0.3 * high else low - room), high + room


def broken_limits(values: ArrayLike) -> tuple[tuple[float, float], tuple[float, float]]:
    """Ends of the lower and of the upper part of an axis, broken at the largest empty gap.

    Args:
        values: (n,) with at least two different finite ones.
    """
    found = _sorted(values)
    place = int(np.diff(found).argmax())
    below, above = float(found[place]), float(found[place + 1])
    low, end = linear_limits(found[: place + 1])
    start, high = linear_limits(found[place + 1 :])
    # The parts never meet, however small the gap is.
    most = (above - below) / 3
    return (low, min(end, below + most)), (max(start, above - most), high)


def _sorted(values: ArrayLike) -> NDArray[np.float64]:
    """Different finite values in order."""
    every = np.asarray(values, np.float64).ravel()
    return np.unique(every[np.isfinite(every)])


def _break(found: NDArray[np.float64]) -> int | None:
    """Place of the value below the gap at which an axis is worth breaking."""
    if len(found) < 3:
        return None
    gaps, span = np.diff(found), found[-1] - found[0]
    place = int(gaps.argmax())
    sides = found[: place + 1], found[place + 1 :]
    pressed = any(2 * len(of) >= len(found) and of[-1] - of[0] < _PRESSED * span for of in sides)
    return place if pressed and gaps[place] >= _EMPTY * span else None


def _low(found: NDArray[np.float64]) -> bool:
    """Whether most values of an axis lie close to its lower end."""
    ends = found[0] + _LOWEST * (found[-1] - found[0])
    return len(found) > 2 and float((found <= ends).mean()) >= _MOST


def mark_break(lower: Axes, upper: Axes) -> None:
    """Show that two axes, one above the other, are parts of one that is broken."""
    upper.spines["bottom"].set_visible(False)
    upper.tick_params(axis="x", bottom=False, labelbottom=False)
    slant: dict[str, Any] = {
        "marker": [(-1, -0.6), (1, 0.6)], "markersize": 8, "color": MUTED, "linestyle": "",
        "markeredgewidth": 1.0, "clip_on": False, "zorder": 6,
    }  # fmt: skip
    for axes, height in ((lower, 1), (upper, 0)):
        axes.plot([0], [height], transform=axes.transAxes, **slant)
        axes.axhline(axes.get_ylim()[height], color=FAINT, linewidth=0.9, zorder=0.9,
                     linestyle=(0, (1, 2)))  # fmt: skip
