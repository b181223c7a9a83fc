"""Penalties on codes in double precision, one number at a time, straight from their definitions.

Slow on purpose: nothing is shared with the code under test.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = [
    "clipped_loss",
    "covariance",
    "dip_penalty",
    "halved_kl",
    "imq",
    "mmd",
    "rbf",
    "total_covariance",
    "unnormalised_correlation",
]


def covariance(codes):
    """E[z z'] - E[z] E[z]', every expectation a sum over the batch divided by its size."""
    count, latents = codes.shape
    result = np.empty((latents, latents))
    for i in range(latents):
        for j in range(latents):
            product = sum(codes[b, i] * codes[b, j] for b in range(count)) / count
            first = sum(codes[b, i] for b in range(count)) / count
            second = sum(codes[b, j] for b in range(count)) / count
            result[i, j] = product - first * second
    return result


def total_covariance(mean, logvar, compat="none"):
    """Covariance of the means, and what variances add to it."""
    result = covariance(mean)
    count, latents = mean.shape
    if compat == "dpt":
        few = [math.exp(logvar[k, k]) for k in range(min(count, latents))]
        for i in range(latents):
            for j in range(latents):
                result[i, j] += sum(few) / len(few)
    else:
        for j in range(latents):
            result[j, j] += sum(math.exp(logvar[b, j]) for b in range(count)) / count
    return result


def dip_penalty(matrix, off_diagonal, diagonal):
    """Weighted squares of the entries of a covariance less the identity."""
    total = 0.0
    for i in range(len(matrix)):
        for j in range(len(matrix)):
            if i == j:
                total += diagonal * (matrix[i, j] - 1) ** 2
            else:
                total += off_diagonal * matrix[i, j] ** 2
    return total


def rbf(a, b, variance):
    """A Gaussian of the distance."""
    return math.exp(-sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / (2 * variance))


def imq(a, b, base, scales):
    """A sum of inverse multiquadratics."""
    squared = sum((x - y) ** 2 for x, y in zip(a, b, strict=True))
    return sum(c * base / (c * base + squared) for c in scales)


def mmd(codes, prior, kernel, *, biased):
    """Mean likeness within each sample less twice that across both."""

    def within(rows):
        values = [
            kernel(rows[i], rows[j])
            for i in range(len(rows))
            for j in range(len(rows))
            if biased or i != j
        ]
        return sum(values) / len(values)

    across = [kernel(z, p) for z in codes for p in prior]
    return within(codes) + within(prior) - 2 * sum(across) / len(across)


def clipped_loss(own, permuted):
    """What disentanglement_lib's discriminator minimises: clipped probabilities of the truth."""

    def mean_log(logits, label):
        total = 0.0
        for row in logits:
            probability = math.exp(row[label]) / sum(math.exp(v) for v in row)
            total += math.log(min(max(probability, 1e-6), 1 - 1e-6))
        return total / len(logits)

    return -0.5 * (mean_log(own, 0) + mean_log(permuted, 1))


def halved_kl(mean, logvar):
    """KL of the first half of the batch, averaged over that half."""
    half = len(mean) // 2
    total = 0.0
    for b in range(half):
        for m, lv in zip(mean[b], logvar[b], strict=True):
            total += 0.5 * (float(m) ** 2 + math.exp(lv) - 1 - float(lv))
    return total / half


def unnormalised_correlation(mean, logvar, z):
    """Total correlation whose sums over the batch are divided by nothing."""
    count, latents = z.shape
    total = 0.0
    for i in range(count):
        joint = 0.0
        marginals = [0.0] * latents
        for j in range(count):
            each = [
                math.exp(-0.5 * (z[i, k] - mean[j, k]) ** 2 / math.exp(logvar[j, k]))
                / math.sqrt(2 * math.pi * math.exp(logvar[j, k]))
                for k in range(latents)
            ]
            joint += math.prod(each)
            marginals = [m + e for m, e in zip(marginals, each, strict=True)]
        total += math.log(joint) - sum(math.log(m) for m in marginals)
    return total / count
