"""Published grids of 128x128 PNG images, read at half their size."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile
from unweave.data.files.pngs import PAGE, Archive, Layout, open_archive
from unweave.data.kinds.grid_file import GridFileSpec
from unweave.factors import FactorSpace
from unweave.progress import Progress

__all__ = ["PngGridSpec"]


class PngGridSpec(GridFileSpec):
    """Family of the high-resolution datasets of Nie et al. (2020), 64x64 in colour.

    A member says what its zip is like.
    """

    page: ClassVar[str] = PAGE

    @property
    @abstractmethod
    def layout(self) -> Layout:
        """What the zip is like."""

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The zip of 128x128 images; no checksum of it is published."""
        return (self.layout.file,)

    @property
    def published_space(self) -> FactorSpace:
        """The factors, with values evenly spaced from 0 to 1."""
        return self.layout.space

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(64, 64, 3)."""
        return (64, 64, 3)

    def opened(self, path: Path) -> AbstractContextManager[Archive]:
        """The published zip, or the folder that it was unpacked to.

        Raises:
            DataError: It is not what was published.
        """
        return open_archive(path, self.layout)

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
        with self.opened(paths[0]) as archive:
            yield from archive.blocks(self.kept, first)
