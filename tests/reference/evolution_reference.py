"""Rules of populations, written out slowly and without sharing any code with them."""

from __future__ import annotations

import math

import numpy as np


def published_batch_size(value: int, factor: float) -> int:
    """PBT-VAE: rounded up, at most 1024."""
    return min(int(np.ceil(factor * value)), 1024)


def published_beta(value: int, factor: float) -> int:
    """PBT-VAE: rounded up."""
    return int(np.ceil(factor * value))


def published_betas() -> list[int]:
    """1.5 to the power of 24 exponents from 1 to 15, cut to whole numbers, without the first."""
    return [int(1.5**x) for x in np.linspace(1, 15, 24)][1:]


def first_plateau(best: list[float], patience: int, change: float) -> int | None:
    """The first round, from 1, at which the last differences were all small."""
    for round in range(1, len(best) + 1):
        small = 0
        for earlier in range(round - 1, 0, -1):
            if abs(best[earlier] - best[earlier - 1]) >= change:
                break
            small += 1
        if small >= patience:
            return round
    return None


def log_integer_odds(low: int, high: int) -> dict[int, float]:
    """Odds of the whole part of a number that is log-uniform from low to high + 1."""
    whole = math.log(high + 1) - math.log(low)
    return {k: (math.log(k + 1) - math.log(k)) / whole for k in range(low, high + 1)}


def kernel(one, other, variance, forgetting, length_scale) -> float:
    """Of two points (round, inputs)."""
    squared = sum((a - b) ** 2 for a, b in zip(one[1:], other[1:], strict=True))
    near = math.exp(-squared / (2 * length_scale**2))
    return variance * near * math.sqrt(1 - forgetting) ** abs(one[0] - other[0])


def posterior(points, values, at, noise, **numbers):
    """Mean and standard deviation at one point, by the textbook's two formulas."""
    gram = np.array([[kernel(a, b, **numbers) for b in points] for a in points])
    gram += noise * np.eye(len(points))
    cross = np.array([kernel(a, at, **numbers) for a in points])
    inverse = np.linalg.inv(gram)
    mean = cross @ inverse @ np.asarray(values)
    variance = kernel(at, at, **numbers) - cross @ inverse @ cross
    return mean, math.sqrt(max(variance, 0.0))
