"""A store while it is written: its complete blocks outlive the process that writes them."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.pixels.manifest import BLOCK, IMAGES
from unweave.progress import Progress
from unweave.rundir import flush

__all__ = ["Unfinished"]

_ORIGIN = "origin.json"
_CRCS = "blocks.txt"
_PIECE = 1 << 22
"""Bytes that are read at once: a block of large images has gigabytes."""


@final
class Unfinished:
    """The folder in which a store is written; a context manager that closes its files.

    `images.bin` has the rows, `blocks.txt` the CRC-32 of each complete block, a line each, written
    after the block, and `origin.json` what the images are made from. What a killed process left is
    taken over where the origin is the same; blocks that do not match their checksums, and what
    follows them, are cut off.

    Args:
        folder: The folder; made if it is missing.
        origin: What the images are made from; None when that cannot be told, so that nothing that
            is there is taken over.
        count: How many rows there will be.
        width: Bytes of a row.
        progress: Told how many rows are written.

    Attributes:
        done: How many rows are written.
        crcs: The CRC-32 of each complete block, as eight hexadecimal digits.

    Raises:
        OSError: The folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        origin: Mapping[str, Any] | None,
        count: int,
        width: int,
        progress: Progress | None,
    ) -> None:
        """Take over what is there, or begin."""
        self._folder = folder
        self._count = count
        self._width = width
        self._progress = progress
        self._crc = 0
        form = None if origin is None else json.dumps(dict(origin), sort_keys=True)
        if form is None or _text(folder / _ORIGIN) != form:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            if form is not None:
                (folder / _ORIGIN).write_text(form)
        # Nothing of what is gone on with is written anew: to be killed meanwhile would lose all.
        self.crcs = self._sound_blocks()
        self.done = len(self.crcs) * BLOCK
        self._images = _cut(folder / IMAGES, self.done * width)
        self._list = _cut(folder / _CRCS, sum(len(_line(crc)) for crc in self.crcs))
        if self.done and progress is not None:
            progress("writing", self.done, count)

    def write(self, blocks: Iterable[NDArray[np.uint8]]) -> None:
        """Write all further rows, in blocks of any length, (any, width) uint8.

        Raises:
            ValueError: They are of another form, or too many or too few.
        """
        for block in blocks:
            if block.dtype != np.uint8 or block.ndim != 2 or block.shape[1] != self._width:
                raise ValueError(
                    f"expected rows of {self._width} bytes, not {block.dtype} {block.shape}"
                )
            rows = np.ascontiguousarray(block)
            while len(rows) > 0:
                part = rows[: BLOCK - self.done % BLOCK]
                self._images.write(part.data)
                self._crc = zlib.crc32(part.data, self._crc)
                self.done += len(part)
                rows = rows[len(part) :]
                if self.done % BLOCK == 0 or self.done == self._count:
                    self._complete()
        if self.done != self._count:
            raise ValueError(f"expected {self._count} images, not {self.done}")
        flush(self._images)

    def _complete(self) -> None:
        """Note the checksum of a block, once all of it is in the file."""
        self._images.flush()
        self.crcs.append(f"{self._crc:08x}")
        self._crc = 0
        # The last block may be shorter, and a store without its last rows is of another count.
        if self.done % BLOCK == 0:
            self._list.write(_line(self.crcs[-1]))
            self._list.flush()
        if self._progress is not None:
            self._progress("writing", self.done, self._count)

    def _sound_blocks(self) -> list[str]:
        """Checksums of the blocks that are there and match them, from the first on."""
        found: list[str] = []
        path = self._folder / IMAGES
        if not path.is_file():
            return found
        with path.open("rb") as handle:
            for line in (_text(self._folder / _CRCS) or "").splitlines(keepends=True):
                crc = _next_crc(handle, BLOCK * self._width)
                if crc is None or line != f"{crc}\n":
                    break
                found.append(crc)
                if self._progress is not None:
                    self._progress("checking what is there", len(found) * BLOCK, self._count)
        return found[: self._count // BLOCK]

    def finish(self) -> None:
        """Close the files, and leave of them the images alone; nothing is gone on with then."""
        self.close()
        for name in (_CRCS, _ORIGIN):
            (self._folder / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the files."""
        self._images.close()
        self._list.close()

    def __enter__(self) -> Self:
        """Give this."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the files."""
        self.close()


def _cut(path: Path, size: int) -> IO[bytes]:
    """A file to be written at its end, without what it has behind that many bytes."""
    handle = path.open("ab")
    if handle.tell() != size:
        handle.truncate(size)
    return handle


def _line(crc: str) -> bytes:
    """How a checksum stands in the list."""
    return f"{crc}\n".encode()


def _next_crc(handle: IO[bytes], size: int) -> str | None:
    """The CRC-32 of the next bytes, read in pieces; None where there are fewer."""
    crc = 0
    while size and (piece := handle.read(min(size, _PIECE))):
        crc = zlib.crc32(piece, crc)
        size -= len(piece)
    return None if size else f"{crc:08x}"


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except (OSError, ValueError):
        return None
