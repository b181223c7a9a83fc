"""Published full grids of factors, of which a part can be kept."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from unweave.data.kinds.archive import ArchiveSpec
from unweave.errors import SpecError
from unweave.factors import FactorSpace

__all__ = ["GridArchiveSpec"]


class GridArchiveSpec(ArchiveSpec):
    """Family of published datasets that have every combination of their factors once.

    A member declares `grid` as a field, one number a factor.
    """

    @property
    @abstractmethod
    def grid(self) -> tuple[int, ...] | None:
        """How many evenly spaced values of each factor are kept; None for all."""

    @property
    @abstractmethod
    def published_space(self) -> FactorSpace:
        """The factors of all published images, in the order of the files."""

    @property
    def largest_space(self) -> FactorSpace:
        """The most factors that the files may have, known without them."""
        return self.published_space

    def validate(self) -> None:
        """Refuse a path that would not be read, and a grid that is larger than the factors."""
        super().validate()
        if self.grid is None:
            return
        space = self.largest_space
        for factor, count in zip(space.factors, self.grid, strict=True):
            if count > factor.size:
                raise SpecError(
                    f"{self.name}: grid keeps {count} values of {factor.name}, which has "
                    f"{factor.size}: at most {space.sizes} can be kept."
                )

    @property
    def kept(self) -> tuple[NDArray[np.int64], ...]:
        """Indices of the values that are kept, of each factor."""
        space = self.published_space
        return space.grid(self.grid or space.sizes)

    @property
    def factor_space(self) -> FactorSpace:
        """The factors, in the order of the flat index."""
        return self.published_space.subspace(self.kept)
