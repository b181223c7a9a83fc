"""SmallNORB: 48,600 photographs of toys over a full grid of five factors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile
from unweave.data.files.checks import first_of
from unweave.data.files.smallnorb import FILES, LAYOUT, PAGE, read_archive
from unweave.data.kinds.grid_archive import GridArchiveSpec
from unweave.data.labels import Labels
from unweave.data.render.draws import random_index
from unweave.errors import SpecError
from unweave.factors import FactorSpace
from unweave.progress import Progress
from unweave.spec import number, option

__all__ = ["SmallNORB"]

_INSTANCE = 1


@final
class SmallNORB(GridArchiveSpec):
    """Photographs of 50 toys of five categories, 64x64 in grey.

    The factors are category (5), instance (10 toys of each category), elevation (9, 30 to 70
    degrees), azimuth (18, 0 to 340 degrees) and lighting (6, fastest): 48,600 images, those for
    training and those for testing together, of the left camera.

    disentanglement_lib leaves the instance out of the factors, and draws one whenever it is asked
    for a combination of the four others. Two settings come near to that:

    - `instance=nuisance` labels all images without the instance. Each combination has ten images,
      so that nothing is left out of training; it is no grid, and published protocols, which need
      one, refuse it;
    - `instance=drawn` is a full grid of the four others, 4,860 images, each with an instance drawn
      uniformly from the seed and the flat index, the same at every reading. Published protocols
      score it.

    Preprocessing: the published 96x96 pictures are reduced by Lanczos interpolation, and what
    overshoots is cut off at 0 and 255, which disentanglement_lib leaves.

    Source: LeCun, Huang and Bottou (2004), "Learning Methods for Generic Object Recognition with
    Invariance to Pose and Lighting"; for research, not to be sold.
    """

    name: ClassVar[str] = "smallnorb"
    page: ClassVar[str] = PAGE

    instance: Literal["factor", "nuisance", "drawn"] = option(
        default="factor",
        help="factor: a factor as the others; nuisance: left out of the labels; drawn: left out, "
        "and one drawn for each combination of the others.",
    )
    seed: int = number(
        default=0, low=0, help="Instances are drawn from it; only for instance=drawn."
    )
    grid: tuple[int, int, int, int, int] | None = number(
        default=None,
        low=1,
        help="Keep this many evenly spaced values of category, instance, elevation, azimuth and "
        "lighting.",
    )

    def validate(self) -> None:
        """Refuse a seed from which nothing would be drawn, and a grid larger than the factors."""
        super().validate()
        if self.seed != 0 and self.instance != "drawn":
            raise SpecError(
                f"{self.name}: seed={self.seed} is only read with instance=drawn: write "
                f"{self.name}(instance=drawn, seed={self.seed}), or leave seed out."
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
        if self.instance == "factor":
            return FactorSpace(factors)
        return FactorSpace((*factors[:_INSTANCE], *factors[_INSTANCE + 1 :]))

    @property
    def full_grid(self) -> bool:
        """Whether every combination comes once: not where ten instances are labelled alike."""
        return self.instance != "nuisance"

    @property
    def count(self) -> int:
        """How many images there are."""
        return (self.factor_space if self.full_grid else self._grid_space).size

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(64, 64, 1)."""
        return (64, 64, 1)

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
        return read_archive(paths, LAYOUT, self._wanted(), progress)

    def labels(self) -> tuple[FactorSpace, Labels] | None:
        """The factors without the instance, where it is left out and all images are there."""
        if self.full_grid:
            return None
        space = self._grid_space
        table = space.unravel(np.arange(space.size))
        return self.factor_space, Labels(np.delete(table, _INSTANCE, axis=1))

    def _wanted(self) -> NDArray[np.int64]:
        """Flat index of each image among all that were published."""
        space = self._grid_space
        indices = space.unravel(np.arange(space.size))
        if self.instance == "drawn":
            flat = np.arange(self.count)
            drawn = random_index(self.seed, "instance", flat, space.sizes[_INSTANCE])
            indices = np.insert(self.factor_space.unravel(flat), _INSTANCE, drawn, axis=1)
        columns = [kept[column] for kept, column in zip(self.kept, indices.T, strict=True)]
        return self.published_space.ravel(np.stack(columns, axis=1))

    @property
    def _grid_space(self) -> FactorSpace:
        """The five factors, in the order of the flat index."""
        return self.published_space.subspace(self.kept)
