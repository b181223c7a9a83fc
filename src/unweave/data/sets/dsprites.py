"""dSprites: 737,280 images of a sprite over a full grid of five factors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile
from unweave.data.files import dsprites
from unweave.data.kinds.grid_file import OpenGrid
from unweave.data.kinds.rendered_grid import RenderedGridSpec
from unweave.data.pixels.manifest import Encoding
from unweave.data.render import sprites
from unweave.factors import FactorSpace
from unweave.spec import number

__all__ = ["Dsprites"]


@final
class Dsprites(RenderedGridSpec):
    """White squares, ellipses and hearts of six sizes, 40 orientations and 32 by 32 positions.

    The factors are shape (3), scale (6), orientation (40, the last pose is the first again), pos_x
    (32) and pos_y (32, fastest); the published file's colour has one value and is left out.

    Source: Matthey, Higgins, Hassabis and Lerchner (2017), "dSprites: Disentanglement testing
    Sprites dataset".
    """

    name: ClassVar[str] = "dsprites"
    revision: ClassVar[int] = sprites.REVISION
    page: ClassVar[str] = dsprites.PAGE

    grid: tuple[int, int, int, int, int] | None = number(
        default=None,
        low=1,
        help="Keep this many evenly spaced values of shape, scale, orientation, pos_x and pos_y.",
    )

    @property
    def published_space(self) -> FactorSpace:
        """The five factors."""
        return sprites.FACTOR_SPACE

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(64, 64, 1)."""
        return (sprites.SIDE, sprites.SIDE, 1)

    @property
    def encoding(self) -> Encoding:
        """`bits`: a pixel is black or white."""
        return "bits"

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The published npz."""
        return (dsprites.FILE,)

    def drawn(self) -> Iterator[NDArray[np.uint8]]:
        """The images, packed."""
        return sprites.packed_blocks(self.kept)

    def opened(self, path: Path) -> AbstractContextManager[OpenGrid]:
        """The published npz.

        Raises:
            DataError: It is not what was published.
        """
        return dsprites.open_archive(path, sprites.FACTOR_SPACE)
