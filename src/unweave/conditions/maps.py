"""How many images are trained on and held out, by the values of one factor or two."""

from __future__ import annotations

from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unweave.conditions.condition import Condition
from unweave.conditions.kinds import numbered
from unweave.conditions.split import HELD_OUT, NEITHER, TRAINED, Split
from unweave.factors import FactorSpace
from unweave.rules import Rule

__all__ = ["MOST_VALUES", "axes_of", "maps_of"]

MOST_VALUES: Final = 64
"""A factor with more values has no axis of `axes_of`."""


def maps_of(split: Split) -> dict[tuple[str, ...], NDArray[np.int64]]:
    """Counts of images by the factors that the rules compare, for each two of them.

    Factors with one value are left out. Of two factors, the one with more values has the columns;
    of as many, the first, as pos_x beside pos_y.

    Args:
        split: What is trained on and what is held out.

    Returns:
        (factor of the rows, factor of the columns): how many images are trained on, held out and
        neither, (3, rows, columns). Where one factor alone is compared, its name alone, (3, size).
    """
    space = split.space
    factors = [position for position in split.compared if space.sizes[position] > 1]
    indices = split.table.indices(np.arange(len(split.states)))
    chosen: list[tuple[int, ...]] = [
        _ordered(one, other, space) for one, other in combinations(factors, 2)
    ]
    found = {}
    for positions in chosen or [tuple(factors)]:
        sizes = [space.sizes[position] for position in positions]
        codes = numbered(indices[:, positions], sizes)
        counts = [
            np.bincount(codes[split.states == state], minlength=int(np.prod(sizes)))
            for state in (TRAINED, HELD_OUT, NEITHER)
        ]
        found[tuple(space.names[position] for position in positions)] = np.stack(counts).reshape(
            3, *sizes
        )
    return found


def axes_of(condition: Condition, space: FactorSpace) -> tuple[int, ...]:
    """The factors by whose values one map tells images of a condition apart.

    They are the two in the rule of what is held out; where more are, the two of them with most
    values, of as many the first. Factors with one value, or with more than `MOST_VALUES`, are
    passed over. Which has the rows says `maps_of`.

    Args:
        condition: What is held out.
        space: The factors of the whole dataset.

    Returns:
        Positions of the factor of the rows and of that of the columns; of one alone where no
        other is left, and none where there is no map.
    """
    sizes = space.sizes
    named = Rule(condition.held_out, space).compared
    factors = [position for position in named if 1 < sizes[position] <= MOST_VALUES]
    most = sorted(factors, key=lambda position: (-sizes[position], position))[:2]
    return tuple(most) if len(most) < 2 else _ordered(min(most), max(most), space)


def _ordered(one: int, other: int, space: FactorSpace) -> tuple[int, int]:
    """The factors of rows and columns, of two in the order of the space."""
    return (one, other) if space.sizes[one] < space.sizes[other] else (other, one)
