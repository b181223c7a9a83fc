"""The six factor indices of a picture, found by search over all rendered images."""

from __future__ import annotations

__all__ = ["Scenes", "search"]

from itertools import product
from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.data.render import rooms

HUES = 10


@final
class Scenes:
    """All layers of the rendered images, 354 MB, drawn once."""

    def __init__(self) -> None:
        """Draw them, scene by scene."""
        space = rooms.FACTOR_SPACE
        self.names = list(product(*(range(size) for size in space.sizes[3:])))
        self.layers = np.empty((len(self.names), 3 * HUES, 64, 64, 3), dtype=np.int16)
        for place, layers in enumerate(rooms.layers(space.grid(space.sizes))):
            self.layers[place] = layers


def search(images: NDArray[np.uint8], scenes: Scenes) -> NDArray[np.int64]:
    """The nearest rendered image of each, by the sum of squared differences.

    In a given scene the hue of each part is chosen where this part alone is seen, so that hues are
    chosen one by one; of the scenes, the one is taken whose image is nearest as a whole.

    Args:
        images: (n, 64, 64, 3).
        scenes: What is searched.

    Returns:
        Factor indices, (n, 6).
    """
    count = len(images)
    flat = images.reshape(count, -1).astype(np.float32)
    best = np.full(count, np.inf)
    found = np.zeros((count, 6), dtype=np.int64)
    for name, layers in zip(scenes.names, scenes.layers, strict=True):
        masks = rooms.regions(*name)
        floor = masks["floor"] + masks["shadow"]
        wall = masks["back wall"] + masks["right wall"] + masks["left wall"]
        hues = np.stack(
            [
                _nearest(flat, layers[part * HUES : (part + 1) * HUES], mask > 0.999)
                for part, mask in enumerate((floor, wall, masks["object"]))
            ],
            axis=1,
        )
        parts = layers[hues.T + HUES * np.arange(3)[:, np.newaxis]]
        drawn = rooms.sum_layers(parts).reshape(count, -1)
        off = ((drawn - flat) ** 2).sum(axis=1)
        better = off < best
        best = np.where(better, off, best)
        found[better, :3], found[better, 3:] = hues[better], name
    return found


def _nearest(
    images: NDArray[np.float32], layers: NDArray[np.int16], mask: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Which of the layers is nearest to each image under a mask, (n,)."""
    seen = np.flatnonzero(np.repeat(mask.ravel(), 3))
    colours = rooms.sum_layers(layers.reshape(1, len(layers), -1)[:, :, seen])
    colours = colours.astype(np.float32)
    # |image - layer|^2 without what is the same for all layers.
    off = (colours**2).sum(axis=1) - 2 * images[:, seen] @ colours.T
    return np.asarray(off.argmin(axis=1))
