"""Published methods that are a VAE with re-weighted terms."""

from __future__ import annotations

__all__ = ["AnnealedVAE", "BetaTCVAE", "BetaVAE", "FactorVAE", "VAEMethod"]

from typing import ClassVar, final

from unweave.objectives.base import Method, Term
from unweave.objectives.decomposition import DimensionKL, MutualInformation, TotalCorrelation
from unweave.objectives.densities import (
    COMPAT_HELP,
    DEFAULT_ESTIMATOR,
    ESTIMATOR_HELP,
    Compat,
    Estimator,
    check_compat,
)
from unweave.objectives.density_ratio import RATIO_COMPAT_HELP, DensityRatioTC, RatioCompat
from unweave.objectives.kl import KL
from unweave.objectives.reconstruction import Reconstruction
from unweave.schedules import Linear, Schedule
from unweave.spec import number, option


@final
class VAEMethod(Method):
    """The evidence lower bound: reconstruction plus KL.

    References:
        | Auto-Encoding Variational Bayes (Kingma and Welling, 2013)
        | https://arxiv.org/abs/1312.6114
    """

    name: ClassVar[str] = "vae"

    kl: float | Schedule = number(
        default=1.0, low=0, help="Weight of the KL; a schedule warms it up."
    )

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction and KL."""
        return (Reconstruction(), KL(weight=self.kl))


@final
class BetaVAE(Method):
    """Reconstruction plus beta times the KL.

    References:
        | beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework
        | (Higgins et al., ICLR 2017)
    """

    name: ClassVar[str] = "beta_vae"

    beta: float | Schedule = number(default=4.0, low=0, help="Weight of the KL.")

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction and KL."""
        return (Reconstruction(), KL(weight=self.beta))


@final
class AnnealedVAE(Method):
    """Reconstruction plus gamma times the distance of the KL from a growing capacity.

    References:
        | Understanding disentangling in beta-VAE (Burgess et al., 2018)
        | https://arxiv.org/abs/1804.03599
    """

    name: ClassVar[str] = "annealed_vae"

    gamma: float | Schedule = number(default=100.0, low=0, help="Weight of the distance.")
    capacity: float | Schedule = number(
        default=Linear(start=0.0, stop=25.0, steps=100_000), low=0, help="Capacity in nats."
    )

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction and KL with a capacity."""
        return (Reconstruction(), KL(weight=self.gamma, capacity=self.capacity))


@final
class BetaTCVAE(Method):
    """The KL split into mutual information, total correlation and dimension-wise KL.

    At alpha = beta = gamma = 1 the three add up to the one-sample estimate of the KL. Published
    code with a capacity, or with the analytic KL, is written as a sum, whose total correlation has
    the weight beta - 1: `annealed_vae + total_correlation(weight=5)`.

    References:
        | Isolating Sources of Disentanglement in Variational Autoencoders (Chen et al., 2018)
        | https://arxiv.org/abs/1802.04942
    """

    name: ClassVar[str] = "beta_tcvae"

    alpha: float | Schedule = number(default=1.0, help="Weight of the mutual information.")
    beta: float | Schedule = number(default=6.0, help="Weight of the total correlation.")
    gamma: float | Schedule = number(default=1.0, help="Weight of the dimension-wise KL.")
    estimator: Estimator = option(default=DEFAULT_ESTIMATOR, help=ESTIMATOR_HELP)
    compat: Compat = option(default="none", help=COMPAT_HELP)

    def validate(self) -> None:
        """Refuse a compatibility that the estimator does not have."""
        check_compat(self.name, self.estimator, self.compat)

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction and the three parts of the KL."""
        estimator, compat = self.estimator, self.compat
        return (
            Reconstruction(),
            MutualInformation(weight=self.alpha, estimator=estimator, compat=compat),
            TotalCorrelation(weight=self.beta, estimator=estimator, compat=compat),
            DimensionKL(weight=self.gamma, estimator=estimator, compat=compat),
        )


@final
class FactorVAE(Method):
    """The ELBO plus gamma times a total correlation that a discriminator estimates.

    How published code differs is said of the term `density_ratio_tc`. With `compat=dag` the KL,
    too, is that of the first half of the batch.

    References:
        | Disentangling by Factorising (Kim and Mnih, 2018), Algorithm 2
        | https://arxiv.org/abs/1802.05983
    """

    name: ClassVar[str] = "factor_vae"

    gamma: float | Schedule = number(default=10.0, low=0, help="Weight of the total correlation.")
    kl: float | Schedule = number(default=1.0, low=0, help="Weight of the KL.")
    lr: float = number(default=1e-4, above=0, help="Learning rate of the discriminator.")
    beta1: float = number(
        default=0.5, low=0, below=1, later=True, help="Adam's first decay for the discriminator."
    )
    beta2: float = number(
        default=0.9, low=0, below=1, later=True, help="Adam's second decay for the discriminator."
    )
    depth: int = number(
        default=6, low=1, later=True, help="Dense layers of the discriminator, with the last."
    )
    width: int = number(
        default=1000, low=1, later=True, help="Units of each of its layers but the last."
    )
    slope: float = number(default=0.2, low=0, later=True, help="Of its leaky ReLU below zero.")
    compat: RatioCompat = option(default="none", later=True, help=RATIO_COMPAT_HELP)

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction, KL and the discriminator's total correlation."""
        return (
            Reconstruction(),
            KL(weight=self.kl, compat="dag" if self.compat == "dag" else "none"),
            DensityRatioTC(
                weight=self.gamma,
                lr=self.lr,
                beta1=self.beta1,
                beta2=self.beta2,
                depth=self.depth,
                width=self.width,
                slope=self.slope,
                compat=self.compat,
            ),
        )
