"""The published file of dSprites, read as a stream and checked while it is read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile
from unweave.data.files.checks import Kind, check_order
from unweave.data.files.kept import kept_rows, pick
from unweave.data.files.npz import Npz, open_npz
from unweave.data.pixels.manifest import BLOCK
from unweave.factors import Factor, FactorSpace

__all__ = ["FILE", "PAGE", "Archive", "open_archive"]

PAGE: Final = "https://github.com/google-deepmind/dsprites-dataset"
_NAME = "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz"

# The checksum is the one that many projects give of the file at this address.
FILE: Final = RemoteFile(
    name=_NAME,
    urls=(
        f"{PAGE}/raw/master/{_NAME}",
        f"https://raw.githubusercontent.com/google-deepmind/dsprites-dataset/master/{_NAME}",
    ),
    checksum="md5:7da33b31b13a06f4b04a70402ce90c2e",
)
"""Images (737280, 64, 64) of 0 and 1 under `imgs`, and their factors in two tables."""

_SIDE = 64
# The published file has a pickle in it (`metadata`), which is never opened.
_KEYS = ("imgs", "latents_values", "latents_classes")
_COLOUR = Factor("colour", 1, (1.0,))
"""The first column of the latents, which is no factor here."""
_REMEDY = (
    f"The published file is at {FILE.urls[0]}; give its place with path=..., or use "
    "source=rendered, which needs no file."
)


@contextlib.contextmanager
def open_archive(path: Path, space: FactorSpace) -> Iterator[Archive]:
    """Open the npz, check its keys, shapes, types and factors, and hand out a reader.

    A file of one's own is known by its structure alone: the same arrays may be packed otherwise.

    Args:
        path: The npz file.
        space: The factors that the file should hold in C order, without the colour.

    Raises:
        DataError: The file is missing, damaged, or not as expected; the message names the path,
            the key, what was found and what was expected.
    """
    with open_npz(path, FILE.name, _REMEDY) as file:
        file.require(_KEYS)
        archive = Archive(file, space)
        archive.check_factors()
        yield archive


@final
class Archive:
    """An open npz file of dSprites; made by `open_archive`."""

    def __init__(self, file: Npz, space: FactorSpace) -> None:
        """Keep the file; nothing is read yet."""
        self._file = file
        self._space = space

    def check_factors(self) -> None:
        """Compare the factors of every row with C order.

        Raises:
            DataError: A row has other factors.
        """
        valued = FactorSpace((_COLOUR, *self._space.factors))
        plain = FactorSpace(tuple(Factor(each.name, each.size) for each in valued.factors))
        shape = (valued.size, len(valued.factors))
        tables: tuple[tuple[str, Kind, FactorSpace], ...] = (
            ("latents_classes", "iu", plain),
            ("latents_values", "f", valued),
        )
        for key, kind, space in tables:
            fault = partial(self._file.error, key)
            for first, rows in self._file.blocks(key, shape, kind, 16 * BLOCK):
                check_order(rows, first, space, fault)

    def blocks(self, kept: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.uint8]]:
        """The images of a grid, (n, 512) packed bits a block, in C order of the kept values.

        The whole file is read and checked, whatever is kept.

        Args:
            kept: Ascending indices of each factor.

        Raises:
            DataError: An image has a pixel other than 0 and 1, or the file ends too early.
        """
        for images in pick(self._images(), kept_rows(self._space, kept)):
            yield np.packbits(images.reshape(len(images), -1), axis=1)

    def _images(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """All images in blocks, checked."""
        shape = (self._space.size, _SIDE, _SIDE)
        for first, images in self._file.blocks("imgs", shape, "u1", BLOCK):
            if images.max() > 1:
                place = int((images > 1).any(axis=(1, 2)).argmax())
                raise self._file.error(
                    "imgs", f"a pixel of {images[place].max()} in image {first + place}", "0 or 1"
                )
            yield first, images
