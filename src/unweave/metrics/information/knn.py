"""Mutual information of a continuous code and a discrete factor by nearest neighbours, in nats."""

from __future__ import annotations

__all__ = ["knn_information"]

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.columns import within_one

Column = NDArray[np.float64]


def knn_information(
    codes: NDArray[np.floating],
    factors: NDArray[np.int64],
    neighbours: int,
    random_state: np.random.RandomState,
) -> NDArray[np.float64]:
    r"""Mutual information between each column of codes and each factor.

    .. math:: \psi(n) + \langle \psi(k) \rangle - \langle \psi(n_v) \rangle - \langle \psi(m)
        \rangle

    where a row has :math:`n_v` rows of its own value :math:`v`, its k-th neighbour among them lies
    at some distance, and :math:`m` rows of any value, itself among them, are nearer than that.
    Rows whose value occurs once are left out; a value that occurs seldom has fewer neighbours.

    The numbers are those of scikit-learn's `mutual_info_classif`, its tiny noise against ties
    included, but for values that occur less than about 2k times, whose distances it rounds. Since
    each code is a single column, neighbours lie side by side once it is sorted, and no search tree
    is needed. A constant column has no information here.

    Args:
        codes: (N, L).
        factors: Factor indices, (N, K).
        neighbours: The k above.
        random_state: Source of the noise.

    Returns:
        Nats, none below 0, (L, K).

    References:
        | Mutual Information between Discrete and Continuous Data Sets (Ross, 2014)
        | https://doi.org/10.1371/journal.pone.0087357
    """
    scaled = within_one(codes)
    spread = scaled.std(axis=0)
    varies = spread > 0
    scaled /= np.where(varies, spread, 1.0)
    amount = 1e-10 * np.maximum(1.0, np.abs(scaled).mean(axis=0))
    scaled += amount * random_state.standard_normal(scaled.shape)
    result = np.zeros((codes.shape[1], factors.shape[1]))
    for j in np.flatnonzero(varies):
        order = np.argsort(scaled[:, j], kind="stable")
        column = scaled[order, j]
        for k in range(factors.shape[1]):
            result[j, k] = _information(column, factors[order, k], neighbours)
    return result


def _information(column: Column, labels: NDArray[np.int64], neighbours: int) -> float:
    """Information of a sorted column about its labels, nats."""
    from scipy.special import digamma

    counts = np.bincount(labels)
    kept = counts[labels] > 1
    column, labels = column[kept], labels[kept]
    if not column.size:
        return 0.0
    radius = np.empty(column.shape)
    for value in np.flatnonzero(counts > 1):
        mine = labels == value
        radius[mine] = _distances(column[mine], min(neighbours, int(counts[value]) - 1))
    # Strictly nearer than the neighbour.
    near = _count_within(column, np.nextafter(radius, 0))
    used = np.minimum(neighbours, counts[labels] - 1)
    information = (
        digamma(len(column))
        + digamma(used).mean()
        - digamma(counts[labels]).mean()
        - digamma(near).mean()
    )
    return max(0.0, float(information))


def _distances(column: Column, k: int) -> Column:
    """Distance of each entry of a sorted column to its k-th nearest other."""
    padded = np.concatenate([np.full(k, -np.inf), column, np.full(k, np.inf)])
    count = len(column)
    # The k nearest are some to the left and the rest to the right, side by side.
    best = np.full(count, np.inf)
    for left in range(k + 1):
        below = column - padded[k - left : k - left + count]
        above = padded[2 * k - left : 2 * k - left + count] - column
        np.minimum(best, np.maximum(below, above), out=best)
    return best


def _count_within(column: Column, radius: Column) -> NDArray[np.int64]:
    """How many entries of a sorted column, itself among them, lie within each one's radius."""
    count = len(column)
    first = np.searchsorted(column, column - radius, side="left")
    last = np.searchsorted(column, column + radius, side="right")
    # A sum is rounded: an end may be off by entries that differ from it by rounding alone.
    while (out := (column - column[np.minimum(first, count - 1)] > radius)).any():
        first += out
    while (more := (first > 0) & (column - column[first - 1] <= radius)).any():
        first -= more
    while (out := (column[last - 1] - column > radius)).any():
        last -= out
    ends = np.append(column, np.inf)
    while (more := (ends[last] - column <= radius)).any():
        last += more
    return np.asarray(last - first, np.int64)
