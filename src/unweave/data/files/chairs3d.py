"""The published pictures of 3D Chairs; what each shows is told by its name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile
from unweave.data.files.bundle import Bundle, open_bundle
from unweave.data.files.kept import kept_rows
from unweave.data.files.pictures import Making, read_pictures
from unweave.factors import Factor, FactorSpace

__all__ = ["FILE", "PAGE", "SPACE", "read_archive"]

PAGE: Final = "https://www.di.ens.fr/willow/research/seeing3Dchairs/"

FILE: Final = RemoteFile(name="rendered_chairs.tar", urls=(f"{PAGE}data/rendered_chairs.tar",))
"""Pictures `rendered_chairs/CHAIR/renders/image_NNN_pELEVATION_tAZIMUTH_rDISTANCE.png`."""

# Some programs write the names in a zip with the separators of Windows.
_NAME = re.compile(
    r"(?:.*[/\\])?(?P<chair>[^/\\]+)[/\\]renders[/\\]"
    r"image_\d+_p(?P<p>\d+)_t(?P<t>\d+)_r\d+\.png",
    re.IGNORECASE,
)
_REMEDY = (
    f"The published file is {FILE.name}, see {PAGE}; give its place, or that of the folder that "
    "it was unpacked to, with path=...."
)


SPACE: Final = FactorSpace(
    (
        Factor("chair", 1393, kind="categorical"),
        Factor("elevation", 2, (20.0, 30.0)),
        Factor("azimuth", 31, tuple(360 * index / 31 for index in range(31)), "circular"),
    )
)
"""The factors, angles in degrees; names of chairs in order are the values of the first."""


def read_archive(
    path: Path,
    space: FactorSpace,
    kept: Sequence[NDArray[np.int64]],
    crop: int | None,
    first: int = 0,
) -> Iterator[NDArray[np.uint8]]:
    """The images of a grid, 64x64 in grey, in C order of the kept values.

    Args:
        path: The published tar, a zip, or a folder, with the folders of chairs at any depth.
        space: The factors that it should have, the last two with their degrees.
        kept: Ascending indices of each factor.
        crop: Side of the square in the middle of a picture that is taken; None for all of it.
        first: Place of the first of them that is read.

    Yields:
        Blocks of images, (n, 4096).

    Raises:
        DataError: A picture is missing, damaged, or not as expected; the message names the path,
            what was found and what was expected.
    """
    making = Making(form="PNG", size=None, crop=crop, grey=True)
    with open_bundle(path, FILE.name, _REMEDY) as bundle:
        bundle.check_seekable("the chairs")
        table = _table(bundle, space)
        names = [table[row] for row in kept_rows(space, kept)[first:]]
        size = "" if crop is None else f" of at least {crop}x{crop} pixels"
        yield from read_pictures(bundle, names, making, f"a square PNG picture{size}")


def _table(bundle: Bundle, space: FactorSpace) -> list[str]:
    """Name of the picture of each combination in C order."""
    chairs, elevation, azimuth = space.factors
    matches = [match for match in map(_NAME.fullmatch, bundle.names) if match is not None]
    names = sorted({match["chair"] for match in matches})
    if len(names) != chairs.size:
        raise bundle.error(f"found {len(names):,} chairs; expected {chairs.size:,}")
    place = {name: index for index, name in enumerate(names)}
    table = [""] * space.size
    for match in matches:
        row = (
            place[match["chair"]],
            _nearest(float(match["p"]), elevation),
            # Degrees in names are whole, rounded down.
            _nearest(float(match["t"]) + 0.5, azimuth),
        )
        if min(row) < 0:
            degrees = " or ".join(f"p{value:03.0f}" for value in _values(elevation))
            raise bundle.error(
                f"found {match[0]}; expected {degrees}, and t as one of {azimuth.size} steps "
                "around the chair"
            )
        flat = int(np.ravel_multi_index(row, space.sizes))
        if table[flat]:
            raise bundle.error(f"found {table[flat]} and {match[0]}; expected one of each view")
        table[flat] = match[0]
    missing = table.count("")
    if missing:
        first = space.unravel([table.index("")])[0]
        raise bundle.error(
            f"found {len(matches):,} pictures; expected {space.size:,}: of chair "
            f"{names[first[0]]} that of elevation {_values(elevation)[first[1]]:.0f} and azimuth "
            f"{_values(azimuth)[first[2]]:.0f} is missing"
        )
    return table


def _values(factor: Factor) -> tuple[float, ...]:
    return factor.values or ()


def _nearest(degrees: float, factor: Factor) -> int:
    """Index of the value at most a degree away; -1 where there is none."""
    apart = np.abs(np.array(_values(factor)) - degrees)
    return int(apart.argmin()) if apart.min() <= 1 else -1
