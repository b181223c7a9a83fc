"""Sprites: the shapes of dSprites with factors that vary continuously, as many as wanted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar, Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.kinds.stored import StoredSpec
from unweave.data.labels import Labels
from unweave.data.pixels.manifest import Encoding, encode_images
from unweave.data.render import free_sprites
from unweave.data.render import sprites as grid_sprites
from unweave.data.render.draws import uniform
from unweave.factors import Factor, FactorSpace, Kind
from unweave.progress import Progress
from unweave.spec import number, option

__all__ = ["Sprites"]

_SHAPES: Final = grid_sprites.FACTOR_SPACE.factors[0]

# Name, first value, end, and kind of each factor that varies continuously, in their order.
_CONTINUOUS: Final[tuple[tuple[str, float, float, Kind], ...]] = (
    ("scale", 0.5, 1.0, "ordinal"),
    ("orientation", 0.0, 2 * math.pi, "circular"),
    ("pos_x", 0.0, 1.0, "ordinal"),
    ("pos_y", 0.0, 1.0, "ordinal"),
    ("hue", 0.0, 1.0, "circular"),
)

# Points along each axis of a pixel that give its shade: 17 shades.
_SMOOTH: Final = 4
_BLOCK: Final = 2048


@final
class Sprites(StoredSpec):
    """Squares, ellipses and hearts whose scale, orientation and position vary continuously.

    Every image is drawn at random, by its flat index and the seed: the shape uniformly among the
    three, scale from 0.5 to 1, orientation from 0 to 2 pi, pos_x and pos_y from 0 to 1, each as in
    dSprites and uniformly in its range, independently. The first images are the same however many
    there are. Edges are sharp, as in dSprites, or with `antialias` smooth, so that an image
    changes with the smallest change of a factor. With `color` the sprite has a hue, from 0 to 1,
    in full colour, which is the last factor; all else is the same as without.

    The exact values are in `Dataset.values`. The factor indices, which metrics for classes and
    grids read, cut each continuous range into `bins` equal intervals; the value of an index is the
    middle of its interval. No full grid: most combinations come a few times or never.

    The geometry is that of dSprites, Matthey, Higgins, Hassabis and Lerchner (2017).
    """

    name: ClassVar[str] = "sprites"
    revision: ClassVar[int] = free_sprites.REVISION

    images: int = number(default=100_000, low=1, help="How many images there are.")
    seed: int = number(default=0, low=0, help="The factors are drawn from it.")
    bins: int = number(
        default=10, low=2, high=1000, help="Intervals of each continuous factor, for its index."
    )
    antialias: bool = option(default=False, help="Whether edges are smooth, in shades of grey.")
    color: bool = option(default=False, help="Whether each sprite has a hue; it is a factor then.")

    @property
    def factor_space(self) -> FactorSpace:
        """The factors, continuous ones as their intervals."""
        middles = (np.arange(self.bins) + 0.5) / self.bins
        return FactorSpace(
            (
                _SHAPES,
                *(
                    Factor(name, self.bins, tuple((low + (high - low) * middles).tolist()), kind)
                    for name, low, high, kind in self._continuous
                ),
            )
        )

    @property
    def _continuous(self) -> tuple[tuple[str, float, float, Kind], ...]:
        return _CONTINUOUS if self.color else _CONTINUOUS[:-1]

    @property
    def count(self) -> int:
        """As many as wanted."""
        return self.images

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(64, 64, 1), or (64, 64, 3) in colour."""
        return (grid_sprites.SIDE, grid_sprites.SIDE, 3 if self.color else 1)

    @property
    def source(self) -> str:
        """`rendered`."""
        return "rendered"

    @property
    def encoding(self) -> Encoding:
        """`bits` where a pixel is black or white."""
        return "bytes" if self.antialias or self.color else "bits"

    def encoded_blocks(
        self, first: int, details: dict[str, Any], progress: Progress | None
    ) -> Iterator[NDArray[np.uint8]]:
        """Draw the images: 100,000 take seconds on one core, with smooth edges a dozen."""
        points = _SMOOTH if self.antialias else 1
        shades = np.arange(points**2 + 1)[:, np.newaxis] / points**2
        for start in range(first, self.images, _BLOCK):
            flat = np.arange(start, min(start + _BLOCK, self.images), dtype=np.int64)
            shape, values = self._draw(flat)
            hits = free_sprites.covered(shape, values[:, :4], points)[..., np.newaxis]
            if self.encoding == "bytes":
                colors = _full_colors(values[:, 4]) if self.color else np.ones((len(flat), 1))
                hits = _painted(hits, shades * colors[:, np.newaxis])
            yield encode_images(hits, self.encoding)

    def labels(self) -> tuple[FactorSpace, Labels]:
        """The factors of all images: exact values, and the intervals that they lie in."""
        shape, values = self._draw(np.arange(self.images, dtype=np.int64))
        columns = [shape]
        for column, (_, low, high, _) in enumerate(self._continuous):
            place = (values[:, column] - low) / (high - low) * self.bins
            # Rounding must not lift a value over the end of its range.
            columns.append(np.minimum(place.astype(np.int64), self.bins - 1))
        exact = np.concatenate(
            [np.array(_SHAPES.values)[shape][:, np.newaxis], values[:, : len(columns) - 1]], axis=1
        )
        return self.factor_space, Labels(np.stack(columns, axis=1), exact)

    def _draw(self, flat: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Shapes, (n,), and values of all continuous factors, (n, 5), of images."""
        draws = uniform(self.seed, "sprite factors", flat, 1 + len(_CONTINUOUS))
        low, high = np.array([row[1:3] for row in _CONTINUOUS]).T
        shape = (draws[:, 0] * _SHAPES.size).astype(np.int64)
        return shape, low + (high - low) * draws[:, 1:]


def _painted(hits: NDArray[np.uint8], colors: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Each pixel in the color of its number of hits.

    Args:
        hits: (n, H, W, 1) of 0 to k - 1.
        colors: Of each image and number of hits, (n, k, C), from 0 to 1.

    Returns:
        (n, H, W, C) of 0 to 255, rounded.
    """
    table = np.floor(255 * colors + 0.5).astype(np.uint8)
    images = np.empty((*hits.shape[:3], table.shape[2]), dtype=np.uint8)
    # Image by image: an index over all would take eight bytes a pixel.
    for image, row, palette in zip(images, hits, table, strict=True):
        np.take(palette, row[..., 0], axis=0, out=image)
    return images


def _full_colors(hue: NDArray[np.float64]) -> NDArray[np.float64]:
    """Red, green and blue of hues from 0 to 1 at full saturation and value, (n, 3)."""
    from_peak = np.abs((6 * hue[:, np.newaxis] + (0.0, 4.0, 2.0)) % 6 - 3)
    return np.asarray(np.clip(from_peak - 1, 0, 1))
