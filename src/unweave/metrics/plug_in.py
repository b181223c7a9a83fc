"""Plug-in entropy and mutual information of discretised codes and factors, in nats."""

from __future__ import annotations

__all__ = ["discretise", "entropies", "mutual_information"]

import contextlib

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.columns import with_room


def discretise(
    codes: NDArray[np.floating], bins: int, *, rounded: bool = False
) -> NDArray[np.int64]:
    """Bin each column into equally wide bins between its smallest and largest value.

    Edges are those of `numpy.histogram`, the last value falling into the last bin; a constant
    column falls into a single bin. Edges have the precision of the codes, or double precision
    where the range is too narrow for that.

    Args:
        codes: (N, L).
        bins: Number of bins.
        rounded: Compute edges in double precision and round them to that of the codes, as NumPy 1
            did. The last bit of a float32 edge, and the bin of a code that lies on it, may differ.

    Returns:
        Bin indices from 0, (N, L).
    """
    binned = np.empty(codes.shape, dtype=np.int64)
    for j in range(codes.shape[1]):
        # Room for the width of the range.
        column = with_room(np.asarray(codes[:, j]), 2)
        edges = _rounded_edges(column, bins) if rounded else _inner_edges(column, bins)
        binned[:, j] = np.digitize(column, edges)
    return binned


def mutual_information(
    binned: NDArray[np.int64], factors: NDArray[np.int64], bins: int, sizes: tuple[int, ...]
) -> NDArray[np.float64]:
    """Mutual information between each column of codes and each factor.

    Args:
        binned: Bin indices, (N, L).
        factors: Factor indices, (N, K).
        bins: Number of bins.
        sizes: Number of values of each factor.

    Returns:
        Nats, (L, K).
    """
    result = np.empty((binned.shape[1], factors.shape[1]))
    for k, size in enumerate(sizes):
        for j in range(binned.shape[1]):
            cells = np.bincount(binned[:, j] * size + factors[:, k], minlength=bins * size)
            joint = cells.reshape(bins, size)
            rows, columns = joint.sum(1), joint.sum(0)
            information = _entropy(rows) + _entropy(columns) - _entropy(joint.ravel())
            result[j, k] = max(information, 0.0)
    return result


def entropies(factors: NDArray[np.int64], sizes: tuple[int, ...]) -> NDArray[np.float64]:
    """Entropy of each factor in the sample, nats, (K,)."""
    columns = [np.bincount(factors[:, k], minlength=size) for k, size in enumerate(sizes)]
    return np.array([_entropy(counts) for counts in columns])


def _inner_edges(column: NDArray[np.floating], bins: int) -> NDArray[np.floating]:
    """The edges between bins, (bins - 1,); none when not even double precision can part them."""
    for kind in (column.dtype, np.float64):
        # NumPy refuses edges of which two are equal, as those of a latent that has all but
        # collapsed.
        with contextlib.suppress(ValueError):
            return np.histogram_bin_edges(column.astype(kind), bins=bins)[1:-1]
    return np.empty(0)


def _rounded_edges(column: NDArray[np.floating], bins: int) -> NDArray[np.floating]:
    """The edges between bins as NumPy 1 had them, (bins - 1,); some may be equal.

    There are none where not even double precision can part them.
    """
    with contextlib.suppress(ValueError):
        edges = np.histogram_bin_edges(column.astype(np.float64), bins=bins)
        return edges[1:-1].astype(column.dtype)
    return np.empty(0)


def _entropy(counts: NDArray[np.int64]) -> float:
    """Entropy of a histogram in nats."""
    positive = counts[counts > 0].astype(np.float64)
    total = positive.sum()
    return float(np.log(total) - (positive * np.log(positive)).sum() / total)
