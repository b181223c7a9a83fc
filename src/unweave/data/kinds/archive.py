"""Datasets that are read from published files: downloaded, or at a path on this machine."""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset
from unweave.data.fetching.download import RemoteFile, digest, fetch, set_aside
from unweave.data.files.checks import reading, there
from unweave.data.files.damage import of_the_disk
from unweave.data.kinds.stored import StoredSpec, dropped, is_built
from unweave.data.pixels.manifest import Encoding, row_bytes
from unweave.errors import DataError, SpecError
from unweave.progress import Progress
from unweave.rundir import read_json, write_json
from unweave.spec import option, to_dict

__all__ = ["ArchiveSpec"]


class ArchiveSpec(StoredSpec):
    """Family of datasets whose images were published as one file or several.

    A member says which files those are (`files`) and how images are read from them (`read`). Where
    the files lie, their download, what is said when they cannot be had, and that a store is
    refused when its files have been changed, are the same for all.
    """

    page: ClassVar[str]
    """Address of the page on which a person finds the files."""
    terms: ClassVar[str | None] = None
    """Address of the terms that must be accepted first; such files are not downloaded."""
    instead: ClassVar[str] = ""
    """What works without the files, as a whole sentence for errors."""

    path: str | None = option(
        default=None,
        help="The published file, or the folder of several; left out, it is downloaded.",
    )

    def validate(self) -> None:
        """Refuse a path that would not be read, or that can be none."""
        if "\0" in (self.path or ""):
            raise SpecError(
                f"{self.name}: path={self.path!r} has a character of number zero, which no path "
                "has: write it without."
            )
        if self.path is not None and self.source != "archive":
            raise SpecError(
                f"{self.name}: path={self.path!r} is only read with source=archive: write "
                f"{self.name}(source=archive, path={self.path!r}), or leave path out."
            )

    @property
    @abstractmethod
    def files(self) -> tuple[RemoteFile, ...]:
        """The published files that are read, in the order in which `read` takes them."""

    def read(
        self, paths: tuple[Path, ...], details: dict[str, Any], progress: Progress | None
    ) -> Iterable[NDArray[np.uint8]]:
        """All images in flat order, encoded for the store, in blocks of any length.

        A member has this, or `read_from` where its images are files of their own.

        Args:
            paths: The files, each of which exists.
            details: Facts for the manifest.
            progress: For work that comes before the first block.

        Raises:
            DataError: A file is not what was published; the message begins with its path.
        """
        return self.read_from(0, paths, details, progress)

    def read_from(
        self,
        first: int,
        paths: tuple[Path, ...],
        details: dict[str, Any],
        progress: Progress | None,
    ) -> Iterable[NDArray[np.uint8]]:
        """As `read`, from the image of that flat index on: all are read, and the others dropped.

        Args:
            first: Flat index of the first image that is wanted.
            paths: As of `read`.
            details: As of `read`.
            progress: As of `read`.

        Raises:
            DataError: A file is not what was published; the message begins with its path.
        """
        return dropped(self.read(paths, details, progress), first, progress)

    @property
    def source(self) -> str:
        """`archive`: the images are published ones."""
        return "archive"

    @property
    def encoding(self) -> Encoding:
        """`bytes`, as most published images have grey or coloured pixels."""
        return "bytes"

    def locate(self, path: Path) -> tuple[Path, ...]:
        """The files of a dataset, of the path that was given.

        A file stands for itself, where only one is read. Several are looked for by their published
        names in a folder, or beside the one that is given.
        """
        if len(self.files) == 1:
            return (path,)
        folder = self.place(path)
        return tuple(folder / file.name for file in self.files)

    @staticmethod
    def place(path: Path) -> Path:
        """The folder in which several files lie: a path, or what a file lies in.

        Raises:
            DataError: It cannot be looked at.
        """
        with reading(path):
            return path.parent if path.exists() and not path.is_dir() else path

    def given(self) -> tuple[Path, ...] | None:
        """The files at `path`, resolved; None when they are to be downloaded."""
        if self.path is None:
            return None
        return self.locate(_absolute(self.path))

    def found(self, progress: Progress | None) -> tuple[Path, ...]:
        """The files at `path`, or downloaded when they are not there yet.

        Raises:
            DataError: They cannot be downloaded, or the disk has no room for them and what is made
                of them.
        """
        paths = self.given()
        if paths is not None:
            return paths
        rows, shape = self.stored
        room = 0 if self.ready() else rows * row_bytes(shape, self.encoding)
        by_hand = self.by_hand()
        return tuple(fetch(file, by_hand, progress, room=room) for file in self.files)

    def inspect(self, paths: tuple[Path, ...]) -> None:
        """Look at the files before anything is made of them; a member may refuse them here.

        Raises:
            DataError: A file is not what was published; the message begins with its path.
        """

    def address(self) -> Mapping[str, Any]:
        """The full form, with a path that means the same file from any working directory."""
        form = to_dict(self)
        if self.path is not None:
            form["path"] = str(_absolute(self.path))
        return form

    def folder(self) -> Path:
        """Where the store lies, or will: without a path, also that of files `remember` knows."""
        own = super().folder()
        if self.path is not None or is_built(own):
            return own
        note = _note(own)
        if note.is_file():
            known = replace(self, path=read_json(note)["path"]).folder()
            if is_built(known):
                return known
        return own

    def remember(self) -> None:
        """Let the text without a path stand for the images of this path, until others are."""
        if self.path is not None:
            place = super(ArchiveSpec, replace(self, path=None)).folder()
            write_json(_note(place), {"path": self.address()["path"]})

    def check_loadable(self) -> None:
        """Refuse files that are not there, and a download that needs a person.

        A store that is built already needs neither.

        Raises:
            DataError: A file does not exist, or its terms must be accepted first.
        """
        if self.source != "archive" or self.ready():
            return
        paths = self.given()
        if paths is None:
            if self.terms is not None:
                raise DataError(f"The files of {self.name} are not downloaded. {self.by_hand()}")
            return
        for path, file in zip(paths, self.files, strict=True):
            if not there(path):
                raise DataError(
                    f"{path} does not exist; expected the file {file.name}. {self.by_hand()}"
                )

    def check(self, details: Mapping[str, Any]) -> None:
        """Refuse a store whose files have been changed since.

        Raises:
            DataError: The files at `path` exist and are not those that the store was built from.
        """
        paths = self.given()
        if paths is None or not all(there(path) for path in paths):
            return
        if details.get("archive_stamp") != _stamp(paths):
            raise DataError(
                f"{self.path} has changed since its images were stored in {self.folder()}. Delete "
                "that folder to store the images again, or restore the file."
            )

    def open(self, progress: Progress | None = None) -> Dataset:
        """Open the dataset, finding or fetching its files and building its store when missing.

        Args:
            progress: Told of that, if there is any.

        Raises:
            DataError: The files cannot be had or are not what was published, the disk is full, or
                the store is damaged.
        """
        if self.source == "archive" and not self.ready():
            self.check_loadable()
            paths = self.found(progress)
            with self._setting_aside(paths):
                self.inspect(paths)
        return super().open(progress)

    def origin(self, progress: Progress | None) -> Mapping[str, Any]:
        """The files, found or fetched, with their checksums; nothing of what is drawn.

        Raises:
            DataError: A file cannot be had.
        """
        if self.source != "archive":
            return {}
        paths = self.found(progress)
        single = len(paths) == 1
        sums = []
        for path in paths:
            with reading(path):
                sums += [digest(path, progress=progress)] if path.is_file() else []
        return {
            "archive": str(paths[0]) if single else [str(path) for path in paths],
            "archive_stamp": _stamp(paths),
            "archive_sha256": sums[0] if single and sums else sums,
        }

    def encoded_blocks(
        self, first: int, details: dict[str, Any], progress: Progress | None
    ) -> Iterator[NDArray[np.uint8]]:
        """Read the files.

        Raises:
            DataError: A file is not what was published. One that was downloaded is kept under
                another name then, so that it is fetched anew the next time.
        """
        paths = self.found(progress)
        with self._setting_aside(paths):
            yield from self.read_from(first, paths, details, progress)

    @contextlib.contextmanager
    def _setting_aside(self, paths: tuple[Path, ...]) -> Iterator[None]:
        """Rename what was downloaded when its reader refuses what is in it, and say so."""
        try:
            yield
        except DataError as error:
            if self.path is not None or of_the_disk(error.__cause__):
                raise
            text = str(error)
            named = [path for path in paths if str(path) in text] or list(paths)
            try:
                kept = ", ".join(str(set_aside(path)) for path in named)
            except OSError as trouble:
                raise DataError(
                    "What was downloaded is not what was published, and cannot be renamed "
                    f"({trouble.strerror}): delete it, so that it is downloaded again. {error}"
                ) from error
            raise DataError(
                f"What was downloaded is not what was published, and is kept as {kept}; the next "
                f"call downloads it again. {error}"
            ) from error

    def by_hand(self) -> str:
        """How to get the files by hand, and what to do with them; sentences for errors."""
        text = str(replace(self, path=None))
        command = shlex.join(["unweave", "data", "prepare", text, "--from"])
        place = "FILE" if len(self.files) == 1 else "FOLDER"
        names = _listed([file.name for file in self.files])
        begun = (
            f"Fetch {names} by hand from {self.page}"
            if self.terms is None
            else f"Accept the terms at {self.terms}, fetch {names} from {self.page}"
        )
        return f"{begun}, then: {command} {place}. {self.instead}".rstrip()


def _absolute(path: str) -> Path:
    """A path that means the same from any working directory, also of links in a circle."""
    place = Path(path)
    with contextlib.suppress(RuntimeError):  # The folder of a user who is not known.
        place = place.expanduser()
    return Path(os.path.realpath(place))


def _listed(names: list[str]) -> str:
    """Names of files in a sentence; of many, what is the same in all."""
    if len(names) <= 3:
        return ", ".join(names)
    begin = _alike(names)
    end = _alike([name[::-1] for name in names])[::-1].lstrip(".")
    return f"the {len(names)} files {begin}...{end}"


def _alike(names: list[str]) -> str:
    """With what all names begin."""
    letters = itertools.takewhile(lambda each: len(set(each)) == 1, zip(*names, strict=False))
    return "".join(each[0] for each in letters)


def _note(folder: Path) -> Path:
    """Says whose images stand for those of a store that is not built."""
    return folder.with_name(f"{folder.name}.json")


def _stamp(paths: tuple[Path, ...]) -> list[int]:
    """Size and time of change of each: enough to notice that one was replaced, without reading."""
    return [
        number
        for status in (path.stat() for path in paths)
        for number in (status.st_size, status.st_mtime_ns)
    ]
