"""How many images are trained on and held out, by the values of one factor or two."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from unweave.conditions.kinds import numbered
from unweave.conditions.split import HELD_OUT, NEITHER, TRAINED, Split

__all__ = ["maps_of"]


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
        (one, other) if space.sizes[one] < space.sizes[other] else (other, one)
        for one, other in combinations(factors, 2)
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
