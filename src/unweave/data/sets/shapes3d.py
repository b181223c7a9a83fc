"""3DShapes: 480,000 images of an object in a room, over a full grid of six factors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile
from unweave.data.files.shapes3d import FILE, PAGE, open_archive
from unweave.data.kinds.grid_file import OpenGrid
from unweave.data.kinds.rendered_grid import RenderedGridSpec
from unweave.data.pixels.images import Images
from unweave.data.pixels.layered import Layered
from unweave.data.pixels.store import Store
from unweave.data.render import rooms
from unweave.factors import FactorSpace
from unweave.spec import number

__all__ = ["Shapes3D"]


@final
class Shapes3D(RenderedGridSpec):
    """A cube, cylinder, ball or pill in a room under the sky, 64x64 in colour.

    The factors are floor_hue (10), wall_hue (10), object_hue (10), scale (8), shape (4) and
    orientation (15, fastest), from which the camera looks at the object. Of the rendered images,
    what is stored are layers, 15 times fewer bytes, which are added when an image is read.

    Source: Burgess and Kim (2018), "3D Shapes Dataset".
    """

    name: ClassVar[str] = "shapes3d"
    revision: ClassVar[int] = rooms.REVISION
    page: ClassVar[str] = PAGE

    grid: tuple[int, int, int, int, int, int] | None = number(
        default=None,
        low=1,
        help="Keep this many evenly spaced values of floor_hue, wall_hue, object_hue, scale, "
        "shape and orientation.",
    )

    @property
    def published_space(self) -> FactorSpace:
        """The six factors."""
        return rooms.FACTOR_SPACE

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(64, 64, 3)."""
        return (rooms.SIDE, rooms.SIDE, 3)

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The published h5."""
        return (FILE,)

    @property
    def stored(self) -> tuple[int, tuple[int, int, int]]:
        """The images of the published file; of rendered ones the layers, two bytes a value."""
        if self.source == "archive":
            return super().stored
        floors, walls, things, *scenes = self.factor_space.sizes
        rows = (floors + walls + things) * int(np.prod(scenes))
        return rows, (rooms.SIDE, rooms.SIDE, 6)

    def compose(self, store: Store) -> Images:
        """The published images as they are stored; of rendered ones the sums of layers."""
        if self.source == "archive":
            return store
        floors, walls, things, *_ = self.factor_space.sizes
        return Layered(store, self.image_shape, (floors, walls, things), rooms.FRACTION)

    def drawn(self) -> Iterator[NDArray[np.uint8]]:
        """The layers, scene by scene."""
        for layers in rooms.layers(self.kept):
            yield layers.astype("<i2", copy=False).reshape(len(layers), -1).view(np.uint8)

    def opened(self, path: Path) -> AbstractContextManager[OpenGrid]:
        """The published h5.

        Raises:
            DataError: It is not what was published.
        """
        return open_archive(path, rooms.FACTOR_SPACE)
