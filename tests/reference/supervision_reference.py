"""Losses of pairs and of labels in double precision, one number at a time, from their definitions.

Slow on purpose: no broadcasting, no stable forms, nothing shared with the code under test.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from scipy import integrate

__all__ = [
    "adaptive",
    "averaged",
    "cov",
    "embed",
    "gaussian_kl",
    "kl_to_laplace",
    "l2_scaled",
    "l2_sigmoid",
    "multiplied",
    "xent",
]


def gaussian_kl(mean, logvar, other_mean, other_logvar):
    """KL of one normal distribution to another, by numerical integration."""
    deviation, other = math.exp(0.5 * logvar), math.exp(0.5 * other_logvar)

    def density(x, m, s):
        return math.exp(-((x - m) ** 2) / (2 * s * s)) / (s * math.sqrt(2 * math.pi))

    def log_density(x, m, s):
        return -((x - m) ** 2) / (2 * s * s) - math.log(s * math.sqrt(2 * math.pi))

    def integrand(x):
        gap = log_density(x, mean, deviation) - log_density(x, other_mean, other)
        return density(x, mean, deviation) * gap

    low, high = mean - 12 * deviation, mean + 12 * deviation
    return integrate.quad(integrand, low, high, epsabs=1e-12, epsrel=1e-12, limit=200)[0]


def kl_to_laplace(mean, logvar, center, rate):
    """KL of a normal distribution to a Laplace one, by numerical integration."""
    deviation = math.exp(0.5 * logvar)

    def integrand(x):
        log_q = -((x - mean) ** 2) / (2 * deviation**2)
        log_q -= math.log(deviation * math.sqrt(2 * math.pi))
        log_p = math.log(rate / 2) - rate * abs(x - center)
        return math.exp(log_q) * (log_q - log_p)

    low, high = mean - 12 * deviation, mean + 12 * deviation
    ends = sorted({low, min(max(center, low), high), high})
    return sum(
        integrate.quad(integrand, a, b, epsabs=1e-13, epsrel=1e-12, limit=200)[0]
        for a, b in itertools.pairwise(ends)
    )


def averaged(mean, logvar, other_mean, other_logvar):
    """Mean and log variance of GroupVAE's average."""
    return (mean + other_mean) / 2, math.log((math.exp(logvar) + math.exp(other_logvar)) / 2)


def multiplied(mean, logvar, other_mean, other_logvar):
    """Mean and log variance of the normalised product of two densities, from it on a fine grid."""
    wide = max(math.exp(0.5 * logvar), math.exp(0.5 * other_logvar))
    low = min(mean, other_mean) - 12 * wide
    high = max(mean, other_mean) + 12 * wide
    x = np.linspace(low, high, 400_001)
    density = np.exp(
        -((x - mean) ** 2) / (2 * math.exp(logvar))
        - (x - other_mean) ** 2 / (2 * math.exp(other_logvar))
    )
    density /= density.sum()
    center = (x * density).sum()
    return center, math.log(((x - center) ** 2 * density).sum())


def adaptive(distances):
    """Which latents of a pair are shared: those in the lower of two bins of equal width."""
    low, high = min(distances), max(distances)
    if low == high:
        return [True] * len(distances)
    return [distance < (low + high) / 2 for distance in distances]


def _sigmoid(x):
    return 1 / (1 + math.exp(-float(x)))


def xent(codes, labels, sizes):
    """Cross-entropies of each image and factor, (M, F)."""
    found = np.zeros(labels.shape)
    for i, j in np.ndindex(labels.shape):
        p, y = _sigmoid(codes[i, j]), labels[i, j] / sizes[j]
        found[i, j] = -y * math.log(p) - (1 - y) * math.log(1 - p)
    return found


def l2_scaled(codes, labels, scale):
    """Squared distances of scaled codes to labels, (M, F)."""
    found = np.zeros(labels.shape)
    for i, j in np.ndindex(labels.shape):
        found[i, j] = (scale * codes[i, j] - labels[i, j]) ** 2
    return found


def l2_sigmoid(codes, labels, sizes):
    """Squared distances of the codes of each image to the labels of each, (M, M, F)."""
    images, factors = labels.shape
    found = np.zeros((images, images, factors))
    for i, k, j in np.ndindex(found.shape):
        found[i, k, j] = (_sigmoid(codes[i, j]) - labels[k, j] / sizes[j]) ** 2
    return found


def cov(codes, labels):
    """Sum of squared covariances of latent i with label j, i other than j."""
    total = 0.0
    for i in range(codes.shape[1]):
        for j in range(labels.shape[1]):
            if i != j:
                covariance = np.mean(codes[:, i] * labels[:, j])
                covariance -= np.mean(codes[:, i]) * np.mean(labels[:, j])
                total += covariance**2
    return total


def embed(codes, labels, places, sigma):
    """Cross-entropies of each image and factor, (M, F); `places` has a list for each factor."""
    found = np.zeros(labels.shape)
    for i, j in np.ndindex(labels.shape):
        scores = [math.exp(-((sigma[j] * (codes[i, j] - e)) ** 2)) for e in places[j]]
        found[i, j] = -math.log(scores[labels[i, j]] / sum(scores))
    return found
