"""Long curves made short, with all their peaks."""

from __future__ import annotations

__all__ = ["POINTS", "thinned"]

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, TypeVar

Point = TypeVar("Point", bound=tuple[float, float])

POINTS: Final = 600
"""Points that a curve has at most where nothing else is asked for; a screen shows no more."""


def thinned(points: Sequence[Point], most: int = POINTS) -> list[Point]:
    """The first and the last point, and the least and the largest of each part in between.

    No point is made up: all are points of the curve, at their own steps, and so both ends of its
    range are kept over the whole and in each part.

    Args:
        points: Steps and finite values, in order.
        most: How many points there are at most, at least 4.

    Returns:
        The points themselves where there are no more than `most`.

    Raises:
        ValueError: `most` is too small.
    """
    if most < 4:
        raise ValueError(f"most must be at least 4; got {most}.")
    if len(points) <= most:
        return list(points)
    inner, parts = len(points) - 2, (most - 2) // 2
    edges = [1 + part * inner // parts for part in range(parts + 1)]
    kept = {0, len(points) - 1}
    for begin, end in pairwise(edges):
        places = range(begin, end)
        kept.add(min(places, key=lambda place: points[place][1]))
        kept.add(max(places, key=lambda place: points[place][1]))
    return [points[place] for place in sorted(kept)]
