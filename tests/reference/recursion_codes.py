"""Codes of factors that are known, for tests of the recursion."""

from __future__ import annotations

import numpy as np

from unweave.factors import FactorSpace
from unweave.representation import Representation

__all__ = ["cluster_values", "product_grid", "representation"]


def cluster_values(count, images, noise, seed=0, *, sizes=None, outliers=0.0):
    """Standardised values with evenly spaced clusters, and the true cluster, -1 of an outlier.

    `noise` is the standard deviation within a cluster by the distance between neighbours.
    """
    generator = np.random.default_rng(seed)
    truth = generator.choice(count, images, p=sizes)
    values = truth + noise * generator.normal(size=images)
    far = generator.random(images) < outliers
    values[far] = generator.uniform(-0.5 * count, 1.5 * count, far.sum())
    return (values - (count - 1) / 2) * 3.4 / count, np.where(far, -1, truth)


def product_grid(sizes, noise, seed=0):
    """Codes of all combinations of factors in C order, one latent a factor, and the factors."""
    generator = np.random.default_rng(seed)
    factors = np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)
    steps = 3.4 / np.maximum(np.array(sizes), 2)
    codes = (factors - (np.array(sizes) - 1) / 2) * steps
    return codes + noise * steps * generator.normal(size=codes.shape), factors


def representation(codes, kl=4.0):
    """Codes with logvars such that the mean KL of each latent is about `kl` nats, (L,) or one."""
    codes = np.asarray(codes, np.float32)
    wanted = np.broadcast_to(np.asarray(kl, float), codes.shape[1:])
    # 0.5 (m + v - 1 - log v) = kl has one solution v below 1.
    low, high = np.full(wanted.shape, -80.0), np.zeros(wanted.shape)
    square = (codes.astype(float) ** 2).mean(axis=0)
    for _ in range(80):
        middle = (low + high) / 2
        over = 0.5 * (square + np.exp(middle) - 1 - middle) > wanted
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    logvar = np.broadcast_to(low, codes.shape).astype(np.float32)
    factors = np.zeros((len(codes), 0), np.int64)
    return Representation(
        mean=codes, factors=factors, factor_space=FactorSpace.unknown(), logvar=logvar
    )
