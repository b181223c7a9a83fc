"""Some images of a dataset, drawn at random."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

from unweave.data.base import DatasetSpec
from unweave.data.views.part import Part, PartSpec
from unweave.data.views.table import Table, ViewSpec, is_known
from unweave.errors import SpecError
from unweave.spec import number
from unweave.splits import keyed_permutation

__all__ = ["Subset"]


@final
class Subset(PartSpec):
    """Some images of a dataset, each as likely as any other, none twice.

    The same seed gives the same images, and those of a smaller number are among those of a larger
    one. The factors keep all their values, also those that no image happens to have. The odds of
    `correlated` do not count here.

    Example:
        `subset(data=dsprites, images=1000, seed=3)`
    """

    name: ClassVar[str] = "subset"

    images: int = number(default=1000, low=1, help="How many images.")
    seed: int = number(default=0, low=0, help="The images are drawn from it.")

    def validate(self) -> None:
        """Compare the number with that of all images, where it is known already."""
        count = _said(self.data)
        if count is not None:
            self._check(count)

    def check_loadable(self) -> None:
        """Whether the images can be had, and there are enough of them.

        Raises:
            DataError: They cannot.
            SpecError: There are fewer.
        """
        super().check_loadable()
        # Of one's own files it takes a look at them, and none at a view of them before it is open.
        if not isinstance(self.data, ViewSpec):
            self._check(self.data.count)

    @property
    def count(self) -> int:
        """How many images there are."""
        return self.images

    @property
    def full_grid(self) -> bool:
        """False: combinations are missing, or would be if the numbers were others."""
        return False

    def choose(self, table: Table) -> Part:
        """As many as asked for.

        Raises:
            SpecError: There are fewer.
        """
        self._check(table.count)
        order = keyed_permutation(table.count, self.seed, "subset")
        return Part(np.sort(order[: self.images]), table.space)

    def _check(self, count: int) -> None:
        if self.images > count:
            raise SpecError(
                f"{self.name}: images is {self.images:,}, but {self.data} has only {count:,}."
            )


def _said(spec: DatasetSpec) -> int | None:
    """How many images a dataset has, where its text says it, though their factors may not be."""
    if isinstance(spec, Subset):
        return spec.images
    if isinstance(spec, ViewSpec) or spec.source == "own":
        return spec.count if is_known(spec) else None
    return spec.count
