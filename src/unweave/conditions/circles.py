"""How long the circle of a circular factor is, also of a dataset that has only some of it."""

from __future__ import annotations

import numpy as np

from unweave.conditions.registry import root_of
from unweave.data import DatasetSpec
from unweave.data.kinds.grid_archive import GridArchiveSpec
from unweave.errors import DataError
from unweave.factors import Factor
from unweave.rules.nodes import values_of

__all__ = ["closes", "ends_meet", "period_of", "whole_factor"]


def whole_factor(data: DatasetSpec, factor: Factor) -> Factor:
    """A factor with all the values that it has before any are left out.

    Args:
        data: A dataset, which may be a part, or a smaller grid.
        factor: A factor of it.
    """
    root = root_of(data)
    try:
        space = root.published_space if isinstance(root, GridArchiveSpec) else data.whole_space
    except DataError:
        return factor
    if factor.name not in space.names:
        return factor
    return space.factors[space.position(factor.name)]


def period_of(data: DatasetSpec, factor: Factor) -> float:
    """The length of a circular factor's circle, in its values.

    Args:
        data: The dataset.
        factor: A circular factor of it.
    """
    return whole_factor(data, factor).period


def closes(factor: Factor, period: float) -> bool:
    """Whether a circular factor has two values that are one pose, its least and its greatest."""
    return float(np.ptp(values_of(factor, index=False))) > 0.9999 * period


def ends_meet(factor: Factor, period: float) -> bool:
    """Whether the last value of a circular factor is next to its first, and is another pose."""
    values = np.sort(values_of(factor, index=False))
    if len(values) < 3 or closes(factor, period):
        return False
    return bool(period - np.ptp(values) < 2 * np.diff(values).max())
