"""Entropies of aggregate posteriors by loops and by numerical integration; slow on purpose."""

from __future__ import annotations

import math

import numpy as np

__all__ = [
    "disvae_entropies",
    "integrated_entropies",
    "integrated_entropy",
    "log_mixture",
    "log_normal",
]


def log_normal(z, mean, logvar):
    return -0.5 * (math.log(2 * math.pi) + logvar + (z - mean) ** 2 / math.exp(logvar))


def log_mixture(z, means, logvars, weights):
    """Log density of one point, one component after the other."""
    terms = [
        math.log(w) + log_normal(z, m, v) for m, v, w in zip(means, logvars, weights, strict=True)
    ]
    peak = max(terms)
    return peak + math.log(math.fsum(math.exp(term - peak) for term in terms))


def integrated_entropy(means, logvars, points=20_001):
    """- integral of q log q, nats, by the trapezoidal rule."""
    means, logvars = np.float64(means), np.float64(logvars)
    widest = 10 * math.exp(0.5 * logvars.max())
    z = np.linspace(means.min() - widest, means.max() + widest, points)
    density = np.zeros(points)
    for mean, logvar in zip(means, logvars, strict=True):
        density += np.exp(log_normal(z, mean, logvar)) / len(means)
    integrand = np.where(density > 0, -density * np.log(np.maximum(density, 1e-300)), 0.0)
    return float(np.trapezoid(integrand, z))


def integrated_entropies(mean, logvar, factors):
    """H(z_j), (L,), and H(z_j | v_k), (L, K), each value by its share of the rows."""
    latents, count = mean.shape[1], len(mean)
    marginal = [integrated_entropy(mean[:, j], logvar[:, j]) for j in range(latents)]
    conditional = np.zeros((latents, factors.shape[1]))
    for j in range(latents):
        for k in range(factors.shape[1]):
            for value in set(factors[:, k].tolist()):
                rows = factors[:, k] == value
                entropy = integrated_entropy(mean[rows, j], logvar[rows, j])
                conditional[j, k] += rows.sum() / count * entropy
    return np.array(marginal), conditional


def disvae_entropies(mean, logvar, sizes, samples, rng):
    """The entropies of the disentangling-vae code, step by step, on a grid in C order.

    The draws are made in the order of its steps: all images, then value by value of each factor.
    """
    latents = mean.shape[1]

    def estimate(means, logvars):
        flat = means[rng.choice(len(means), samples, replace=False)].ravel().tolist()
        result = []
        for d in range(latents):
            logs = []
            for s in range(samples):
                z = flat[d * samples + s]
                count = len(means)
                logs.append(log_mixture(z, means[:, d], logvars[:, d], [1 / count] * count))
            result.append(-sum(logs) / samples)
        return result

    grid_mean = mean.reshape(*sizes, latents)
    grid_logvar = logvar.reshape(*sizes, latents)
    marginal = estimate(mean, logvar)
    conditional = np.zeros((latents, len(sizes)))
    for k, size in enumerate(sizes):
        for value in range(size):
            part_mean = grid_mean.take(value, axis=k).reshape(-1, latents)
            part_logvar = grid_logvar.take(value, axis=k).reshape(-1, latents)
            conditional[:, k] += np.array(estimate(part_mean, part_logvar)) / size
    return np.array(marginal), conditional
