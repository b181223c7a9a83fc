"""The published files of MPI3D, read as a stream; how many factors they have is told by length."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile, drive
from unweave.data.files.kept import kept_rows, pick
from unweave.data.files.npz import Npz, check_header, open_npz
from unweave.data.pixels.manifest import BLOCK
from unweave.factors import Factor, FactorSpace

__all__ = [
    "FILES",
    "PAGE",
    "SIZES",
    "Archive",
    "Subset",
    "factor_space",
    "open_archive",
    "published_images",
]

Subset: TypeAlias = Literal["toy", "realistic", "real", "real_complex"]

PAGE: Final = "https://github.com/rr-learning/disentanglement_dataset"
_FIRST = "https://huggingface.co/datasets/waleedgondal/mpi3d/resolve/main"
_SECOND = "https://storage.googleapis.com/mpi3d_disentanglement_dataset/data"

FILES: Final[dict[Subset, RemoteFile]] = {
    "toy": RemoteFile(
        name="mpi3d_toy.npz", urls=(f"{_FIRST}/mpi3d_toy.npz", f"{_SECOND}/mpi3d_toy.npz")
    ),
    "realistic": RemoteFile(
        name="mpi3d_realistic.npz",
        urls=(f"{_FIRST}/mpi3d_realistic.npz", f"{_SECOND}/mpi3d_realistic.npz"),
    ),
    "real": RemoteFile(
        name="mpi3d_real.npz", urls=(f"{_FIRST}/mpi3d_real.npz", f"{_SECOND}/real.npz")
    ),
    "real_complex": RemoteFile(
        name="real3d_complicated_shapes_ordered.npz",
        urls=(drive("1Tp8eTdHxgUMtsZv5uAoYAbJR1BOa_OQm"),),
    ),
}
"""Images (N, 64, 64, 3) uint8 under `images`, in C order of the factors.

The checksums that are known of three of them are of files at addresses that are no more, so none
is compared; the npz files hold checksums of their own, which are.
"""

SIZES: Final[dict[int, tuple[int, int, int, int, int, int, int]]] = {
    1_036_800: (6, 6, 2, 3, 3, 40, 40),
    460_800: (4, 4, 2, 3, 3, 40, 40),
}
"""Sizes of the factors by the number of images; `toy`, `realistic` and `real` had both."""

_KEY = "images"
_IMAGE = (64, 64, 3)
_COLORS = ("white", "green", "red", "blue", "brown", "olive")
_SHAPES = ("cone", "cube", "cylinder", "hexagonal", "pyramid", "sphere")
_FIRST_COLORS = ("green", "red", "blue", "brown")
_FIRST_SHAPES = ("cone", "cube", "hexagonal", "sphere")
_COMPLEX_COLORS = ("yellow", "green", "olive", "red")
_COMPLEX_SHAPES = ("coffee_cup", "tennis_ball", "croissant", "beer_cup")


def published_images(subset: Subset) -> int:
    """How many images the newest release of a subset has."""
    return min(SIZES) if subset == "real_complex" else max(SIZES)


def factor_space(subset: Subset, images: int) -> FactorSpace:
    """The factors of a file.

    Args:
        subset: Which file; it tells what colours and shapes are called.
        images: How many images it has, a key of `SIZES`.
    """
    sizes = SIZES[images]
    colors: tuple[str, ...]
    shapes: tuple[str, ...]
    if subset == "real_complex":
        colors, shapes = _COMPLEX_COLORS, _COMPLEX_SHAPES
    elif images == max(SIZES):
        colors, shapes = _COLORS, _SHAPES
    else:
        colors, shapes = _FIRST_COLORS, _FIRST_SHAPES
    kinds = (
        Factor("object_color", sizes[0], kind="categorical", labels=colors[: sizes[0]]),
        Factor("object_shape", sizes[1], kind="categorical", labels=shapes[: sizes[1]]),
        Factor("object_size", sizes[2], labels=("small", "large")[: sizes[2]]),
        Factor("camera_height", sizes[3], labels=("top", "center", "bottom")[: sizes[3]]),
        Factor(
            "background_color",
            sizes[4],
            kind="categorical",
            labels=("purple", "sea_green", "salmon")[: sizes[4]],
        ),
        Factor("horizontal_axis", sizes[5]),
        Factor("vertical_axis", sizes[6]),
    )
    return FactorSpace(kinds)


@contextlib.contextmanager
def open_archive(path: Path, subset: Subset) -> Iterator[Archive]:
    """Open the npz, or the npy that was taken out of it, and look at its length.

    The file has no factors in it: it is known by its length and shape alone, and its order cannot
    be checked.

    Args:
        path: The file.
        subset: Which file it should be.

    Raises:
        DataError: The file is missing, damaged, or not as expected; the message names the path,
            what was found and what was expected.
    """
    remedy = (
        f"The published file is {FILES[subset].name}, see {PAGE}; give its place with path=...."
    )
    with open_npz(path, FILES[subset].name, remedy, plain=True) as file:
        yield Archive(file, subset)


@final
class Archive:
    """An open file of MPI3D; made by `open_archive`.

    Attributes:
        images: How many images it has.
        space: The factors of all of them.
    """

    def __init__(self, file: Npz, subset: Subset) -> None:
        """Choose the factors by the number of images.

        Raises:
            DataError: No MPI3D has as many images of this shape, or they are no bytes.
        """
        self._file = file
        header = file.header(_KEY)
        shape = header.shape
        # Only the complex real images show other objects, and there is one number of them.
        known = [published_images(subset)] if subset == "real_complex" else list(SIZES)
        if shape[1:] != _IMAGE or shape[0] not in known:
            numbers = " or ".join(f"({n}, 64, 64, 3)" for n in known)
            raise file.error(_KEY, f"the shape {shape}", f"{numbers} for mpi3d(subset={subset})")
        # All the rest is read behind a checksum of many gigabytes, so it is said now.
        check_header(header, shape, "u1", file.fault(_KEY))
        self.images = shape[0]
        self.space = factor_space(subset, self.images)

    def blocks(self, kept: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.uint8]]:
        """The images of a grid, (n, 12288) bytes a block, in C order of the kept values.

        The whole file is read, whatever is kept, so that its checksum is compared.

        Args:
            kept: Ascending indices of each factor.

        Raises:
            DataError: The images are not bytes, or the file is damaged.
        """
        images = self._file.blocks(_KEY, (self.images, *_IMAGE), "u1", BLOCK)
        for rows in pick(images, kept_rows(self.space, kept)):
            yield rows.reshape(len(rows), -1)
