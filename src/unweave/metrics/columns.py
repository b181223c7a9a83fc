"""Columns of codes brought to a common scale, where squares neither overflow nor vanish."""

from __future__ import annotations

__all__ = ["standardised", "with_room", "within_one"]

import math
from typing import Any

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


def with_room(numbers: NDArray[Any], bits: int) -> NDArray[Any]:
    """The numbers, any shape; all divided by a power of two if the sum of 2**bits might overflow.

    What does not depend on scale stays the same, and so do all numbers of usual size.
    """
    largest = max(float(numbers.max()), -float(numbers.min()))
    excess = math.frexp(largest)[1] - (np.finfo(numbers.dtype).maxexp - bits)
    return np.asarray(np.ldexp(numbers, -excess)) if excess > 0 else numbers


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
    _, exponents = np.frexp(np.abs(first).max(axis=0))
    first = np.ldexp(first, -exponents)
    with np.errstate(over="ignore"):
        second = np.clip(np.ldexp(second, -exponents), -1e60, 1e60)
    mean, deviation = first.mean(axis=0), first.std(axis=0)
    varies = (first != first[:1]).any(axis=0)
    factor = np.divide(1.0, deviation, out=np.zeros_like(mean), where=varies & (deviation > 0))
    # Rows that are not fitted may lie far outside.
    return (first - mean) * factor, np.clip((second - mean) * factor, -1e30, 1e30)
