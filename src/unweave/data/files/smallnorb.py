"""The published files of SmallNORB: pictures, categories and poses of toys, in two halves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile
from unweave.data.files.matrix import open_matrix
from unweave.data.files.pictures import in_threads, resized
from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace
from unweave.progress import Progress

__all__ = ["FILES", "LAYOUT", "PAGE", "Layout", "read_archive"]

PAGE: Final = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/"

_TRAINING = "smallnorb-5x46789x9x18x6x2x96x96-training"
_TESTING = "smallnorb-5x01235x9x18x6x2x96x96-testing"

# The checksums are those that several projects give of the files at these addresses.
FILES: Final = tuple(
    RemoteFile(name=f"{stem}.mat.gz", urls=(f"{PAGE}{stem}.mat.gz",), checksum=f"md5:{checksum}")
    for stem, checksum in (
        (f"{_TRAINING}-dat", "66054832f9accfe74a0f4c36a75bc0a2"),
        (f"{_TRAINING}-cat", "23c8b86101fbf0904a000b43d3ed2fd9"),
        (f"{_TRAINING}-info", "51dee1210a742582ff607dfd94e332e3"),
        (f"{_TESTING}-dat", "e4ad715691ed5a3a5f138751a4ceb071"),
        (f"{_TESTING}-cat", "5aa791cd7e6016cf957ce9bdb93b8603"),
        (f"{_TESTING}-info", "a9454f3864d7fd4bb3ea7fc3eb84924e"),
    )
)
"""Pictures (N, 2, 96, 96) bytes, categories (N,) and poses (N, 4) whole numbers, of each half."""

_SIDE: Final = 96
_SMALL: Final = 64
_PAIRS: Final = 128
"""Pairs of pictures that are read at once."""
_AZIMUTH_STEP: Final = 2
"""Between two azimuths in the files, which count tens of degrees."""
_REMEDY = f"The published files are at {PAGE}; give the folder they lie in with path=...."


@final
@dataclass(frozen=True)
class Layout:
    """How many of everything there are.

    Args:
        space: category, instance, elevation, azimuth and lighting.
        halves: Instances in the files for training and in those for testing.
    """

    space: FactorSpace
    halves: tuple[tuple[int, ...], tuple[int, ...]]


LAYOUT: Final = Layout(
    FactorSpace(
        (
            Factor(
                "category",
                5,
                kind="categorical",
                labels=("animal", "human", "airplane", "truck", "car"),
            ),
            Factor("instance", 10, kind="categorical"),
            Factor("elevation", 9, tuple(float(30 + 5 * index) for index in range(9))),
            Factor("azimuth", 18, tuple(float(20 * index) for index in range(18)), "circular"),
            Factor("lighting", 6, kind="categorical"),
        )
    ),
    ((4, 6, 7, 8, 9), (0, 1, 2, 3, 5)),
)


def read_archive(
    paths: Sequence[Path], layout: Layout, wanted: NDArray[np.int64], progress: Progress | None
) -> Iterator[NDArray[np.uint8]]:
    """Some images, 64x64, of the left camera.

    The files are in no order: all images that are wanted are held in memory, 199 MB for the whole
    dataset.

    Args:
        paths: The six files in the order of `FILES`, each with or without its gzip.
        layout: What they should hold.
        wanted: Flat indices of the images among all combinations, (n,), each at most once.
        progress: Told how many pictures are read.

    Yields:
        Blocks of images in the order of `wanted`, (at most 4096, 4096).

    Raises:
        DataError: A file is missing, damaged, or not as expected; the message names its path, what
            was found and what was expected.
    """
    row = np.full(layout.space.size, -1)
    row[wanted] = np.arange(len(wanted))
    images = np.empty((len(wanted), _SMALL, _SMALL, 1), np.uint8)
    # The small tables of both halves first, so that what is wrong with them is said at once.
    flat = [
        _combinations(paths[3 * half + 1], paths[3 * half + 2], layout, layout.halves[half])
        for half in range(2)
    ]
    done = 0
    for half in range(2):
        rows = row[flat[half]]
        for first, small in _small(paths[3 * half], rows):
            target = rows[first : first + len(small)]
            images[target[target >= 0]] = small[target >= 0]
            done += len(small)
            if progress is not None:
                progress("reading pictures", done, layout.space.size)
    for first in range(0, len(images), 4096):
        block = images[first : first + 4096]
        yield block.reshape(len(block), -1)


def _combinations(
    categories: Path, poses: Path, layout: Layout, instances: tuple[int, ...]
) -> NDArray[np.int64]:
    """Flat index of each picture of one half, checked to have every combination once."""
    space = layout.space
    count = space.size // space.sizes[1] * len(instances)
    with open_matrix(categories, _REMEDY) as matrix:
        matrix.require((count,), "<i4")
        category = np.concatenate(list(matrix.blocks(count)))
    with open_matrix(poses, _REMEDY) as matrix:
        matrix.require((count, 4), "<i4")
        pose = np.concatenate(list(matrix.blocks(count)))
    azimuth, odd = np.divmod(pose[:, 2], _AZIMUTH_STEP)
    table = np.column_stack([category, pose[:, 0], pose[:, 1], azimuth, pose[:, 3]])
    wrong = (table < 0) | (table >= space.sizes)
    wrong[:, 1] |= ~np.isin(pose[:, 0], instances)
    wrong[:, 3] |= odd > 0
    if wrong.any():
        place = int(wrong.any(axis=1).argmax())
        factor = space.factors[int(wrong[place].argmax())]
        found = (category[place], *pose[place])[int(wrong[place].argmax())]
        path = categories if factor is space.factors[0] else poses
        allowed = {
            "instance": f"one of {', '.join(map(str, instances))}",
            "azimuth": f"an even number from 0 to {_AZIMUTH_STEP * (factor.size - 1)}",
        }.get(factor.name, f"0 to {factor.size - 1}")
        raise _error(path, f"{factor.name} {found} of picture {place}", allowed)
    flat = space.ravel(table.astype(np.int64))
    values, first, times = np.unique(flat, return_index=True, return_counts=True)
    if len(values) < count:
        place = int(first[times > 1].min())
        raise _error(
            poses,
            f"the combination of picture {place} more than once",
            "each combination of category, instance, elevation, azimuth and lighting once",
        )
    return flat


def _small(path: Path, rows: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Places and reduced pictures (n, 64, 64, 1) of one half; black where no row is wanted."""
    with open_matrix(path, _REMEDY) as matrix:
        matrix.require((len(rows), 2, _SIDE, _SIDE), "<u1")
        pairs = matrix.blocks(_PAIRS)
        items = ((first * _PAIRS, block) for first, block in enumerate(pairs))
        yield from in_threads(partial(_reduce, rows=rows), items, ahead=8)


def _reduce(
    item: tuple[int, NDArray[np.uint8]], rows: NDArray[np.int64]
) -> tuple[int, NDArray[np.uint8]]:
    first, pairs = item
    small = np.zeros((len(pairs), _SMALL, _SMALL, 1), np.uint8)
    chosen = rows[first : first + len(pairs)] >= 0
    small[chosen] = resized(pairs[chosen, 0, :, :, None], _SMALL, "lanczos")
    return first, small


def _error(path: Path, found: str, expected: str) -> DataError:
    return DataError(f"{path}: found {found}; expected {expected}. {_REMEDY}")
