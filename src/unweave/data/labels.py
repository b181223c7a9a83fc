"""Factors of images that form no full grid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.factors import FactorIndexError, FactorSpace
from unweave.rules import Rule

__all__ = ["Labels", "taken_by"]


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
    _places: dict[tuple[int, ...], Places] = field(default_factory=dict, init=False, repr=False)

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
        places = self.places(space)
        place = places.of(space.ravel(indices))
        return np.where(place >= 0, places.order[places.starts[place]], -1)

    def places(self, space: FactorSpace) -> Places:
        """The images in the order of their combinations; sorted once, and kept.

        Args:
            space: The factors.
        """
        if space.sizes not in self._places:
            self._places[space.sizes] = Places(space.ravel(self.indices))
        return self._places[space.sizes]


@final
class Places:
    """Images in the order of their combinations, to find those of each at once.

    Args:
        cells: The combination of each image as its flat index in the whole grid, (N,).

    Attributes:
        order: Images, those of one combination together and ascending, (N,).
        cells: Combinations that occur, ascending, (M,).
        starts: Where in `order` each begins, (M,).
        counts: How many images each has, (M,).
    """

    def __init__(self, cells: NDArray[np.int64]) -> None:
        """Sort the images."""
        self.order = np.argsort(cells, kind="stable").astype(np.int64, copy=False)
        self.cells, self.starts, self.counts = np.unique(
            cells[self.order], return_index=True, return_counts=True
        )

    def of(self, cells: NDArray[np.int64]) -> NDArray[np.int64]:
        """The place among those that occur of each combination; -1 of one that does not."""
        place = np.minimum(np.searchsorted(self.cells, cells), len(self.cells) - 1)
        return np.where(self.cells[place] == cells, place, -1)


def taken_by(rule: Rule, labels: Labels | None) -> NDArray[np.bool_]:
    """Whether a rule takes each image, (N,); exact values are asked where known.

    Args:
        rule: A rule on the factors of the images.
        labels: What each image shows; None for a full grid.
    """
    return rule.grid() if labels is None else rule.rows(labels.indices, labels.values)
