"""Many published files in one zip or tar, or in the folder that it was unpacked to."""

from __future__ import annotations

import contextlib
import gzip
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import IO, Final, final

from unweave.data.files.checks import check_file, reading
from unweave.errors import DataError

__all__ = ["Bundle", "open_bundle"]

# What reading a damaged zip or tar ends in; `RuntimeError` is for a zip that is encrypted.
_DAMAGE: Final = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
)
_SEVEN_ZIP: Final = b"7z\xbc\xaf\x27"
_COMPRESSED: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ")


@final
class Bundle:
    """The files of an open zip, tar or folder; made by `open_bundle`.

    Attributes:
        path: The zip, tar or folder.
        names: Paths of the files in it, with `/` between folders, in the order in which they are
            stored; sorted for a folder.
        seekable: Whether `read` is cheap in any order, as it is not for a compressed tar.
    """

    def __init__(
        self,
        path: Path,
        names: tuple[str, ...],
        opened: Callable[[str], IO[bytes]],
        remedy: str,
        *,
        seekable: bool = True,
    ) -> None:
        """Keep how files in it are opened; none is read yet."""
        self.path = path
        self.names = names
        self.seekable = seekable
        self._opened = opened
        self._remedy = remedy

    def read(self, name: str, most: int = -1) -> bytes:
        """The bytes of one file, compared with their checksum where the format has one.

        Args:
            name: Which file.
            most: Bytes that it may have, so that a false one cannot fill the memory; any number
                if negative.

        Raises:
            DataError: The file is damaged, or too large.
        """
        try:
            with self._opened(name) as stream:
                data = stream.read(most if most < 0 else most + 1)
        except PermissionError as error:
            raise self.error(f"{name} in it cannot be read: {error.strerror}") from error
        except (*_DAMAGE, OSError) as error:
            raise self.error(f"{name} in it is damaged: {_reason(error)}") from error
        if 0 <= most < len(data):
            raise self.error(f"{name} in it has more than {most:,} bytes")
        return data

    def stored(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Names and bytes of some files in the order in which they are stored, the cheapest.

        Raises:
            DataError: A file is damaged.
        """
        wanted = set(names)
        for name in self.names:
            if name in wanted:
                yield name, self.read(name)

    def error(self, text: str) -> DataError:
        """The error for something that is wrong with it."""
        return DataError(f"{self.path}: {text}. {self._remedy}")


@contextlib.contextmanager
def open_bundle(path: Path, expected: str, remedy: str) -> Iterator[Bundle]:
    """Open a zip, a tar of any compression, or a folder, and list the files in it.

    Nothing is unpacked to the disk.

    Args:
        path: Where it lies.
        expected: Which file it should be, for errors.
        remedy: What to do about one that is another, as a sentence.

    Raises:
        DataError: It is missing, or damaged so that its files cannot be listed.
    """
    with reading(path, remedy):
        folder = path.is_dir()
    if folder:
        names = tuple(sorted(_walk(path)))
        yield Bundle(path, names, lambda name: (path / name).open("rb"), remedy)
        return
    check_file(path, expected, remedy)
    with contextlib.ExitStack() as stack:
        with reading(path, remedy):
            start = _start(path)
        if start == _SEVEN_ZIP:
            raise DataError(
                f"{path} is a 7z file, which is not read: unpack it, and give the folder that "
                f"comes out. {remedy}"
            )
        try:
            if start.startswith(b"PK"):
                bundle = _open_zip(path, remedy, stack)
            else:
                bundle = _open_tar(path, remedy, stack, seekable=not start.startswith(_COMPRESSED))
        except (*_DAMAGE, OSError) as error:
            raise DataError(
                f"{path} is damaged or neither a zip nor a tar file: {_reason(error)}. {remedy}"
            ) from error
        yield bundle


def _reason(error: Exception) -> str:
    """What an error says in its first line; tarfile tells on further ones all that it tried."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")


def _walk(folder: Path) -> Iterator[str]:
    """Files below a folder, relative to it; links are followed, but each folder once."""
    seen = set()
    for place, inside, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            inside.clear()
            continue
        seen.add(real)
        inner = Path(place).relative_to(folder)
        for name in names:
            yield (inner / name).as_posix()


def _start(path: Path) -> bytes:
    with path.open("rb") as handle:
        return handle.read(5)


def _open_zip(path: Path, remedy: str, stack: contextlib.ExitStack) -> Bundle:
    file = stack.enter_context(zipfile.ZipFile(path))
    names = tuple(info.filename for info in file.infolist() if not info.is_dir())
    return Bundle(path, names, file.open, remedy)


def _open_tar(path: Path, remedy: str, stack: contextlib.ExitStack, *, seekable: bool) -> Bundle:
    file = stack.enter_context(tarfile.TarFile.open(path))
    members = {member.name: member for member in file if member.isfile()}

    def opened(name: str) -> IO[bytes]:
        stream = file.extractfile(members[name])
        if stream is None:  # Only what is no file has no content.
            raise tarfile.ReadError(f"{name} is not a file")
        return stream

    return Bundle(path, tuple(members), opened, remedy, seekable=seekable)
