"""PNG images that were published in a zip beside a table of their factors, reduced while read."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile
from unweave.data.files.bundle import Bundle, open_bundle
from unweave.data.files.checks import check_order
from unweave.data.files.kept import kept_rows
from unweave.data.files.npz import npy_blocks
from unweave.data.files.pictures import Making, read_pictures
from unweave.errors import DataError
from unweave.factors import FactorSpace

__all__ = ["PAGE", "Archive", "Layout", "open_archive", "steps"]

PAGE: Final = "https://github.com/NVlabs/High-res-disentanglement-datasets"

_SIDE: Final = 128
_MAKING: Final = Making(form="PNG", size=(_SIDE, _SIDE), side=_SIDE // 2, how="mean")
_HEADER: Final = 1 << 16
"""Bytes that a table may have beside its numbers."""
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
        path: The zip, a tar that is not compressed, or the folder.
        layout: What it should be like.

    Raises:
        DataError: The file is missing, damaged, or not as expected; the message names the path,
            what was found and what was expected.
    """
    remedy = f"See {PAGE} for the published file {layout.file.name}."
    with open_bundle(path, layout.file.name, remedy) as bundle:
        bundle.check_seekable("the factors")
        archive = Archive(bundle, layout)
        archive.check_factors()
        yield archive


@final
class Archive:
    """An open zip or folder of images; made by `open_archive`."""

    def __init__(self, bundle: Bundle, layout: Layout) -> None:
        """Look where in it the images are; none is read yet."""
        self._bundle = bundle
        self._layout = layout
        self._folder = f"{layout.folder}/"
        if layout.labels in bundle.names:
            # Of a folder it may be the inner one that is given.
            self._folder = ""

    def check_factors(self) -> None:
        """Compare the factor values of every image with C order.

        Raises:
            DataError: The table is missing, or an image has other values.
        """
        space, name = self._layout.space, self._folder + self._layout.labels

        def fault(found: str, expected: str) -> DataError:
            return self._bundle.error(f"{name}: found {found}; expected {expected}")

        shape = (space.size, len(space.factors))
        stream = io.BytesIO(self._bundle.read(name, _HEADER + 8 * math.prod(shape)))
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
        names = (f"{self._folder}images/{index:06}.png" for index in wanted)
        return read_pictures(
            self._bundle, names, _MAKING, f"{_SIDE}x{_SIDE} pixels in a PNG picture"
        )
