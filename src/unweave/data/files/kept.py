"""Which images of a published grid are kept, and picking them from its blocks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave.factors import FactorSpace

__all__ = ["kept_rows", "pick"]


def kept_rows(space: FactorSpace, kept: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Flat indices of all combinations of the kept values, ascending, (n,).

    Args:
        space: The factors of the published grid.
        kept: Ascending indices of each factor.
    """
    axes = np.meshgrid(*kept, indexing="ij")
    return space.ravel(np.stack([axis.ravel() for axis in axes], axis=1))


def pick(
    blocks: Iterable[tuple[int, NDArray[Any]]], wanted: NDArray[np.int64]
) -> Iterator[NDArray[Any]]:
    """The wanted rows of blocks that follow each other.

    Every block is taken, to the last, so that what checks a file while it is read sees all of it.

    Args:
        blocks: Each with the place of its first row.
        wanted: Ascending places, (n,).

    Yields:
        Rows, at most as many as a block has; blocks without any are left out.
    """
    for first, rows in blocks:
        low, high = np.searchsorted(wanted, [first, first + len(rows)])
        if high - low == len(rows):
            yield rows
        elif high > low:
            yield rows[wanted[low:high] - first]
