"""Arrays of images of one's own in a file: npz, npy or HDF5, with or without factors."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.own.array_files import ArrayFile, open_h5_arrays, open_npz_arrays
from unweave.data.own.base import FileSpec
from unweave.data.own.blocks import array_blocks
from unweave.data.own.colours import CHANNELS, Colour
from unweave.data.own.columns import Known, known_grid, known_of, named_columns
from unweave.data.own.facts import Facts
from unweave.data.own.fitting import Fit, Fitting
from unweave.errors import DataError
from unweave.progress import Progress
from unweave.spec import number, option

__all__ = ["Arrays", "H5Arrays"]

_SIZES = "factor_sizes"
_NAMES = "factor_names"


class ArraysSpec(FileSpec):
    """Family of datasets whose images are one array of a file.

    The images are (N, H, W), (N, H, W, 1), (N, H, W, 3), or with opacity (N, H, W, 4). Factors
    are (N, K), one row an image, with `factor_names`, (K,), beside them or not; or there is
    `factor_sizes`, (K,), when the images are the full grid in C order, the last factor fastest.
    In a group, what lies there counts before what lies at the top of the file.
    """

    images: str = option(default="images", help="Name of the array of images.")
    factors: str = option(default="factors", help="Name of the array of factors, if there is one.")
    size: int | None = number(
        default=None, low=1, high=4096, help="Height and width; None for those of the array."
    )
    colour: Colour | None = option(
        default=None, help="rgb, grey, or hsv, 256 steps each; None for that of the array."
    )
    fit: Fit = option(
        default="crop", help="Of images that are no squares and get a size: crop, stretch or pad."
    )
    background: int = number(
        default=0, low=0, high=255, help="Grey of what is transparent or padded."
    )
    white: float | None = number(
        default=None,
        above=0,
        help="What stands for white; None for 255, or 1 for fractions, or 65535 for uint16.",
    )
    bins: int = number(
        default=10, low=2, high=1000, help="Intervals of each continuous factor, for its index."
    )

    @abstractmethod
    def opened(self) -> AbstractContextManager[ArrayFile]:
        """The file, open.

        Raises:
            DataError: It is missing or damaged.
        """

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C); the file is looked at unless both size and colour are given.

        Raises:
            DataError: Neither the file nor a store of it is there.
        """
        if self.size is not None and self.colour is not None:
            return (self.size, self.size, CHANNELS[self.colour])
        return self.facts().image_shape

    def inspect(self) -> Facts:
        """Look at the header of the images, and at the factors.

        Raises:
            DataError: The file is not as expected.
        """
        with self.opened() as file:
            shape = self._shape(file)
            known = self._known(file, shape[0])
        return Facts(
            count=shape[0],
            image_shape=self.fitting.shape(shape[1:]),
            space=None if known is None else known.space,
            grid=known is not None and known.labels is None,
        )

    def stamp(self) -> str | None:
        """Size and time of change."""
        if not self.place.is_file():
            return None
        status = self.place.stat()
        return f"{status.st_size} {status.st_mtime_ns}"

    def known(self) -> Known | None:
        """The factors in the file.

        Raises:
            DataError: They do not fit the images.
        """
        with self.opened() as file:
            return self._known(file, self._shape(file)[0])

    def read(self, progress: Progress | None) -> Iterator[NDArray[np.uint8]]:
        """The images, converted.

        Raises:
            DataError: The file is damaged, or its pixels are no pixels.
        """
        with self.opened() as file:
            count = self._shape(file)[0]
            blocks = file.blocks(self.images, file.header(self.images))
            where = f"{self.place}: {self.images}"
            yield from array_blocks(blocks, count, self.fitting, where, progress)

    @property
    def fitting(self) -> Fitting:
        """What is made of each image."""
        return Fitting(
            size=self.size,
            colour=self.colour,
            fit=self.fit,
            background=self.background,
            white=self.white,
        )

    def _shape(self, file: ArrayFile) -> tuple[int, int, int, int]:
        """(N, H, W, C) of the array of images."""
        header = file.header(self.images)
        if header.fortran:
            raise DataError(
                f"{self.place}: {self.images} is in Fortran order, its first index the fastest, "
                "and cannot be read image by image. Write numpy.ascontiguousarray(images)."
            )
        shape = (*header.shape, 1) if len(header.shape) == 3 else header.shape
        if len(shape) != 4 or shape[3] not in (1, 3, 4) or 0 in shape:
            turned = len(shape) == 4 and shape[1] in (1, 3, 4)
            hint = " Channels come last: write images.transpose(0, 2, 3, 1)." if turned else ""
            raise DataError(
                f"{self.place}: {self.images} must have the shape (N, H, W), or (N, H, W, C) with "
                f"1, 3 or 4 channels, not {header.shape}.{hint}"
            )
        if header.dtype.kind not in "fiub":
            raise DataError(f"{self.place}: {self.images} is of type {header.dtype}, no numbers.")
        return (shape[0], shape[1], shape[2], shape[3])

    def _known(self, file: ArrayFile, count: int) -> Known | None:
        where, there = str(self.place), file.keys()
        key = self.factors.strip("/")
        beside = key if key in there else self.images.strip("/")
        names = _beside(beside, _NAMES, there)
        named = None if names is None else [_text(name) for name in np.ravel(file.whole(names))]
        if key in there:
            return known_of(named_columns(file.whole(key), named, count, where), self.bins, where)
        if self.factors != type(self).factors:
            raise DataError(
                f"{where} has no array {self.factors!r} of factors; it has {', '.join(there)}."
            )
        sizes = _beside(beside, _SIZES, there)
        return None if sizes is None else known_grid(file.whole(sizes), named, count, where)


@final
class Arrays(ArraysSpec):
    """Images in an npz file, or in an npy file that is one array of them.

    The images are the array `images`, (N, H, W) or (N, H, W, C) with one, three or four channels:
    uint8 from 0 to 255, numbers with fractions from 0 to 1, or true and false. Factors are the
    array `factors`, (N, K), numbers or texts, with names in `factor_names`, (K,); or there is
    `factor_sizes`, (K,), when the images are the full grid in C order, the last factor fastest.
    """

    name: ClassVar[str] = "arrays"

    def opened(self) -> AbstractContextManager[ArrayFile]:
        """The npz or npy file, open.

        Raises:
            DataError: It is missing or damaged.
        """
        return open_npz_arrays(self.place)


@final
class H5Arrays(ArraysSpec):
    """Images in an HDF5 file; its arrays are those of `arrays`, in any group: `train/images`."""

    name: ClassVar[str] = "h5"

    def opened(self) -> AbstractContextManager[ArrayFile]:
        """The HDF5 file, open.

        Raises:
            DataError: It is missing or damaged.
        """
        return open_h5_arrays(self.place)


def _text(name: object) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _beside(key: str, name: str, there: tuple[str, ...]) -> str | None:
    """The array of this name in the group of another one, or in the file; None without one."""
    group = key.rpartition("/")[0]
    return next((each for each in (f"{group}/{name}", name) if each in there), None)
