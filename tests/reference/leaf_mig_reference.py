"""MIG and nMIG of labels of levels, from counts of pairs in loops."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["slow_leaf_scores"]


def information(a, b):
    """Mutual information in nats of two lists of classes, pair by pair."""
    total = 0.0
    for x in set(a):
        for y in set(b):
            joint = sum(p == x and q == y for p, q in zip(a, b, strict=True)) / len(a)
            if joint:
                total += joint * math.log(joint * len(a) ** 2 / (a.count(x) * b.count(y)))
    return total


def binned(column, bins=20):
    """The bin of each number between the smallest and the largest."""
    low, high = float(min(column)), float(max(column))
    edges = np.linspace(low, high, bins + 1)
    return [int(min(np.searchsorted(edges, x, side="right") - 1, bins - 1)) for x in column]


def slow_leaf_scores(levels, whole_as_they_are=True):
    """Shares of entropy, one list a column of any level, and MIG and nMIG of them."""
    columns = []
    for codes, labels in levels:
        latents = [binned(column) for column in codes.T]
        for column in labels.T:
            told = [k for k, x in enumerate(column) if not math.isnan(x)]
            column = column[told]
            known = [[latent[k] for k in told] for latent in latents]
            whole = whole_as_they_are and all(float(x).is_integer() for x in column)
            classes = [int(x) for x in column] if whole else binned(column)
            entropy = information(classes, classes)
            columns.append([information(latent, classes) / entropy for latent in known])
    gaps, own = [], []
    for k, column in enumerate(columns):
        first, second = sorted(column, reverse=True)[:2]
        gaps.append(first - second)
        best = column.index(first)
        others = [other[best] for i, other in enumerate(columns) if i != k]
        own.append(first - max(others) if others else first)
    return np.mean(gaps), np.mean(own)
