"""Runs in a place that all machines of a cluster reach: object storage, or a shared folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar, final

import fsspec

from unweave.errors import SpecError, UnweaveError
from unweave.rundir import FORMAT, explain_os_error, home

__all__ = ["StoredRun", "TakenOverError", "ended_runs", "open_storage", "stored_keys"]

T = TypeVar("T")

log = logging.getLogger("unweave")

_DONE: Final = ".done.json"
_UNDER_WAY: Final = ".json"
# Of the time of a run, what storing checkpoints may take.
_SHARE: Final = 0.05


class TakenOverError(Exception):
    """Another worker has gone on with a run, and this one must not write it any more."""


def open_storage(url: str) -> tuple[Any, str]:
    """The file system of an fsspec URL, and the path in it.

    Raises:
        SpecError: There is no such kind of storage, or the package for it is missing.
    """
    try:
        if "://" not in url:
            raise ValueError("a folder of one machine is none of another")
        # Other machines write there: what was listed before says nothing.
        system, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except (ImportError, ValueError, OSError) as error:
        raise SpecError(
            f"The storage {url!r} cannot be opened: {error}. It takes a URL of fsspec, such as "
            "s3://BUCKET/FOLDER, gs://BUCKET/FOLDER or file:///SHARED/FOLDER, and its package."
        ) from error
    return system, str(root).rstrip("/")


def ended_runs(url: str) -> set[str]:
    """Keys of the runs in a storage that workers have brought to their end.

    Raises:
        UnweaveError: The storage does not answer.
    """
    system, root = open_storage(url)
    paths = _answered(url, lambda: _found(lambda: system.find(root)))
    return {
        path.rsplit("/", 3)[1]
        for path in paths
        if path.endswith(_DONE) and path.count("/", len(root)) == 3
    }


def stored_keys(url: str) -> set[str]:
    """Keys of all that is in a storage, also of what is under way.

    Raises:
        UnweaveError: The storage does not answer.
    """
    system, root = open_storage(url)
    paths = _answered(url, lambda: _found(lambda: system.ls(root, detail=False)))
    return {path.rstrip("/").rsplit("/", 1)[1] for path in paths}


@final
class StoredRun:
    """One run in a storage, as one process reads and writes it.

    A state of the run is a set of files: `data/SHA256` holds each, under the digest of what is in
    it, and `state/NUMBER-DIGEST.json` says which they are. A state is written last, and then what
    it makes superfluous is removed, so that whoever is killed in between leaves the state before
    it. Nothing is renamed or written over, which object storages cannot do at once.

    Args:
        url: The storage.
        key: The run; the name of its folder.

    Attributes:
        local: Where on this machine it is worked on.
        seconds: Spent so far in bringing it there and putting it back.

    Raises:
        SpecError: The storage cannot be opened.
    """

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._system, root = open_storage(url)
        self._root = f"{root}/{key}"
        digest = hashlib.sha256(url.encode()).hexdigest()[:8]
        self.local = home() / "runs" / digest / key
        self.seconds = 0.0
        self._soonest = float("-inf")
        self._last: str | None = None
        self._files: dict[str, str] = {}
        self._digests: dict[tuple[str, int, int], str] = {}

    @property
    def exists(self) -> bool:
        """Whether there is a state of it.

        Raises:
            UnweaveError: The storage does not answer.
        """
        return self._read() is not None

    def fetch(self, folder: Path) -> bool:
        """Have the run as it was last put there, in a folder of this machine.

        Files of the folder that the storage knows nothing of stay.

        Returns:
            Whether there was a state that could be read.

        Raises:
            UnweaveError: The storage does not answer, or the folder cannot be written.
        """
        for _ in range(3):
            files = self._read()
            if files is None:
                return False
            temporary = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}.fetched")
            try:
                if self._download(files, temporary):
                    _keep_others(folder, temporary)
                    _swap(temporary, folder)
                    return True
            except OSError as error:
                raise explain_os_error(error, folder) from error
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
            # What a newer state made superfluous is gone: read that one.
        log.warning("%s: its files in %s are damaged, and not used.", folder.name, self._url)
        self._files = {}
        return False

    def fetch_local(self) -> Path:
        """A folder of this machine in which to go on with the run.

        What a worker of this machine left there is gone on with where nobody else has put
        anything since.

        Raises:
            UnweaveError: The storage does not answer, or the folder cannot be written.
        """
        folder = self.local
        try:
            with self._timed():
                folder.parent.mkdir(parents=True, exist_ok=True)
                self._read()
                base = self._base.read_text() if self._base.is_file() else None
                if base != (self._last or ""):
                    shutil.rmtree(folder, ignore_errors=True)
                    self.fetch(folder)
                    self._base.write_text(self._last or "")
        except OSError as error:
            raise explain_os_error(error, folder) from error
        return folder

    def put(
        self,
        folder: Path,
        *,
        done: bool = False,
        without: tuple[str, ...] = (),
        sparing: bool = False,
    ) -> bool:
        """Put the run there as it is in a folder now; nobody must be writing into it.

        Args:
            folder: The run folder.
            done: Whether it has come to its end.
            without: Folders in it that are left out, by name, at whatever depth.
            sparing: Leave it be when the last time took more than a twentieth of the time that
                has passed since: what would be lost is soon done again.

        Returns:
            Whether it is there now.

        Raises:
            TakenOverError: Another worker has put something there since this one last looked.
            UnweaveError: The storage does not answer.
        """
        if sparing and time.monotonic() < self._soonest:
            return False
        begun = time.monotonic()
        try:
            with self._timed():
                _answered(self._url, lambda: self._put(folder, done, without))
        finally:
            # A storage that does not answer, too, is not asked all the time.
            now = time.monotonic()
            self._soonest = now + (now - begun) / _SHARE
        return True

    def forget_local(self) -> None:
        """Remove the folder of this machine, once all of it is in the storage."""
        shutil.rmtree(self.local, ignore_errors=True)
        self._base.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove it from the storage; a worker that still goes on with it is then refused.

        Raises:
            UnweaveError: The storage does not answer.
        """

        def remove() -> None:
            with contextlib.suppress(FileNotFoundError):
                self._system.rm(self._root, recursive=True)

        _answered(self._url, remove)

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            self.seconds += time.monotonic() - begun

    @property
    def _base(self) -> Path:
        """The state that the folder of this machine was last equal to."""
        return self.local.with_name(f".{self.local.name}.base")

    def _put(self, folder: Path, done: bool, without: tuple[str, ...]) -> None:
        states = self._states()
        if (states[-1] if states else None) != self._last:
            raise TakenOverError(f"Another worker has gone on with {folder.name}.")
        system, data = self._system, f"{self._root}/data"
        files = {name: self._digest(path) for name, path in _walk(folder, without)}
        there = set(self._files.values())
        system.makedirs(data, exist_ok=True)
        for name, digest in files.items():
            if digest not in there:
                system.put_file(str(folder / name), f"{data}/{digest}")
                there.add(digest)
        content = json.dumps({"format": FORMAT, "files": files}, indent=1).encode()
        number = 1 + (int(self._last.split("-")[0]) if self._last else 0)
        ending = _DONE if done else _UNDER_WAY
        state = f"{number:08d}-{hashlib.sha256(content).hexdigest()[:16]}{ending}"
        system.makedirs(f"{self._root}/state", exist_ok=True)
        system.pipe_file(f"{self._root}/state/{state}", content)
        self._last, self._files = state, files
        if folder == self.local:
            self._base.write_text(state)
        self._remove(states, set(files.values()))

    def _remove(self, states: list[str], needed: set[str]) -> None:
        """Remove states before the last one, and files that only they had, or no state at all."""
        system, data = self._system, f"{self._root}/data"
        for state in states:
            with contextlib.suppress(FileNotFoundError):
                system.rm_file(f"{self._root}/state/{state}")
        for path in _found(lambda: system.ls(data, detail=False)):
            if path.rsplit("/", 1)[1] not in needed:
                with contextlib.suppress(FileNotFoundError):
                    system.rm_file(path)

    def _read(self) -> dict[str, str] | None:
        """Files of the last state with their digests; a state that a kill has torn is none."""

        def read() -> dict[str, str] | None:
            states = self._states()
            self._last = states[-1] if states else None
            for state in reversed(states):
                with contextlib.suppress(FileNotFoundError):
                    content = self._system.cat_file(f"{self._root}/state/{state}")
                    if hashlib.sha256(content).hexdigest()[:16] == state.split("-")[1][:16]:
                        files: dict[str, str] = json.loads(content)["files"]
                        return files
            return None

        files = _answered(self._url, read)
        self._files = files or {}
        return files

    def _states(self) -> list[str]:
        """Names of the states that are there, the newest last."""
        paths = _found(lambda: self._system.ls(f"{self._root}/state", detail=False))
        names = (path.rsplit("/", 1)[1] for path in paths)
        return sorted(name for name in names if name.endswith(_UNDER_WAY))

    def _download(self, files: dict[str, str], folder: Path) -> bool:
        """Whether all files are there as their digests say."""
        folder.mkdir(parents=True)
        for name, digest in files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)

            def get(source: str = f"{self._root}/data/{digest}", to: str = str(target)) -> bool:
                try:
                    self._system.get_file(source, to)
                except FileNotFoundError:
                    return False
                return True

            if not _answered(self._url, get) or self._digest(target) != digest:
                return False
        return True

    def _digest(self, path: Path) -> str:
        """SHA-256 of a file, computed once for each time that it changes."""
        status = path.stat()
        key = (str(path), status.st_mtime_ns, status.st_size)
        if key not in self._digests:
            with path.open("rb") as handle:
                self._digests[key] = hashlib.file_digest(handle, "sha256").hexdigest()
        return self._digests[key]


def _walk(folder: Path, without: tuple[str, ...] = ()) -> Iterator[tuple[str, Path]]:
    """Files of a run with their names in it; no locks, and nothing half written."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in parts)
        if path.is_file() and not hidden and not set(parts[:-1]) & set(without):
            yield "/".join(parts), path


def _found(look: Callable[[], list[str]]) -> list[str]:
    try:
        return look()
    except FileNotFoundError:
        return []


def _answered(url: str, ask: Callable[[], T]) -> T:
    """What a storage answers; an error of it, of whatever kind, is one for the user."""
    try:
        return ask()
    except (UnweaveError, TakenOverError):
        raise
    except Exception as error:
        raise _NoAnswer(f"The storage {url} does not answer: {error}.") from error


class _NoAnswer(UnweaveError):
    """What may pass."""

    lasting = False


def _keep_others(folder: Path, temporary: Path) -> None:
    """Have files of a folder in the one that takes its place, where that lacks them."""
    for name, path in _walk(folder) if folder.is_dir() else ():
        target = temporary / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, target)
            except OSError:
                shutil.copy2(path, target)


def _swap(temporary: Path, folder: Path) -> None:
    """Put a folder in the place of another one."""
    old = temporary.with_suffix(".old")
    if folder.exists():
        folder.rename(old)
    temporary.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
