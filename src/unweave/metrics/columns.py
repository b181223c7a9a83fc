"""Columns of codes in a range where sums of squares neither overflow nor vanish."""

from __future__ import annotations

__all__ = ["within_one"]

import numpy as np
from numpy.typing import NDArray


def within_one(columns: NDArray[np.floating]) -> NDArray[np.float64]:
    """Columns (N, L) in double precision, each divided by a power of two, none beyond 1.

    The division rounds nothing, so that what does not depend on scale stays the same to the last
    bit.
    """
    numbers = np.asarray(columns, np.float64)
    _, exponents = np.frexp(np.abs(numbers).max(axis=0, initial=0.0))
    return np.asarray(np.ldexp(numbers, -exponents))
