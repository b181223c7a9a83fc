"""A picture of any kind, from Pillow, NumPy or PyTorch, as bytes of grey or colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Unusable", "of_array", "of_picture", "pixels_of", "plain_array"]


class Unusable(Exception):
    """Why a picture cannot be used, as what was found."""


def pixels_of(item: Any, background: int = 0, white: float | None = None) -> NDArray[np.uint8]:
    """A picture as (H, W, 1 or 3) of 0 to 255.

    Args:
        item: A picture of Pillow, or an array or tensor, (H, W), (H, W, C) or (C, H, W) with one,
            three or four channels.
        background: The grey that shows through where a picture is transparent.
        white: The number that stands for white in an array; None for what `of_array` takes.

    Raises:
        Unusable: It is no picture.
    """
    if hasattr(item, "getbands"):
        return of_picture(item, background)
    return of_array(_as_array(item), background, white)


def _as_array(item: Any) -> NDArray[Any]:
    """An array of what is no picture of Pillow; a tensor need not be known by name."""
    try:
        array = plain_array(item)
    except (TypeError, ValueError, RuntimeError) as error:
        raise Unusable(f"a {type(item).__name__}, which is no image ({error})") from error
    if array.dtype.kind not in "fiub" or not 2 <= array.ndim <= 3:
        raise Unusable(f"a {type(item).__name__} of type {array.dtype} and shape {array.shape}")
    if array.ndim == 2:
        return array[..., np.newaxis]
    # Channels come first in PyTorch.
    return array if array.shape[2] in (1, 3, 4) else array.transpose(1, 2, 0)


def plain_array(item: Any) -> NDArray[Any]:
    """An array of anything like one; of a tensor wherever it lies, and of any precision.

    Raises:
        TypeError: It cannot be one; or ValueError, RuntimeError.
    """
    if not hasattr(item, "detach"):
        return np.asarray(item)
    tensor = item.detach().cpu()
    # NumPy has no numbers of that kind.
    return np.asarray(tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor)


def of_array(
    images: NDArray[Any], background: int = 0, white: float | None = None
) -> NDArray[np.uint8]:
    """Pixels (..., C) with one, three or four channels as (..., 1 or 3) of 0 to 255.

    White is 255 for whole numbers, 65535 for 16-bit ones without a sign, 1 for numbers with
    fractions and for true and false, unless it is given. A fourth channel is opacity.

    Raises:
        Unusable: There are other channels, or numbers below 0, above white or not finite.
    """
    if images.shape[-1] not in (1, 3, 4):
        raise Unusable(f"images of shape {images.shape[-3:]}")
    if images.dtype == np.uint8 and white in (None, 255):
        pixels = images
    else:
        pixels = _scaled(images, white)
    if pixels.shape[-1] < 4:
        return pixels
    opacity = pixels[..., 3:].astype(np.uint32)
    mixed = pixels[..., :3] * opacity + np.uint32(background) * (255 - opacity)
    return ((2 * mixed + 255) // 510).astype(np.uint8)


def _scaled(images: NDArray[Any], white: float | None) -> NDArray[np.uint8]:
    if white is None:
        white = {"f": 1.0, "b": 1.0}.get(images.dtype.kind, 255.0)
        white = 65535.0 if images.dtype == np.uint16 else white
    numbers = images.astype(np.float64)
    low, high = (numbers.min(), numbers.max()) if numbers.size else (0.0, 0.0)
    if not np.isfinite((low, high)).all():
        raise Unusable("pixels that are not finite")
    if not (low >= 0 and high <= white):
        raise Unusable(f"pixels from {low:g} to {high:g}, where {white:g} is white")
    return np.asarray(np.floor(numbers * (255 / white) + 0.5)).astype(np.uint8)


def of_picture(picture: Any, background: int = 0) -> NDArray[np.uint8]:
    """A picture of Pillow as (H, W, 1) if it is grey, else (H, W, 3).

    It is turned as its EXIF orientation says. Of an animation the first frame counts. Palettes
    become colours; transparent pixels show the background; 16-bit and floating-point greys are
    scaled, 65535 or 1 to 255; CMYK and other colours become red, green and blue.

    Raises:
        Unusable: Its pixels are of a kind that has no meaning as an image.
    """
    from PIL import ImageOps

    turned = ImageOps.exif_transpose(picture)
    assert turned is not None
    mode = turned.mode
    if mode.startswith("I;16") or mode == "I":
        # Pillow reads 16-bit greys as either.
        return of_array(np.asarray(turned)[..., np.newaxis].astype(np.int64), white=65535)
    if mode == "F":
        return of_array(np.asarray(turned)[..., np.newaxis])
    if "transparency" in turned.info or mode in ("RGBA", "LA", "PA", "La", "RGBa"):
        return of_array(np.asarray(turned.convert("RGBA")), background)
    if mode in ("L", "1"):
        return np.asarray(turned.convert("L"))[..., np.newaxis]
    return np.asarray(turned.convert("RGB"))
