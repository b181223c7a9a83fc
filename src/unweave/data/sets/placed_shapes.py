"""Circles, Simple and TwoShapes: one or two shapes at any place, for studies of new combinations.

The three sets are those of Montero, Bowers, Ponte Costa, Ludwig and Malhotra (2022), "Lost in
Latent Space", arXiv 2204.02283, made with Spriteworld. Their files are not published: factors,
their order, and positions between 0 and 1 are known from the code that reads them, and from the
conditions that it leaves out in training. All else is our choice: grids, hues, sizes, the range
0.1 to 0.9 of positions (as in Spriteworld's own examples), and black and white images where there
is no hue. Edges are smooth, from 5 by 5 points a pixel.
"""

from __future__ import annotations

import colorsys
from typing import ClassVar, Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.kinds.drawn import DrawnSpec
from unweave.data.render import placed
from unweave.factors import Factor, FactorSpace
from unweave.spec import number, option

__all__ = ["Circles", "Simple", "TwoShapes"]

# No sprite is cut off by the border.
_FIRST: Final = 0.1
_LAST: Final = 0.9
_HALF: Final = 0.3
_LIMIT: Final = 256


def _position(name: str, size: int, first: float = _FIRST, last: float = _LAST) -> Factor:
    return Factor(name, size, tuple(np.linspace(first, last, size).tolist()))


def _shape(name: str) -> Factor:
    return Factor(name, len(placed.SHAPES), None, "categorical", labels=placed.SHAPES)


def _sprites(pos_x: Factor, pos_y: Factor) -> placed.Sprites:
    return placed.sprites(pos_x.values or (), pos_y.values or ())


@final
class Circles(DrawnSpec):
    """A white circle on black at any of 32 by 32 places: 1,024 images of (64, 64, 1).

    The factors are pos_x and pos_y (fastest), the centre from the left and from the top as a share
    of the image's side, from 0.1 to 0.9; the circle's diameter is 0.17.

    Source: the set `circles` of Montero et al. (2022), arXiv 2204.02283; its grid, size and
    colours are our choice, since the file is not published.
    """

    name: ClassVar[str] = "circles"

    grid: tuple[int, int] = number(
        default=(32, 32), low=2, high=_LIMIT, help="How many values pos_x and pos_y have."
    )

    @property
    def factor_space(self) -> FactorSpace:
        """The factors, in the order of the flat index."""
        return FactorSpace((_position("pos_x", self.grid[0]), _position("pos_y", self.grid[1])))

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(64, 64, 1)."""
        return (placed.SIDE, placed.SIDE, 1)

    def draw(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The circles, white on black."""
        return _white(self, indices, np.zeros(len(indices), dtype=np.int64))


@final
class Simple(DrawnSpec):
    """A white circle or square on black at any of 32 by 32 places: 2,048 images of (64, 64, 1).

    The factors are pos_x and pos_y as in `circles`, and shape (fastest: circle, square). Both
    shapes have the same area; the edge of the square is 0.15 of the image's side.

    Source: the set `simple` of Montero et al. (2022), arXiv 2204.02283, "two shapes instead of
    one"; which two, the grid, size and colours are our choice, since the file is not published.
    """

    name: ClassVar[str] = "simple"

    grid: tuple[int, int] = number(
        default=(32, 32), low=2, high=_LIMIT, help="How many values pos_x and pos_y have."
    )

    @property
    def factor_space(self) -> FactorSpace:
        """The factors, in the order of the flat index."""
        return FactorSpace(
            (
                _position("pos_x", self.grid[0]),
                _position("pos_y", self.grid[1]),
                _shape("shape"),
            )
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(64, 64, 1)."""
        return (placed.SIDE, placed.SIDE, 1)

    def draw(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The shapes, white on black."""
        return _white(self, indices, indices[:, 2])


@final
class TwoShapes(DrawnSpec):
    """Two coloured shapes, each at any of 6 by 6 places: 129,600 images of (64, 64, 3).

    Each of the two has four factors: pos_x_1 (6), pos_y_1 (6), shape_1 (circle, square), hue_1 (5,
    evenly spaced on the circle of hues, in full colour), then the same with 2. Sizes and places
    are as in `simple`. The second lies in front of the first.

    With the two at any place, exchanging all factors of the two mostly gives the same image, so
    which is the first cannot be told from it. With `apart` the first keeps to the left (pos_x_1
    from 0.1 to 0.4) and the second to the right (0.6 to 0.9), and no two images are equal.

    Source: the set `twoshapes` of Montero et al. (2022), arXiv 2204.02283; its grid, hues, shapes
    and sizes are our choice, since the file is not published.
    """

    name: ClassVar[str] = "two_shapes"

    grid: tuple[int, int] = number(
        default=(6, 6), low=2, high=32, help="How many values pos_x and pos_y of each have."
    )
    hues: int = number(default=5, low=2, high=32, help="How many hues each has.")
    apart: bool = option(
        default=False, help="Whether the first keeps to the left, the second to the right."
    )

    @property
    def factor_space(self) -> FactorSpace:
        """The factors, in the order of the flat index."""
        hues = tuple(hue / self.hues for hue in range(self.hues))
        factors: list[Factor] = []
        for which, (first, last) in enumerate(self._ranges, 1):
            factors += [
                _position(f"pos_x_{which}", self.grid[0], first, last),
                _position(f"pos_y_{which}", self.grid[1]),
                _shape(f"shape_{which}"),
                Factor(f"hue_{which}", self.hues, hues, "circular"),
            ]
        return FactorSpace(tuple(factors))

    @property
    def _ranges(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """First and last pos_x of each of the two."""
        if self.apart:
            return (_FIRST, _FIRST + _HALF), (_LAST - _HALF, _LAST)
        return (_FIRST, _LAST), (_FIRST, _LAST)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(64, 64, 3)."""
        return (placed.SIDE, placed.SIDE, 3)

    def draw(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The first shape, and the second in front."""
        images = np.zeros((len(indices), *self.image_shape), dtype=np.uint8)
        factors = self.factor_space.factors
        colors = [colorsys.hsv_to_rgb(hue, 1, 1) for hue in factors[3].values or ()]
        palette = np.floor(np.array(colors) * 255 + 0.5).astype(np.uint8)
        for first in (0, 4):
            pos_x, pos_y, shape, hue = indices[:, first : first + 4].T
            drawn = _sprites(factors[first], factors[first + 1])
            drawn.paint(images, pos_x, pos_y, shape, palette[hue])
        return images


def _white(
    spec: Circles | Simple, indices: NDArray[np.int64], shape: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """One white shape on each black image."""
    images = np.zeros((len(indices), *spec.image_shape), dtype=np.uint8)
    white = np.full((len(indices), 1), 255, dtype=np.uint8)
    drawn = _sprites(*spec.factor_space.factors[:2])
    drawn.paint(images, indices[:, 0], indices[:, 1], shape, white)
    return images
