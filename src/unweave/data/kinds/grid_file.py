"""Published full grids that lie in one file, which is looked at before anything is made of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from unweave.data.kinds.grid_archive import GridArchiveSpec
from unweave.progress import Progress

__all__ = ["GridFileSpec", "OpenGrid"]


class OpenGrid(Protocol):
    """An open file of a full grid."""

    def blocks(self, kept: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.uint8]]:
        """The images of a part of the grid, encoded for the store, in C order of the kept values.

        Args:
            kept: Ascending indices of each factor.

        Raises:
            DataError: An image is not what was published.
        """


class GridFileSpec(GridArchiveSpec):
    """Family of published grids in one file; a member says how it is opened."""

    @abstractmethod
    def opened(self, path: Path) -> AbstractContextManager[OpenGrid]:
        """The file, with what can be told without its images compared with what was published.

        Raises:
            DataError: It is missing, or not what was published.
        """

    def inspect(self, paths: tuple[Path, ...]) -> None:
        """Open the file, since it may have many gigabytes, of which a checksum is made first.

        Raises:
            DataError: It is not what was published.
        """
        with self.opened(paths[0]):
            pass

    def read(
        self, paths: tuple[Path, ...], details: dict[str, Any], progress: Progress | None
    ) -> Iterator[NDArray[np.uint8]]:
        """Read the kept images of the published file.

        Raises:
            DataError: It is not what was published.
        """
        with self.opened(paths[0]) as archive:
            yield from archive.blocks(self.kept)
