"""The published file of 3DShapes, read as a stream and checked while it is read."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile
from unweave.data.files.checks import check_order
from unweave.data.files.h5 import H5, open_h5
from unweave.data.files.kept import kept_rows, pick
from unweave.factors import FactorSpace

__all__ = ["FILE", "PAGE", "Archive", "open_archive"]

PAGE: Final = "https://github.com/google-deepmind/3d-shapes"

# The size and the checksum are those that several projects give of the file at this address.
FILE: Final = RemoteFile(
    name="3dshapes.h5",
    urls=(
        "https://storage.googleapis.com/3d-shapes/3dshapes.h5",
        "https://storage.googleapis.com/storage/v1/b/3d-shapes/o/3dshapes.h5?alt=media",
    ),
    checksum="sha256:0a0f6ed98baff276a50f3a081a7434d788da63cb135a98189b2a5b5769be1785",
    size=267_573_662,
)
"""Images (480000, 64, 64, 3) uint8 under `images`, factor values (480000, 6) under `labels`."""

_IMAGE = (64, 64, 3)
_REMEDY = (
    f"The published file is {FILE.name}, see {PAGE}; give its place with path=..., or use "
    "source=rendered, which needs no file."
)


@contextlib.contextmanager
def open_archive(path: Path, space: FactorSpace) -> Iterator[Archive]:
    """Open the h5 file, check its keys, shapes, types and the values of its factors.

    Args:
        path: The h5 file.
        space: The factors, with their values, that the file should hold in C order: floor_hue,
            wall_hue, object_hue, scale, shape and orientation.

    Raises:
        DataError: The file is missing, damaged, or not as expected; the message names the path,
            the key, what was found and what was expected.
    """
    with open_h5(path, FILE.name, _REMEDY) as file:
        file.require(("images", "labels"))
        archive = Archive(file, space)
        archive.check_factors()
        yield archive


@final
class Archive:
    """An open h5 file of 3DShapes; made by `open_archive`."""

    def __init__(self, file: H5, space: FactorSpace) -> None:
        """Keep the file; nothing is read yet."""
        self._file = file
        self._space = space

    def check_factors(self) -> None:
        """Compare the factor values of every image with C order.

        Raises:
            DataError: An image has other values.
        """
        shape = (self._space.size, len(self._space.factors))
        for first, rows in self._file.blocks("labels", shape, "f"):
            check_order(rows, first, self._space, partial(self._file.error, "labels"))

    def blocks(self, kept: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.uint8]]:
        """The images of a grid, (n, 12288) bytes a block, in C order of the kept values.

        The whole file is read, whatever is kept, so that damage anywhere is found.

        Args:
            kept: Ascending indices of each factor.

        Raises:
            DataError: The images are not as expected, or damaged.
        """
        images = self._file.blocks("images", (self._space.size, *_IMAGE), "u1")
        for rows in pick(images, kept_rows(self._space, kept)):
            yield rows.reshape(len(rows), -1)
