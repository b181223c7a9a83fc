"""Writing a store: all or nothing, by one process at a time."""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import filelock
import numpy as np
from numpy.typing import NDArray

from unweave.data.labels import Labels
from unweave.data.pixels.label_tables import write_labels
from unweave.data.pixels.manifest import (
    BLOCK,
    FORMAT,
    IMAGES,
    MANIFEST,
    Encoding,
    row_bytes,
    table_digest,
)
from unweave.data.pixels.store import Store
from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.progress import Progress
from unweave.rundir import explain_os_error, flush, flush_folder

__all__ = ["build_store"]


def build_store(
    folder: Path,
    *,
    text: str,
    form: Mapping[str, Any],
    source: str,
    image_shape: tuple[int, int, int],
    count: int,
    encoding: Encoding,
    blocks: Iterable[NDArray[np.uint8]],
    details: Mapping[str, Any] | None = None,
    labels: Callable[[], tuple[FactorSpace, Labels] | None] | None = None,
    progress: Progress | None = None,
) -> Store:
    """Write a store, all or nothing, and open it.

    Only one process builds at a time: others wait, then open what it built. What killed builds
    left behind is removed.

    Args:
        folder: Where the store shall lie.
        text: Short text of the dataset.
        form: Full form of the dataset.
        source: Where the images come from, such as `rendered`.
        image_shape: (H, W, C).
        count: How many images there are.
        encoding: `bits` or `bytes`.
        blocks: Encoded images in order, each block (any, row_bytes) uint8. Consumed once, and only
            if this process builds.
        details: Further facts for the manifest; read after the last block.
        labels: Gives factors and labels of the images, or None; called after the last block.
        progress: Told how many images are written.

    Raises:
        DataError: The disk has no room, the folder cannot be written, or what already lies there
            is damaged.
    """
    folder = Path(folder)
    need = count * row_bytes(image_shape, encoding)
    try:
        with _alone(folder):
            if not folder.exists():
                _remove_stale(folder)
                _check_space(folder, need)
                with _temporary_folder(folder) as temporary:
                    crcs = _write_images(
                        temporary / IMAGES, blocks, count, need // max(count, 1), progress
                    )
                    manifest = {
                        "format": FORMAT,
                        "text": text,
                        "dataset": dict(form),
                        "source": source,
                        "encoding": encoding,
                        "image_shape": list(image_shape),
                        "count": count,
                        "block": BLOCK,
                        "details": dict(details or {}),
                        "crc32": crcs,
                        "sha256": table_digest(crcs),
                    }
                    found = None if labels is None else labels()
                    if found is not None:
                        manifest["labels"] = write_labels(temporary, *found, count)
                    with (temporary / MANIFEST).open("wb") as handle:
                        handle.write(json.dumps(manifest, indent=1).encode())
                        flush(handle)
                    temporary.rename(folder)
                flush_folder(folder.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(_space_text(folder, need, None)) from error
        raise DataError(str(explain_os_error(error, folder))) from error
    return Store.open(folder)


def _write_images(
    path: Path,
    blocks: Iterable[NDArray[np.uint8]],
    count: int,
    width: int,
    progress: Progress | None,
) -> list[str]:
    """Write encoded images and return the CRC-32 of each `BLOCK` of them, as eight hex digits."""
    crcs: list[str] = []
    done = crc = 0
    with path.open("wb") as handle:
        for block in blocks:
            if block.dtype != np.uint8 or block.ndim != 2 or block.shape[1] != width:
                raise ValueError(
                    f"expected rows of {width} bytes, not {block.dtype} {block.shape}"
                )
            rows = np.ascontiguousarray(block)
            while len(rows) > 0:
                part = rows[: BLOCK - done % BLOCK]
                handle.write(part.data)
                crc = zlib.crc32(part.data, crc)
                done += len(part)
                rows = rows[len(part) :]
                if done % BLOCK == 0 or done == count:
                    crcs.append(f"{crc:08x}")
                    crc = 0
                    if progress is not None:
                        progress("writing", done, count)
        if done != count:
            raise ValueError(f"expected {count} images, not {done}")
        flush(handle)
    return crcs


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a store; when the block fails, what was made to hold it goes, too."""
    missing = [path for path in folder.parents if not path.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.parent / f".{folder.name}.lock"
    try:
        with filelock.FileLock(lock):
            try:
                yield
            except BaseException:
                # Whoever waits for it notices that the file is gone, and makes a new one.
                lock.unlink(missing_ok=True)
                raise
    except BaseException:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise


@contextlib.contextmanager
def _temporary_folder(folder: Path) -> Iterator[Path]:
    """A folder beside the place of the store, gone when the block ends without a rename."""
    temporary = Path(
        tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".building", dir=folder.parent)
    )
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _remove_stale(folder: Path) -> None:
    """Remove what killed builds left, of this store, whose lock is held, and of others.

    A build that is alive holds the lock of its store, so a leftover whose lock can be had is of a
    dead one; it may be of many gigabytes, and of a store that nobody asks for again.
    """
    for leftover in folder.parent.glob(".*.building"):
        name = leftover.name.removeprefix(".").rsplit(".", 2)[0]
        if name == folder.name:
            shutil.rmtree(leftover, ignore_errors=True)
            continue
        with (
            contextlib.suppress(filelock.Timeout),
            filelock.FileLock(folder.parent / f".{name}.lock", timeout=0),
        ):
            shutil.rmtree(leftover, ignore_errors=True)


def _check_space(folder: Path, need: int) -> None:
    free = shutil.disk_usage(folder.parent).free
    if free < need + 2**20:
        raise DataError(_space_text(folder, need, free))


def _space_text(folder: Path, need: int, free: int | None) -> str:
    left = "" if free is None else f", and {free / 1e6:,.0f} MB are free"
    return (
        f"The disk is full: {folder} needs {need / 1e6:,.0f} MB{left}. Free some space, or set "
        "UNWEAVE_HOME to a folder on a larger disk."
    )
