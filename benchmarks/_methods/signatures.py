"""What each method is made to change, measured on the codes of all images."""

from __future__ import annotations

__all__ = ["mmd_to_prior", "off_diagonal", "total_correlation"]

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from unweave.representation import Representation
from unweave.splits import keyed_generator

_DRAWS = 2048
_CHUNK = 32


def total_correlation(table: Representation) -> float:
    """Total correlation of the aggregate posterior, nats.

    The mean of log q(z) - sum_j log q(z_j) over draws of images and of their posteriors, where
    q(z) is the mixture of the posteriors of all images.
    """
    mean, logvar = _posteriors(table)
    z = _samples(mean, logvar)
    precision = np.exp(-logvar)
    constant = -0.5 * (np.log(2 * np.pi) + logvar)
    total = 0.0
    for begin in range(0, len(z), _CHUNK):
        part = z[begin : begin + _CHUNK]
        # (draws, images, latents)
        logs = constant - 0.5 * (part[:, None] - mean[None]) ** 2 * precision
        joint = logsumexp(logs.sum(2), axis=1)
        single = logsumexp(logs, axis=1)
        images = np.log(len(mean))
        total += float((joint - images - (single - images).sum(1)).sum())
    return total / len(z)


def off_diagonal(table: Representation) -> float:
    """Sum of the squared covariances of the means of different latents.

    Those of samples are the same, since the latents of one image are independent: DIP-VAE-I and II
    differ on the diagonal.
    """
    covariance = np.cov(table.mean.astype(np.float64), rowvar=False, bias=True)
    return float((covariance**2).sum() - (np.diag(covariance) ** 2).sum())


def mmd_to_prior(table: Representation) -> float:
    """Squared maximum mean discrepancy between codes and the standard normal prior.

    Unbiased, with the inverse multiquadratic kernel C / (C + d^2), C two times the number of
    latents; samples of the posteriors, or the codes where they have no noise.
    """
    mean, logvar = table.mean.astype(np.float64), table.logvar
    z = mean[_rows(len(mean))] if logvar is None else _samples(mean, logvar.astype(np.float64))
    prior = keyed_generator(0, "prior").standard_normal(z.shape)
    scale = 2.0 * z.shape[1]

    def kernel(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
        values: NDArray[np.float64] = scale / (scale + cdist(one, other, "sqeuclidean"))
        return values

    def within(points: NDArray[np.float64]) -> float:
        values = kernel(points, points)
        return float((values.sum() - np.trace(values)) / (len(points) * (len(points) - 1)))

    return within(z) + within(prior) - 2 * float(kernel(z, prior).mean())


def _posteriors(table: Representation) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    assert table.logvar is not None
    return table.mean.astype(np.float64), table.logvar.astype(np.float64)


def _rows(count: int) -> NDArray[np.int64]:
    return keyed_generator(0, "images").integers(0, count, _DRAWS)


def _samples(mean: NDArray[np.float64], logvar: NDArray[np.float64]) -> NDArray[np.float64]:
    """A sample of the posterior of each of some images, (draws, latents)."""
    rows = _rows(len(mean))
    noise = keyed_generator(0, "noise").standard_normal((len(rows), mean.shape[1]))
    return mean[rows] + np.exp(0.5 * logvar[rows]) * noise
