"""Arrays of bytes in the IDX format, in which MNIST and its like were published."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unweave.data.files.packed import open_packed

__all__ = ["idx_blocks"]

_BYTES: Final = 8
"""Code of the type: unsigned bytes."""


def idx_blocks(
    path: Path, shape: tuple[int, ...], rows: int, remedy: str
) -> Iterator[NDArray[np.uint8]]:
    """An array in blocks of rows, as published or without its gzip.

    The format, all numbers big-endian: two bytes of zero, a byte for the type, a byte for the
    number of dimensions, each size in four bytes, then the elements in C order.

    Args:
        path: The file.
        shape: What its shape should be.
        rows: How many are read at once.
        remedy: What to do about a file that is another, as a sentence.

    Raises:
        DataError: The file is missing, damaged, has another shape or type, or ends before or after
            the array.
    """
    with open_packed(path, remedy) as file:
        head, magic = file.take(4), bytes((0, 0, _BYTES, len(shape)))
        if head != magic:
            order = " (in the wrong order)" if head == magic[::-1] else ""
            raise file.error(f"the first bytes {head.hex(' ')}{order}", magic.hex(" "))
        sizes = struct.unpack(f">{len(shape)}I", file.take(4 * len(shape)))
        if sizes != shape:
            raise file.error(f"the shape {sizes}", str(shape))
        width = math.prod(shape[1:])
        for first in range(0, shape[0], rows):
            count = min(rows, shape[0] - first)
            data = file.take(count * width)
            yield np.frombuffer(data, np.uint8).reshape(count, *shape[1:])
        file.end()
