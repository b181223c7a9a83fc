"""Isaac3D: a robot arm and an object in a kitchen, over a full grid of nine factors."""

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

__all__ = ["Isaac3D"]

_PAGE = "https://github.com/NVlabs/High-res-disentanglement-datasets"

LAYOUT: Final = Layout(
    file_name="Isaac3D_down128.zip",
    folder="Isaac3D_down128",
    labels="labels.npy",
    space=FactorSpace(
        (
            Factor("object_shape", 3, steps(3), "categorical"),
            Factor("robot_x", 8, steps(8)),
            Factor("robot_y", 5, steps(5)),
            Factor("camera_height", 4, steps(4)),
            Factor("object_scale", 4, steps(4)),
            Factor("lighting_intensity", 4, steps(4)),
            Factor("lighting_y", 6, steps(6)),
            Factor("object_color", 4, steps(4), "categorical"),
            Factor("wall_color", 4, steps(4), "categorical"),
        )
    ),
    page=_PAGE,
)


@final
class Isaac3D(GridArchiveSpec):
    """A robot arm that moves an object in a kitchen, drawn realistically, 64x64 in colour.

    The factors are object_shape (3), robot_x (8), robot_y (5), camera_height (4), object_scale
    (4), lighting_intensity (4), lighting_y (6, the direction), object_color (4) and wall_color (4,
    fastest): 737,280 images. In the formula of the published page the second to fifth factor have
    changed places; this is the order of the publishers' own program, which fits the numbers of the
    formula.

    Preprocessing: the published 128x128 images are reduced by the mean of two by two pixels. By
    which filter others reduced them is not said where their scores are; a published checksum is
    not known, but each image has one in the zip. The table of factor values in the zip is compared
    with the order above.

    Source: Nie et al. (2020), "Semi-Supervised StyleGAN for Disentanglement Learning", arXiv
    2003.03461; CC BY 4.0.
    """

    name: ClassVar[str] = "isaac3d"
    page: ClassVar[str] = _PAGE

    grid: tuple[int, int, int, int, int, int, int, int, int] | None = number(
        default=None,
        low=1,
        help="Keep this many evenly spaced values of each factor, in the order given above.",
    )

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The zip of 128x128 images; no checksum of it is published."""
        return (
            RemoteFile(name=LAYOUT.file_name, urls=(drive("1OmQ1G2wnm6eTsSFGTKFZZAh5D3nQTW1B"),)),
        )

    @property
    def published_space(self) -> FactorSpace:
        """The nine factors, with values evenly spaced from 0 to 1."""
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
