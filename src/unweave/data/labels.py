"""Factors of images that form no full grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.factors import FactorIndexError, FactorSpace

__all__ = ["Labels"]


@final
@dataclass(frozen=True, eq=False)
class Labels:
    """What each image shows, one row an image; combinations may be missing or come twice.

    Args:
        indices: Factor indices, (N, K) whole numbers within the space.
        values: Exact values of the factors, (N, K), where they are finer than the indices; a
            factor that varies continuously has an index for each of several equal intervals.

    Raises:
        FactorIndexError: The tables do not fit each other.
    """

    indices: NDArray[np.int64]
    values: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        """Check the shapes."""
        if self.indices.ndim != 2:
            raise FactorIndexError(f"Factors must be a table (N, K), not {self.indices.shape}.")
        if self.values is not None and self.values.shape != self.indices.shape:
            raise FactorIndexError(
                f"Factor values {self.values.shape} do not fit indices {self.indices.shape}."
            )

    def select(self, rows: NDArray[np.int64]) -> Labels:
        """Those of some images, in that order."""
        values = None if self.values is None else self.values[rows]
        return Labels(self.indices[rows], values)

    def find(self, space: FactorSpace, indices: NDArray[np.int64]) -> NDArray[np.int64]:
        """The first image that shows each combination, (n,); -1 where there is none.

        Args:
            space: The factors.
            indices: Combinations, (n, K).
        """
        cells = space.ravel(self.indices)
        order = np.argsort(cells, kind="stable")
        wanted = space.ravel(indices)
        place = np.minimum(np.searchsorted(cells[order], wanted), len(order) - 1)
        return np.where(cells[order[place]] == wanted, order[place], -1).astype(np.int64)
