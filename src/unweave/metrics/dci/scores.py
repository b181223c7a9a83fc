"""Disentanglement and completeness of a table that says how much each latent matters to a factor.

What to call important is left to whoever makes the table: gains of trees, weights of a linear
model, mutual information.
"""

from __future__ import annotations

__all__ = ["completeness", "concentration", "disentanglement"]

import numpy as np
from numpy.typing import NDArray


def disentanglement(importances: NDArray[np.float64], floor: float = 0.0) -> float:
    r"""Whether each latent matters to one factor alone.

    .. math:: D = \sum_j \rho_j \left(1 + \sum_k p_{jk} \log_K p_{jk}\right), \quad
        p_{jk} = \frac{R_{jk}}{\sum_k R_{jk}}, \quad
        \rho_j = \frac{\sum_k R_{jk}}{\sum_{jk} R_{jk}}

    Args:
        importances: R, of each latent to each factor, at least 0, (L, K).
        floor: Added to each importance before its share is taken, not before it weighs.

    Returns:
        0 to 1; 0 for a table of zeros.

    References:
        | A Framework for the Quantitative Evaluation of Disentangled Representations
        | (Eastwood & Williams, 2018)
        | https://openreview.net/forum?id=By-7dz-AZ
    """
    return _weighted(importances, floor)


def completeness(importances: NDArray[np.float64], floor: float = 0.0) -> float:
    """Whether one latent alone matters to each factor: `disentanglement` of the transposed table.

    Args:
        importances: Of each latent to each factor, at least 0, (L, K).
        floor: Added to each importance before its share is taken, not before it weighs.

    Returns:
        0 to 1; 0 for a table of zeros.
    """
    return _weighted(importances.T, floor)


def concentration(rows: NDArray[np.float64], floor: float = 0.0) -> NDArray[np.float64]:
    """One minus the entropy of each row's shares, relative to that of equal shares.

    A row of zeros has equal shares, and scores 0. Where there is a single column, a row has
    nothing to share out: it scores 1, or 0 if it is zero.

    Args:
        rows: At least 0, (n, m).
        floor: Added to each value first.

    Returns:
        0 to 1, (n,).
    """
    raised = rows + floor
    total = raised.sum(axis=1)
    columns = rows.shape[1]
    if columns == 1:
        return np.where(rows[:, 0] > 0, 1.0, 0.0)
    share = np.divide(
        raised, total[:, None], out=np.full(rows.shape, 1 / columns), where=total[:, None] > 0
    )
    logarithm = np.log(share, out=np.zeros(rows.shape), where=share > 0)
    # Rounding may leave equal shares a little below 0.
    found: NDArray[np.float64] = np.maximum(
        1 + (share * logarithm).sum(axis=1) / np.log(columns), 0.0
    )
    return found


def _weighted(rows: NDArray[np.float64], floor: float) -> float:
    total = rows.sum()
    if total == 0:
        return 0.0
    # Rounding may leave a mean of ones a little above 1.
    return min(1.0, float(rows.sum(axis=1) @ concentration(rows, floor) / total))
