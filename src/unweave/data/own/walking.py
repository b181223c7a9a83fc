"""Which images lie in a folder, and a stamp that changes whenever a file does."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from unweave.errors import DataError

__all__ = ["ENDINGS", "image_entries", "images_in", "stamp_of", "status_of"]

ENDINGS: Final = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm")
)
"""Endings of the files that are taken for images, in small letters."""


def images_in(folder: Path) -> tuple[str, ...]:
    """Names of the images in a folder and in those in it, with `/` between, in their order."""
    return tuple(sorted(name for name, _ in image_entries(folder)))


def image_entries(folder: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The images in a folder and in those in it, by name; links to folders are passed over.

    It is done whenever the dataset is opened, so it must be quick.

    Raises:
        DataError: A folder cannot be read.
    """
    waiting = [("", str(folder))]
    while waiting:
        within, place = waiting.pop()
        try:
            with os.scandir(place) as entries:
                found = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError as error:
            raise DataError(f"{place} cannot be read: {error.strerror}.") from error
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                waiting.append((f"{within}{entry.name}/", entry.path))
            elif entry.name[entry.name.rfind(".") :].lower() in ENDINGS:
                yield within + entry.name, entry


def status_of(entry: os.DirEntry[str]) -> os.stat_result:
    """Size and time of change of a file, or of a link that leads nowhere."""
    try:
        return entry.stat()
    except OSError:
        return entry.stat(follow_symlinks=False)


def stamp_of(files: Iterable[tuple[str, os.stat_result]]) -> str:
    """A digest of names, sizes and times of change, whatever the order of the files.

    A folder's own time tells of names alone, and of nothing in the folders in it.
    """
    digest = hashlib.sha256()
    for name, status in sorted(files, key=lambda file: file[0]):
        digest.update(os.fsencode(name))
        digest.update(f"\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
