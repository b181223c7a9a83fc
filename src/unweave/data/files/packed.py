"""One published file, with its gzip or without, read from its beginning to its end."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast, final

from unweave.data.files.checks import check_file, reading
from unweave.errors import DataError

__all__ = ["Packed", "open_packed"]


@contextlib.contextmanager
def open_packed(path: Path, remedy: str) -> Iterator[Packed]:
    """Open a file, of which the first bytes say whether it is in gzip form.

    Args:
        path: The file.
        remedy: What to do about a file that is another, as a sentence.

    Raises:
        DataError: There is none, or it cannot be read.
    """
    check_file(path, path.name, remedy)
    with reading(path, remedy), path.open("rb") as handle:
        zipped = handle.read(2) == b"\x1f\x8b"
    with gzip.open(path) if zipped else path.open("rb") as stream:
        yield Packed(path, cast("IO[bytes]", stream), remedy)


@final
class Packed:
    """An open file; made by `open_packed`."""

    def __init__(self, path: Path, stream: IO[bytes], remedy: str) -> None:
        """Keep what is open."""
        self._path = path
        self._stream = stream
        self._remedy = remedy

    def take(self, size: int) -> bytes:
        """The next bytes.

        Raises:
            DataError: There are not as many, or the file is damaged.
        """
        data = self._read(size)
        if len(data) < size:
            raise self.error(f"an end after {len(data):,} more bytes", f"{size:,} more bytes")
        return data

    def end(self) -> None:
        """Make sure that nothing follows; this compares the checksum of a gzip file.

        Raises:
            DataError: Something follows, or the file is damaged.
        """
        if self._read(1):
            raise self.error("more bytes behind the array", "an end")

    def error(self, found: str, expected: str) -> DataError:
        """The error for something that is wrong with the file."""
        return DataError(f"{self._path}: found {found}; expected {expected}. {self._remedy}")

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size)
        except (EOFError, OSError, zlib.error) as error:
            raise DataError(f"{self._path} is damaged: {error}. {self._remedy}") from error
