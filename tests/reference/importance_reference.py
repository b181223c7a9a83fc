"""Scores of a table of importances, entry by entry, and a lasso by coordinate descent."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["completeness", "disentanglement", "lasso"]


def disentanglement(table, floor=0.0):
    """Mean over the rows, with their sums as weights, of one minus the entropy of their shares."""
    total = sum(sum(row) for row in table)
    if total == 0:
        return 0.0
    score = 0.0
    for row in table:
        whole = sum(value + floor for value in row)
        entropy = 0.0
        for value in row:
            if value + floor > 0:
                share = (value + floor) / whole
                entropy -= share * math.log(share, len(row))
        score += sum(row) / total * (1 - entropy)
    return score


def completeness(table, floor=0.0):
    """The same of the columns."""
    return disentanglement([list(column) for column in zip(*table, strict=True)], floor)


def lasso(x, y, alpha, sweeps=2000):
    """Minimises |y - xw|^2 / 2N + alpha |w|_1 for centred x and y, one weight after another."""
    w = np.zeros(x.shape[1])
    for _ in range(sweeps):
        for j in range(len(w)):
            rest = y - x @ w + x[:, j] * w[j]
            pull = x[:, j] @ rest / len(y)
            size = x[:, j] @ x[:, j] / len(y)
            w[j] = math.copysign(max(abs(pull) - alpha, 0.0), pull) / size if size > 0 else 0.0
    return w
