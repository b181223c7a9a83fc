"""What a place must offer to take shared runs and give them back."""

from __future__ import annotations

__all__ = ["DamagedError", "Meter", "Place", "without_secrets"]

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from unweave.errors import RunError
from unweave.progress import Progress
from unweave.sharing.contents import SharedFile


class DamagedError(RunError):
    """What is there is not what it should be, and nothing of it is used."""


class Meter:
    """How much of all files has been sent or fetched.

    Args:
        what: What is being done.
        total: Bytes of all files.
        progress: Told of it; None for nobody.
    """

    def __init__(self, what: str, total: int, progress: Progress | None) -> None:
        self._what, self._total, self._progress = what, total, progress
        self._done = 0

    def add(self, count: int) -> None:
        """So many more bytes are done."""
        self._done = min(self._done + count, self._total)
        if self._progress is not None:
            self._progress(self._what, self._done, self._total)

    def finish(self) -> None:
        """All is done."""
        if self._done < self._total:
            self.add(self._total)


class Place(Protocol):
    """Where a run is pushed to or pulled from: it holds one run, and its own files beside it.

    Attributes:
        text: How it is named in messages, without secrets.
        name: The name of a run folder for what lies there.
        command: What others type to pull it; None where it is of this machine alone.
        beside: Names of files that may be there before a run is.
    """

    text: str
    name: str
    command: str | None
    beside: frozenset[str]

    @property
    def commit(self) -> str | None:
        """The commit of the hub that is read; None of another place."""

    def names(self) -> set[str]:
        """Names of the files that are there, with slashes.

        Raises:
            UnweaveError: The place does not answer, or is none.
        """

    def read(self, name: str, most: int) -> bytes | None:
        """What is in a small file; None where it is not there.

        Args:
            name: The file.
            most: So many bytes are read and one more, if there is more.

        Raises:
            UnweaveError: The place does not answer.
        """

    def fetch(self, name: str, folder: Path, most: int, meter: Meter) -> None:
        """Have a file in a folder, under its name there, whose own folder is made.

        Args:
            name: The file.
            folder: Where to.
            most: A file with more bytes is another one, and is not fetched to its end.
            meter: Told of what comes.

        Raises:
            UnweaveError: The place does not answer, or has another file there.
        """

    def replace(
        self,
        files: Sequence[SharedFile],
        gone: Collection[str],
        manifest: tuple[bytes, bytes],
        card: bytes | None,
        meter: Meter,
    ) -> None:
        """Have these files there in the place of an earlier version.

        Whoever breaks it off leaves the earlier version, or what is known to be incomplete.

        Args:
            files: What is sent.
            gone: Names of files of the earlier version that are no longer there afterwards.
            manifest: The manifest; and one that says that not all is there yet.
            card: The model card; None for the one that is there.
            meter: Told of what is sent.

        Raises:
            UnweaveError: The place does not answer, or may not be written.
        """


def without_secrets(text: str) -> str:
    """A text whose URLs have no name and password before their host, and no query."""
    text = re.sub(r"(\w://)[^/@\s]*@", r"\1", text)
    return re.sub(r"(\w://[^\s?]*)\?\S*", r"\1", text)
