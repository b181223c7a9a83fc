"""A store while it is written: its complete blocks outlive the process that writes them."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.pixels.manifest import BLOCK, IMAGES
from unweave.progress import Progress
from unweave.rundir import flush

__all__ = ["Unfinished"]

_ORIGIN = "origin.json"
_CRCS = "blocks.txt"


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
        self.crcs = self._sound_blocks()
        self.done = len(self.crcs) * BLOCK
        self._images = (folder / IMAGES).open("ab")
        if self._images.tell() != self.done * width:
            self._images.truncate(self.done * width)
        self._list = (folder / _CRCS).open("w")
        self._list.writelines(f"{crc}\n" for crc in self.crcs)
        self._list.flush()
        if form is not None:
            (folder / _ORIGIN).write_text(form)
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
            self._list.write(f"{self.crcs[-1]}\n")
            self._list.flush()
        if self._progress is not None:
            self._progress("writing", self.done, self._count)

    def _sound_blocks(self) -> list[str]:
        """Checksums of the blocks that are there and match them, from the first on."""
        found: list[str] = []
        path = self._folder / IMAGES
        if not path.is_file():
            return found
        size = BLOCK * self._width
        with path.open("rb") as handle:
            for crc in (_text(self._folder / _CRCS) or "").split():
                data = handle.read(size)
                if len(data) < size or f"{zlib.crc32(data):08x}" != crc:
                    break
                found.append(crc)
                if self._progress is not None:
                    self._progress("checking what is there", len(found) * BLOCK, self._count)
        return found[: self._count // BLOCK]

    def finish(self) -> None:
        """Close the files, and leave of them the images alone."""
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


def _text(path: Path) -> str | None:
    try:
        return path.read_text()
    except (OSError, ValueError):
        return None
