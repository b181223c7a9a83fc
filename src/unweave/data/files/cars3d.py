"""The published files of Cars3D: one MATLAB file a car, each with all views of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile
from unweave.data.files.bundle import Bundle, open_bundle
from unweave.data.files.matlab import bytes_array
from unweave.data.files.pictures import Unreadable, in_threads, resized
from unweave.factors import Factor, FactorSpace
from unweave.progress import Progress

__all__ = ["FILE", "PAGE", "SPACE", "read_archive"]

PAGE: Final = "http://www.scottreed.info"

# The checksum is the one that several projects give of the file at this address.
FILE: Final = RemoteFile(
    name="nips2015-analogy-data.tar.gz",
    urls=(f"{PAGE}/files/nips2015-analogy-data.tar.gz",),
    checksum="md5:4e866a7919c1beedf53964e6f7a23686",
)

_SIDE: Final = 128
_SMALL: Final = 64
_CAR = re.compile(r"(?:.*/)?car_\d+_mesh\.mat")
_KEY = "im"
_REMEDY = (
    f"The published file is {FILE.name}, see {PAGE}; give its place, or that of the folder cars "
    "in it, with path=...."
)


SPACE: Final = FactorSpace(
    (
        Factor("elevation", 4),
        Factor("azimuth", 24, kind="circular"),
        Factor("object_type", 183, kind="categorical"),
    )
)
"""The factors; files of cars in the order of their names are the values of the last."""


def read_archive(
    path: Path, space: FactorSpace, kept: Sequence[NDArray[np.int64]], progress: Progress | None
) -> Iterator[NDArray[np.uint8]]:
    """The images of a grid, 64x64, in C order of the kept values.

    The files hold one car each, and the car is the fastest factor: all images are held in memory,
    216 MB for the whole dataset.

    Args:
        path: The published tar, a zip, or a folder, with the files of cars at any depth.
        space: The factors that it should have.
        kept: Ascending indices of each factor.
        progress: Told how many cars are read.

    Yields:
        Blocks of the images of one elevation, (n, 12288).

    Raises:
        DataError: A file is missing, damaged, or not as expected; the message names the path, what
            was found and what was expected.
    """
    elevations, azimuths, types = kept
    images = np.empty((*map(len, kept), _SMALL, _SMALL, 3), np.uint8)
    with open_bundle(path, FILE.name, _REMEDY) as bundle:
        names = _cars(bundle, space.sizes[2])
        place = {names[car]: row for row, car in enumerate(types)}
        shape = (_SIDE, _SIDE, 3, space.sizes[1], space.sizes[0])
        work = partial(_views, shape=shape, elevations=elevations, azimuths=azimuths)
        # A file has some megabytes: few are read ahead.
        views = in_threads(work, bundle.stored(names), ahead=4)
        for done, (name, found) in enumerate(views, start=1):
            if isinstance(found, str):
                expected = f"{_KEY}, {shape} of type uint8"
                raise bundle.error(f"{name}: found {found}; expected {expected}")
            if name in place:
                images[:, :, place[name]] = found
            if progress is not None:
                progress("reading cars", done, len(names))
    for block in images:
        yield block.reshape(-1, _SMALL * _SMALL * 3)


def _cars(bundle: Bundle, count: int) -> list[str]:
    """The files of cars in the order of their names, which have leading zeros."""
    cars = [name for name in bundle.names if _CAR.fullmatch(name)]
    names = sorted(cars, key=lambda name: name.rpartition("/")[2])
    single = len({name.rpartition("/")[2] for name in names}) == len(names)
    if len(names) != count or not single:
        twice = "" if single else ", some of them under one name"
        raise bundle.error(
            f"found {len(names)} files car_NNN_mesh.mat{twice}; expected {count}, one a car"
        )
    return names


def _views(
    item: tuple[str, bytes],
    shape: tuple[int, ...],
    elevations: NDArray[np.int64],
    azimuths: NDArray[np.int64],
) -> tuple[str, NDArray[np.uint8] | str]:
    """Views of a car, (elevation, azimuth, 64, 64, 3), or a text that says why there are none."""
    name, data = item
    try:
        array = bytes_array(data, _KEY, shape)
    except Unreadable as reason:
        return name, str(reason)
    chosen = np.transpose(array, (4, 3, 0, 1, 2))[np.ix_(elevations, azimuths)]
    small = resized(chosen.reshape(-1, _SIDE, _SIDE, 3), _SMALL, "lanczos")
    return name, small.reshape(len(elevations), len(azimuths), _SMALL, _SMALL, 3)
