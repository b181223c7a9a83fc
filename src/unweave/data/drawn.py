"""Datasets that are drawn whenever they are read, and never lie on disk."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset, DatasetSpec
from unweave.data.composed import Drawn
from unweave.data.store import Progress
from unweave.errors import SpecError

__all__ = ["DrawnSpec"]

# The order of an epoch takes 16 bytes an image.
_MOST: Final = 10**8


class DrawnSpec(DatasetSpec):
    """Family of full grids that are drawn as fast as they could be read.

    A member says what its factors are and how to draw; there is nothing to prepare.
    """

    source: ClassVar[str] = "rendered"

    def validate(self) -> None:
        """Refuse more images than an epoch can go through.

        Raises:
            SpecError: There are more.
        """
        if self.count > _MOST:
            raise SpecError(
                f"{self} would have {self.count:,} images, and at most {_MOST:,} can be trained "
                f"on: give smaller numbers, such as those of {self.name} alone."
            )

    @abstractmethod
    def draw(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Draw a batch.

        Args:
            indices: Factor indices, (n, K), each within its factor.

        Returns:
            (n, H, W, C) of 0 to 255, each image a pure function of its own row.
        """

    def ready(self) -> bool:
        """True: there is nothing to make or fetch."""
        return True

    def open(self, progress: Progress | None = None) -> Dataset:
        """The dataset; `progress` is told nothing."""
        space = self.factor_space
        images = Drawn(
            self.image_shape,
            self.count,
            lambda flat: self.draw(space.unravel(flat)),
            f"{self} revision {self.revision}",
        )
        return Dataset(self, images, factor_space=space)

    def verify(self, progress: Progress | None = None) -> None:
        """Nothing lies on disk that could be damaged."""
