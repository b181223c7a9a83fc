"""What reading a damaged file ends in, said as an error for the user."""

from __future__ import annotations

import contextlib
import errno
import lzma
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from unweave.data.files.checks import reading
from unweave.errors import DataError

__all__ = ["DAMAGE", "of_the_disk", "reason_of", "sound"]

DAMAGE: Final = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    LookupError,
    ArithmeticError,
    MemoryError,
)
"""What zipfile, tarfile, gzip and the like end in; `RuntimeError` is for an encrypted zip."""

_DISK: Final = (errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE, errno.ENFILE)
"""What a disk or a system ends in that does not give a file, whatever is in it."""


@contextlib.contextmanager
def sound(path: Path, remedy: str, form: str) -> Iterator[None]:
    """Say of a file that it is damaged or of another form.

    Nothing but reading belongs into the block, since errors of many kinds are taken for damage.

    Args:
        path: The file.
        remedy: What to do about it, as a sentence.
        form: What it should be, such as `an npz file`.

    Raises:
        DataError: The block ended in one of `DAMAGE`.
    """
    try:
        yield
    except DAMAGE as error:
        if number := of_the_disk(error):
            with reading(path, remedy):
                # What h5py tells beside the reason takes several lines.
                raise OSError(number, os.strerror(number)) from error
        raise DataError(
            f"{path} is damaged or not {form}: {reason_of(error)}. {remedy}"
        ) from error


def of_the_disk(error: BaseException | None) -> int | None:
    """Number of an error by which a file could not be read, whatever is in it; None of others."""
    return error.errno if isinstance(error, OSError) and error.errno in _DISK else None


def reason_of(error: Exception) -> str:
    """What an error says in its first line; tarfile tells on further ones all that it tried."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(":.")
