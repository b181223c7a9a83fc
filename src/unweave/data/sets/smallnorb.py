"""SmallNORB: 48,600 photographs of toys over a full grid of five factors."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.download import RemoteFile
from unweave.data.files.checks import first_of
from unweave.data.files.smallnorb import FILES, LAYOUT, PAGE, read_archive
from unweave.data.grid_archive import GridArchiveSpec
from unweave.data.labels import Labels
from unweave.data.store import Encoding, Progress
from unweave.factors import FactorSpace
from unweave.spec import number, option

__all__ = ["SmallNORB"]

_INSTANCE = 1


@final
class SmallNORB(GridArchiveSpec):
    """Photographs of 50 toys of five categories, 64x64 in grey.

    The factors are category (5), instance (10 toys of each category), elevation (9, 30 to 70
    degrees), azimuth (18, 0 to 340 degrees) and lighting (6, fastest): 48,600 images, those for
    training and those for testing together, of the left camera. With `instance=nuisance` the same
    images are labelled without the instance, as disentanglement_lib has them: each combination of
    the four other factors has ten images then, which is no grid.

    Preprocessing: the published 96x96 pictures are reduced by Lanczos interpolation, and what
    overshoots is cut off at 0 and 255, which disentanglement_lib leaves.

    Source: LeCun, Huang and Bottou (2004), "Learning Methods for Generic Object Recognition with
    Invariance to Pose and Lighting"; for research, not to be sold.
    """

    name: ClassVar[str] = "smallnorb"
    page: ClassVar[str] = PAGE

    instance: Literal["factor", "nuisance"] = option(
        default="factor",
        help="factor: a factor as the others; nuisance: left out of the labels.",
    )
    grid: tuple[int, int, int, int, int] | None = number(
        default=None,
        low=1,
        help="Keep this many evenly spaced values of category, instance, elevation, azimuth and "
        "lighting.",
    )

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """Pictures, categories and poses of both halves."""
        return FILES

    @property
    def published_space(self) -> FactorSpace:
        """The five factors."""
        return LAYOUT.space

    @property
    def factor_space(self) -> FactorSpace:
        """The five factors, or four without the instance."""
        factors = self._grid_space.factors
        return FactorSpace(
            factors if self.full_grid else (*factors[:_INSTANCE], *factors[_INSTANCE + 1 :])
        )

    @property
    def full_grid(self) -> bool:
        """Whether every combination comes once: not without the instance."""
        return self.instance == "factor"

    @property
    def count(self) -> int:
        """Images of all combinations of the five factors that are kept."""
        return math.prod(map(len, self.kept))

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(64, 64, 1)."""
        return (64, 64, 1)

    @property
    def encoding(self) -> Encoding:
        """`bytes`."""
        return "bytes"

    def locate(self, path: Path) -> tuple[Path, ...]:
        """The six files in a folder or beside the one that is given, each with or without gzip."""
        return tuple(first_of(file, file.with_suffix("")) for file in super().locate(path))

    def read(
        self, paths: tuple[Path, ...], details: dict[str, Any], progress: Progress | None
    ) -> Iterator[NDArray[np.uint8]]:
        """Read the published files.

        Raises:
            DataError: One is not what was published.
        """
        return read_archive(paths, LAYOUT, self.kept, progress)

    def labels(self) -> tuple[FactorSpace, Labels] | None:
        """The factors without the instance, where it is left out."""
        if self.full_grid:
            return None
        space = self._grid_space
        table = space.unravel(np.arange(space.size))
        return self.factor_space, Labels(np.delete(table, _INSTANCE, axis=1))

    @property
    def _grid_space(self) -> FactorSpace:
        """The five factors, in the order of the flat index."""
        return self.published_space.subspace(self.kept)
