"""Encodings, planes and predictions of labels in double precision, straight from the definitions.

Slow on purpose, and nothing is shared with the code under test.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["continuous", "distance", "one_hot", "plane", "right", "soft"]


def one_hot(rows, sizes):
    """Each label of n values as n numbers, one of them 1; rows (B, M) of indices."""
    return np.array(
        [
            [
                float(value == label)
                for label, size in zip(row, sizes, strict=True)
                for value in range(size)
            ]
            for row in rows
        ]
    )


def continuous(rows, sizes):
    """Each label as one number, 0 for its first value and 1 for its last."""
    return np.array(
        [[label / (size - 1) for label, size in zip(row, sizes, strict=True)] for row in rows]
    )


def soft(scores, sizes):
    """A softmax over the values of each label by itself."""
    found = []
    for row in np.asarray(scores, np.float64):
        start, shares = 0, []
        for size in sizes:
            powers = [math.exp(value) for value in row[start : start + size]]
            shares += [power / sum(powers) for power in powers]
            start += size
        found.append(shares)
    return np.array(found)


def distance(scores, told, sizes):
    """KL divergence of the predicted shares from the told ones, summed over labels; (B,)."""
    found = []
    for predicted, row in zip(soft(scores, sizes), np.asarray(told, np.float64), strict=True):
        found.append(
            sum(t * math.log(t / p) for t, p in zip(row, predicted, strict=True) if t > 0)
        )
    return np.array(found)


def right(scores, rows, sizes):
    """Whether the value that scores (B, width) speak for is the label, (B, M)."""
    found = []
    for numbers, row in zip(np.asarray(scores, np.float64), rows, strict=True):
        start, hits = 0, []
        for label, size in zip(row, sizes, strict=True):
            if len(numbers) == len(sizes):
                place = (size - 1) / (1 + math.exp(-numbers[len(hits)]))
                hits.append(min(range(size), key=lambda value: abs(value - place)) == label)
            else:
                own = list(numbers[start : start + size])
                hits.append(own.index(max(own)) == label)
                start += size
        found.append(hits)
    return np.array(found)


def plane(value, layers, size):
    """The plane of one number: dense layers (weight in x out, bias), leaky ReLU of slope 0.2."""
    values = np.array([value], np.float64)
    for number, (weight, bias) in enumerate(layers):
        values = values @ np.asarray(weight, np.float64) + np.asarray(bias, np.float64)
        if number + 1 < len(layers):
            values = np.where(values > 0, values, 0.2 * values)
    return values.reshape(size)
