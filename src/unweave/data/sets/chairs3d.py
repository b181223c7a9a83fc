"""3D Chairs: 86,366 pictures of chairs from all sides, over a full grid of three factors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile
from unweave.data.files.chairs3d import FILE, PAGE, SPACE, read_archive
from unweave.data.kinds.grid_archive import GridArchiveSpec
from unweave.factors import FactorSpace
from unweave.progress import Progress
from unweave.spec import number

__all__ = ["Chairs3D"]


@final
class Chairs3D(GridArchiveSpec):
    """Drawn models of chairs, 64x64 in grey, on white.

    The factors are chair (1,393, in the order of the names of their folders), elevation (2, 20 and
    30 degrees) and azimuth (31 steps around, fastest), as the names of the pictures say: 86,366
    images.

    Preprocessing: the whole pictures, or a square in their middle with `crop`, are reduced to
    64x64 by Lanczos interpolation and made grey. The code of disentangling-vae means to cut out
    400x400 and does not; it also stores the reduced pictures as JPEG, which is not repeated here.

    Source: Aubry, Maturana, Efros, Russell and Sivic (2014), "Seeing 3D chairs: exemplar
    part-based 2D-3D alignment using a large dataset of CAD models"; licence unknown.
    """

    name: ClassVar[str] = "chairs3d"
    page: ClassVar[str] = PAGE

    crop: int | None = number(
        default=None,
        low=64,
        help="Side of the square in the middle of each picture that is kept, such as 400; left "
        "out, all of it.",
    )
    grid: tuple[int, int, int] | None = number(
        default=None,
        low=1,
        help="Keep this many evenly spaced values of chair, elevation and azimuth.",
    )

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The tar of pictures; no checksum of it is published."""
        return (FILE,)

    @property
    def published_space(self) -> FactorSpace:
        """The three factors."""
        return SPACE

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(64, 64, 1)."""
        return (64, 64, 1)

    def read_from(
        self,
        first: int,
        paths: tuple[Path, ...],
        details: dict[str, Any],
        progress: Progress | None,
    ) -> Iterator[NDArray[np.uint8]]:
        """Read the images from that flat index on.

        Raises:
            DataError: It is not what was published.
        """
        return read_archive(paths[0], SPACE, self.kept, self.crop, first)
