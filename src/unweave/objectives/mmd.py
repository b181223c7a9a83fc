"""Maximum mean discrepancy between codes and the prior, and the method built on it."""

from __future__ import annotations

__all__ = ["MMD", "InfoVAE", "MMDEstimator", "discrepancy", "squared_distances"]

from typing import ClassVar, Literal, final

import torch
from torch import Tensor

from unweave.errors import SpecError
from unweave.objectives.base import Method, Step, Term, WeightedTerm
from unweave.objectives.kernels import Kernel, RadialBasis
from unweave.objectives.kl import KL
from unweave.objectives.reconstruction import Reconstruction
from unweave.spec import number, option

MMDEstimator = Literal["unbiased", "biased"]
KERNEL_HELP = "Which likeness of codes: rbf or imq, with its own fields."
ESTIMATOR_HELP = (
    "unbiased leaves pairs of a vector with itself out; biased has them, never below 0."
)
SAMPLES_HELP = "Prior samples a step; None for as many as there are codes."


@final
class MMD(WeightedTerm):
    r"""Squared maximum mean discrepancy between the batch's codes and samples of the prior.

    .. math:: E\,k(z, z') + E\,k(p, p') - 2\,E\,k(z, p)

    The unbiased estimate (U-statistic) may be below zero. disentanglement-pytorch has
    `mmd(estimator=biased, samples=1000)`; Wasserstein autoencoders have `mmd(kernel=imq)`.

    References:
        | InfoVAE: Information Maximizing Variational Autoencoders
        | (Zhao, Song and Ermon, 2017)
        | https://arxiv.org/abs/1706.02262
        | Wasserstein Auto-Encoders (Tolstikhin, Bousquet, Gelly and Schoelkopf, 2017)
        | https://arxiv.org/abs/1711.01558
    """

    name: ClassVar[str] = "mmd"
    unit: ClassVar[str] = ""
    min_batch: ClassVar[int] = 2

    kernel: Kernel = option(default=RadialBasis(), help=KERNEL_HELP)
    estimator: MMDEstimator = option(default="unbiased", help=ESTIMATOR_HELP)
    samples: int | None = number(default=None, low=2, help=SAMPLES_HELP)
    prior_std: float = number(default=1.0, above=0, help="Standard deviation of the prior.")

    def value(self, step: Step) -> Tensor:
        """Estimate from the samples that are decoded, a scalar in the kernel's unit."""
        z = step.z
        count = len(z) if self.samples is None else self.samples
        # Not `streams.normal`, which is zero where codes are to be means.
        generator = step.streams.generator("prior samples")
        prior = torch.randn(count, z.shape[1], generator=generator, device=z.device)
        prior = self.prior_std * prior.to(z.dtype)
        return discrepancy(z, prior, self.kernel, self.estimator)


@final
class InfoVAE(Method):
    """Reconstruction, (1 - alpha) times the KL, and (alpha + lambda - 1) times the MMD.

    At alpha = 0 and lambda = 1 it is the evidence lower bound. disentanglement-pytorch keeps the
    whole KL and weights the MMD by w: `info_vae(lambda_=1 + w, estimator=biased, samples=1000)`.
    Weights that change over time are written as a sum: `vae(kl=...) + mmd(weight=...)`.

    References:
        | InfoVAE: Information Maximizing Variational Autoencoders
        | (Zhao, Song and Ermon, 2017)
        | https://arxiv.org/abs/1706.02262
    """

    name: ClassVar[str] = "info_vae"

    alpha: float = number(default=0.0, high=1, help="1 less the weight of the KL.")
    lambda_: float = number(default=1000.0, help="Weight of the MMD, plus 1, less alpha.")
    kernel: Kernel = option(default=RadialBasis(), help=KERNEL_HELP)
    estimator: MMDEstimator = option(default="unbiased", help=ESTIMATOR_HELP)
    samples: int | None = number(default=None, low=2, help=SAMPLES_HELP)

    def validate(self) -> None:
        """Refuse weights under which the MMD would be made large."""
        if self.alpha + self.lambda_ < 1:
            raise SpecError(
                f"info_vae: the weight of the MMD is alpha + lambda_ - 1, which must not be below "
                f"0, but alpha is {self.alpha:g} and lambda_ is {self.lambda_:g}. Write a lambda_ "
                f"of at least {1 - self.alpha:g}."
            )

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction, KL and MMD."""
        return (
            Reconstruction(),
            KL(weight=1 - self.alpha),
            MMD(
                # Numbers of very different size may leave a little less than nothing.
                weight=max(self.alpha + self.lambda_ - 1, 0.0),
                kernel=self.kernel,
                estimator=self.estimator,
                samples=self.samples,
            ),
        )


def discrepancy(z: Tensor, prior: Tensor, kernel: Kernel, estimator: MMDEstimator) -> Tensor:
    """Squared maximum mean discrepancy of two samples, a scalar.

    Args:
        z: Codes, (B, L).
        prior: Samples that the codes should be like, (P, L).
        kernel: Likeness of two vectors.
        estimator: Whether pairs of a vector with itself count.
    """
    latents = z.shape[1]

    def within(rows: Tensor) -> Tensor:
        values = kernel.value(squared_distances(rows, rows), latents)
        count = len(rows)
        if estimator == "biased":
            return values.mean()
        return (values.sum() - values.diagonal().sum()) / (count * (count - 1))

    across = kernel.value(squared_distances(z, prior), latents).mean()
    return within(z) + within(prior) - 2 * across


def squared_distances(one: Tensor, other: Tensor) -> Tensor:
    """Squared Euclidean distances of all pairs of rows of (B, L) and (P, L), (B, P).

    By a product of matrices, so that nothing of size (B, P, L) is made.
    """
    squares = one.square().sum(1)[:, None] + other.square().sum(1)
    return (squares - 2 * one @ other.T).clamp_min(0)
