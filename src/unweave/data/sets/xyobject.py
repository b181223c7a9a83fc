"""XYObject: one square of any place, size and colour."""

from __future__ import annotations

from typing import ClassVar, Final, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.kinds.drawn import DrawnSpec
from unweave.data.render.squares import paint
from unweave.errors import SpecError
from unweave.factors import Factor, FactorSpace
from unweave.spec import number, option

__all__ = ["XYObject"]

_COLORS: Final = {
    "red": (255, 0, 0),
    "yellow": (255, 255, 0),
    "green": (0, 255, 0),
    "cyan": (0, 255, 255),
    "blue": (0, 0, 255),
    "magenta": (255, 0, 255),
    "white": (255, 255, 255),
}
_PALETTES: Final = {
    "rainbow": ("red", "yellow", "green", "cyan", "blue", "magenta"),
    "colors": ("red", "green", "blue", "yellow", "cyan", "magenta", "white"),
    "rgb": ("red", "green", "blue"),
    "greys": ("white",),
}

_LARGEST: Final = 1024


@final
class XYObject(DrawnSpec):
    """A square at any of 25 by 25 places, of five sizes and 24 colours: 75,000 images.

    The factors are pos_x (25), pos_y (25), scale (5) and color (24). Colours are the palette's, at
    each of several shades from dark to full, the darkest first. On its defaults one factor holds
    both, which no model can know: the set is made so. With `shaded` the same images, in the same
    order, have factors intensity (4) and color (6) instead.

    Values of positions are the first column and row of the largest square, within which the
    smaller ones are centred; values of scale are pixels of an edge. The palette `greys` has images
    of one channel.

    Source: `XYObjectData` and `XYObjectShadedData` of disent (Michlo,
    github.com/nmichlo/disent), version 0.3 and later: geometry, palettes and defaults.
    """

    name: ClassVar[str] = "xyobject"

    palette: Literal["rainbow", "colors", "rgb", "greys"] = option(
        default="rainbow",
        help="rainbow: six in the order of hues; colors: seven with white, in no such order; "
        "rgb: three; greys: shades alone.",
    )
    shades: int = number(default=4, low=1, high=255, help="Shades of each colour.")
    shaded: bool = option(default=False, help="Whether the shade is a factor of its own.")
    smallest: int = number(
        default=7, low=1, high=_LARGEST, help="Pixels of an edge of the smallest square."
    )
    largest: int = number(
        default=15, low=1, high=_LARGEST, help="Pixels of an edge of the largest square."
    )
    growth: int = number(default=2, low=1, high=_LARGEST, help="Pixels from size to size.")
    spacing: int = number(default=2, low=1, high=_LARGEST, help="Pixels from place to place.")
    side: int = number(
        default=64, low=1, high=_LARGEST, help="Height and width of the images in pixels."
    )

    def validate(self) -> None:
        """Refuse sizes that do not fit into each other, and shades that cannot be a factor."""
        if not self.smallest <= self.largest <= self.side:
            raise SpecError(
                f"{self.name}: smallest={self.smallest}, largest={self.largest} and "
                f"side={self.side} must not fall in this order."
            )
        if self.shaded and (self.palette == "greys" or self.shades == 1):
            raise SpecError(
                f"{self.name}: shaded needs a palette of several colours and at least 2 shades; "
                "the palette greys has its shades as the factor color already."
            )
        super().validate()

    @property
    def _sizes(self) -> NDArray[np.int64]:
        return np.arange(self.smallest, self.largest + 1, self.growth)

    @property
    def _places(self) -> int:
        return (self.side - self.largest) // self.spacing + 1

    @property
    def _colors(self) -> NDArray[np.uint8]:
        """(shades * colours, channels), all colours of the darkest shade first."""
        full = np.array([_COLORS[name] for name in _PALETTES[self.palette]])
        full = full[:, : self.image_shape[2]]
        steps = np.arange(1, self.shades + 1)
        table = full * steps[:, np.newaxis, np.newaxis] // self.shades
        return table.reshape(-1, full.shape[1]).astype(np.uint8)

    @property
    def factor_space(self) -> FactorSpace:
        """The factors, in the order of the flat index."""
        places = tuple(float(self.spacing * place) for place in range(self._places))
        sizes = tuple(map(float, self._sizes))
        names = _PALETTES[self.palette]
        levels = tuple((step + 1) / self.shades for step in range(self.shades))
        color: tuple[Factor, ...]
        if self.palette == "greys":
            color = (Factor("color", self.shades, levels),)
        elif self.shaded:
            kind: Literal["circular", "categorical"]
            kind = "circular" if self.palette == "rainbow" else "categorical"
            color = (
                Factor("intensity", self.shades, levels),
                Factor("color", len(names), None, kind, labels=names),
            )
        else:
            labels = tuple(
                f"{name} {step + 1}/{self.shades}" for step in range(self.shades) for name in names
            )
            color = (Factor("color", len(labels), None, "categorical", labels=labels),)
        return FactorSpace(
            (
                Factor("pos_x", len(places), places),
                Factor("pos_y", len(places), places),
                Factor("scale", len(sizes), sizes),
                *color,
            )
        )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(side, side, 3), or of one channel for greys."""
        return (self.side, self.side, 1 if self.palette == "greys" else 3)

    def draw(self, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The squares on black."""
        images = np.zeros((len(indices), *self.image_shape), dtype=np.uint8)
        size = self._sizes[indices[:, 2]]
        left, top = (
            self.spacing * indices[:, axis] + (self.largest - size) // 2 for axis in range(2)
        )
        color = indices[:, 3]
        if self.shaded:
            color = color * len(_PALETTES[self.palette]) + indices[:, 4]
        paint(images, left, top, size, self._colors[color])
        return images
