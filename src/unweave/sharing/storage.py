"""A folder, or object storage behind an fsspec URL, as a place of shared runs."""

from __future__ import annotations

__all__ = ["StoragePlace"]

import contextlib
import os
import shlex
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, final

import fsspec
from fsspec.callbacks import Callback
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from unweave.errors import RunError, SpecError, UnweaveError
from unweave.rundir import explain_os_error
from unweave.sharing.contents import CARD, MANIFEST, SharedFile
from unweave.sharing.place import DamagedError, Meter, without_secrets

T = TypeVar("T")

# Where files lie until all have come.
_INCOMING: Final = ".incoming"
_BLOCK: Final = 2**20
_WRITTEN: Final = "cannot be written"
# File systems whose folders are but parts of names.
_OBJECTS: Final = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss"})


@final
class StoragePlace:
    """A folder of a file system that fsspec knows.

    Files are first sent beside those of an earlier version, so that what fails on the way leaves
    that one as it was. Then the manifest says that not all is there, they take their places, and
    the manifest is written last. Object storages cannot rename, but copy within themselves.

    Args:
        text: A folder of this machine, or a URL.

    Raises:
        SpecError: There is no such kind of storage, or the package for it is missing.
    """

    def __init__(self, text: str) -> None:
        self.text = without_secrets(text)
        try:
            if "://" in text:
                # Others write there: what was listed before says nothing.
                system, root = fsspec.core.url_to_fs(text, use_listings_cache=False)
            else:
                folder = Path(text).expanduser()
                # A link is followed, an end that is not there yet is taken as it is.
                system, root = LocalFileSystem(), folder.resolve().as_posix()
        except (ImportError, ValueError, OSError, RuntimeError) as error:
            raise SpecError(
                f"The place {self.text!r} cannot be opened: {error}. It is a folder, a URL of "
                "fsspec such as s3://BUCKET/FOLDER, with its package, or hf://ORG/NAME."
            ) from error
        self.beside: frozenset[str] = frozenset()
        self.commit: str | None = None
        self._system: Any = system
        self._root = str(root).rstrip("/")
        self.name = self._root.rsplit("/", 1)[-1]
        here = isinstance(system, LocalFileSystem | MemoryFileSystem)
        self.command: str | None = None if here else f"unweave pull {shlex.quote(self.text)}"

    @property
    def folder(self) -> Path | None:
        """The folder of this machine that it is; None where it is none."""
        return Path(self._root) if isinstance(self._system, LocalFileSystem) else None

    def names(self) -> set[str]:
        """Names of the files that are there."""

        def look() -> set[str]:
            if self._system.isfile(self._root):
                raise RunError(f"{self.text} is a file, and a run is pushed to a folder.")
            try:
                found = self._system.find(self._root)
            except FileNotFoundError:
                return set()
            start = len(self._root) + 1
            return {str(path)[start:] for path in found}

        names = self._answered(look)
        return {name for name in names if not name.startswith(f"{_INCOMING}/")}

    def read(self, name: str, most: int) -> bytes | None:
        """What is in a small file; None where it is not there."""

        def read() -> bytes | None:
            try:
                with self._system.open(self._path(name), "rb") as handle:
                    content: bytes = handle.read(most + 1)
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None
            return content

        return self._answered(read)

    def fetch(self, name: str, folder: Path, most: int, meter: Meter) -> None:
        """Have a file in a folder, under its name there."""
        target = folder / name
        with _writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            handle = target.open("wb")
        with handle:
            for piece in self._pieces(name, most):
                with _writing(target):
                    handle.write(piece)
                meter.add(len(piece))
            with _writing(target):
                handle.flush()
                os.fsync(handle.fileno())

    def replace(
        self,
        files: Sequence[SharedFile],
        gone: Collection[str],
        manifest: tuple[bytes, bytes],
        card: bytes | None,
        meter: Meter,
    ) -> None:
        """Have these files there in the place of an earlier version."""
        whole, incomplete = manifest

        def replace() -> None:
            self._clear_incoming()
            for file in files:
                self._send(file, meter)
            self._make_folder(self._root)
            self._write(MANIFEST, incomplete)
            for file in files:
                self._move(file.name)
            for name in gone:
                with contextlib.suppress(FileNotFoundError):
                    self._system.rm_file(self._path(name))
            if card is not None:
                self._write(CARD, card)
            self._clear_incoming()
            self._write(MANIFEST, whole)

        self._answered(replace, _WRITTEN)

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _incoming(self, name: str) -> str:
        return f"{self._root}/{_INCOMING}/{name}"

    def _make_folder(self, path: str) -> None:
        """Make a folder where there are any; in an object storage that would make a bucket."""
        names = self._system.protocol
        if not _OBJECTS & set(names if isinstance(names, tuple | list) else (names,)):
            self._system.makedirs(path, exist_ok=True)

    def _send(self, file: SharedFile, meter: Meter) -> None:
        path = self._incoming(file.name)
        self._make_folder(path.rsplit("/", 1)[0])
        if isinstance(file.content, bytes):
            self._system.pipe_file(path, file.content)
            meter.add(file.bytes)
        else:
            told = _Told(meter)
            self._system.put_file(str(file.content), path, callback=told)
            meter.add(file.bytes - told.value)

    def _write(self, name: str, content: bytes) -> None:
        """Have a small file in its place, or what was there: never a part of it."""
        if self.folder is None:
            # A storage of objects takes the whole of each.
            self._system.pipe_file(self._path(name), content)
            return
        self._make_folder(f"{self._root}/{_INCOMING}")
        self._system.pipe_file(self._incoming(name), content)
        self._move(name)
        # As long as there are others it stays.
        with contextlib.suppress(OSError):
            Path(self._root, _INCOMING).rmdir()

    def _move(self, name: str) -> None:
        source, target = self._incoming(name), self._path(name)
        self._make_folder(target.rsplit("/", 1)[0])
        if self.folder is not None:
            Path(source).replace(target)
            return
        try:
            self._system.cp_file(source, target)
        except NotImplementedError:
            # Such as of SFTP, which renames.
            with contextlib.suppress(FileNotFoundError):
                self._system.rm_file(target)
            self._system.mv(source, target)
        else:
            self._system.rm_file(source)

    def _clear_incoming(self) -> None:
        """Remove what an earlier push that was broken off has left."""
        path = f"{self._root}/{_INCOMING}"
        if self.folder is not None:
            shutil.rmtree(path, ignore_errors=True)
        elif self._system.exists(path):
            with contextlib.suppress(FileNotFoundError):
                self._system.rm(path, recursive=True)

    def _pieces(self, name: str, most: int) -> Iterator[bytes]:
        """What is in a file, piece by piece."""
        handle = self._answered(lambda: self._system.open(self._path(name), "rb"))
        left = most
        with contextlib.closing(handle):
            while piece := self._answered(lambda: handle.read(_BLOCK)):
                left -= len(piece)
                if left < 0:
                    raise DamagedError(
                        f"{self.text} is damaged, or is being pushed to: {name} has more than "
                        f"{most:,} bytes."
                    )
                yield piece

    def _answered(self, ask: Callable[[], T], what: str = "does not answer") -> T:
        """What the storage answers; an error of it, of whatever kind, is one for the user."""
        try:
            return ask()
        except UnweaveError:
            raise
        except FileNotFoundError as error:
            if what == _WRITTEN:
                raise RunError(f"{self.text} {what}: {error}.") from error
            lost = f"{self.text} does not have a file that it should: {error}."
            raise DamagedError(f"{lost} It may be about to be written anew; try again.") from error
        except PermissionError as error:
            reason = "you may not do so there"
            raise RunError(f"{self.text} {what}: {reason} ({error}).") from error
        except Exception as error:
            if isinstance(error, OSError) and self.folder is not None:
                raise explain_os_error(error, self.folder) from error
            reason = without_secrets(str(error)) or type(error).__name__
            raise RunError(f"{self.text} {what}: {reason}.") from error


@final
class _Told(Callback):  # type: ignore[misc]
    """Tells a meter of what fsspec sends."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self._meter = meter

    def relative_update(self, inc: int = 1) -> None:
        """So many more bytes are sent."""
        self._meter.add(inc)
        super().relative_update(inc)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """A block that writes on this machine."""
    try:
        yield
    except OSError as error:
        raise explain_os_error(error, path) from error
