"""Where what is held out ends: the values on both sides of each border."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unweave.conditions.kinds import Cells
from unweave.conditions.showing import ranges, shown
from unweave.factors import Factor

__all__ = ["borders"]

_MOST_BORDERS = 4


def borders(cells: Cells, meeting: set[str]) -> list[str]:
    """For each factor that is compared, which values are held out, and which are next to them.

    A value counts as trained on where the other factors have values with which it could be held
    out: of a square in the right half, `pos_x` is trained on in the left half.

    Args:
        cells: What is trained on and what is held out.
        meeting: Names of the circular factors whose last value is next to the first.

    Returns:
        A sentence a factor.
    """
    lines = []
    for position in cells.compared:
        factor = cells.space.factors[position]
        if factor.size == 1:
            continue
        anywhere, held = cells.occurring(position)
        trained = cells.beside(position) & ~held
        if held.all():
            what = "held out with every value"
            if not anywhere.all():
                what += f", trained on only with {ranges(factor, anywhere)}"
        else:
            what = _sides(factor, held, trained, factor.name in meeting)
        lines.append(f"{factor.name}: {what}")
    return lines


def _sides(
    factor: Factor, held: NDArray[np.bool_], trained: NDArray[np.bool_], round_trip: bool
) -> str:
    """What is held out of a factor and what is trained on in its place, in words."""
    plain = (
        f"held out is {ranges(factor, held)}; trained on in its place {ranges(factor, trained)}"
    )
    if factor.kind == "categorical":
        return plain
    # Only values that are one or the other: what is neither is named between them.
    places = np.flatnonzero(held | trained)
    turns = np.flatnonzero(held[places][1:] != held[places][:-1])
    if not 0 < len(turns) <= _MOST_BORDERS:
        return plain
    words = [_border(factor, held, int(places[turn]), int(places[turn + 1])) for turn in turns]
    last, first = int(places[-1]), int(places[0])
    if round_trip and held[last] != held[first] and (first, last) == (0, factor.size - 1):
        words.append(f"on the circle {shown(factor, last)} is next to {shown(factor, first)}")
    return "; ".join(words)


def _border(factor: Factor, held: NDArray[np.bool_], below: int, above: int) -> str:
    """Two neighbours of which one is held out."""
    one, other = shown(factor, below), shown(factor, above)
    text = (
        f"the last trained value is {one}, the first held out {other}"
        if held[above]
        else f"the last held-out value is {one}, the first trained {other}"
    )
    if above - below == 1:
        return text
    between = np.zeros(factor.size, bool)
    between[below + 1 : above] = True
    return f"{text}, and {ranges(factor, between)} is neither"
