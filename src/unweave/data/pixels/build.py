"""Writing a store: all or nothing, by one process at a time."""

from __future__ import annotations

import contextlib
import errno
import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import filelock
import numpy as np
from numpy.typing import NDArray

from unweave._version import __version__
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
from unweave.data.pixels.unfinished import Unfinished
from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.progress import Progress
from unweave.rundir import explain_os_error, flush, flush_folder

__all__ = ["build_store"]

_BUILDING: Final = ".building"
_STALE: Final = 7 * 24 * 3600.0
"""Seconds after which what a killed build left is taken for forgotten."""


def build_store(
    folder: Path,
    *,
    text: str,
    form: Mapping[str, Any],
    source: str,
    image_shape: tuple[int, int, int],
    count: int,
    encoding: Encoding,
    blocks: Callable[[int], Iterable[NDArray[np.uint8]]],
    origin: Callable[[], Mapping[str, Any]] | None = None,
    details: Mapping[str, Any] | None = None,
    labels: Callable[[], tuple[FactorSpace, Labels] | None] | None = None,
    progress: Progress | None = None,
) -> Store:
    """Write a store, all or nothing, and open it.

    Only one process builds at a time: others wait, then open what it built. A build that was
    killed or interrupted is gone on with where its origin is the same, else removed.

    Args:
        folder: Where the store shall lie.
        text: Short text of the dataset.
        form: Full form of the dataset.
        source: Where the images come from, such as `rendered`.
        image_shape: (H, W, C).
        count: How many images there are.
        encoding: `bits` or `bytes`.
        blocks: Gives encoded images in order, from that of a flat index on, each block (any,
            row_bytes) uint8. Called once, and only if this process builds.
        origin: Gives what the images are made from, such as the checksum of a file; called before
            the first block. Left out, or where a fact is None since it cannot be told, a build is
            never gone on with.
        details: Further facts for the manifest; read after the last block.
        labels: Gives factors and labels of the images, or None; called after the last block.
        progress: Told how many images are written.

    Raises:
        DataError: The disk has no room, the folder cannot be written, or what already lies there
            is damaged.
    """
    folder = Path(folder)
    width = row_bytes(image_shape, encoding)
    need = count * width
    try:
        with _alone(folder):
            if not folder.exists():
                _remove_stale(folder)
                made_from = None if origin is None else _complete(origin(), count)
                building = folder.parent / f".{folder.name}{_BUILDING}"
                _check_space(folder, need - _size(building / IMAGES))
                with (
                    _kept_if_stopped(building, possible=made_from is not None),
                    Unfinished(building, made_from, count, width, progress) as rows,
                ):
                    rows.write(blocks(rows.done))
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
                        "crc32": rows.crcs,
                        "sha256": table_digest(rows.crcs),
                    }
                    found = None if labels is None else labels()
                    if found is not None:
                        manifest["labels"] = write_labels(building, *found, count)
                    with (building / MANIFEST).open("wb") as handle:
                        handle.write(json.dumps(manifest, indent=1).encode())
                        flush(handle)
                    # Not before: labels can take long, and what is finished is not gone on with.
                    rows.finish()
                    building.rename(folder)
                flush_folder(folder.parent)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(_space_text(folder, need, None)) from error
        raise DataError(str(explain_os_error(error, folder))) from error
    return Store.open(folder)


def _complete(origin: Mapping[str, Any], count: int) -> dict[str, Any] | None:
    """An origin with what else must be the same: another version may make other images of it."""
    if None in origin.values():
        return None
    return {**origin, "unweave": __version__, "images": count}


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
def _kept_if_stopped(building: Path, *, possible: bool) -> Iterator[None]:
    """Remove the folder of a build when something goes wrong, but not when the user stops it.

    Args:
        building: The folder.
        possible: Whether a build can be gone on with at all.
    """
    try:
        yield
    except BaseException as error:
        if not possible or isinstance(error, Exception):
            shutil.rmtree(building, ignore_errors=True)
        raise


def _remove_stale(folder: Path) -> None:
    """Remove what killed builds of other stores left long ago.

    It may be of many gigabytes, and of a store that nobody asks for again. A build that is alive
    holds the lock of its store.
    """
    for leftover in folder.parent.glob(f".*{_BUILDING}"):
        name = leftover.name.removeprefix(".").removesuffix(_BUILDING)
        if name == folder.name:
            continue
        with contextlib.suppress(filelock.Timeout, FileNotFoundError):
            if _age(leftover) < _STALE:
                continue
            with filelock.FileLock(folder.parent / f".{name}.lock", timeout=0):
                shutil.rmtree(leftover, ignore_errors=True)


def _age(leftover: Path) -> float:
    """Seconds since the images in it were last written to."""
    images = leftover / IMAGES
    return time.time() - (images if images.exists() else leftover).stat().st_mtime


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


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
