"""How far the other models of a member part the images as its labels do."""

from __future__ import annotations

__all__ = ["SIBLING_IMAGES", "Agreed", "agreed"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

SIBLING_IMAGES: Final = 20_000
"""Of no more images the labels of two models are compared."""

# A label of another model is the same if it tells at least this part of the less telling one.
_SAME = 0.5


@final
@dataclass(frozen=True)
class Agreed:
    """What other models say of a label.

    Attributes:
        share: Share of the images that have, of all in their cluster, the most common value of
            the other model's label; the median over the models that have the label.
        models: How many have it.
    """

    share: float
    models: int


def agreed(ids: NDArray[np.int32], others: Sequence[Sequence[NDArray[np.int32]]]) -> Agreed | None:
    """How pure the clusters of a label are by the labels of other models; no truth is read.

    One model cannot tell two values of a factor that it puts at one place; another one, of the
    same images and another seed, often can. A value that most of them merge stays unseen, and a
    model in which the factor is mixed with another one has it for less pure than it is.

    Args:
        ids: Cluster of each image, (N,); -1 for none.
        others: Of each other model its labels, the clusters of the same images, (N,).

    Returns:
        None where no other model has the label.
    """
    shares = []
    for labels in others:
        best: tuple[float, float] | None = None
        for label in labels:
            known = (ids >= 0) & (label >= 0)
            if not known.any():
                continue
            counts = _counts(ids[known], label[known])
            told = _told(counts)
            if told >= _SAME and (best is None or told > best[0]):
                best = told, float(counts.max(axis=1).sum() / counts.sum())
        if best is not None:
            shares.append(best[1])
    return Agreed(float(np.median(shares)), len(shares)) if shares else None


def _counts(one: NDArray[np.int32], other: NDArray[np.int32]) -> NDArray[np.int64]:
    """Images of each pair of clusters, (K, S)."""
    sizes = int(one.max()) + 1, int(other.max()) + 1
    flat = one.astype(np.int64) * sizes[1] + other
    return np.bincount(flat, minlength=sizes[0] * sizes[1]).reshape(sizes)


def _told(counts: NDArray[np.int64]) -> float:
    """Mutual information of two labels by the smaller of their entropies; 0 of a constant one."""
    joint = counts / counts.sum()
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    least = min(_entropy(rows), _entropy(columns))
    if least <= 0:
        return 0.0
    return (_entropy(rows) + _entropy(columns) - _entropy(joint.ravel())) / least


def _entropy(shares: NDArray[np.float64]) -> float:
    some = shares[shares > 0]
    return float(-(some * np.log(some)).sum())
