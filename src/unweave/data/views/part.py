"""Some of the images of another dataset."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from abc import abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset, DatasetSpec, no_factors
from unweave.data.kinds.derived import kept_odds
from unweave.data.labels import Labels
from unweave.data.pixels.images import Images, Selected
from unweave.data.views.table import Table, ViewSpec, is_known, table_of
from unweave.factors import FactorSpace
from unweave.spec import option

__all__ = ["PartSpec", "occurring"]


class PartSpec(ViewSpec):
    """Family of datasets that are some of the images of another one, in its order.

    A member says which (`choose`). Images are not copied; where the other dataset gives its images
    odds, those that are kept keep theirs.
    """

    data: DatasetSpec = option(help="The dataset of which this is a part.")

    @property
    def bases(self) -> tuple[DatasetSpec]:
        """The dataset of which it is a part."""
        return (self.data,)

    @abstractmethod
    def choose(self, table: Table) -> Part:
        """Which images it has.

        Args:
            table: What is known of all images.

        Raises:
            SpecError: There is no such image, or the factors are not as the fields say.
        """

    @property
    def full_grid(self) -> bool:
        """Whether the factors are known, and what is kept is every combination of kept values."""
        return self.labelled and self.part().grid

    def table(self) -> Table:
        """What is known of its images; the rest of the other dataset is not opened.

        Raises:
            DataError: It depends on images that are not there yet.
        """
        part = self.part()
        labels = None if part.space is None or part.grid else part.labels(table_of(self.data))
        return Table(len(part.rows), part.space, labels)

    @property
    def count(self) -> int:
        """How many images there are; those of a full grid are counted without opening it."""
        return len(self.part().rows)

    @property
    def factor_space(self) -> FactorSpace:
        """The factors, with the values that are kept; `whole_space` has all of them.

        Raises:
            DataError: They are not known, or depend on images that are not there yet.
        """
        space = self.part().space
        if space is None:
            raise no_factors(str(self))
        return space

    def derive(self, *bases: Dataset) -> Dataset:
        """The part, of the whole opened.

        Raises:
            SpecError: There is no such image.
        """
        (base,) = bases
        table = Table.of(base)
        part = _chosen(self, len(base)) if is_known(self.data) else self.choose(table)
        source: Images = base.store
        rows = part.rows
        while isinstance(source, Selected):
            rows, source = source.rows[rows], source.base
        return Dataset(
            self,
            Selected(source, rows, _digest(rows, part.space)),
            factor_space=part.space,
            labels=None if part.space is None or part.grid else part.labels(table),
            weights=kept_odds(base, part.rows, str(self)),
        )

    def part(self) -> Part:
        """Which images it has, kept for the next call where the text alone says it.

        Raises:
            SpecError: There is no such image.
            DataError: It depends on images that are not there yet.
        """
        if is_known(self.data):
            return _chosen(self, self.data.count)
        return self.choose(table_of(self.data))


@final
@dataclass(frozen=True, eq=False)
class Part:
    """Some images of a dataset.

    Args:
        rows: Their flat indices, ascending, (n,).
        space: Their factors, None where they are not known.
        kept: Which values of each factor of the whole the space has, ascending.
        grid: Whether the images are every combination of the space once, in C order.
    """

    rows: NDArray[np.int64]
    space: FactorSpace | None
    kept: tuple[NDArray[np.int64], ...] | None = None
    grid: bool = False

    def labels(self, table: Table) -> Labels:
        """Factors of its images in its own space, from those of all images."""
        indices = table.indices(self.rows)
        if self.kept is not None:
            columns = [
                np.searchsorted(values, indices[:, column])
                for column, values in enumerate(self.kept)
            ]
            indices = np.stack(columns, axis=1).astype(np.int64, copy=False)
        exact = None if table.labels is None else table.labels.values
        return Labels(indices, None if exact is None else exact[self.rows])


def occurring(table: Table, taken: NDArray[np.bool_]) -> Part:
    """The images that are taken, with the values of each factor that occur among them.

    Args:
        table: What is known of all images, their factors too.
        taken: Whether each is taken, (N,), some of them true.
    """
    space = table.space
    assert space is not None
    rows = np.flatnonzero(taken).astype(np.int64, copy=False)
    if table.labels is None:
        grid = taken.reshape(space.sizes)
        axes = range(len(space.sizes))
        kept = tuple(
            np.flatnonzero(grid.any(axis=tuple(other for other in axes if other != axis)))
            for axis in axes
        )
    else:
        indices = table.labels.indices[rows]
        kept = tuple(np.unique(indices[:, column]) for column in range(indices.shape[1]))
    part = Part(rows, space.subspace(kept), kept)
    return dataclasses.replace(part, grid=_is_grid(part, table))


def _is_grid(part: Part, table: Table) -> bool:
    """Whether the images of a part are every combination of its space once, in C order."""
    assert part.space is not None
    if part.space.size != len(part.rows):
        return False
    if table.labels is None:
        # Ascending rows of a grid, as many as there are combinations, are all of them in order.
        return True
    labels = part.labels(table)
    cells = part.space.ravel(labels.indices)
    return labels.values is None and bool((cells == np.arange(len(cells))).all())


@functools.lru_cache(maxsize=8)
def _chosen(spec: PartSpec, count: int) -> Part:
    """The part that a text names, where the text alone says it.

    Args:
        spec: The part.
        count: How many images the whole has: a text stands for other images once a published file
            is there that has fewer than was expected of it.
    """
    return spec.choose(table_of(spec.data))


def _digest(rows: NDArray[np.int64], space: FactorSpace | None) -> str:
    """A name that is equal for equal images with equal factors, however they were chosen."""
    form = json.dumps(None if space is None else space.to_list())
    data = np.ascontiguousarray(rows, dtype="<i8").tobytes()
    return "part " + hashlib.sha256(data + form.encode()).hexdigest()[:16]
