"""Scores of a table of information, each by loops over its definition; slow on purpose.

A table is a list of rows, one for each latent, of nats about each factor.
"""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np

from reference.metrics_reference import bin_labels, entropy, mutual_information

__all__ = [
    "cross_entropy",
    "dcimig",
    "edi",
    "info_c",
    "info_m",
    "information",
    "jemmig",
    "kth_neighbour_information",
    "leakage",
    "matching",
    "med",
    "mig_sup",
    "minimality",
    "mixture_information",
    "modularity",
    "nmig",
    "rmig",
    "sufficiency",
]


def information(codes, factors, bins=None):
    """The table, entropies of factors and entropies of latents; bins of equal width, or values."""
    rows = [column.tolist() if bins is None else bin_labels(column, bins) for column in codes.T]
    columns = [column.tolist() for column in factors.T]
    table = [[mutual_information(row, column) for column in columns] for row in rows]
    return table, [entropy(column) for column in columns], [entropy(row) for row in rows]


def _mean(values):
    values = list(values)
    return sum(values) / len(values)


def _top_two(values):
    ordered = sorted(values, reverse=True)
    return ordered[0], ordered[1]


def _columns(table):
    return [list(column) for column in zip(*table, strict=True)]


def mig_sup(table, factor_entropy):
    gaps = []
    for row in table:
        first, second = _top_two(value / h for value, h in zip(row, factor_entropy, strict=True))
        gaps.append(first - second)
    return _mean(gaps)


def rmig(table):
    gaps = []
    for column in _columns(table):
        first, second = _top_two(column)
        gaps.append(first - second)
    return _mean(gaps)


def jemmig(table, factor_entropy, code_entropy, bins):
    scores = []
    for k, column in enumerate(_columns(table)):
        best = column.index(max(column))
        first, second = _top_two(column)
        joint = factor_entropy[k] + code_entropy[best] - first
        scores.append(1 - (joint - first + second) / (factor_entropy[k] + math.log(bins)))
    return _mean(scores)


def dcimig(table, factor_entropy):
    won = [0.0] * len(factor_entropy)
    for row in table:
        first, second = _top_two(row)
        k = row.index(first)
        won[k] = max(won[k], first - second)
    return sum(won) / sum(factor_entropy)


def nmig(table, factor_entropy):
    shares = [[v / h for v, h in zip(row, factor_entropy, strict=True)] for row in table]
    gaps = []
    for k, column in enumerate(_columns(shares)):
        best = column.index(max(column))
        others = [value for i, value in enumerate(shares[best]) if i != k]
        gaps.append(column[best] - max(others))
    return _mean(gaps)


def modularity(table):
    scores = []
    for row in table:
        largest = max(row) ** 2
        rest = sum(value**2 for value in row) - largest
        scores.append(1 - rest / (largest * (len(row) - 1)))
    return _mean(scores)


def minimality(table, code_entropy):
    return _mean(max(row) / h for row, h in zip(table, code_entropy, strict=True))


def sufficiency(table, factor_entropy):
    columns = _columns(table)
    return _mean(max(column) / h for column, h in zip(columns, factor_entropy, strict=True))


def med(table, top=None):
    """Disentanglement and completeness of importances that sum to 1 for each factor."""
    columns = []
    for column in _columns(table):
        kept = sorted(column, reverse=True)[: top or len(column)]
        column = [value if value in kept else 0.0 for value in column]
        columns.append([value / sum(column) for value in column])
    rows = _columns(columns)

    def spread(values):
        shares = [value / sum(values) for value in values]
        return -sum(p * math.log(p, len(values)) for p in shares if p > 0)

    total = sum(map(sum, rows))
    disentanglement = sum(sum(row) / total * (1 - spread(row)) for row in rows if sum(row) > 0)
    completeness = sum(sum(column) / total * (1 - spread(column)) for column in columns)
    return disentanglement, completeness


def leakage(table):
    """Mean, relative mean, area from none left out, area from one left out."""
    latents = len(table)
    ranked = [sorted(column, reverse=True) for column in _columns(table)]
    shares = [[value / column[0] for value in column] for column in ranked]

    def tail(columns, start):
        return _mean(value for column in columns for value in column[start:])

    areas = [tail(shares, start) for start in range(latents)]
    return (
        tail(ranked, 1),
        tail(shares, 1),
        sum(areas) / latents,
        sum(areas[1:]) / (latents - 1),
    )


def info_m(table, factor_entropy, active):
    factors = len(factor_entropy)
    ratios = []
    for j in active:
        shares = [value / h for value, h in zip(table[j], factor_entropy, strict=True)]
        ratios.append(max(shares) / sum(shares))
    return (_mean(ratios) - 1 / factors) / (1 - 1 / factors)


def info_c(table, active):
    """The entropy of a factor cancels in the ratio."""
    ratios = []
    for column in _columns(table):
        kept = [column[j] for j in active]
        ratios.append(max(kept) / sum(kept))
    return (_mean(ratios) - 1 / len(active)) / (1 - 1 / len(active))


def edi(table, joint, factor_entropy):
    """Modularity, compactness and explicitness."""

    def exclusivity(values):
        best = values.index(max(values))
        others = [value for i, value in enumerate(values) if i != best]
        return values[best] - math.sqrt(_mean(value**2 for value in others))

    shares = [[value / j for value, j in zip(row, joint, strict=True)] for row in table]
    won = [0.0] * len(joint)
    for row in shares:
        won[row.index(max(row))] += exclusivity(row)
    return (
        _mean(min(value, 1.0) for value in won),
        _mean(exclusivity(column) for column in _columns(shares)),
        _mean(j / h for j, h in zip(joint, factor_entropy, strict=True)),
    )


def matching(table):
    """Entries of the best assignment of different rows to the columns, by trying all of them."""
    latents, factors = len(table), len(table[0])
    tried = permutations(range(latents), factors)
    return max(
        ([table[j][k] for k, j in enumerate(chosen)] for chosen in tried),
        key=lambda found: sum(found),
    )


def kth_neighbour_information(column, labels, k):
    """Ross's estimate for one latent by comparing all pairs, nats, which may be negative."""
    from scipy.special import digamma

    terms = []
    rows = [i for i in range(len(column)) if labels.count(labels[i]) > 1]
    for i in rows:
        same = [j for j in rows if j != i and labels[j] == labels[i]]
        used = min(k, len(same))
        radius = sorted(abs(column[j] - column[i]) for j in same)[used - 1]
        near = sum(abs(column[j] - column[i]) < radius for j in rows)
        terms.append(digamma(used) - digamma(len(same) + 1) - digamma(near))
    return float(digamma(len(rows)) + np.mean(terms))


def cross_entropy(features, labels, steps=40, by_rows=False):
    """Least class-balanced cross-entropy of a linear classifier, by Newton's method, nats.

    Or the mean over rows that this classifier has, whatever their class.
    """
    classes = sorted(set(labels.tolist()))
    width = features.shape[1] + 1
    inputs = np.concatenate([features, np.ones((len(features), 1))], axis=1)
    target = np.array([[label == c for c in classes] for label in labels], float)
    weight = 1 / (len(classes) * target.sum(0)) @ target.T
    theta = np.zeros(width * len(classes))
    for _ in range(steps):
        logits = inputs @ theta.reshape(width, -1)
        chance = np.exp(logits - logits.max(1, keepdims=True))
        chance /= chance.sum(1, keepdims=True)
        gradient = (inputs.T @ (weight[:, None] * (chance - target))).ravel()
        hessian = np.zeros((len(theta), len(theta)))
        for row, p, w in zip(inputs, chance, weight, strict=True):
            hessian += w * np.kron(np.outer(row, row), np.diag(p) - np.outer(p, p))
        theta -= np.linalg.pinv(hessian, rcond=1e-10) @ gradient
    logits = inputs @ theta.reshape(width, -1)
    logits -= logits.max(1, keepdims=True)
    log_chance = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    own = (log_chance * target).sum(1)
    return -float(own.mean() if by_rows else (weight * own).sum())


def mixture_information(mean, logvar, points=500):
    """I(x; z_j) and I(x; z_j | the other) of two latents by quadrature on a square, nats.

    The image x is one of a few, all equally likely, and given it the latents are independent.
    """
    std = np.exp(0.5 * logvar)
    axes = [
        np.linspace((m - 9 * s).min(), (m + 9 * s).max(), points)
        for m, s in zip(mean.T, std.T, strict=True)
    ]
    single = [
        np.exp(-0.5 * ((axes[j] - mean[:, j, None]) / std[:, j, None]) ** 2)
        / (std[:, j, None] * math.sqrt(2 * math.pi))
        for j in range(2)
    ]

    def entropy_of(density, cell):
        density = density[density > 0]
        return -(density * np.log(density)).sum() * cell

    step = [axis[1] - axis[0] for axis in axes]
    whole = np.einsum("xa,xb->ab", *single) / len(mean)
    joint = entropy_of(whole, step[0] * step[1])
    marginal = [entropy_of(single[j].mean(0), step[j]) for j in range(2)]
    given = [(0.5 * np.log(2 * np.pi * np.e) + np.log(std[:, j])).mean() for j in range(2)]
    alone = [marginal[j] - given[j] for j in range(2)]
    beyond = [joint - marginal[1 - j] - given[j] for j in range(2)]
    return np.array(alone), np.array(beyond)
