"""Falcor3D: a living room under changing light and camera, over a full grid of seven factors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.download import RemoteFile, drive
from unweave.data.files.pngs import Layout, open_archive, steps
from unweave.data.grid_archive import GridArchiveSpec
from unweave.data.store import Encoding, Progress
from unweave.factors import Factor, FactorSpace
from unweave.spec import number

__all__ = ["Falcor3D"]

_PAGE = "https://github.com/NVlabs/High-res-disentanglement-datasets"

LAYOUT: Final = Layout(
    file_name="Falcor3D_down128.zip",
    folder="Falcor3D_down128",
    labels="train-rec.labels",
    space=FactorSpace(
        (
            Factor("lighting_intensity", 5, steps(5)),
            Factor("lighting_x", 6, steps(6)),
            Factor("lighting_y", 6, steps(6)),
            Factor("lighting_z", 6, steps(6)),
            Factor("camera_x", 6, steps(6)),
            Factor("camera_y", 6, steps(6)),
            Factor("camera_z", 6, steps(6)),
        )
    ),
    page=_PAGE,
)


@final
class Falcor3D(GridArchiveSpec):
    """One living room under changing light from a changing place, drawn realistically, 64x64.

    The factors are lighting_intensity (5), lighting_x, lighting_y and lighting_z (6 each, the
    direction), camera_x, camera_y and camera_z (6 each, the place; camera_z is the fastest):
    233,280 images in colour.

    Preprocessing: the published 128x128 images are reduced by the mean of two by two pixels. By
    which filter others reduced them is not said where their scores are; a published checksum is
    not known, but each image has one in the zip. The table of factor values in the zip is compared
    with the order above.

    Source: Nie et al. (2020), "Semi-Supervised StyleGAN for Disentanglement Learning", arXiv
    2003.03461; CC BY 4.0.
    """

    name: ClassVar[str] = "falcor3d"
    page: ClassVar[str] = _PAGE

    grid: tuple[int, int, int, int, int, int, int] | None = number(
        default=None,
        low=1,
        help="Keep this many evenly spaced values of each factor, in the order given above.",
    )

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The zip of 128x128 images; no checksum of it is published."""
        return (
            RemoteFile(name=LAYOUT.file_name, urls=(drive("1XAQfFK1x6cpN1eiovbP0hVfLTm5SsSoJ"),)),
        )

    @property
    def published_space(self) -> FactorSpace:
        """The seven factors, with values evenly spaced from 0 to 1."""
        return LAYOUT.space

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(64, 64, 3)."""
        return (64, 64, 3)

    @property
    def encoding(self) -> Encoding:
        """`bytes`."""
        return "bytes"

    def read(
        self, paths: tuple[Path, ...], details: dict[str, Any], progress: Progress | None
    ) -> Iterator[NDArray[np.uint8]]:
        """Read the published zip, or the folder that it was unpacked to.

        Raises:
            DataError: It is not what was published.
        """
        with open_archive(paths[0], LAYOUT) as archive:
            yield from archive.blocks(self.kept)
