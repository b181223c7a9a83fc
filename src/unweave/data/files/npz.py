"""Arrays in npz and npy files, read as a stream and checked while they are read."""

from __future__ import annotations

import contextlib
import math
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any, Protocol, cast, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.files.arrays import Arrays
from unweave.data.files.checks import Fault, Kind, check_file, check_type, reading
from unweave.data.files.damage import sound

__all__ = ["Header", "Npz", "check_header", "npy_blocks", "npy_header", "open_npz"]

# What NumPy's reading of a header can end in.
_GARBLED = (ValueError, TypeError, SyntaxError, TokenError, MemoryError, RecursionError)
_PIECE = 1 << 20
"""Bytes that are asked of a stream at once."""
_FORM = "an npz file"
_LONGEST = 1 << 16
"""Bytes of a header, at most; what says that it is longer is damaged."""


class _Readable(Protocol):
    """What an array is read from."""

    def read(self, size: int) -> bytes:
        """The next bytes, fewer than that only at the end."""


@final
class _Beginning:
    """A stream of which no more than the longest header is read."""

    def __init__(self, stream: _Readable) -> None:
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


def npy_header(stream: _Readable, fault: Fault) -> Header:
    """Read the header of an array in npy form; no pickle is ever opened.

    Args:
        stream: At the beginning of the array, and behind its header afterwards.
        fault: Makes the error.

    Raises:
        DataError: There is no array.
    """
    try:
        version = np.lib.format.read_magic(cast("IO[bytes]", stream))
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise ValueError(f"version {version[0]}.{version[1]} of the format is not known")
        # Version 3 differs from 2 in the coding of field names, which plain arrays lack.
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        return Header(*read(cast("IO[bytes]", _Beginning(stream))))
    except _GARBLED as error:
        raise fault(f"no array ({error})", "an array") from error


def check_header(header: Header, shape: tuple[int, ...], kind: Kind, fault: Fault) -> None:
    """Whether an array has its numbers in the right order, in that shape and of that type.

    Raises:
        DataError: It has not.
    """
    if header.fortran and len(header.shape) > 1:
        raise fault("Fortran order", "C order")
    if header.shape != shape:
        raise fault(f"the shape {header.shape}", f"{shape}")
    check_type(header.dtype, kind, fault)


def npy_blocks(
    stream: _Readable, shape: tuple[int, ...], kind: Kind, count: int, fault: Fault
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
    check_header(header, shape, kind, fault)
    dtype = header.dtype
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


def _fill(stream: _Readable, block: bytearray) -> int:
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
    with contextlib.ExitStack() as stack:
        with sound(path, remedy, _FORM):
            file = stack.enter_context(zipfile.ZipFile(path))
        yield Npz(path, file, remedy)


@final
class Npz(Arrays):
    """An open file of arrays; made by `open_npz`."""

    def __init__(self, path: Path, file: zipfile.ZipFile | None, remedy: str) -> None:
        """Keep what is open; `file` is None for a plain npy file."""
        super().__init__(path, remedy)
        self._file = file

    def held(self, key: str) -> bool:
        """Whether there is an array under a name; a plain npy file has it under every name."""
        return self._file is None or f"{key}.npy" in self._file.namelist()

    def names(self) -> Iterable[str]:
        """Names of the arrays, and of members that are none."""
        members = () if self._file is None else self._file.namelist()
        for name in members:
            yield name.removesuffix(".npy") if name.endswith(".npy") else f"{name} (not npy)"

    def header(self, key: str) -> Header:
        """Shape and type of an array, without reading it.

        Raises:
            DataError: There is no array under this key.
        """
        with self._open(key) as stream:
            return npy_header(self._member(stream), self.fault(key))

    def blocks(
        self, key: str, shape: tuple[int, ...], kind: Kind, count: int
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Rows of an array, as `npy_blocks` gives them.

        Raises:
            DataError: The array is missing or not as expected.
        """
        with self._open(key) as stream:
            yield from npy_blocks(self._member(stream), shape, kind, count, self.fault(key))

    def _open(self, key: str) -> IO[bytes]:
        self.require((key,))
        with sound(self._path, self._remedy, _FORM):
            return self._path.open("rb") if self._file is None else self._file.open(f"{key}.npy")

    def _member(self, stream: IO[bytes]) -> _Member:
        return _Member(stream, partial(sound, self._path, self._remedy, _FORM))


@final
class _Member:
    """An open array, whose damage is that of the file."""

    def __init__(
        self, stream: IO[bytes], sound: Callable[[], contextlib.AbstractContextManager[None]]
    ) -> None:
        self._stream = stream
        self._sound = sound

    def read(self, size: int) -> bytes:
        with self._sound():
            return self._stream.read(size)
