"""dSprites: 737,280 images of a sprite over a full grid of five factors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile
from unweave.data.files import dsprites
from unweave.data.kinds.grid_archive import GridArchiveSpec
from unweave.data.kinds.stored import dropped
from unweave.data.pixels.manifest import Encoding
from unweave.data.render import sprites
from unweave.factors import FactorSpace
from unweave.progress import Progress
from unweave.spec import number, option

__all__ = ["Dsprites"]


@final
class Dsprites(GridArchiveSpec):
    """White squares, ellipses and hearts of six sizes, 40 orientations and 32 by 32 positions.

    The factors are shape (3), scale (6), orientation (40, the last pose is the first again), pos_x
    (32) and pos_y (32, fastest); the published file's colour has one value and is left out.

    Source: Matthey, Higgins, Hassabis and Lerchner (2017), "dSprites: Disentanglement testing
    Sprites dataset".
    """

    name: ClassVar[str] = "dsprites"
    revision: ClassVar[int] = sprites.REVISION
    page: ClassVar[str] = dsprites.PAGE
    instead: ClassVar[str] = "Or use source=rendered, which needs no file."

    source: Literal["rendered", "archive"] = option(
        default="rendered", help="rendered: drawn by unweave; archive: the published file."
    )
    path: str | None = option(
        default=None,
        help="The published npz file; left out, it is downloaded. Only for source=archive.",
    )
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

    def encoded_blocks(
        self, first: int, details: dict[str, Any], progress: Progress | None
    ) -> Iterator[NDArray[np.uint8]]:
        """Draw the images, or read them from the published file.

        Raises:
            DataError: The file cannot be had, or is not what was published.
        """
        if self.source == "rendered":
            return dropped(sprites.packed_blocks(self.kept), first, progress)
        return super().encoded_blocks(first, details, progress)

    def read(
        self, paths: tuple[Path, ...], details: dict[str, Any], progress: Progress | None
    ) -> Iterator[NDArray[np.uint8]]:
        """Read the published file.

        Raises:
            DataError: It is not what was published.
        """
        with dsprites.open_archive(paths[0], sprites.FACTOR_SPACE) as archive:
            yield from archive.packed_blocks(self.kept)
