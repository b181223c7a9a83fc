"""Densities of the aggregate posterior over a whole dataset, and their gradients, in blocks.

Why the gradient that training should have needs only the derivatives in z
-------------------------------------------------------------------------
Let q(z) be the mean of N Gaussian posteriors with parameters t, and z = m + s e a reparameterised
sample of one of them, drawn at random. For any function f(z; t)

    d/dt E[f(z; t)] = E[(df/dz) (dz/dt)] + E[(df/dt) at fixed z].

For f = log q the last expectation is the integral of q (dq/dt) / q, which is the derivative of the
integral of q, a constant: it is zero. The same holds for each marginal q_j, since z_j is
distributed as q_j. So the exact gradient of E[log q(z)] and of E[sum_j log q_j(z_j)] is the part
that goes through the sample, with all N components held fixed. It needs `joint_slope` and
`product_slope` below, and dz/dm = 1, dz/dlogvar = (z - m) / 2.
"""

from __future__ import annotations

__all__ = ["ExactDensities", "component_gradient", "exact_densities"]

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from unweave.latents import log_normal

_LOG_2PI = math.log(2 * math.pi)


@final
@dataclass(frozen=True)
class ExactDensities:
    """Log densities of R samples under the mixture of all posteriors, nats.

    Attributes:
        joint: log q(z), (R,).
        product: Sum over latents of log q_j(z_j), (R,).
        joint_slope: Derivative of `joint` in z, (R, L).
        product_slope: Derivative of `product` in z, (R, L).
    """

    joint: Tensor
    product: Tensor
    joint_slope: Tensor
    product_slope: Tensor


@torch.no_grad()
def exact_densities(
    z: Tensor,
    mean: Tensor,
    logvar: Tensor,
    *,
    rows: int = 256,
    columns: int = 2048,
    done: Callable[[int], None] | None = None,
) -> ExactDensities:
    """Evaluate samples against every component; memory does not grow with either number.

    Args:
        z: Samples, (R, L). The posterior that each was drawn from must be among the components,
            so that no marginal density vanishes.
        mean: Means of the components, (N, L).
        logvar: Their log variances, (N, L).
        rows: Samples in a block.
        columns: Components in a block.
        done: Told the number of samples of each finished block.
    """
    means, log_variances = mean.T.contiguous(), logvar.T.contiguous()
    parts = []
    for start in range(0, len(z), rows):
        block = z[start : start + rows]
        parts.append(_block(block, means, log_variances, columns))
        if done is not None:
            done(len(block))
    return ExactDensities(*(torch.cat(part).to(z.dtype) for part in zip(*parts, strict=True)))


def _block(
    z: Tensor, means: Tensor, log_variances: Tensor, columns: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """One block of samples; sums over components are carried in double precision."""
    latents, count = means.shape
    shape = (len(z), latents)
    density, slope, pull = (z.new_zeros(shape, dtype=torch.float64) for _ in range(3))
    # log q(z) as a running maximum, and sums relative to it.
    top = z.new_full((len(z), 1), -torch.inf, dtype=torch.float64)
    total = torch.zeros_like(top)
    for start in range(0, count, columns):
        m = means[:, start : start + columns]
        lv = log_variances[:, start : start + columns]
        precision, constant = torch.exp(-lv), -0.5 * (lv + _LOG_2PI)
        root = torch.sqrt(0.5 * precision)
        joint = z.new_zeros(len(z), m.shape[1])
        gap, work = torch.empty_like(joint), torch.empty_like(joint)
        ones = torch.ones_like(m[0])
        for j in range(latents):
            torch.sub(m[j], z[:, j, None], out=gap)
            torch.mul(gap, root[j], out=work)
            work.mul_(work)
            torch.sub(constant[j], work, out=work)
            joint.add_(work)
            work.exp_()
            density[:, j] += work @ ones
            slope[:, j] += gap.mul_(work) @ precision[j]
        peak = torch.maximum(top, joint.amax(1, keepdim=True).double())
        weight = joint.sub_(peak.to(z.dtype)).exp_()
        shrink = torch.exp(top - peak)
        total = total * shrink + weight.sum(1, keepdim=True)
        pull = pull * shrink + (weight @ (m * precision).T - z * (weight @ precision.T))
        top = peak
    log_count = math.log(count)
    return (
        (top + total.log()).squeeze(1) - log_count,
        (density.log() - log_count).sum(1),
        pull / total,
        slope / density,
    )


def component_gradient(
    z: Tensor, mean: Tensor, logvar: Tensor, *, rows: int = 256
) -> tuple[Tensor, Tensor]:
    """What `exact_densities` leaves out: the derivative through the components at fixed samples.

    It is computed by automatic differentiation, to check that it vanishes in expectation.

    Args:
        z: Samples, (R, L).
        mean: Means of the components, (N, L).
        logvar: Their log variances, (N, L).
        rows: Samples in a block; each block takes rows * N * L numbers several times.

    Returns:
        Derivatives of the mean over samples of log q(z) - sum_j log q_j(z_j) in `mean` and
        `logvar`, (N, L) each.
    """
    mean = mean.detach().clone().requires_grad_()
    logvar = logvar.detach().clone().requires_grad_()
    sums = torch.zeros_like(mean), torch.zeros_like(logvar)
    for start in range(0, len(z), rows):
        pairwise = log_normal(z[start : start + rows, None], mean[None], logvar[None])
        value = (pairwise.sum(2).logsumexp(1) - pairwise.logsumexp(1).sum(1)).sum() / len(z)
        for sum_, gradient in zip(sums, torch.autograd.grad(value, (mean, logvar)), strict=True):
            sum_ += gradient
    return sums
