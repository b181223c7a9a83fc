"""Arrays in npz, npy and HDF5 files of one's own, behind one interface."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol, cast, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.files.checks import Kind
from unweave.data.files.h5 import H5, open_h5
from unweave.data.files.npz import Header, Npz, open_npz
from unweave.data.own.blocks import block_size
from unweave.errors import DataError

__all__ = ["ArrayFile", "open_h5_arrays", "open_npz_arrays"]

_REMEDY: Final = "Write it with numpy.savez(FILE, images=..., factors=...), or name its arrays."
_H5_REMEDY: Final = "Write it with h5py, or name its arrays with images=... and factors=...."


class ArrayFile(Protocol):
    """An open file of arrays by name."""

    def keys(self) -> tuple[str, ...]:
        """Names of the arrays."""

    def header(self, key: str) -> Header:
        """Shape and type of an array, without reading it.

        Raises:
            DataError: There is none of this name.
        """

    def blocks(self, key: str, header: Header) -> Iterator[NDArray[Any]]:
        """Rows of an array in order, in blocks.

        Raises:
            DataError: It is damaged.
        """

    def whole(self, key: str) -> NDArray[Any]:
        """A small array.

        Raises:
            DataError: There is none of this name, or it is damaged.
        """


@contextlib.contextmanager
def open_npz_arrays(path: Path) -> Iterator[ArrayFile]:
    """Open an npz file, or an npy file, whose one array goes by the name `images`.

    Raises:
        DataError: It is missing or damaged.
    """
    with open_npz(path, "of arrays, npz", _REMEDY, plain=True) as file:
        yield _NpzArrays(path, file)


@contextlib.contextmanager
def open_h5_arrays(path: Path) -> Iterator[ArrayFile]:
    """Open an HDF5 file.

    Raises:
        DataError: It is missing or damaged.
    """
    import h5py

    with open_h5(path, "of arrays, HDF5", _H5_REMEDY) as file, h5py.File(path, "r") as again:
        yield _H5Arrays(path, file, again)


@final
class _NpzArrays:
    """Arrays of NumPy."""

    def __init__(self, path: Path, file: Npz) -> None:
        self._path = path
        self._file = file

    def keys(self) -> tuple[str, ...]:
        held = np.load(self._path, mmap_mode="r", allow_pickle=False)
        if isinstance(held, np.ndarray):
            return ("images",)
        with held:
            return tuple(held.files)

    def header(self, key: str) -> Header:
        return self._file.header(key)

    def blocks(self, key: str, header: Header) -> Iterator[NDArray[Any]]:
        count = block_size(header.shape[1:], header.dtype.itemsize)
        kind = cast(Kind, header.dtype.kind)
        for _, rows in self._file.blocks(key, header.shape, kind, count):
            yield rows

    def whole(self, key: str) -> NDArray[Any]:
        self._file.require((key,))
        try:
            with np.load(self._path, allow_pickle=False) as held:
                return np.asarray(held[key])
        except (ValueError, OSError) as error:
            raise DataError(f"{self._path}: {key} cannot be read: {error} {_REMEDY}") from error


@final
class _H5Arrays:
    """Arrays of HDF5."""

    def __init__(self, path: Path, file: H5, again: Any) -> None:
        self._path = path
        self._file = file
        self._again = again

    def keys(self) -> tuple[str, ...]:
        import h5py

        found: list[str] = []

        def visit(name: str, node: Any) -> None:
            if isinstance(node, h5py.Dataset):
                found.append(name)

        self._again.visititems(visit)
        return tuple(found)

    def header(self, key: str) -> Header:
        self._file.require((key,))
        data = self._again[key]
        if data.shape is None:
            raise self._file.error(key, "an array without a shape", "numbers")
        return Header(data.shape, False, data.dtype)

    def blocks(self, key: str, header: Header) -> Iterator[NDArray[Any]]:
        count = block_size(header.shape[1:], header.dtype.itemsize)
        for _, rows in self._file.blocks(key, header.shape, cast(Kind, header.dtype.kind)):
            for first in range(0, len(rows), count):
                yield rows[first : first + count]

    def whole(self, key: str) -> NDArray[Any]:
        self._file.require((key,))
        try:
            return np.asarray(self._again[key][()])
        except (OSError, RuntimeError, ValueError) as error:
            raise DataError(f"{self._path}: {key} cannot be read: {error}.") from error
