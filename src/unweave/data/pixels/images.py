"""Images by flat index, wherever they lie: on disk, composed when read, or a part of others."""

from __future__ import annotations

from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from unweave.progress import Progress

__all__ = ["Images", "Selected"]


class Images(Protocol):
    """What a dataset needs of its images.

    Attributes:
        image_shape: (H, W, C).
        count: How many images there are.
        scale: What `gather` must be multiplied with to give numbers between 0 and 1.
    """

    image_shape: tuple[int, int, int]
    count: int
    scale: float

    def gather(self, flat: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Images at flat indices in the cheapest form for training, (n, H, W, C)."""

    def images(self, flat: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Images at flat indices, (n, H, W, C), 0 to 255."""

    def fingerprint(self) -> str:
        """Equal for equal images: what is computed from them may be kept under it."""

    def verify(self, progress: Progress | None = None) -> None:
        """Compare whatever lies on disk with its checksums.

        Raises:
            DataError: Something is damaged.
        """


@final
class Selected:
    """Some of the images of another source, in an order of their own.

    Args:
        base: The other source.
        rows: Flat index there of each image, (n,).
        name: What was chosen and how, part of the fingerprint.

    Attributes:
        base: The other source.
        rows: As above.
    """

    def __init__(self, base: Images, rows: NDArray[np.int64], name: str) -> None:
        """Keep both; nothing is copied."""
        self.image_shape = base.image_shape
        self.count = len(rows)
        self.scale = base.scale
        self.base = base
        self.rows = rows
        self._name = name

    def gather(self, flat: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Images at flat indices in the cheapest form for training, (n, H, W, C)."""
        return self.base.gather(self.rows[flat])

    def images(self, flat: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Images at flat indices, (n, H, W, C), 0 to 255."""
        return self.base.images(self.rows[flat])

    def fingerprint(self) -> str:
        """That of the other source, and what was chosen."""
        return f"{self.base.fingerprint()} {self._name}"

    def verify(self, progress: Progress | None = None) -> None:
        """Compare all images of the other source with their checksums.

        Raises:
            DataError: Something is damaged.
        """
        self.base.verify(progress)
