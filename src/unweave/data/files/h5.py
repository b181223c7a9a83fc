"""Arrays in HDF5 files, read as a stream and checked while they are read."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.files.checks import Kind, check_file, check_type
from unweave.errors import DataError

__all__ = ["H5", "open_h5"]

_MOST: Final = 400_000_000
"""Bytes of a block, at most."""
# What h5py makes of a file that is damaged; a file that cannot be read at all is an OSError, too.
_DAMAGE = (OSError, RuntimeError, ValueError, KeyError)


@contextlib.contextmanager
def open_h5(path: Path, expected: str, remedy: str) -> Iterator[H5]:
    """Open an HDF5 file.

    Args:
        path: The file.
        expected: Which file it should be, for errors.
        remedy: What to do about a file that is another, as a sentence.

    Raises:
        DataError: The file is missing, or damaged so that it cannot be opened.
    """
    import h5py

    check_file(path, expected, remedy)
    try:
        file = h5py.File(path, "r")
    except _DAMAGE as error:
        raise DataError(f"{path} is damaged or not an HDF5 file: {error}. {remedy}") from error
    with file:
        yield H5(path, file, remedy)


@final
class H5:
    """An open HDF5 file; made by `open_h5`."""

    def __init__(self, path: Path, file: Any, remedy: str) -> None:
        """Keep what is open."""
        self._path = path
        self._file = file
        self._remedy = remedy

    def require(self, keys: Collection[str]) -> None:
        """Refuse a file without these arrays.

        Raises:
            DataError: A key is missing; the message names those that are there.
        """
        import h5py

        for key in keys:
            if not isinstance(self._file.get(key), h5py.Dataset):
                there = ", ".join(sorted(self._file)) or "none"
                raise self.error(key, f"the keys {there}", "this key too")

    def blocks(
        self, key: str, shape: tuple[int, ...], kind: Kind
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Rows of an array in blocks, each with the place of its first row.

        A block ends where chunks of the file end, so that each chunk is unpacked once: h5py lays
        arrays of small images down in chunks of many thousand rows and few pixels, and reading
        fewer rows at a time takes many times longer.

        Args:
            key: The array.
            shape: What its shape must be.
            kind: What its type must be.

        Yields:
            The place of the first row, and rows of at most 400 MB in an array of their own.

        Raises:
            DataError: The array is missing, not as expected, or damaged.
        """
        self.require((key,))
        data = self._file[key]
        if data.shape != shape:
            raise self.error(key, f"the shape {data.shape}", f"{shape}")
        check_type(data.dtype, kind, partial(self.error, key))
        most = max(_MOST // max(math.prod(shape[1:]) * data.dtype.itemsize, 1), 1)
        chunk = min(data.chunks[0] if data.chunks else 1, most)
        count = most // chunk * chunk
        # Smaller blocks use less memory, and lose nothing as long as they hold whole chunks.
        count = max(chunk, min(count, 4096 // chunk * chunk))
        for first in range(0, shape[0], count):
            try:
                rows = data[first : first + count]
            except _DAMAGE as error:
                raise DataError(
                    f"{self._path} is damaged: {key} cannot be read from row {first} on "
                    f"({error}). {self._remedy}"
                ) from error
            yield first, np.asarray(rows)

    def error(self, key: str, found: str, expected: str) -> DataError:
        """The error for an array, with the path and what to do."""
        return DataError(
            f"{self._path}: {key}: found {found}; expected {expected}. {self._remedy}"
        )
