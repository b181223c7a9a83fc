"""Falcor3D: a living room under changing light and camera, over a full grid of seven factors."""

from __future__ import annotations

from typing import ClassVar, Final, final

from unweave.data.fetching.download import RemoteFile, drive
from unweave.data.files.pngs import Layout, steps
from unweave.data.kinds.png_grid import PngGridSpec
from unweave.factors import Factor, FactorSpace
from unweave.spec import number

__all__ = ["Falcor3D"]

LAYOUT: Final = Layout(
    file=RemoteFile(
        name="Falcor3D_down128.zip", urls=(drive("1XAQfFK1x6cpN1eiovbP0hVfLTm5SsSoJ"),)
    ),
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
)


@final
class Falcor3D(PngGridSpec):
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

    grid: tuple[int, int, int, int, int, int, int] | None = number(
        default=None,
        low=1,
        help="Keep this many evenly spaced values of each factor, in the order of the factors.",
    )

    @property
    def layout(self) -> Layout:
        """What the zip is like."""
        return LAYOUT
