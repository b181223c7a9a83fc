"""Batch estimates of log q(z), log prod q(z_j) and their relatives, for the decomposed KL."""

from __future__ import annotations

__all__ = [
    "COMPAT_HELP",
    "DEFAULT_ESTIMATOR",
    "ESTIMATOR_HELP",
    "Compat",
    "Densities",
    "Estimator",
    "check_compat",
    "densities",
    "estimate",
    "stratified_log_weights",
]

import math
from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor

from unweave.errors import SpecError
from unweave.latents import DiagonalGaussian, log_normal
from unweave.objectives.base import Step

Estimator = Literal["batch", "stratified", "weighted"]
DEFAULT_ESTIMATOR: Estimator = "batch"
ESTIMATOR_HELP = (
    "What stands for q(z): the mixture of the batch's posteriors, or minibatch stratified or "
    "minibatch weighted sampling."
)
Compat = Literal["none", "disvae", "dlib"]
COMPAT_HELP = (
    "disvae: stratified with the weights of the disentangling-vae code, defects and all; dlib: "
    "batch without constants, as disentanglement_lib and disentanglement-pytorch log it."
)


@final
@dataclass(frozen=True)
class Densities:
    """Log densities of one batch's samples in nats, each (B,).

    Attributes:
        conditional: log q(z given x).
        joint: Estimate of log q(z), the aggregate posterior.
        product: Estimate of the sum over latents of log q(z_j).
        prior: log p(z).
    """

    conditional: Tensor
    joint: Tensor
    product: Tensor
    prior: Tensor


def densities(step: Step, estimator: Estimator, compat: Compat) -> Densities:
    """The densities of a step, computed once for all terms that ask with the same settings."""
    return step.once(
        f"densities/{estimator}/{compat}",
        lambda: estimate(step.gaussian, step.z, step.dataset_size, estimator, compat),
    )


def check_compat(name: str, estimator: Estimator, compat: Compat) -> None:
    """Refuse `compat` where it would be recorded and change nothing.

    Raises:
        SpecError: The published code has another estimator.
    """
    needed = {"disvae": "stratified", "dlib": "batch"}.get(compat, estimator)
    if estimator != needed:
        how = {"batch": "the mixture of the batch without constants"}.get(
            needed, f"the published {needed} sampling"
        )
        raise SpecError(
            f"{name}: compat={compat} is {how}, and estimator is {estimator}. Write "
            f"estimator={needed}, compat={compat}; or leave compat out."
        )


def stratified_log_weights(
    batch_size: int, dataset_size: int, compat: Compat, like: Tensor
) -> Tensor:
    """Logarithms of the minibatch stratified sampling weights, (B, B).

    Row i holds the weights of the posteriors under which sample i is evaluated: 1/N for its own,
    s = (N - M) / (N M) for one other, 1/M for the rest, with M = B - 1; rows sum to one. Under
    `compat="disvae"` the special weights stand in the first two columns, as published.

    Raises:
        SpecError: The batch is not smaller than the dataset, or has fewer than two images.
    """
    rest = batch_size - 1
    if not 1 <= rest < dataset_size:
        raise SpecError(
            f"Stratified sampling needs at least 2 images a batch and more images than that in "
            f"the dataset; the batch has {batch_size}, the dataset {dataset_size}."
        )
    special = (dataset_size - rest) / (dataset_size * rest)
    weights = torch.full((batch_size, batch_size), 1 / rest, dtype=like.dtype, device=like.device)
    if compat == "disvae":
        weights[:, 0] = 1 / dataset_size
        weights[:, 1] = special
        weights[batch_size - 2, 0] = special
    else:
        weights.fill_diagonal_(1 / dataset_size)
        weights[:-1].diagonal(1).fill_(special)
        weights[-1, 0] = special
    return weights.log()


def estimate(
    posterior: DiagonalGaussian,
    z: Tensor,
    dataset_size: int,
    estimator: Estimator,
    compat: Compat = "none",
) -> Densities:
    """Densities of a batch's samples, with the batch's own posteriors for the whole dataset.

    Args:
        posterior: q(z given x) of the batch.
        z: One sample of each posterior, (B, L).
        dataset_size: Number of images N that the batch was drawn from.
        estimator: How the posteriors are weighted.
        compat: Whose weights.

    Raises:
        SpecError: Stratified sampling with a batch that is too small, or larger than the dataset.
    """
    batch_size, latents = z.shape
    conditional = posterior.log_prob(z).sum(1)
    prior = log_normal(z, torch.zeros_like(z), torch.zeros_like(z)).sum(1)
    pairwise = posterior.pairwise_log_prob(z)
    if estimator != "stratified":
        shift = math.log(batch_size * (dataset_size if estimator == "weighted" else 1))
        # No constant changes a gradient; the values are (L - 1) log B apart.
        shift = 0.0 if compat == "dlib" else shift
        joint = pairwise.sum(2).logsumexp(1) - shift
        product = (pairwise.logsumexp(1) - shift).sum(1)
    else:
        weights = stratified_log_weights(batch_size, dataset_size, compat, z)
        times = latents if compat == "disvae" else 1
        joint = (times * weights + pairwise.sum(2)).logsumexp(1)
        product = (weights[:, :, None] + pairwise).logsumexp(1).sum(1)
    return Densities(conditional=conditional, joint=joint, product=product, prior=prior)
