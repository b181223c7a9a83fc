"""Cars3D: 17,568 pictures of cars over a full grid of three factors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile
from unweave.data.files.cars3d import FILE, PAGE, SPACE, read_archive
from unweave.data.kinds.grid_archive import GridArchiveSpec
from unweave.factors import FactorSpace
from unweave.progress import Progress
from unweave.spec import number

__all__ = ["Cars3D"]


@final
class Cars3D(GridArchiveSpec):
    """Pictures of 183 models of cars, 64x64 in colour, on white.

    The factors are elevation (4), azimuth (24) and object_type (183, fastest): 17,568 images. Cars
    are in the order of their file names. disentanglement_lib takes them in the order in which the
    file system lists its folder, so that its object types are numbered otherwise on each machine,
    and seeds cannot be compared image by image.

    Preprocessing: the published 128x128 pictures are reduced by Lanczos interpolation, as
    disentanglement_lib does.

    Source: Reed, Zhang, Zhang and Lee (2015), "Deep Visual Analogy-Making"; licence unknown.
    """

    name: ClassVar[str] = "cars3d"
    page: ClassVar[str] = PAGE

    grid: tuple[int, int, int] | None = number(
        default=None,
        low=1,
        help="Keep this many evenly spaced values of elevation, azimuth and object_type.",
    )

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The tar of several datasets, of which only the cars are read."""
        return (FILE,)

    @property
    def published_space(self) -> FactorSpace:
        """The three factors."""
        return SPACE

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(64, 64, 3)."""
        return (64, 64, 3)

    def read(
        self, paths: tuple[Path, ...], details: dict[str, Any], progress: Progress | None
    ) -> Iterator[NDArray[np.uint8]]:
        """Read the published tar, or the folder that it was unpacked to.

        Raises:
            DataError: It is not what was published.
        """
        return read_archive(paths[0], SPACE, self.kept, progress)
