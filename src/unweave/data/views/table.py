"""What is known of the factors of a dataset's images, before or after it is opened."""

from __future__ import annotations

import shlex
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset, DatasetSpec, no_factors
from unweave.data.kinds.derived import DerivedSpec
from unweave.data.labels import Labels
from unweave.errors import DataError, SpecError
from unweave.factors import FactorSpace

__all__ = ["Table", "ViewSpec", "factors_before", "is_known", "need_factors", "table_of"]


@final
@dataclass(frozen=True, eq=False)
class Table:
    """Factors of the images of a dataset.

    Args:
        count: How many images there are.
        space: The factors, None where they are not known.
        labels: Those of each image, None for a full grid in C order.
    """

    count: int
    space: FactorSpace | None
    labels: Labels | None

    @classmethod
    def of(cls, dataset: Dataset) -> Table:
        """That of an open dataset."""
        return cls(
            len(dataset), dataset.factor_space if dataset.labelled else None, dataset.labels
        )

    def indices(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Factor indices of some images, (n,) to (n, K); their factors are known."""
        assert self.space is not None
        return self.space.unravel(rows) if self.labels is None else self.labels.indices[rows]


class ViewSpec(DerivedSpec):
    """Family of datasets that are a part of another one, or give its images other odds."""

    keeps_factors: ClassVar[bool] = True
    """Whether the factors are those of the other dataset, with all values."""
    by_text: ClassVar[bool] = True
    """Whether its text says which images it has, once those of the other dataset are known."""

    @property
    @abstractmethod
    def bases(self) -> tuple[DatasetSpec]:
        """The other dataset, alone."""

    @abstractmethod
    def table(self) -> Table:
        """What is known of its images, without opening what need not be opened.

        Raises:
            DataError: It depends on images that are not there yet.
        """

    @property
    def labelled(self) -> bool:  # type: ignore[override]
        """Whether the factors of the other dataset are known."""
        return self.bases[0].labelled

    @property
    def count(self) -> int:
        """How many images there are; those of a full grid are counted without opening it.

        Raises:
            DataError: It depends on images that are not there yet.
        """
        return self.table().count

    @property
    def factor_space(self) -> FactorSpace:
        """The factors.

        Raises:
            DataError: They are not known, or depend on images that are not there yet.
        """
        if not self.labelled:
            raise no_factors(str(self))
        space = self.table().space
        assert space is not None
        return space

    @property
    def whole_space(self) -> FactorSpace:
        """That of the other dataset."""
        return self.bases[0].whole_space


def is_known(spec: DatasetSpec) -> bool:
    """Whether the factors of all images can be said from the text of a dataset alone."""
    if isinstance(spec, ViewSpec):
        return spec.by_text and is_known(spec.bases[0])
    # One's own files may change while their text stays.
    return spec.source != "own" and (not spec.labelled or spec.full_grid)


def factors_before(spec: DatasetSpec) -> FactorSpace | None:
    """The factors that can be said of a dataset's images before they are made, fetched or stored.

    None where they go by the images, or by files of one's own that may have changed since they
    were stored: what does not fit is then refused when the dataset is opened.
    """
    if is_known(spec):
        return spec.factor_space
    if isinstance(spec, ViewSpec):
        return factors_before(spec.bases[0]) if spec.keeps_factors else None
    if not spec.labelled or (spec.source == "own" and spec.ready()):
        return None
    try:
        return spec.factor_space
    except DataError:
        return None


def table_of(spec: DatasetSpec) -> Table:
    """What is known of a dataset's images; it is opened if that is needed and it is ready.

    Raises:
        DataError: It is needed, and it is not ready.
    """
    if isinstance(spec, ViewSpec):
        return spec.table()
    if not spec.labelled:
        return Table(spec.count, None, None)
    if spec.full_grid:
        return Table(spec.count, spec.factor_space, None)
    if not spec.ready():
        raise DataError(
            f"Which of the images of {spec} belong to a part of it goes by their labels, and they "
            "are not there yet. Prepare the dataset first: "
            f"unweave data prepare {shlex.quote(str(spec))}"
        )
    return Table.of(spec.open())


def need_factors(view: ViewSpec) -> None:
    """Refuse a view that goes by factors, of a dataset whose factors are not known.

    Raises:
        SpecError: They are not.
    """
    data = view.bases[0]
    if not data.labelled:
        raise SpecError(
            f"{view.name}: data must have known factors to choose by, and those of {data} are not "
            "known."
        )
