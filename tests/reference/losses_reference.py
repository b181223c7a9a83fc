"""Averages of losses over batches, in double precision, straight from the definitions.

Slow on purpose, and nothing is shared with the code under test.
"""

from __future__ import annotations

import numpy as np

from reference import objectives_reference

__all__ = ["decomposed", "discriminated", "divide"]


def divide(order, most):
    """Batches of at most so many rows whose sizes differ by one at most, the larger ones first."""
    count = 1
    while count * most < len(order):
        count += 1
    small, larger = divmod(len(order), count)
    batches, start = [], 0
    for k in range(count):
        size = small + 1 if k < larger else small
        batches.append(order[start : start + size])
        start += size
    assert start == len(order)
    return batches


def decomposed(mean, logvar, z, batches, dataset_size, **settings):
    """Mutual information, total correlation, dimension-wise KL; each batch counts by its size."""
    totals = np.zeros(3)
    for rows in batches:
        found = objectives_reference.decomposition(
            mean[rows], logvar[rows], z[rows], dataset_size, **settings
        )
        totals += len(rows) * np.array(found)
    return totals / sum(map(len, batches))


def discriminated(layers, z):
    """Mean difference of the two logits of linear layers with slope 0.2 below zero between."""
    matrices = [
        (layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy())
        for layer in layers
        if hasattr(layer, "weight")
    ]
    total = 0.0
    for row in z:
        values = row
        for k, (weight, bias) in enumerate(matrices):
            values = weight @ values + bias
            if k + 1 < len(matrices):
                values = np.where(values > 0, values, 0.2 * values)
        total += values[0] - values[1]
    return total / len(z)
