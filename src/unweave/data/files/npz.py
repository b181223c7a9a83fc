"""Arrays in npz and npy files, read as a stream and checked while they are read."""

from __future__ import annotations

import contextlib
import math
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any, Final, cast, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.files.checks import Fault, Kind, check_file, check_type, reading
from unweave.errors import DataError

__all__ = ["DAMAGE", "Header", "Npz", "npy_blocks", "npy_header", "open_npz"]

DAMAGE: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What reading a damaged zip file ends in; `RuntimeError` is for one that is encrypted."""

# What NumPy's reading of a header can end in.
_GARBLED = (ValueError, TypeError, SyntaxError, TokenError, MemoryError, RecursionError)
_PIECE = 1 << 20
"""Bytes that are asked of a stream at once."""
_LONGEST = 1 << 16
"""Bytes of a header, at most; what says that it is longer is damaged."""


@final
class _Beginning:
    """A stream of which no more than the longest header is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._left = _LONGEST

    def read(self, size: int) -> bytes:
        data = self._stream.read(min(size, self._left))
        self._left -= len(data)
        return data


@final
@dataclass(frozen=True)
class Header:
    """What an array says of itself before its first number.

    Attributes:
        shape: Its shape.
        fortran: Whether the first index is the fastest.
        dtype: Its type.
    """

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]


def npy_header(stream: IO[bytes], fault: Fault) -> Header:
    """Read the header of an array in npy form; no pickle is ever opened.

    Args:
        stream: At the beginning of the array, and behind its header afterwards.
        fault: Makes the error.

    Raises:
        DataError: There is no array.
    """
    try:
        version = np.lib.format.read_magic(stream)
        # Version 3 differs from 2 in the coding of field names, which plain arrays lack.
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        return Header(*read(cast("IO[bytes]", _Beginning(stream))))
    except _GARBLED as error:
        raise fault(f"no array ({error})", "an array") from error


def npy_blocks(
    stream: IO[bytes], shape: tuple[int, ...], kind: Kind, count: int, fault: Fault
) -> Iterator[tuple[int, NDArray[Any]]]:
    """Rows of an array in npy form, in blocks, each with the place of its first row.

    Args:
        stream: At the beginning of the array.
        shape: What its shape must be.
        kind: What its type must be.
        count: Rows in a block, at most; no more than that is held in memory.
        fault: Makes the error.

    Yields:
        The place of the first row, and (at most `count`, ...) rows in an array of their own.

    Raises:
        DataError: The array is not as expected, ends too early or goes on too long.
    """
    header = npy_header(stream, fault)
    if header.fortran and len(header.shape) > 1:
        raise fault("Fortran order", "C order")
    if header.shape != shape:
        raise fault(f"the shape {header.shape}", f"{shape}")
    dtype = header.dtype
    check_type(dtype, kind, fault)
    width = math.prod(shape[1:]) * dtype.itemsize
    for first in range(0, shape[0], count):
        rows = min(count, shape[0] - first)
        block = bytearray(rows * width)
        filled = _fill(stream, block)
        if filled < len(block):
            raise fault(f"{first + filled // width} rows", f"{shape[0]} rows")
        yield first, np.frombuffer(block, dtype).reshape(rows, *shape[1:])
    # Reading to the very end also makes zipfile compare the checksum.
    if stream.read(1):
        raise fault(f"more than {shape[0]} rows", f"{shape[0]} rows")


def _fill(stream: IO[bytes], block: bytearray) -> int:
    """Read into a buffer until it is full or the stream ends; how many bytes there were."""
    view, done = memoryview(block), 0
    while done < len(block) and (piece := stream.read(min(_PIECE, len(block) - done))):
        view[done : done + len(piece)] = piece
        done += len(piece)
    return done


@contextlib.contextmanager
def open_npz(path: Path, expected: str, remedy: str, *, plain: bool = False) -> Iterator[Npz]:
    """Open an npz file.

    Members may be stored or deflated; the checksum of each is compared when its end is read.

    Args:
        path: The file.
        expected: Which file it should be, for errors.
        remedy: What to do about a file that is another, as a sentence.
        plain: Whether it may also be a plain npy file, whose one array answers to every key.

    Raises:
        DataError: The file is missing or damaged, here or later while it is read.
    """
    check_file(path, expected, remedy)
    if plain:
        with reading(path, remedy), path.open("rb") as handle:
            begun = handle.read(len(np.lib.format.MAGIC_PREFIX))
        if begun == np.lib.format.MAGIC_PREFIX:
            yield Npz(path, None, remedy)
            return
    try:
        with zipfile.ZipFile(path) as file:
            yield Npz(path, file, remedy)
    except PermissionError:
        with reading(path):
            raise
    except (*DAMAGE, OSError) as error:
        raise DataError(f"{path} is damaged or not an npz file: {error}. {remedy}") from error


@final
class Npz:
    """An open file of arrays; made by `open_npz`."""

    def __init__(self, path: Path, file: zipfile.ZipFile | None, remedy: str) -> None:
        """Keep what is open; `file` is None for a plain npy file."""
        self._path = path
        self._file = file
        self._remedy = remedy

    def require(self, keys: Collection[str]) -> None:
        """Refuse a file without these arrays.

        Raises:
            DataError: A key is missing; the message names those that are there.
        """
        if self._file is None:
            return
        found = [name.removesuffix(".npy") for name in self._file.namelist()]
        for key in keys:
            if key not in found:
                there = ", ".join(sorted(found)) or "none"
                raise self.error(key, f"the keys {there}", "this key too")

    def header(self, key: str) -> Header:
        """Shape and type of an array, without reading it.

        Raises:
            DataError: There is no array under this key.
        """
        with self._open(key) as stream:
            return npy_header(stream, self._fault(key))

    def blocks(
        self, key: str, shape: tuple[int, ...], kind: Kind, count: int
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Rows of an array, as `npy_blocks` gives them.

        Raises:
            DataError: The array is missing or not as expected.
        """
        with self._open(key) as stream:
            yield from npy_blocks(stream, shape, kind, count, self._fault(key))

    def error(self, key: str, found: str, expected: str) -> DataError:
        """The error for an array, with the path and what to do."""
        return DataError(
            f"{self._path}: {key}: found {found}; expected {expected}. {self._remedy}"
        )

    def _open(self, key: str) -> IO[bytes]:
        if self._file is None:
            return self._path.open("rb")
        self.require((key,))
        return self._file.open(f"{key}.npy")

    def _fault(self, key: str) -> Fault:
        return lambda found, expected: self.error(key, found, expected)
