"""Values of a factor in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unweave.factors import Factor

__all__ = ["ranges", "shown"]

_MOST_RUNS = 6


def shown(factor: Factor, place: int) -> str:
    """An index of a factor, and the value that it stands for, or the value's name."""
    if factor.labels is not None:
        return repr(factor.labels[place])
    if factor.values is None or factor.values == tuple(range(factor.size)):
        return f"{place}"
    return f"{place} ({factor.values[place]:.3g})"


def ranges(factor: Factor, chosen: NDArray[np.bool_]) -> str:
    """Some values of a factor: each by name where it has no order, else by first and last.

    Args:
        factor: The factor.
        chosen: Whether each value is meant, (size,).
    """
    places = np.flatnonzero(chosen)
    if not len(places):
        return "none"
    runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    if factor.kind == "categorical":
        runs = [np.array([place]) for place in places]
    words = [
        shown(factor, int(run[0])) + (f" to {shown(factor, int(run[-1]))}" if len(run) > 1 else "")
        for run in runs
    ]
    if len(words) > _MOST_RUNS:
        words = [*words[: _MOST_RUNS - 2], "...", words[-1]]
    return ", ".join(words)
