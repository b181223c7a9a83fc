"""Scores computed by counting, as disentanglement_lib documents them; slow on purpose."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

__all__ = ["bin_labels", "draw_rows", "entropy", "mig", "mutual_information"]


def bin_labels(column, bins):
    """Labels 1 .. bins: how many left edges of `numpy.histogram` a value has reached."""
    edges = np.histogram(column, bins)[1][:-1]
    return [sum(bool(value >= edge) for edge in edges) for value in column]


def entropy(labels):
    """Plug-in entropy, nats."""
    total = len(labels)
    return -sum(n / total * math.log(n / total) for n in Counter(labels).values())


def mutual_information(one, other):
    """Plug-in mutual information, nats."""
    total = len(one)
    left, right = Counter(one), Counter(other)
    return sum(
        n / total * math.log(n * total / (left[a] * right[b]))
        for (a, b), n in Counter(zip(one, other, strict=True)).items()
    )


def mig(codes, factors, bins):
    """The gaps of the factors that vary, by column, and the information table (L, K)."""
    labels = [bin_labels(codes[:, j], bins) for j in range(codes.shape[1])]
    columns = [factors[:, k].tolist() for k in range(factors.shape[1])]
    table = np.array([[mutual_information(row, column) for column in columns] for row in labels])
    gaps = {}
    for k, column in enumerate(columns):
        if entropy(column) > 0:
            second, first = sorted(table[:, k])[-2:]
            gaps[k] = (first - second) / entropy(column)
    return gaps, table


def draw_rows(sizes, count, seed, chunk=16):
    """Flat indices that disentanglement_lib draws: chunk by chunk, factor by factor."""
    state = np.random.RandomState(seed)
    rows = []
    for start in range(0, count, chunk):
        size = min(chunk, count - start)
        columns = [state.randint(values, size=size) for values in sizes]
        rows.append(np.ravel_multi_index(columns, sizes))
    return np.concatenate(rows)
