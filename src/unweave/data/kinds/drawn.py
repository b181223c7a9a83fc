"""Images that are drawn when they are read, and datasets of them: nothing lies on disk."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, Final, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset, DatasetSpec
from unweave.errors import SpecError
from unweave.progress import Progress

__all__ = ["Drawn", "DrawnSpec"]

_Pixels: TypeAlias = NDArray[np.uint8]
_Flat: TypeAlias = NDArray[np.int64]

# The order of an epoch takes 16 bytes an image.
_MOST: Final = 10**8
# Bytes of all images up to which they are drawn once and kept.
_KEPT: Final = 2**24
_BLOCK: Final = 256


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


@final
class Drawn:
    """Images drawn whenever they are read; where all of them are few, drawn once and kept.

    Args:
        image_shape: (H, W, C).
        count: How many images there are.
        draw: From flat indices, (n,), to images (n, H, W, C) of 0 to 255.
        name: What is drawn, in full: the fingerprint.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        count: int,
        draw: Callable[[_Flat], _Pixels],
        name: str,
    ) -> None:
        """Keep all of them; nothing is drawn."""
        self.image_shape = image_shape
        self.count = count
        self.scale = 1 / 255
        self._draw = draw
        self._name = name
        self._few = count * math.prod(image_shape) <= _KEPT
        self._all: _Pixels | None = None

    def gather(self, flat: _Flat) -> _Pixels:
        """Images at flat indices, (n, H, W, C), 0 to 255."""
        if not self._few:
            return self._draw(flat)
        if self._all is None:
            firsts = range(0, self.count, _BLOCK)
            self._all = np.concatenate(
                [self._draw(np.arange(i, min(i + _BLOCK, self.count))) for i in firsts]
            )
        return self._all[flat]

    def images(self, flat: _Flat) -> _Pixels:
        """Images at flat indices, (n, H, W, C), 0 to 255."""
        return self.gather(flat)

    def fingerprint(self) -> str:
        """What is drawn."""
        return self._name

    def verify(self, progress: Progress | None = None) -> None:
        """Nothing lies on disk that could be damaged."""
