"""Published full grids that unweave also draws, so that no file is needed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from unweave.data.kinds.grid_file import GridFileSpec
from unweave.data.kinds.stored import dropped
from unweave.progress import Progress
from unweave.spec import option

__all__ = ["RenderedGridSpec"]


class RenderedGridSpec(GridFileSpec):
    """Family of published grids with a renderer; a member says how its images are drawn."""

    instead: ClassVar[str] = "Or use source=rendered, which needs no file."

    source: Literal["rendered", "archive"] = option(
        default="rendered", help="rendered: drawn by unweave; archive: the published file."
    )
    path: str | None = option(
        default=None,
        help="The published file; left out, it is downloaded. Only for source=archive.",
    )

    @abstractmethod
    def drawn(self) -> Iterator[NDArray[np.uint8]]:
        """All rows of the store, in order, in blocks of any length."""

    def encoded_blocks(
        self, first: int, details: dict[str, Any], progress: Progress | None
    ) -> Iterator[NDArray[np.uint8]]:
        """Draw the images, or read them from the published file.

        Raises:
            DataError: The file cannot be had, or is not what was published.
        """
        if self.source == "rendered":
            return dropped(self.drawn(), first, progress)
        return super().encoded_blocks(first, details, progress)
