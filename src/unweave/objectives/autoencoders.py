"""Methods whose encoder gives codes without noise."""

from __future__ import annotations

__all__ = ["WAEMMD", "Autoencoder"]

from typing import ClassVar, final

from unweave.objectives.base import Latent, Method, Term
from unweave.objectives.kernels import InverseMultiquadratic, Kernel
from unweave.objectives.mmd import ESTIMATOR_HELP, KERNEL_HELP, MMD, SAMPLES_HELP, MMDEstimator
from unweave.objectives.reconstruction import Reconstruction
from unweave.schedules import Schedule
from unweave.spec import number, option


@final
class Autoencoder(Method):
    """The reconstruction alone, of codes without noise and without a prior."""

    name: ClassVar[str] = "autoencoder"
    latent: ClassVar[Latent] = "codes"

    weight: float | Schedule = number(
        default=1.0, low=0, help="Weight of the reconstruction; it matters beside added terms."
    )

    def terms(self) -> tuple[Term, ...]:
        """The reconstruction."""
        return (Reconstruction(weight=self.weight),)


@final
class WAEMMD(Method):
    """Reconstruction of codes without noise, plus lambda times their MMD to the prior.

    The kernel is the sum of inverse multiquadratics over seven scales; weights of 10 and 100, both
    with a prior of standard deviation 2, are used in published configurations.

    References:
        | Wasserstein Auto-Encoders (Tolstikhin, Bousquet, Gelly and Schoelkopf, 2017)
        | https://arxiv.org/abs/1711.01558
    """

    name: ClassVar[str] = "wae_mmd"
    latent: ClassVar[Latent] = "codes"

    lambda_: float | Schedule = number(default=10.0, low=0, help="Weight of the MMD.")
    kernel: Kernel = option(default=InverseMultiquadratic(), help=KERNEL_HELP)
    estimator: MMDEstimator = option(default="unbiased", help=ESTIMATOR_HELP)
    samples: int | None = number(default=None, low=2, help=SAMPLES_HELP)
    prior_std: float = number(default=1.0, above=0, help="Standard deviation of the prior.")

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction and MMD."""
        return (
            Reconstruction(),
            MMD(
                weight=self.lambda_,
                kernel=self.kernel,
                estimator=self.estimator,
                samples=self.samples,
                prior_std=self.prior_std,
            ),
        )
