"""The binary matrices in which the NORB datasets were published, read as a stream."""

from __future__ import annotations

import contextlib
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.files.packed import Packed, open_packed
from unweave.errors import DataError

__all__ = ["Matrix", "open_matrix"]

_TYPES: Final[dict[int, np.dtype[Any]]] = {
    0x1E3D4C51: np.dtype("<f4"),
    0x1E3D4C53: np.dtype("<f8"),
    0x1E3D4C54: np.dtype("<i4"),
    0x1E3D4C55: np.dtype("<u1"),
    0x1E3D4C56: np.dtype("<i2"),
}
"""What the first four bytes say, as a little-endian number; packed matrices are not among them."""
_LEAST: Final = 3
"""Sizes in a header, at least; those beyond the number of dimensions have no meaning."""
_MOST: Final = 8
"""Dimensions that a file may have; a larger number is no number of dimensions."""


@contextlib.contextmanager
def open_matrix(path: Path, remedy: str) -> Iterator[Matrix]:
    """Open a matrix, as published or without its gzip, and read its header.

    Args:
        path: The file, `.mat.gz` or `.mat`; not a MATLAB file.
        remedy: What to do about a file that is another, as a sentence.

    Raises:
        DataError: It is missing, damaged, or not such a matrix.
    """
    with open_packed(path, remedy) as file:
        yield Matrix(file)


@final
class Matrix:
    """An open matrix; made by `open_matrix`.

    The format: a number that says of which type the elements are, the number of dimensions, at
    least three sizes, then the elements in C order; everything little-endian, in four bytes but
    for the elements.

    Attributes:
        shape: Its shape.
        dtype: Type of its elements.
    """

    def __init__(self, file: Packed) -> None:
        """Read the header.

        Raises:
            DataError: It is not one of such a matrix.
        """
        self._file = file
        head = file.take(8)
        magic, dimensions = struct.unpack("<Ii", head)
        if magic not in _TYPES:
            known = ", ".join(f"{number:#x}" for number in _TYPES)
            turned = struct.unpack(">I", head[:4])[0] in _TYPES
            order = " (its bytes are in the wrong order)" if turned else ""
            raise file.error(f"the first number {magic:#x}{order}", f"one of {known}")
        if not 0 < dimensions <= _MOST:
            raise file.error(f"{dimensions} dimensions", f"1 to {_MOST}")
        stored = max(dimensions, _LEAST)
        sizes = struct.unpack(f"<{stored}i", file.take(4 * stored))
        self.shape: tuple[int, ...] = sizes[:dimensions]
        self.dtype = _TYPES[magic]

    def require(self, shape: tuple[int, ...], dtype: str) -> None:
        """Refuse another shape or type.

        Raises:
            DataError: It has another.
        """
        if self.shape != shape or self.dtype != np.dtype(dtype):
            raise self.error(
                f"the shape {self.shape} of type {self.dtype}", f"{shape} of type {dtype}"
            )

    def blocks(self, rows: int) -> Iterator[NDArray[Any]]:
        """The matrix in blocks of that many rows, up to its end.

        Raises:
            DataError: The file ends before or after the matrix, or its checksum does not fit.
        """
        width = math.prod(self.shape[1:]) * self.dtype.itemsize
        for first in range(0, self.shape[0], rows):
            count = min(rows, self.shape[0] - first)
            data = self._file.take(count * width)
            yield np.frombuffer(data, self.dtype).reshape(count, *self.shape[1:])
        self._file.end()

    def error(self, found: str, expected: str) -> DataError:
        """The error for something that is wrong with it."""
        return self._file.error(found, expected)
