"""Files from the internet, kept in the cache folder."""

from __future__ import annotations

import contextlib
import errno
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import final

import filelock
import pooch

from unweave.data.store import Progress
from unweave.errors import DataError
from unweave.rundir import home

__all__ = ["downloads", "fetch"]


def downloads() -> Path:
    """Folder of downloaded files."""
    return home() / "downloads"


def fetch(url: str, file_name: str, by_hand: str, progress: Progress | None = None) -> Path:
    """A downloaded file, fetched when it is not there yet.

    The file appears under its name when it is complete. No checksum is compared: who reads the
    file checks that it is what was published.

    Args:
        url: Where it is.
        file_name: Its name in `downloads()`.
        by_hand: What to do without a connection, as a sentence for the error.
        progress: Told how many bytes have come.

    Raises:
        DataError: It cannot be fetched.
    """
    path = downloads() / file_name
    bar = None if progress is None else _Bar(f"downloading {file_name} (bytes)", progress)
    downloader = pooch.HTTPDownloader(progressbar=bar or False, timeout=30)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.parent / f".{file_name}.lock"), _quiet():
            pooch.retrieve(
                url, known_hash=None, fname=file_name, path=path.parent, downloader=downloader
            )
    except (OSError, ValueError) as error:  # what requests raises derives from OSError
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(
                f"The disk is full: {path} could not be downloaded. Free some space, or set "
                "UNWEAVE_HOME to a folder on a larger disk."
            ) from error
        raise DataError(f"{url} could not be downloaded to {path}: {error}. {by_hand}") from error
    return path


@final
class _Bar:
    """What pooch takes for a progress bar, passed on to a `Progress`."""

    def __init__(self, what: str, progress: Progress) -> None:
        self.total = 0
        self._what = what
        self._progress = progress
        self._done = 0

    def update(self, amount: int) -> None:
        # Pooch counts whole chunks, and may go past the end with the last.
        self._done = min(self._done + amount, self.total)
        self._progress(self._what, self._done, self.total)

    def reset(self) -> None:
        """Begin again; pooch does so at the end, to draw the bar full."""
        self._done = 0

    def close(self) -> None:
        """Nothing is held open."""


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep pooch's advice to write down a checksum off the screen."""
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
