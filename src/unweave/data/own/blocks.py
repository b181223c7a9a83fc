"""Arrays of images, converted block by block, so that memory holds few of them at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unweave.data.own.decoding import Unusable
from unweave.data.own.fitting import Fitting
from unweave.errors import DataError
from unweave.progress import Progress

__all__ = ["WHITE", "array_blocks", "block_size"]

WHITE: Final = (
    "Say with white=... what stands for white; numbers from -1 to 1 must become (images + 1) / 2 "
    "first."
)
"""What to do about pixels that are out of range."""

_BLOCK_BYTES: Final = 32_000_000


def block_size(image_shape: tuple[int, ...], itemsize: int = 1) -> int:
    """How many images make a block of at most 32 MB; at least one, at most 4,096."""
    bytes_each = math.prod(image_shape) * itemsize
    return max(1, min(4096, _BLOCK_BYTES // max(bytes_each, 1)))


def array_blocks(
    blocks: Iterable[NDArray[Any]],
    count: int,
    fitting: Fitting,
    where: str,
    progress: Progress | None,
) -> Iterator[NDArray[np.uint8]]:
    """Images as they shall be stored, (n, H, W, C), of arrays (n, H, W) or (n, H, W, C).

    Args:
        blocks: The arrays, none of them empty.
        count: How many images there are in all.
        fitting: What is made of each.
        where: What they are, the beginning of messages.
        progress: Told how many are read.

    Raises:
        DataError: Pixels are out of range, or 0 and 1 alone without a word of what is white.
    """
    done, brightest, whole = 0, 0.0, False
    for block in blocks:
        brightest, whole = max(brightest, float(block.max())), block.dtype.kind in "iu"
        try:
            yield fitting.block(block)
        except Unusable as reason:
            raise DataError(
                f"{where} has {reason}, among the images {done:,} to {done + len(block) - 1:,}. "
                f"{WHITE} Nothing is stored."
            ) from reason
        done += len(block)
        if progress is not None:
            progress("reading images", done, count)
    if fitting.white is None and whole and brightest == 1:
        raise DataError(
            f"{where} has pixels of 0 and 1 alone, as whole numbers: give white=1, or make them "
            "true and false. Nothing is stored."
        )
