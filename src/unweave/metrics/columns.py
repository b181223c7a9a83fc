"""Columns of codes brought to a common scale, where squares neither overflow nor vanish."""

from __future__ import annotations

__all__ = ["standardised", "within_one"]

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


def standardised(
    codes: NDArray[np.floating], others: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both, shifted and scaled so that each latent of the first has mean 0 and deviation 1.

    Thresholds of trees are absolute, and single precision ends at 3e38; neither may matter. A
    latent that is constant in the first becomes 0 in both.

    Args:
        codes: (N, L).
        others: (M, L).
    """
    first, second = (np.asarray(each, np.float64) for each in (codes, others))
    # Powers of two round nothing, and keep squares from overflowing.
    largest = np.abs(first).max(axis=0)
    scale = np.exp2(-np.frexp(np.where(largest > 0, largest, 1.0))[1].astype(np.float64))
    first, second = first * scale, second * scale
    mean, deviation = first.mean(axis=0), first.std(axis=0)
    varies = (first != first[:1]).any(axis=0)
    factor = np.divide(1.0, deviation, out=np.zeros_like(mean), where=varies & (deviation > 0))
    # Rows that are not fitted may lie far outside.
    return (first - mean) * factor, np.clip((second - mean) * factor, -1e30, 1e30)
