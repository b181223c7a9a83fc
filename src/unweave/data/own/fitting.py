"""Pictures of any size brought to one size, and to one kind of colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.own.colours import CHANNELS, Colour, recolour
from unweave.data.own.decoding import Unusable, of_array, pixels_of

__all__ = ["Fit", "Fitting"]

Fit: TypeAlias = Literal["crop", "stretch", "pad"]


@final
@dataclass(frozen=True, kw_only=True)
class Fitting:
    """How pictures become images of a dataset.

    Args:
        size: Height and width; None for those of the pictures, which must all be alike then.
        colour: None for grey or coloured as the pictures are, which must all be alike then.
        fit: What becomes of a picture that is no square. `crop` keeps the square in its middle,
            `stretch` all of it with its shape changed, `pad` all of it with its shape, and fills
            what is missing at both sides.
        background: The grey of what is filled, and of what is transparent, 0 to 255.
        white: The number that stands for white in arrays; None for 255, or 1 for numbers with
            fractions.
    """

    size: int | None = None
    colour: Colour | None = None
    fit: Fit = "crop"
    background: int = 0
    white: float | None = None

    def shape(self, picture: tuple[int, ...]) -> tuple[int, int, int]:
        """(H, W, C) of what is made of pixels of the shape (H, W, C)."""
        height, width, channels = picture
        channels = CHANNELS[self.colour] if self.colour else (1 if channels == 1 else 3)
        return (self.size or height, self.size or width, channels)

    def one(self, item: Any) -> NDArray[np.uint8]:
        """An image of a picture of Pillow, an array or a tensor, (H, W, C).

        Raises:
            Unusable: It is no picture.
        """
        (image,) = self._made(pixels_of(item, self.background, self.white)[np.newaxis])
        return np.asarray(image)

    def block(self, images: NDArray[Any]) -> NDArray[np.uint8]:
        """Images of an array (n, H, W) or (n, H, W, C).

        Raises:
            Unusable: They are none.
        """
        if images.ndim == 3:
            images = images[..., np.newaxis]
        return self._made(of_array(images, self.background, self.white))

    def _made(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if 0 in pixels.shape[1:]:
            raise Unusable("an image without a pixel")
        if self.size is not None and pixels.shape[1:3] != (self.size, self.size):
            pixels = np.stack([self._resized(each, self.size) for each in pixels])
        return pixels if self.colour is None else recolour(pixels, self.colour)

    def _resized(self, pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
        """One image, (H, W, C), with the side `size`; Lanczos interpolation."""
        from PIL import Image

        grey = pixels.shape[2] == 1
        image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if grey else pixels))
        width, height = image.size
        inner = (size, size)
        if self.fit == "crop":
            side = min(width, height)
            left, top = (width - side) // 2, (height - side) // 2
            # Not by the resizing's own box, which looks beyond its edges.
            image = image.crop((left, top, left + side, top + side))
        elif self.fit == "pad":
            inner = _within(width, height, size)
        image = image.resize(inner, Image.Resampling.LANCZOS)
        if inner != (size, size):
            tone = self.background if grey else (self.background,) * 3
            whole = Image.new(image.mode, (size, size), tone)
            whole.paste(image, ((size - inner[0]) // 2, (size - inner[1]) // 2))
            image = whole
        return np.asarray(image).reshape(size, size, -1)


def _within(width: int, height: int, size: int) -> tuple[int, int]:
    """The largest picture of this shape in a square, at least a pixel each way."""
    longer = max(width, height)
    return max(1, round(size * width / longer)), max(1, round(size * height / longer))
