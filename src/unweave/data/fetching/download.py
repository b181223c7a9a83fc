"""Files from the internet, kept in the cache folder."""

from __future__ import annotations

import contextlib
import errno
import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import final

from unweave.data.fetching.transfer import Patience, TransferError, discard, reached, transfer
from unweave.errors import DataError, UnweaveError
from unweave.progress import Progress
from unweave.rundir import alone, flush, home

__all__ = ["RemoteFile", "digest", "downloads", "drive", "fetch", "set_aside"]

_CHUNK = 1 << 22


@final
@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A published file, and where it can be had.

    Args:
        name: What it is called in `downloads()`, and what it was published as.
        urls: Where it is, tried in this order; none when it cannot be fetched without a person.
        checksum: As published, `sha256:` or `md5:` with hexadecimal digits; None where none is.
        size: Bytes as published; None where that is not known.
        folder: Folder in `downloads()`, for files whose name others have, too.
    """

    name: str
    urls: tuple[str, ...] = ()
    checksum: str | None = None
    size: int | None = None
    folder: str = ""


def downloads() -> Path:
    """Folder of downloaded files."""
    return home() / "downloads"


def drive(identifier: str) -> str:
    """Address of a public file on Google Drive that needs no page to be read first."""
    return (
        f"https://drive.usercontent.google.com/download?id={identifier}&export=download&confirm=t"
    )


def fetch(
    file: RemoteFile,
    by_hand: str,
    progress: Progress | None = None,
    patience: Patience | None = None,
    room: int = 0,
) -> Path:
    """A downloaded file, fetched when it is not there yet.

    The file appears under its name when it is complete and has the published checksum, if there is
    one. Until then its bytes lie in `NAME.part`, and the next call goes on from there when the
    server still has the same file. What has another checksum is kept as `NAME.wrong`. Only one
    process fetches; others wait for it.

    Args:
        file: What to fetch.
        by_hand: What to do without a connection, as a sentence for the error.
        progress: Told how many bytes have come.
        patience: How long and how often to try.
        room: Bytes of the disk that must stay free beside the file, for what is made of it.

    Raises:
        DataError: It cannot be fetched from any of its addresses, or the disk has no room.
    """
    path = downloads() / file.folder / file.name
    try:
        if path.is_file():
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with alone(path.parent / f".{file.name}.lock", partial(_wait, file, path, progress)):
            if not path.is_file():
                _fetch(file, path, by_hand, progress, patience or Patience(), room)
    except OSError as error:
        raise _trouble(error, path, by_hand) from error
    except DataError:
        raise
    except UnweaveError as error:  # of a small file that is written beside it
        if not isinstance(error.__cause__, OSError):
            raise
        raise _trouble(error.__cause__, path, by_hand) from error
    return path


def _wait(file: RemoteFile, path: Path, progress: Progress | None) -> None:
    """Tell how far another process is that fetches the same file."""
    if progress is not None:
        done, total = reached(_part(path))
        what = f"downloading {file.name} in another process (bytes)"
        progress(what, done, max(done + 1, total or file.size or 0))


def _part(path: Path) -> Path:
    """Where the bytes of a file lie until all have come."""
    return path.with_name(f"{path.name}.part")


def _trouble(error: OSError, path: Path, by_hand: str) -> DataError:
    """What is said of a disk that is full or closed."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DataError(
            f"The disk is full: {path} could not be downloaded ({error.strerror}). Free some "
            "space, or set UNWEAVE_HOME to a folder on a larger disk. What has come is kept."
        )
    if error.errno is None:
        return DataError(f"{path} could not be downloaded: {error}. {by_hand}")
    return DataError(
        f"{path} could not be downloaded: {error.filename or path.parent} cannot be written "
        f"({error.strerror}). Set UNWEAVE_HOME to a folder that can be."
    )


def _fetch(
    file: RemoteFile,
    path: Path,
    by_hand: str,
    progress: Progress | None,
    patience: Patience,
    room: int,
) -> None:
    """Try each address in turn."""
    part = _part(path)
    failures = []
    waiting = list(file.urls)
    while waiting:
        url, begun = waiting.pop(0), part.exists()
        try:
            transfer(
                url,
                part,
                f"downloading {file.name} (bytes)",
                size=file.size,
                proven=file.checksum is not None,
                progress=progress,
                patience=patience,
                room=room,
            )
        except TransferError as error:
            failures.append(f"{url} {error}")
            continue
        wrong = _wrong(file, part, progress)
        if wrong is None:
            with part.open("rb+") as handle:
                flush(handle)
            part.replace(path)
            discard(part)
            return
        kept = set_aside(part, path)
        discard(part)
        if begun:  # What came before may be what is wrong.
            waiting.insert(0, url)
        else:
            failures.append(f"{url} gave {wrong}, kept as {kept}")
    raise DataError(
        f"{path} could not be downloaded: {'; '.join(failures) or 'no address is known'}. "
        f"{by_hand}"
    )


def _wrong(file: RemoteFile, part: Path, progress: Progress | None) -> str | None:
    """What the checksum is instead of the published one; None when all is well."""
    if file.checksum is None:
        return None
    method, _, expected = file.checksum.partition(":")
    found = digest(part, method, progress, file.name)
    if found == expected.lower():
        return None
    return f"a file whose {method} is {found} instead of the published {expected.lower()}"


def digest(
    path: Path, method: str = "sha256", progress: Progress | None = None, name: str | None = None
) -> str:
    """Checksum of a whole file in hexadecimal digits, read in pieces.

    Args:
        path: The file.
        method: `sha256` or `md5`.
        progress: Told how many bytes are read.
        name: What the file is called in the progress; its own name when left out.
    """
    running = hashlib.new(method, usedforsecurity=False)
    what, total, done = f"checking {name or path.name} (bytes)", path.stat().st_size, 0
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            running.update(chunk)
            done += len(chunk)
            if progress is not None:
                progress(what, done, max(done, total))
    return running.hexdigest()


def set_aside(path: Path, original: Path | None = None) -> Path:
    """Rename a downloaded file that is not what was published, so that the next call fetches anew.

    Args:
        path: The file.
        original: The name that it should have had, when that is another.

    Returns:
        Where it lies now: `NAME.wrong`; an earlier one is overwritten.
    """
    name = (original or path).name
    kept = path.with_name(f"{name}.wrong")
    # Another process that was refused the same file may have renamed it already.
    with contextlib.suppress(FileNotFoundError):
        path.replace(kept)
    return kept
