"""BetaVAE, FactorVAE and IRS scores in plain loops, as disentanglement_lib documents them."""

from __future__ import annotations

from collections import Counter

import numpy as np

from reference.sampling_reference import Plain

__all__ = ["difference_points", "factor_vae", "irs"]


def difference_points(codes, sizes, plain, count, batch):
    """Features and factors of `count` points; goes on with the stream of `plain`."""
    features, labels = [], []
    for _ in range(count):
        shared, first, second = plain.pair(batch)
        total = [0.0] * codes.shape[1]
        for one, other in zip(first, second, strict=True):
            a = codes[np.ravel_multi_index(one, sizes)]
            b = codes[np.ravel_multi_index(other, sizes)]
            total = [t + abs(float(x) - float(y)) for t, x, y in zip(total, a, b, strict=True)]
        features.append([t / batch for t in total])
        labels.append(shared)
    return np.array(features), np.array(labels)


def _variance(values):
    values = [float(value) for value in values]
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def factor_vae(codes, sizes, seed, *, train, test, batch, variance_samples, threshold):
    """Training and test accuracy."""
    plain = Plain(sizes, seed)
    rows = [np.ravel_multi_index(row, sizes) for row in plain.factors(variance_samples)]
    at_large = [_variance(codes[rows, j]) for j in range(codes.shape[1])]
    active = [j for j, variance in enumerate(at_large) if variance**0.5 >= threshold]
    if not active:
        return 0.0, 0.0

    def votes(count):
        found = []
        for _ in range(count):
            fixed, combinations = plain.group(batch)
            here = [np.ravel_multi_index(row, sizes) for row in combinations]
            least = min(active, key=lambda j: _variance(codes[here, j]) / at_large[j])
            found.append((least, fixed))
        return found

    learnt, judged = votes(train), votes(test)
    counts = Counter(learnt)
    # `max` keeps the first of equals; a latent without votes stands for the first factor.
    stands_for = {
        j: max(range(len(sizes)), key=lambda k: counts[j, k]) for j in range(codes.shape[1])
    }
    return tuple(sum(stands_for[j] == k for j, k in part) / len(part) for part in (learnt, judged))


def _quantile(values, share):
    """Linear between the two nearest order statistics."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def irs(codes, factors, quantile):
    """The score, over latents that vary."""
    scores, weights = [], []
    for j in range(codes.shape[1]):
        column = [float(value) for value in codes[:, j]]
        if len(set(column)) == 1:
            continue
        mean = sum(column) / len(column)
        furthest = max(abs(value - mean) for value in column)
        robustness = []
        for k in range(factors.shape[1]):
            groups = {}
            for value, label in zip(column, factors[:, k].tolist(), strict=True):
                groups.setdefault(label, []).append(value)
            spread = []
            for group in groups.values():
                centre = sum(group) / len(group)
                spread.append(_quantile([abs(value - centre) for value in group], quantile))
            robustness.append(1 - sum(spread) / len(spread) / furthest)
        scores.append(max(robustness))
        weights.append(furthest)
    total = sum(s * w for s, w in zip(scores, weights, strict=True))
    return total / sum(weights) if weights else 0.0
