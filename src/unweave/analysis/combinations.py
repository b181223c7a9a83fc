"""Means over images by their combination of the factors that a condition compares."""

from __future__ import annotations

__all__ = ["means_by_combination"]

import numpy as np
from numpy.typing import NDArray

from unweave.analysis.base import Subject
from unweave.analysis.tables import in_whole
from unweave.conditions.kinds import numbered
from unweave.conditions.maps import axes_of
from unweave.conditions.recovering import recover
from unweave.data.codes import value_name
from unweave.data.views.table import table_of
from unweave.errors import DataError, SpecError
from unweave.metrics import Matrix
from unweave.objectives import Composer


def means_by_combination(
    subject: Subject, rows: NDArray[np.int64], values: NDArray[np.float64], label: str
) -> Matrix | None:
    """A table of means by the values of two factors in the rule of what was held out of training.

    Which factors these are says `axes_of`. The table has all values of the whole dataset, so that
    tables of images like those trained on and of held-out ones have the same cells. A cell without
    an image is NaN. Where one factor alone has a place in it, it has one row, `all`.

    Args:
        subject: What is scored.
        rows: Flat indices of the images, (N,).
        values: A number of each, (N,).
        label: What the numbers are, with their unit.

    Returns:
        None where it is not known that anything was held out, where the images have other factors
        than the whole dataset, where no factor of the rule has an axis, and of composers, whose
        images are drawn anew.
    """
    if isinstance(subject.objective.expand().method, Composer):
        return None
    try:
        found = recover(subject.trained_on)
        space = table_of(found.data).space
        dataset = subject.dataset
        assert space is not None
        factors = in_whole(dataset.factors(rows), dataset.factor_space, space, str(dataset.spec))
    except (SpecError, DataError):
        return None
    axes = axes_of(found.condition, space)
    if not axes:
        return None
    sizes = [space.sizes[position] for position in axes]
    cells = numbered(factors[:, axes], sizes)
    count = np.bincount(cells, minlength=int(np.prod(sizes)))
    sums = np.bincount(cells, weights=values, minlength=len(count))
    means = np.full(len(count), np.nan)
    np.divide(sums, count, out=means, where=count > 0)
    names = [
        tuple(value_name(space.factors[position], index) for index in range(size))
        for position, size in zip(axes, sizes, strict=True)
    ]
    return Matrix(
        values=means.reshape(-1, sizes[-1]),
        rows=names[0] if len(axes) > 1 else ("all",),
        columns=names[-1],
        label=label,
        axes=("" if len(axes) == 1 else space.names[axes[0]], space.names[axes[-1]]),
    )
