"""Linear readouts of factors, and their R2, in exact fractions and plain loops.

Slow on purpose, and nothing is shared with the code under test.
"""

from __future__ import annotations

import math
from fractions import Fraction

__all__ = ["accuracy", "least_squares", "numbers", "r2"]


def numbers(kind, values, index):
    """What has to be found of a value of a factor: a list of numbers.

    Args:
        kind: `ordinal`, `circular` (evenly spaced, no pose twice) or `categorical`.
        values: All values.
        index: Which of them.
    """
    if kind == "ordinal":
        return [values[index]]
    if kind == "circular":
        turn = 2 * math.pi * index / len(values)
        return [math.cos(turn), math.sin(turn)]
    return [1.0 if place == index else 0.0 for place in range(len(values))]


def least_squares(codes, wanted, others):
    """Predictions of the best line with an intercept, for rows of codes without redundancy.

    The normal equations are solved by elimination in exact fractions.

    Args:
        codes: N rows of L numbers.
        wanted: N numbers.
        others: M rows of L numbers, of which predictions are made.
    """
    rows = [[Fraction(1), *map(Fraction, map(float, row))] for row in codes]
    y = [Fraction(float(value)) for value in wanted]
    size = len(rows[0])
    table = [
        [sum(row[i] * row[j] for row in rows) for j in range(size)]
        + [sum(row[i] * value for row, value in zip(rows, y, strict=True))]
        for i in range(size)
    ]
    for i in range(size):
        pivot = next(k for k in range(i, size) if table[k][i] != 0)
        table[i], table[pivot] = table[pivot], table[i]
        table[i] = [value / table[i][i] for value in table[i]]
        for k in range(size):
            if k != i:
                times = table[k][i]
                table[k] = [a - times * b for a, b in zip(table[k], table[i], strict=True)]
    weights = [row[-1] for row in table]
    return [
        float(
            weights[0]
            + sum(w * Fraction(float(value)) for w, value in zip(weights[1:], row, strict=True))
        )
        for row in others
    ]


def r2(found, true, trained):
    """1 less the mean squared error over the variance among the rows that were trained on.

    Args:
        found: M rows of T predictions.
        true: M rows of T numbers.
        trained: N rows of T numbers.
    """
    error = variance = 0.0
    for t in range(len(trained[0])):
        column = [row[t] for row in trained]
        middle = math.fsum(column) / len(column)
        variance += math.fsum((value - middle) ** 2 for value in column) / len(column)
        error += math.fsum(
            (row[t] - right[t]) ** 2 for row, right in zip(found, true, strict=True)
        ) / len(true)
    return 1 - error / variance


def accuracy(found, indices, seen):
    """Share of rows whose largest number, among values that were seen, is at their index."""
    hits = 0
    for row, index in zip(found, indices, strict=True):
        best = max((value, place) for place, value in enumerate(row) if place in seen)[1]
        hits += best == index
    return hits / len(indices)
