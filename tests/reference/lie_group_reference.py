"""Penalties on generators, and losses of the Lie group VAE, by their definitions in NumPy."""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm

__all__ = ["commutator", "exponentials", "group_reconstruction", "hessian", "transposed"]


def hessian(generators):
    """Mean over all pairs, the equal ones counted as 0, of the squared norm of A_i A_j."""
    return _mean_over_pairs(generators, lambda a, b: a @ b)


def commutator(generators):
    """The same of A_i A_j - A_j A_i."""
    return _mean_over_pairs(generators, lambda a, b: a @ b - b @ a)


def transposed(generators):
    """The same of A_i A_j minus its transpose, which was published for commutators."""
    return _mean_over_pairs(generators, lambda a, b: a @ b - (a @ b).T)


def _mean_over_pairs(generators, of_pair):
    count = len(generators)
    total = 0.0
    for i in range(count):
        for j in range(count):
            if i != j:
                total += np.sum(of_pair(generators[i], generators[j]) ** 2)
    return total / count**2


def exponentials(z, generators):
    """expm of sum_i z_i A_i of each row of z (N, L), flattened row by row, (N, M * M)."""
    return np.stack(
        [
            expm(sum(t * a for t, a in zip(row, generators, strict=True))).reshape(-1)
            for row in np.asarray(z, np.float64)
        ]
    )


def group_reconstruction(features, elements):
    """Squared distances summed over features, averaged over rows."""
    return sum(np.sum((f - g) ** 2) for f, g in zip(features, elements, strict=True)) / len(
        features
    )
