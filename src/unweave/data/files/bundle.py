"""Many published files in one zip or tar, or in the folder that it was unpacked to."""

from __future__ import annotations

import bz2
import contextlib
import errno
import gzip
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, Final, cast, final

from unweave.data.files.checks import check_file, reading
from unweave.data.files.damage import DAMAGE, reason_of, sound
from unweave.errors import DataError

__all__ = ["Bundle", "open_bundle"]

_FORM: Final = "a zip or tar file"
_MEMBERS: Final = 1_000_000
"""Files in a tar, at most; what is known of each takes half a kilobyte."""
_MOST: Final = 1 << 26
"""Bytes that are read of a file at once, at most."""
_SEVEN_ZIP: Final = b"7z\xbc\xaf\x27"
_COMPRESSED: Final[dict[bytes, Callable[[Path], Any]]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ": lzma.open,
}


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

    def read(self, name: str, most: int = _MOST) -> bytes:
        """The bytes of one file, compared with their checksum where the format has one.

        Args:
            name: Which file.
            most: Bytes that it may have, so that a false one cannot fill the memory.

        Raises:
            DataError: The file is missing, damaged, or too large.
        """
        try:
            with self._opened(name) as stream:
                data = stream.read(most + 1)
        except (KeyError, FileNotFoundError, NotADirectoryError) as error:
            raise self.error(f"{name}: found nothing; expected a file of this name") from error
        except OSError as error:
            # What a disk says of a file has a number; what bzip2 says has none.
            what = "is damaged" if error.errno is None else "cannot be read"
            raise self.error(f"{name} in it {what}: {error.strerror or error}") from error
        except DAMAGE as error:
            raise self.error(f"{name} in it is damaged: {reason_of(error)}") from error
        if most < len(data):
            raise self.error(f"{name} in it has more than {most:,} bytes")
        return data

    def check_seekable(self, order: str) -> None:
        """Refuse what would be unpacked from its beginning for each file.

        Args:
            order: In which order files are read, for the error.

        Raises:
            DataError: It is a compressed tar.
        """
        if not self.seekable:
            raise self.error(
                f"a compressed tar cannot be read in the order of {order}; unpack it, and give "
                "the folder"
            )

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
        yield Bundle(path, names, partial(_open_file, path), remedy)
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
        with sound(path, remedy, _FORM):
            if start.startswith(b"PK"):
                bundle = _open_zip(path, remedy, stack)
            else:
                bundle = _open_tar(path, start, remedy, stack)
        yield bundle


def _open_file(folder: Path, name: str) -> IO[bytes]:
    """A file in a folder, unless it is one that never ends, or that is never written."""
    path = folder / name
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no file")
    return path.open("rb")


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


def _open_tar(path: Path, start: bytes, remedy: str, stack: contextlib.ExitStack) -> Bundle:
    unpack = next((opened for mark, opened in _COMPRESSED.items() if start.startswith(mark)), None)
    stream = stack.enter_context(path.open("rb") if unpack is None else unpack(path))
    limited = cast("IO[bytes]", _Limited(cast("IO[bytes]", stream)))
    file = stack.enter_context(tarfile.TarFile(fileobj=limited))
    members = {}
    for number, member in enumerate(file):
        if number == _MEMBERS:
            raise tarfile.ReadError(f"it has more than {_MEMBERS:,} files")
        if member.isfile():
            members[member.name] = member

    # The tar ends before what packs it: only there is the checksum of all of it compared.
    while unpack is not None and stream.read(1 << 20):
        pass

    def opened(name: str) -> IO[bytes]:
        found = file.extractfile(members[name])
        if found is None:  # Only what is no file has no content.
            raise tarfile.ReadError(f"{name} is not a file")
        return found

    return Bundle(path, tuple(members), opened, remedy, seekable=unpack is None)


@final
class _Limited:
    """A stream of which little is read at once: a tar may say that a name has many gigabytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.seek = stream.seek
        self.tell = stream.tell

    def read(self, size: int) -> bytes:
        if size > 2 * _MOST:
            raise tarfile.ReadError(f"a part of it says that it has {size:,} bytes")
        return self._stream.read(size)
