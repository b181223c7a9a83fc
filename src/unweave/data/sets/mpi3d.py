"""MPI3D: pictures and photographs of a robot arm that holds an object, over a grid of factors."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile, downloads
from unweave.data.files import mpi3d
from unweave.data.files.mpi3d import Subset
from unweave.data.kinds.grid_file import GridFileSpec
from unweave.data.pixels.manifest import MANIFEST
from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.progress import Progress
from unweave.spec import number, option

__all__ = ["MPI3D"]


@final
class MPI3D(GridFileSpec):
    """A robot arm with an object, 64x64 in colour: drawn, drawn realistically, or photographed.

    The factors are object_color (6), object_shape (6), object_size (2), camera_height (3),
    background_color (3), horizontal_axis (40) and vertical_axis (40, fastest): 1,036,800 images.
    `real_complex` shows four everyday things in four colours: 460,800 images. Earlier releases of
    the others had four colours and four shapes, too, and are taken as well: sizes are chosen by
    the number of images in the file. Published scores are of different subsets under one name, so
    the subset belongs into every comparison.

    Source: Gondal et al. (2019), "On the Transfer of Inductive Bias from Simulation to the Real
    World: a New Disentanglement Dataset", arXiv 1906.03292; CC BY 4.0.
    """

    name: ClassVar[str] = "mpi3d"
    page: ClassVar[str] = mpi3d.PAGE

    subset: Subset = option(
        default="toy",
        help="toy: simple drawings; realistic: realistic drawings; real: photographs; "
        "real_complex: photographs of everyday things.",
    )
    grid: tuple[int, int, int, int, int, int, int] | None = number(
        default=None,
        low=1,
        help="Keep this many evenly spaced values of object_color, object_shape, object_size, "
        "camera_height, background_color, horizontal_axis and vertical_axis.",
    )

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The npz of the subset."""
        return (mpi3d.FILES[self.subset],)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(64, 64, 3)."""
        return (64, 64, 3)

    @property
    def published_space(self) -> FactorSpace:
        """The factors of the file; of the newest release, until there is a file.

        Raises:
            DataError: The file at `path` is not one of MPI3D.
        """
        return mpi3d.factor_space(self.subset, self._images())

    @property
    def largest_space(self) -> FactorSpace:
        """The factors of the newest release."""
        return mpi3d.factor_space(self.subset, mpi3d.published_images(self.subset))

    def opened(self, path: Path) -> AbstractContextManager[mpi3d.Archive]:
        """The published file, or one of an earlier release.

        Raises:
            DataError: No MPI3D has as many images.
        """
        return mpi3d.open_archive(path, self.subset)

    def read(
        self, paths: tuple[Path, ...], details: dict[str, Any], progress: Progress | None
    ) -> Iterator[NDArray[np.uint8]]:
        """Read the published file.

        Raises:
            DataError: It is not what was published.
        """
        with self.opened(paths[0]) as archive:
            details["archive_images"] = archive.images
            yield from archive.blocks(archive.space.grid(self.grid or archive.space.sizes))

    def _images(self) -> int:
        """How many images the file has: as stored, as found, or as published last."""
        if self.ready():
            stored = _images_stored(self.folder() / MANIFEST)
            if stored is not None:
                return stored
        paths = self.given()
        if paths is not None and paths[0].exists():
            return _images_found(paths[0], self.subset)
        fetched = downloads() / self.files[0].name
        if paths is None and fetched.exists():
            # What is wrong with a download is said when it is opened, and it is set aside then.
            with contextlib.suppress(DataError):
                return _images_found(fetched, self.subset)
        return mpi3d.published_images(self.subset)


def _images_stored(manifest: Path) -> int | None:
    """Images of the file that a store was made of."""
    try:
        found = json.loads(manifest.read_bytes())["details"]["archive_images"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if found in mpi3d.SIZES else None


def _images_found(path: Path, subset: Subset) -> int:
    """Images of a file."""
    with mpi3d.open_archive(path, subset) as archive:
        return archive.images
