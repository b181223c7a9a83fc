"""The published file of dSprites, read as a stream and checked while it is read."""

from __future__ import annotations

import contextlib
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any, Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.store import BLOCK
from unweave.errors import DataError
from unweave.factors import FactorSpace

__all__ = ["FILE_NAME", "URL", "Archive", "open_archive"]

FILE_NAME: Final = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"
URL: Final = f"https://github.com/google-deepmind/dsprites-dataset/raw/master/{FILE_NAME}"

_SIDE = 64
# The published file has a pickle in it (`metadata`), which is never opened.
_KEYS = ("imgs", "latents_values", "latents_classes")
# What NumPy's reading of a header can end in.
_GARBLED = (ValueError, TypeError, SyntaxError, TokenError, MemoryError, RecursionError)
_COLOUR = 1
"""Columns of the latents before the factors: the colour, which has one value."""


@contextlib.contextmanager
def open_archive(path: Path, space: FactorSpace) -> Iterator[Archive]:
    """Open the npz, check its keys, shapes, types and factors, and hand out a reader.

    No checksum of the file is published, so it is known by its structure alone.

    Args:
        path: The npz file.
        space: The factors that the file should hold in C order, without the colour.

    Raises:
        DataError: The file is missing, damaged, or not as expected; the message names the path,
            the key, what was found and what was expected.
    """
    if not path.is_file():
        found = "is a folder" if path.is_dir() else "does not exist"
        raise DataError(f"{path} {found}; expected the file {FILE_NAME}. {_remedy()}")
    try:
        with zipfile.ZipFile(path) as file:
            archive = Archive(path, file, space)
            archive.check_factors()
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{path} is damaged or not an npz file: {error}. {_remedy()}") from error


@final
class Archive:
    """An open npz file of dSprites; made by `open_archive`."""

    def __init__(self, path: Path, file: zipfile.ZipFile, space: FactorSpace) -> None:
        """Check that the keys are there."""
        self._path = path
        self._file = file
        self._space = space
        found = [name.removesuffix(".npy") for name in file.namelist()]
        for key in _KEYS:
            if key not in found:
                keys = ", ".join(sorted(found)) or "none"
                raise self._error(key, f"the keys {keys}", "this key too")

    def check_factors(self) -> None:
        """Compare the factors of every row with C order.

        Raises:
            DataError: A row has other factors.
        """
        columns = len(self._space.factors) + _COLOUR
        for key, kind in (("latents_classes", "iu"), ("latents_values", "f")):
            for first, rows in self._blocks(key, (self._space.size, columns), kind, 16 * BLOCK):
                indices = self._space.unravel(np.arange(first, first + len(rows)))
                if kind == "iu":
                    expected = np.pad(indices, ((0, 0), (_COLOUR, 0))).astype(np.float64)
                else:
                    values = self._space.values(indices)
                    expected = np.pad(values, ((0, 0), (_COLOUR, 0)), constant_values=1.0)
                wrong = ~np.isclose(rows, expected, rtol=0, atol=1e-6).all(axis=1)
                if wrong.any():
                    place = int(wrong.argmax())
                    raise self._error(
                        key,
                        f"{rows[place].tolist()} in row {first + place}",
                        f"{expected[place].tolist()}, which is C order",
                    )

    def packed_blocks(self, kept: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.uint8]]:
        """The images of a grid, (n, 512) packed bits a block, in C order of the kept values.

        The whole file is read and checked, whatever is kept.

        Args:
            kept: Ascending indices of each factor.

        Raises:
            DataError: An image has a pixel other than 0 and 1, or the file ends too early.
        """
        grid = np.meshgrid(*kept, indexing="ij")
        wanted = self._space.ravel(np.stack([axis.ravel() for axis in grid], axis=1))
        shape = (self._space.size, _SIDE, _SIDE)
        for first, images in self._blocks("imgs", shape, "u1", BLOCK):
            if images.max() > 1:
                place = int((images > 1).any(axis=(1, 2)).argmax())
                raise self._error(
                    "imgs", f"a pixel of {images[place].max()} in image {first + place}", "0 or 1"
                )
            low, high = np.searchsorted(wanted, [first, first + len(images)])
            if high > low:
                chosen = images[wanted[low:high] - first]
                yield np.packbits(chosen.reshape(len(chosen), -1), axis=1)

    def _blocks(
        self, key: str, shape: tuple[int, ...], kind: str, count: int
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Rows of a member in blocks of at most `count`, each with the place of its first row.

        Args:
            key: The member.
            shape: What its shape must be.
            kind: Allowed letters of its type, or `u1` for bytes.
            count: Rows in a block.
        """
        with self._file.open(f"{key}.npy") as member:
            dtype = self._header(member, key, shape, kind)
            width = int(np.prod(shape[1:])) * dtype.itemsize
            for first in range(0, shape[0], count):
                rows = min(count, shape[0] - first)
                data = member.read(rows * width)
                if len(data) < rows * width:
                    whole = first + len(data) // width
                    raise self._error(key, f"{whole} rows", f"{shape[0]} rows")
                yield first, np.frombuffer(data, dtype).reshape(rows, *shape[1:])
            # Reading to the very end also makes zipfile compare the member's checksum.
            if member.read(1):
                raise self._error(key, f"more than {shape[0]} rows", f"{shape[0]} rows")

    def _header(
        self, member: IO[bytes], key: str, shape: tuple[int, ...], kind: str
    ) -> np.dtype[np.generic]:
        """Read a member's npy header and compare it with what is expected."""
        try:
            version = np.lib.format.read_magic(member)
            # Version 3 differs from 2 in the coding of field names, which plain arrays lack.
            read = (
                np.lib.format.read_array_header_1_0
                if version == (1, 0)
                else np.lib.format.read_array_header_2_0
            )
            found_shape, fortran, dtype = read(member)
        except _GARBLED as error:
            raise self._error(key, f"no array ({error})", f"an array of shape {shape}") from error
        if fortran and len(found_shape) > 1:
            raise self._error(key, "Fortran order", "C order")
        if found_shape != shape:
            raise self._error(key, f"the shape {found_shape}", f"{shape}")
        if (dtype != np.uint8) if kind == "u1" else (dtype.kind not in kind):
            names = {"u1": "uint8", "iu": "a whole-number type", "f": "a floating-point type"}
            raise self._error(key, f"the type {dtype}", names[kind])
        return dtype

    def _error(self, key: str, found: str, expected: str) -> DataError:
        return DataError(f"{self._path}: {key}: found {found}; expected {expected}. {_remedy()}")


def _remedy() -> str:
    return (
        f"The published file is at {URL}; give its place with path=..., or use source=rendered, "
        "which needs no file."
    )
