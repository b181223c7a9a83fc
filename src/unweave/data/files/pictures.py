"""Published pictures made ready for training: decoded, cropped, resized, grey where asked for."""

from __future__ import annotations

import contextlib
import io
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.files.bundle import Bundle

__all__ = ["Making", "Unreadable", "in_threads", "picture", "read_pictures", "resized", "threads"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_AHEAD: Final = 64
"""Items that are read ahead of the one that is waited for."""
_BLOCK: Final = 1024
"""Pictures in a block."""
_WIDEST: Final = 2048
"""Side of a picture of any size, at most, so that a false one cannot fill the memory."""
_LARGEST: Final = 1 << 24
"""Bytes of the file of a picture, at most, for the same reason."""
_KINDS: Final = frozenset(("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"))
"""What Pillow makes bytes of; it would cut off what 16-bit greys have above 255."""


class Unreadable(Exception):
    """Why a picture cannot be used, as what was found."""


@final
@dataclass(frozen=True, kw_only=True)
class Making:
    """What is made of a picture.

    Args:
        form: `JPEG` or `PNG`; others are refused.
        size: Width and height that it must have; None for any square of at most 2,048 pixels.
        crop: Side of the square in its middle that is kept first; None for all of it.
        side: Width and height in the end, whatever the shape was before.
        how: Lanczos interpolation, or the rounded mean of whole squares of pixels.
        grey: Whether colours become grey, as weighted by ITU-R BT.601.
    """

    form: Literal["JPEG", "PNG"]
    size: tuple[int, int] | None
    crop: int | None = None
    side: int = 64
    how: Literal["lanczos", "mean"] = "lanczos"
    grey: bool = False


def picture(data: bytes, making: Making) -> NDArray[np.uint8]:
    """A picture from the bytes of its file, (side, side, 1 or 3).

    Raises:
        Unreadable: There is no picture in them, or one of another size.
    """
    from PIL import Image, UnidentifiedImageError

    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with Image.open(io.BytesIO(data), formats=(making.form,)) as image:
            width, height = image.size
            square = making.size is None and width == height <= _WIDEST
            fits = image.size == making.size or square
            if not fits or min(image.size) < (making.crop or 1):
                raise Unreadable(f"a picture of {width}x{height} pixels")
            if image.mode not in _KINDS:
                raise Unreadable(f"a picture whose pixels are of the kind {image.mode}")
            colours = image.convert("RGB")
    except UnidentifiedImageError as error:
        # Its own text names an object of Python.
        begun = f", but a file that begins with {data[:4].hex(' ')}" if data else ""
        raise Unreadable(f"no {making.form} picture{begun or ', but nothing'}") from error
    except (OSError, ValueError, SyntaxError, *bombs) as error:
        raise Unreadable(f"no {making.form} picture ({error})") from error
    if making.crop is not None:
        left, top = (width - making.crop) // 2, (height - making.crop) // 2
        colours = colours.crop((left, top, left + making.crop, top + making.crop))
    if making.how == "mean":
        small = colours.reduce(colours.width // making.side)
    else:
        small = colours.resize((making.side, making.side), Image.Resampling.LANCZOS)
    pixels = np.asarray(small.convert("L") if making.grey else small)
    return pixels.reshape(making.side, making.side, -1)


def resized(
    images: NDArray[np.uint8], side: int, how: Literal["bilinear", "lanczos"]
) -> NDArray[np.uint8]:
    """Images (n, H, W, C) with one or three channels, as (n, side, side, C)."""
    from PIL import Image

    filters = {"bilinear": Image.Resampling.BILINEAR, "lanczos": Image.Resampling.LANCZOS}
    count, channels = len(images), images.shape[3]
    result = np.empty((count, side, side, channels), np.uint8)
    for place, pixels in enumerate(images):
        image = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if channels == 1 else pixels))
        result[place] = np.asarray(image.resize((side, side), filters[how])).reshape(
            side, side, channels
        )
    return result


@contextlib.contextmanager
def threads() -> Iterator[ThreadPoolExecutor]:
    """Several threads, told at the end to begin nothing more, and not waited for.

    A generator that is left in the middle is closed by whichever thread collects garbage; that may
    be one of its own, which cannot wait for itself.
    """
    pool = ThreadPoolExecutor(min(4, os.cpu_count() or 1))
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def in_threads(
    work: Callable[[_Item], _Result], items: Iterable[_Item], ahead: int = _AHEAD
) -> Iterator[_Result]:
    """Work on items by several threads, and give the results in the order of the items.

    Pillow and zlib let other threads run while they work. The items themselves are made by the
    thread that asks for results, so that a file is read by one thread alone.

    Args:
        work: What is done with each.
        items: At most `ahead` of them, or of their results, are in memory at once.
        ahead: As above.
    """
    with threads() as pool:
        pending: deque[Future[_Result]] = deque()
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) >= ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def read_pictures(
    bundle: Bundle, names: Iterable[str], making: Making, expected: str
) -> Iterator[NDArray[np.uint8]]:
    """Pictures from a zip, tar or folder as blocks for a store, decoded by several threads.

    Args:
        bundle: What they lie in.
        names: Their names, in the order of the images.
        making: What is made of each.
        expected: What a picture should be, for errors.

    Yields:
        At most 1,024 images, (n, bytes of an image).

    Raises:
        DataError: A picture is damaged, or of another size; the message names it.
    """
    files = ((name, bundle.read(name, _LARGEST)) for name in names)
    made = in_threads(partial(_made, making=making), files)
    collected: list[NDArray[np.uint8]] = []
    for name, pixels in made:
        if isinstance(pixels, str):
            raise bundle.error(f"{name}: found {pixels}; expected {expected}")
        collected.append(pixels.reshape(-1))
        if len(collected) == _BLOCK:
            yield np.stack(collected)
            collected.clear()
    if collected:
        yield np.stack(collected)


def _made(item: tuple[str, bytes], making: Making) -> tuple[str, NDArray[np.uint8] | str]:
    """Name of a picture, and the picture, or a text that says what was found instead."""
    name, data = item
    try:
        return name, picture(data, making)
    except Unreadable as reason:
        return name, str(reason)
