"""PNG images that were published in a zip beside a table of their factors, reduced while read."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile
from unweave.data.files.checks import check_order
from unweave.data.files.kept import kept_rows
from unweave.data.files.npz import DAMAGE, npy_blocks
from unweave.data.files.pictures import threads
from unweave.errors import DataError
from unweave.factors import FactorSpace

__all__ = ["PAGE", "Archive", "Layout", "open_archive", "steps"]

PAGE: Final = "https://github.com/NVlabs/High-res-disentanglement-datasets"

_SIDE: Final = 128
_BLOCK: Final = 1024
# The tables are of evenly spaced numbers, which may have been rounded.
_TOLERANCE = 0.01


@final
@dataclass(frozen=True, kw_only=True)
class Layout:
    """What a published zip is like.

    Args:
        file: The zip.
        folder: The folder in it; images are `FOLDER/images/000000.png` and so on.
        labels: Name of the table of factor values in that folder, in npy form.
        space: The factors with their values, in the order of the images.
    """

    file: RemoteFile
    folder: str
    labels: str
    space: FactorSpace


def steps(count: int) -> tuple[float, ...]:
    """Evenly spaced values from 0 to 1."""
    return tuple(np.linspace(0, 1, count).tolist())


@contextlib.contextmanager
def open_archive(path: Path, layout: Layout) -> Iterator[Archive]:
    """Open the zip, or the folder that it was unpacked to, and check the factors of all images.

    Args:
        path: The zip or the folder.
        layout: What it should be like.

    Raises:
        DataError: The file is missing, damaged, or not as expected; the message names the path,
            what was found and what was expected.
    """
    remedy = f"See {PAGE} for the published file {layout.file.name}."
    if path.is_dir():
        inner = path / layout.folder
        archive = Archive(path, layout, partial(_open_file, inner if inner.is_dir() else path))
        archive.check_factors()
        yield archive
        return
    if not path.is_file():
        raise DataError(f"{path} does not exist; expected the file {layout.file.name}. {remedy}")
    try:
        with zipfile.ZipFile(path) as file:
            archive = Archive(path, layout, lambda name: file.open(f"{layout.folder}/{name}"))
            archive.check_factors()
            yield archive
    except DAMAGE as error:
        raise DataError(f"{path} is damaged or not a zip file: {error}. {remedy}") from error


@final
class Archive:
    """An open zip or folder of images; made by `open_archive`."""

    def __init__(self, path: Path, layout: Layout, opened: Callable[[str], IO[bytes]]) -> None:
        """Keep how files in it are opened; nothing is read yet."""
        self._path = path
        self._layout = layout
        self._opened = opened

    def check_factors(self) -> None:
        """Compare the factor values of every image with C order.

        Raises:
            DataError: The table is missing, or an image has other values.
        """
        space, name = self._layout.space, self._layout.labels
        fault = partial(self._error, name)
        shape = (space.size, len(space.factors))
        with self._member(name) as stream:
            for first, rows in npy_blocks(stream, shape, "f", 1 << 16, fault):
                check_order(rows, first, space, fault, _TOLERANCE)

    def blocks(
        self, kept: Sequence[NDArray[np.int64]], first: int = 0
    ) -> Iterator[NDArray[np.uint8]]:
        """The images of a grid, 64x64, (n, 12288) bytes a block, in C order of the kept values.

        A pixel is the rounded mean of two by two published ones. Only the kept images are read,
        each compared with its checksum.

        Args:
            kept: Ascending indices of each factor.
            first: Place of the first of them that is read.

        Raises:
            DataError: An image is missing, damaged, or of another size.
        """
        wanted = kept_rows(self._layout.space, kept)[first:]
        with threads() as pool:
            for start in range(0, len(wanted), _BLOCK):
                names = [f"images/{index:06}.png" for index in wanted[start : start + _BLOCK]]
                # The threads decode; the zip is read by this one, piece after piece.
                pending = [(name, pool.submit(_pixels, self._bytes(name))) for name in names]
                block = np.empty((len(names), _SIDE // 2, _SIDE // 2, 3), np.uint8)
                for place, (name, image) in enumerate(pending):
                    pixels = image.result()
                    if isinstance(pixels, str):
                        raise self._error(name, pixels, f"{_SIDE}x{_SIDE} pixels in a PNG image")
                    block[place] = pixels
                yield block.reshape(len(names), -1)

    def _bytes(self, name: str) -> bytes:
        with self._member(name) as stream:
            return stream.read()

    def _member(self, name: str) -> IO[bytes]:
        try:
            return self._opened(name)
        except (KeyError, FileNotFoundError) as error:
            raise self._error(name, "nothing", f"a file {self._layout.folder}/{name}") from error

    def _error(self, name: str, found: str, expected: str) -> DataError:
        return DataError(
            f"{self._path}: {name}: found {found}; expected {expected}. See {PAGE} "
            f"for the published file {self._layout.file.name}."
        )


def _open_file(folder: Path, name: str) -> IO[bytes]:
    return (folder / name).open("rb")


def _pixels(data: bytes) -> NDArray[np.uint8] | str:
    """An image of half the width and height, (64, 64, 3); a text that says why there is none."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            if image.size != (_SIDE, _SIDE):
                return "{}x{} pixels".format(*image.size)
            return np.asarray(image.convert("RGB").reduce(2))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return f"no image ({error})"
