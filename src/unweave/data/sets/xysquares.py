"""XYSquares: squares on a grid without overlap, which pixel losses cannot put in order."""

from __future__ import annotations

from typing import ClassVar, Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.kinds.drawn import DrawnSpec
from unweave.data.render.squares import paint
from unweave.errors import SpecError
from unweave.factors import Factor, FactorSpace
from unweave.spec import number

__all__ = ["XYSquares"]

_COLORS: Final = ("red", "green", "blue")
_LARGEST: Final = 1024


@final
class XYSquares(DrawnSpec):
    """A red, a green and a blue square, each at any of 8 by 8 places: 262,144 images.

    As long as places do not overlap, two images differ by the same number of pixels however far a
    square has moved. So a loss that compares pixels says nothing of distance, and a model cannot
    learn from it that positions have an order: the set shows how much of disentanglement comes
    from overlap. With `spacing` below `size` places overlap, and the order returns.

    The factors are `pos_x_red`, `pos_y_red`, `pos_x_green` and so on, in the order red, green,
    blue; a single square is white, with the factors `pos_x` and `pos_y` and images of one channel.
    Values are first columns and rows of the squares, in pixels from the upper left. Where squares
    lie over each other their colours add up.

    Source: Michlo, James and Klein (2022), "Data Overlap: A Prerequisite For Disentanglement",
    arXiv 2202.13341; geometry and defaults as `XYSquaresData` of disent, where the factors are
    called `x_R`, `y_R` and so on.
    """

    name: ClassVar[str] = "xysquares"

    squares: int = number(default=3, low=1, high=3, help="How many squares there are.")
    size: int = number(default=8, low=1, high=_LARGEST, help="Pixels of an edge of a square.")
    spacing: int | None = number(
        default=None, low=1, high=_LARGEST, help="Pixels from place to place; left out, the size."
    )
    places: int | None = number(
        default=None,
        low=1,
        high=_LARGEST,
        help="Places along each axis, in the middle of the image; left out, all that there are.",
    )
    side: int = number(
        default=64, low=1, high=_LARGEST, help="Height and width of the images in pixels."
    )

    def validate(self) -> None:
        """Refuse squares and places that do not fit into the image."""
        if self.size > self.side:
            raise SpecError(
                f"{self.name}: size={self.size} is more than the image's side of {self.side}."
            )
        if self.places is not None and self.places > self._fitting:
            raise SpecError(
                f"{self.name}: places={self.places}, but {self._fitting} fit along {self.side} "
                f"pixels in steps of {self._step}: give fewer, or a smaller spacing or size."
            )
        super().validate()

    @property
    def _step(self) -> int:
        return self.size if self.spacing is None else self.spacing

    @property
    def _fitting(self) -> int:
        return (self.side - self.size) // self._step + 1

    @property
    def _starts(self) -> NDArray[np.int64]:
        """First pixel of a square at each place along an axis."""
        places = self._fitting if self.places is None else self.places
        first = (self.side - self.size - (places - 1) * self._step) // 2
        return first + self._step * np.arange(places)

    @property
    def factor_space(self) -> FactorSpace:
        """Two factors a square, in the order of the flat index."""
        starts = tuple(map(float, self._starts))
        names = (
            ("pos_x", "pos_y")
            if self.squares == 1
            else tuple(f"pos_{axis}_{c}" for c in _COLORS[: self.squares] for axis in "xy")
        )
        return FactorSpace(tuple(Factor(name, len(starts), starts) for name in names))

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(side, side, 3), or of one channel for a single square."""
        return (self.side, self.side, 1 if self.squares == 1 else 3)

    def draw(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Each square in its channel, 255 on 0."""
        images = np.zeros((len(indices), *self.image_shape), dtype=np.uint8)
        starts = self._starts[indices]
        size = np.full(len(indices), self.size)
        white = np.full((len(indices), 1), 255, dtype=np.uint8)
        for square in range(self.squares):
            left, top = starts[:, 2 * square], starts[:, 2 * square + 1]
            paint(images[..., square : square + 1], left, top, size, white)
        return images
