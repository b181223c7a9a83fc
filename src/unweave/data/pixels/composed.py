"""Images that lie nowhere, but are composed of those of another source when they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.pixels.images import Images
from unweave.progress import Progress

__all__ = ["Composed"]

_Pixels: TypeAlias = NDArray[np.uint8]
_Flat: TypeAlias = NDArray[np.int64]

# Bytes of images composed at a time: what is needed on the way stays in the cache of a core, and
# comes from memory that the allocator need not fetch from the system for each batch.
_PART: Final = 2**17


@final
class Composed:
    """Images composed of those of another source, one each.

    Args:
        base: The other source.
        image_shape: (H, W, C) of the composed images.
        compose: From what `base.gather` gives, (n, ...), and flat indices, (n,), to images
            (n, H, W, C) of 0 to 255; each a pure function of its own row.
        name: What is composed and how, part of the fingerprint.
    """

    def __init__(
        self,
        base: Images,
        image_shape: tuple[int, int, int],
        compose: Callable[[_Pixels, _Flat], _Pixels],
        name: str,
    ) -> None:
        """Keep all of them; nothing is read."""
        self.image_shape = image_shape
        self.count = base.count
        self.scale = 1 / 255
        self._base = base
        self._compose = compose
        self._name = name

    def gather(self, flat: _Flat) -> _Pixels:
        """Images at flat indices, (n, H, W, C), 0 to 255."""
        images = np.empty((len(flat), *self.image_shape), dtype=np.uint8)
        step = max(1, _PART // images[:1].nbytes) if len(flat) else 1
        for first in range(0, len(flat), step):
            part = flat[first : first + step]
            images[first : first + step] = self._compose(self._base.gather(part), part)
        return images

    def images(self, flat: _Flat) -> _Pixels:
        """Images at flat indices, (n, H, W, C), 0 to 255."""
        return self.gather(flat)

    def fingerprint(self) -> str:
        """That of the other source, and what is composed."""
        return f"{self._base.fingerprint()} {self._name}"

    def verify(self, progress: Progress | None = None) -> None:
        """Compare all images of the other source with their checksums.

        Raises:
            DataError: Something is damaged.
        """
        self._base.verify(progress)
