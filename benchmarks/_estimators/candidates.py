"""The estimators that are compared: what a training step may put in place of q(z)."""

from __future__ import annotations

__all__ = ["CANDIDATES", "Candidate", "Codes", "Densities"]

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from unweave.latents import DiagonalGaussian, log_normal
from unweave.objectives.densities import Compat, Densities, Estimator, estimate


@final
@dataclass(frozen=True)
class Codes:
    """What an estimator may look at.

    Attributes:
        mean: Posterior means of the batch, (B, L).
        logvar: Log variances of the batch, (B, L).
        z: One sample of each posterior, (B, L).
        images: Number of images N of the dataset.
        further: Means and log variances of images outside of the batch, (E, L) each.
    """

    mean: Tensor
    logvar: Tensor
    z: Tensor
    images: int
    further: tuple[Tensor, Tensor]


@final
@dataclass(frozen=True)
class Candidate:
    """One estimator.

    Attributes:
        make: From codes to densities.
        eligible: Whether it may become the default: it needs no more than the batch, and tends
            to the true densities when the batch becomes the dataset.
        about: What it is, in a few words.
    """

    make: Callable[[Codes], Densities]
    eligible: bool
    about: str


def _own(codes: Codes, estimator: Estimator, compat: Compat = "none") -> Densities:
    """What the package trains with."""
    posterior = DiagonalGaussian(codes.mean, codes.logvar)
    return estimate(posterior, codes.z, codes.images, estimator, compat)


def _mixture(codes: Codes, log_weights: Tensor, mean: Tensor, logvar: Tensor) -> Densities:
    """Densities under weighted components, (B, C) weights of C components."""
    pairwise = log_normal(codes.z[:, None], mean[None], logvar[None])
    return Densities(
        conditional=log_normal(codes.z, codes.mean, codes.logvar).sum(1),
        joint=(log_weights + pairwise.sum(2)).logsumexp(1),
        product=(log_weights[:, :, None] + pairwise).logsumexp(1).sum(1),
        prior=_prior(codes.z),
    )


def _prior(z: Tensor) -> Tensor:
    return log_normal(z, torch.zeros_like(z), torch.zeros_like(z)).sum(1)


def _even_weights(codes: Codes, components: int) -> Tensor:
    """Own posterior 1/N, the rest of the weight spread evenly over the other components."""
    others = (codes.images - 1) / (codes.images * (components - 1))
    weights = torch.full((len(codes.z), components), others, dtype=codes.z.dtype)
    weights.fill_diagonal_(1 / codes.images)
    return weights.log()


def _even(codes: Codes, *, fixed: bool = False) -> Densities:
    mean, logvar = codes.mean, codes.logvar
    if fixed:
        mean, logvar = mean.detach(), logvar.detach()
    return _mixture(codes, _even_weights(codes, len(mean)), mean, logvar)


def _others(codes: Codes) -> Densities:
    """The other images of the batch alone."""
    count = len(codes.z)
    weights = torch.full((count, count), -math.log(count - 1), dtype=codes.z.dtype)
    return _mixture(codes, weights.fill_diagonal_(-torch.inf), codes.mean, codes.logvar)


def _smoothed(codes: Codes) -> Densities:
    """Even weights on components that are widened as a kernel density estimate would be."""
    count, latents = codes.z.shape
    width = count ** (-2 / (latents + 4))
    variance = codes.logvar.exp() + width * codes.mean.var(0)
    weights = torch.full((count, count), -math.log(count), dtype=codes.z.dtype)
    return _mixture(codes, weights, codes.mean, variance.log())


def _gaussian(codes: Codes) -> Densities:
    """One Gaussian with the batch's mean and covariance for q(z), its marginals for q_j."""
    centred = codes.mean - codes.mean.mean(0)
    covariance = centred.T @ centred / len(centred) + torch.diag(codes.logvar.exp().mean(0))
    middle = codes.mean.mean(0)
    joint = torch.distributions.MultivariateNormal(middle, covariance, validate_args=False)
    variance = covariance.diagonal().log()
    return Densities(
        conditional=log_normal(codes.z, codes.mean, codes.logvar).sum(1),
        joint=joint.log_prob(codes.z),  # type: ignore[no-untyped-call]
        product=log_normal(codes.z, middle, variance).sum(1),
        prior=_prior(codes.z),
    )


def _bank(codes: Codes) -> Densities:
    """Even weights over the batch and further images, whose posteriors are fixed."""
    mean = torch.cat([codes.mean, codes.further[0]])
    logvar = torch.cat([codes.logvar, codes.further[1]])
    return _mixture(codes, _even_weights(codes, len(mean)), mean, logvar)


CANDIDATES = {
    "stratified": Candidate(
        lambda c: _own(c, "stratified"), True, "own 1/N, one other s, the rest 1/(B-1)"
    ),
    "weighted": Candidate(lambda c: _own(c, "weighted"), True, "1/(BN) for all"),
    "disvae": Candidate(
        lambda c: _own(c, "stratified", "disvae"), False, "stratified as published, with its slips"
    ),
    "even": Candidate(_even, True, "own 1/N, the others alike"),
    "even, fixed": Candidate(
        lambda c: _even(c, fixed=True), True, "even, no gradient through the components"
    ),
    "others": Candidate(_others, True, "the own posterior left out"),
    "smoothed": Candidate(_smoothed, False, "components widened by a rule of thumb"),
    "gaussian": Candidate(_gaussian, False, "one Gaussian with the batch's covariance"),
    "bank": Candidate(_bank, False, "even, with 1,024 further images whose posteriors are fixed"),
}
