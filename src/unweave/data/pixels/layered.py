"""Images that are sums of layers: one layer of each part of a scene."""

from __future__ import annotations

import math
from typing import Final, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.pixels.store import Store
from unweave.data.render.sums import cut_off
from unweave.progress import Progress

__all__ = ["Layered"]

_Pixels: TypeAlias = NDArray[np.uint8]
_Flat: TypeAlias = NDArray[np.int64]

# Bytes of one layer of the images that are added up at a time: these stay in the cache of a core.
_PART: Final = 2**17


@final
class Layered:
    """Images of a full grid: the variants of each part, in order, then the scene, fastest.

    Args:
        store: Layers of two bytes a value (int16, little-endian), scene by scene: all variants of
            the first part, then of the second, and so on.
        image_shape: (H, W, C) of the images.
        variants: How many layers a scene has of each part.
        fraction: How many bits of a value lie below one step of 255; sums are cut off there.

    Attributes:
        store: As above.
        fraction: As above.
    """

    def __init__(
        self,
        store: Store,
        image_shape: tuple[int, int, int],
        variants: tuple[int, ...],
        fraction: int,
    ) -> None:
        """Keep all of them; nothing is read."""
        self.image_shape = image_shape
        self.scale = 1 / 255
        self.store = store
        self._variants = variants
        self.fraction = fraction
        self._scenes = store.count // sum(variants)
        self.count = self._scenes * math.prod(variants)

    def gather(self, flat: _Flat) -> _Pixels:
        """Images at flat indices, (n, H, W, C), 0 to 255."""
        rows = self.rows(flat)
        images = np.empty((len(flat), *self.image_shape), dtype=np.uint8)
        width = math.prod(self.image_shape)
        layers = self.store.rows.view("<i2")
        step = max(1, _PART // (2 * width))
        sums, layer = np.empty((2, min(step, len(flat)), width), dtype="<i2")
        for first in range(0, len(flat), step):
            part = rows[:, first : first + step]
            total, further = sums[: part.shape[1]], layer[: part.shape[1]]
            # Every row is there; with the check that each is, NumPy would need further memory.
            np.take(layers, part[0], axis=0, out=total, mode="clip")
            for row in part[1:]:
                np.take(layers, row, axis=0, out=further, mode="clip")
                total += further
            cut_off(total, self.fraction)
            images[first : first + step] = total.reshape(-1, *self.image_shape)
        return images

    def images(self, flat: _Flat) -> _Pixels:
        """Images at flat indices, (n, H, W, C), 0 to 255."""
        return self.gather(flat)

    def fingerprint(self) -> str:
        """That of the layers."""
        return self.store.fingerprint()

    def verify(self, progress: Progress | None = None) -> None:
        """Compare all layers with their checksums.

        Raises:
            DataError: One is damaged.
        """
        self.store.verify(progress)

    def rows(self, flat: _Flat) -> _Flat:
        """Rows of the store that add up to each image, (parts, n)."""
        rows = np.empty((len(self._variants), len(flat)), dtype=np.int64)
        rest, scene = np.divmod(flat, self._scenes)
        before = sum(self._variants)
        for part in reversed(range(len(self._variants))):
            before -= self._variants[part]
            rest, variant = np.divmod(rest, self._variants[part])
            rows[part] = scene * sum(self._variants) + before + variant
        return rows
