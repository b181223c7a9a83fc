"""Arrays in HDF5 files, read as a stream and checked while they are read."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.files.arrays import Arrays
from unweave.data.files.checks import Kind, check_file, check_type
from unweave.data.files.damage import sound
from unweave.errors import DataError

__all__ = ["H5", "open_h5"]

_MOST: Final = 200_000_000
"""Bytes of a block or a chunk, at most; two or three blocks may be in memory at once."""
# What h5py makes of a file that is damaged; a file that cannot be read at all is an OSError, too.
_DAMAGE = (OSError, RuntimeError, ValueError, KeyError, TypeError)


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
    with sound(path, remedy, "an HDF5 file"):
        try:
            file = h5py.File(path, "r")
        except BlockingIOError as error:
            raise DataError(
                f"{path} is being written by another program, or locks of its disk do not work. "
                "Wait for that program, or copy the file elsewhere."
            ) from error
    try:
        yield H5(path, file, remedy)
    finally:
        # What cannot be closed was not to be read; that has been said.
        with contextlib.suppress(*_DAMAGE):
            file.close()


@final
class H5(Arrays):
    """An open HDF5 file; made by `open_h5`."""

    def __init__(self, path: Path, file: Any, remedy: str) -> None:
        """Keep what is open."""
        super().__init__(path, remedy)
        self._file = file

    def held(self, key: str) -> bool:
        """Whether there is an array under a name.

        Raises:
            DataError: The file is damaged, or the array lies in another file, which may change
                without being noticed.
        """
        import h5py

        try:
            link = self._file.get(key, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise self._elsewhere(key, f"an array of another file, {link.filename}")
            found = self._file.get(key)
            if not isinstance(found, h5py.Dataset):
                return False
            if found.is_virtual:
                raise self._elsewhere(key, "a virtual array")
            if found.external:
                raise self._elsewhere(key, f"numbers of another file, {found.external[0][0]}")
        except _DAMAGE as error:
            raise self._damaged(key, error) from error
        return True

    def names(self) -> Iterable[str]:
        """What there is at the top of the file."""
        names: Iterable[str] = self._file
        return names

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
            DataError: The array is missing, not as expected, or damaged, or was never wholly
                written.
        """
        self.require((key,))
        data = self._file[key]
        try:
            dtype = data.dtype
        except TypeError as error:
            raise self.error(key, f"a type that NumPy lacks ({error})", "numbers") from error
        if data.shape != shape:
            raise self.error(key, f"the shape {data.shape}", f"{shape}")
        check_type(dtype, kind, self.fault(key))
        self._check_filters(key, data)
        self._check_written(key, data)
        most = max(_MOST // max(math.prod(shape[1:]) * dtype.itemsize, 1), 1)
        chunk = min(data.chunks[0] if data.chunks else 1, most)
        count = most // chunk * chunk
        # Smaller blocks use less memory, and lose nothing as long as they hold whole chunks.
        count = max(chunk, min(count, 4096 // chunk * chunk))
        for first in range(0, shape[0], count):
            try:
                rows = data[first : first + count]
            except _DAMAGE as error:
                raise self._damaged(key, error, f" from row {first} on") from error
            yield first, np.asarray(rows)

    def _check_filters(self, key: str, data: Any) -> None:
        """Whether this machine can unpack an array."""
        import h5py

        settings = data.id.get_create_plist()
        for place in range(settings.get_nfilters()):
            number, _, _, name = settings.get_filter(place)
            if not h5py.h5z.filter_avail(number):
                known = name.decode(errors="replace") or "without a name"
                raise self.error(
                    key,
                    f"the HDF5 filter {number} ({known}), which is not installed",
                    "no filter or gzip, as h5repack makes them",
                )

    def _check_written(self, key: str, data: Any) -> None:
        """Whether all of an array is there: HDF5 reads zeros where nothing was ever written."""
        if not data.chunks:
            if data.size and not data.id.get_storage_size():
                raise self.error(key, "an array that was never written", "one that is complete")
            return
        if math.prod(data.chunks) * data.dtype.itemsize > _MOST:
            raise self.error(
                key,
                f"chunks of the shape {data.chunks}, each of which must be in memory as a whole",
                f"at most {_MOST // 1_000_000} MB a chunk, as h5repack makes them",
            )
        pairs = zip(data.shape, data.chunks, strict=True)
        wanted = math.prod(-(-size // chunk) for size, chunk in pairs)
        try:
            found = data.id.get_num_chunks()
        except _DAMAGE as error:
            raise self._damaged(key, error) from error
        if found < wanted:
            raise self.error(key, f"{found:,} chunks", f"{wanted:,}; the others were not written")

    def _elsewhere(self, key: str, found: str) -> DataError:
        return self.error(key, found, "one file that has all of the array, as h5py copies it")

    def _damaged(self, key: str, error: Exception, where: str = "") -> DataError:
        return DataError(
            f"{self._path} is damaged: {key} cannot be read{where} ({error}). {self._remedy}"
        )
