"""How far pictures of 3DShapes are from rendered ones of the same factors."""

from __future__ import annotations

__all__ = ["COLOURS", "Closeness", "measure", "object_mask", "shadow_mask"]

import colorsys
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.data.render import rooms

COLOURS = {
    "sky": ("sky",),
    "lit wall": ("back wall",),
    "shaded wall": ("left wall", "right wall"),
    "floor": ("floor",),
    "object": ("object",),
    "shadow": ("shadow",),
}
"""What colours are compared of: regions of the rendered image."""

_SKY = (153, 226, 249)
_HUES = np.array([colorsys.hsv_to_rgb(hue / 10, 1, 1) for hue in range(10)])
# Above this row the floor is so far away that it is dark without a shadow.
_NEAR_ROW = 44
# The floor is brighter than this there, and half of it in the shadow is about as bright.
_DARK = 0.585


@final
@dataclass(frozen=True)
class Closeness:
    """Figures of pictures against rendered images.

    Attributes:
        mean: Mean absolute difference of each picture, (n,), of 255.
        objects: Intersection over union of the object's mask, of each picture whose object has a
            hue of its own.
        shadows: The same of the shadow's, of each picture.
        colours: Mean absolute difference of each of `COLOURS`, where a pixel of the rendered image
            shows nothing else.
    """

    mean: NDArray[np.float64]
    objects: NDArray[np.float64]
    shadows: NDArray[np.float64]
    colours: dict[str, float]


def measure(
    images: NDArray[np.uint8], drawn: NDArray[np.uint8], indices: NDArray[np.int64]
) -> Closeness:
    """Compare pictures with rendered ones, both (n, 64, 64, 3), of the same factors, (n, 6)."""
    off = np.abs(images.astype(float) - drawn)
    parts: dict[str, list[NDArray[np.float64]]] = {name: [] for name in COLOURS}
    objects, shadows = [], []
    for image, difference, row in zip(images, off, indices, strict=True):
        masks = rooms.regions(*row[3:].tolist())
        for name, regions in COLOURS.items():
            share = np.sum([masks[region] for region in regions], axis=0)
            parts[name].append(difference[share > 0.999])
        if row[2] not in row[:2]:
            objects.append(_overlap(object_mask(image, row), masks["object"] >= 0.5))
        ground = masks["floor"] + masks["shadow"] > 0.999
        ground[:_NEAR_ROW] = False
        shadows.append(
            _overlap(shadow_mask(image, row) & ground, (masks["shadow"] >= 0.5) & ground)
        )
    return Closeness(
        mean=off.mean(axis=(1, 2, 3)),
        objects=np.array(objects),
        shadows=np.array(shadows),
        colours={name: float(np.concatenate(found).mean()) for name, found in parts.items()},
    )


def object_mask(image: NDArray[np.uint8], indices: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Pixels, (64, 64), whose hue is nearer to the object's than to the floor's and the wall's."""
    angle = _hue(image)
    floor, wall, thing = (np.abs((angle - hue + 5) % 10 - 5) for hue in indices[:3])
    sky = np.abs(image.astype(int) - _SKY).sum(axis=2) < 60
    return np.asarray((thing < floor) & (thing < wall) & ~sky)


def shadow_mask(image: NDArray[np.uint8], indices: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Pixels, (64, 64), that are dark for the floor's hue; meant for where the floor is."""
    hue = _HUES[indices[0]]
    return np.asarray(image @ hue / (255 * hue @ hue) < _DARK)


def _hue(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Hue of each pixel in tenths of the circle."""
    red, green, blue = (image[..., channel].astype(float) for channel in range(3))
    high, low = image.max(axis=2).astype(float), image.min(axis=2).astype(float)
    spread = np.maximum(high - low, 1e-9)
    sixth = np.where(
        high == red,
        (green - blue) / spread % 6,
        np.where(high == green, (blue - red) / spread + 2, (red - green) / spread + 4),
    )
    return np.asarray(sixth / 6 * 10)


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Intersection over union."""
    return float((one & other).sum() / max(1, (one | other).sum()))
