"""Isaac3D: a robot arm and an object in a kitchen, over a full grid of nine factors."""

from __future__ import annotations

from typing import ClassVar, Final, final

from unweave.data.fetching.download import RemoteFile, drive
from unweave.data.files.pngs import Layout, steps
from unweave.data.kinds.png_grid import PngGridSpec
from unweave.factors import Factor, FactorSpace
from unweave.spec import number

__all__ = ["Isaac3D"]

LAYOUT: Final = Layout(
    file=RemoteFile(
        name="Isaac3D_down128.zip", urls=(drive("1OmQ1G2wnm6eTsSFGTKFZZAh5D3nQTW1B"),)
    ),
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
)


@final
class Isaac3D(PngGridSpec):
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

    grid: tuple[int, int, int, int, int, int, int, int, int] | None = number(
        default=None,
        low=1,
        help="Keep this many evenly spaced values of each factor, in the order of the factors.",
    )

    @property
    def layout(self) -> Layout:
        """What the zip is like."""
        return LAYOUT
