"""Losses in double precision, one number at a time, straight from their definitions.

Slow on purpose: no broadcasting, no log-sum-exp trick, nothing shared with the code under test.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = [
    "bernoulli",
    "cross_entropy",
    "decomposition",
    "disvae_weights",
    "gaussian",
    "kl",
    "laplace",
    "linear",
    "log_density",
    "monte_carlo_kl",
    "stratified_weights",
]


def log_density(z, mean, logvar):
    """Log density of one number under one normal distribution."""
    variance = math.exp(logvar)
    return -0.5 * math.log(2 * math.pi * variance) - (z - mean) ** 2 / (2 * variance)


def kl(mean, logvar):
    """Mean over the batch of the sum over latents of KL(q || N(0, 1))."""
    total = 0.0
    for row in range(len(mean)):
        for m, lv in zip(mean[row], logvar[row], strict=True):
            total += 0.5 * (-1 - float(lv) + float(m) ** 2 + math.exp(lv))
    return total / len(mean)


def _pixels(logits, images):
    """Pairs (mean of the pixel, pixel) of each image."""
    for row in range(len(logits)):
        yield [
            (1 / (1 + math.exp(-float(a))), float(x))
            for a, x in zip(np.ravel(logits[row]), np.ravel(images[row]), strict=True)
        ]


def bernoulli(logits, images):
    """Cross-entropy of each image."""
    return np.array(
        [
            -sum(x * math.log(p) + (1 - x) * math.log(1 - p) for p, x in pairs)
            for pairs in _pixels(logits, images)
        ]
    )


def gaussian(logits, images, variance):
    """Squared error over twice the variance, of each image."""
    return np.array(
        [sum((p - x) ** 2 / (2 * variance) for p, x in pairs) for pairs in _pixels(logits, images)]
    )


def laplace(logits, images, scale):
    """Absolute error over the scale, of each image."""
    return np.array(
        [sum(abs(p - x) / scale for p, x in pairs) for pairs in _pixels(logits, images)]
    )


def linear(start, stop, step, steps):
    """The annealing of the disentangling-vae code, which only ever rises."""
    if steps == 0:
        return stop
    assert stop > start
    return min(start + (stop - start) * step / steps, stop)


def stratified_weights(batch_size, dataset_size):
    """Own posterior 1/N, the next one (N - M) / (N M), the others 1/M, with M = B - 1."""
    n, m = dataset_size, batch_size - 1
    weights = np.empty((batch_size, batch_size))
    for i in range(batch_size):
        for j in range(batch_size):
            if j == i:
                weights[i, j] = 1 / n
            elif j == (i + 1) % batch_size:
                weights[i, j] = (n - m) / (n * m)
            else:
                weights[i, j] = 1 / m
    return weights


def disvae_weights(batch_size, dataset_size):
    """The same numbers where the disentangling-vae code puts them."""
    n, m = dataset_size, batch_size - 1
    weights = np.full((batch_size, batch_size), 1 / m)
    for i in range(batch_size):
        weights[i, 0] = 1 / n
        weights[i, 1] = (n - m) / (n * m)
    weights[batch_size - 2, 0] = (n - m) / (n * m)
    return weights


def decomposition(
    mean, logvar, z, dataset_size, estimator="stratified", compat="none", power=None
):
    """Mutual information, total correlation and dimension-wise KL of one batch.

    The published code adds the logarithm of a weight to log q(z) once for each latent; `power`
    says how often instead.
    """
    batch_size, latents = z.shape
    if estimator == "batch":
        weights = np.full((batch_size, batch_size), 1 / batch_size)
    elif estimator == "weighted":
        weights = np.full((batch_size, batch_size), 1 / (batch_size * dataset_size))
    elif compat == "disvae":
        weights = disvae_weights(batch_size, dataset_size)
    else:
        weights = stratified_weights(batch_size, dataset_size)
    if power is None:
        power = latents if estimator == "stratified" and compat == "disvae" else 1
    information = correlation = dimension = 0.0
    for i in range(batch_size):
        conditional = sum(log_density(z[i, k], mean[i, k], logvar[i, k]) for k in range(latents))
        prior = sum(log_density(z[i, k], 0.0, 0.0) for k in range(latents))
        joint = 0.0
        marginals = [0.0] * latents
        for j in range(batch_size):
            each = [
                math.exp(log_density(z[i, k], mean[j, k], logvar[j, k])) for k in range(latents)
            ]
            joint += weights[i, j] ** power * math.prod(each)
            for k in range(latents):
                marginals[k] += weights[i, j] * each[k]
        product = sum(math.log(marginal) for marginal in marginals)
        information += conditional - math.log(joint)
        correlation += math.log(joint) - product
        dimension += product - prior
    return information / batch_size, correlation / batch_size, dimension / batch_size


def monte_carlo_kl(mean, logvar, z):
    """Mean over the batch of log q(z given x) - log p(z)."""
    total = 0.0
    for m_row, lv_row, z_row in zip(mean, logvar, z, strict=True):
        for m, lv, value in zip(m_row, lv_row, z_row, strict=True):
            total += log_density(float(value), float(m), float(lv))
            total -= log_density(float(value), 0.0, 0.0)
    return total / len(z)


def cross_entropy(logits, label):
    """Mean over rows of -log softmax(logits)[label]."""
    total = 0.0
    for row in logits:
        total -= math.log(math.exp(row[label]) / sum(math.exp(value) for value in row))
    return total / len(logits)
