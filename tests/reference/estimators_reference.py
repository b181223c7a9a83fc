"""Mixtures of Gaussians by loops, and their expectations by quadrature, in double precision."""

from __future__ import annotations

import itertools
import math

import numpy as np

from reference.objectives_reference import log_density

__all__ = ["decomposition", "log_mixture", "nodes", "slopes"]


def log_mixture(z, mean, logvar, weights=None):
    """log q(z) and the sum of log q_j(z_j) of one sample, (L,), under weighted components."""
    count, latents = np.shape(mean)
    weights = [1 / count] * count if weights is None else weights
    joint, marginals = 0.0, [0.0] * latents
    for n in range(count):
        each = [math.exp(log_density(z[k], mean[n][k], logvar[n][k])) for k in range(latents)]
        joint += weights[n] * math.prod(each)
        for k in range(latents):
            marginals[k] += weights[n] * each[k]
    return math.log(joint), sum(math.log(marginal) for marginal in marginals)


def slopes(z, mean, logvar, step=1e-5):
    """Derivatives in z of both, by central differences, (2, L)."""
    found = np.empty((2, len(z)))
    for k in range(len(z)):
        up, down = np.asarray(z).copy(), np.asarray(z).copy()
        up[k] += step
        down[k] -= step
        above, below = log_mixture(up, mean, logvar), log_mixture(down, mean, logvar)
        found[:, k] = [(a - b) / (2 * step) for a, b in zip(above, below, strict=True)]
    return found


def nodes(latents, degree):
    """Points (K, L) and weights (K,) of an expectation over standard normal noise."""
    points, weights = np.polynomial.hermite_e.hermegauss(degree)
    weights = weights / weights.sum()
    grid = np.array(list(itertools.product(points, repeat=latents)))
    return grid, np.array([math.prod(w) for w in itertools.product(weights, repeat=latents)])


def decomposition(mean, logvar, degree):
    """Exact total correlation, mutual information and dimension-wise KL of a small mixture.

    Expectations over z are taken by quadrature around each component.
    """
    count, latents = mean.shape
    noise, weights = nodes(latents, degree)
    correlation = information = dimension = 0.0
    for n in range(count):
        z = mean[n] + np.exp(0.5 * logvar[n]) * noise
        # (K, N, L): log density of each latent under each component
        each = -0.5 * (math.log(2 * math.pi) + logvar + (z[:, None] - mean) ** 2 / np.exp(logvar))
        joint = np.log(np.exp(each.sum(2)).mean(1))
        product = np.log(np.exp(each).mean(1)).sum(1)
        prior = (-0.5 * (math.log(2 * math.pi) + z**2)).sum(1)
        correlation += weights @ (joint - product) / count
        information += weights @ (each[:, n].sum(1) - joint) / count
        dimension += weights @ (product - prior) / count
    return np.array([correlation, information, dimension])
