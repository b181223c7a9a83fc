"""The three terms of the decomposed KL, estimated from the samples of one batch."""

from __future__ import annotations

__all__ = ["DimensionKL", "MutualInformation", "TotalCorrelation"]

from typing import ClassVar, Literal, final

from torch import Tensor

from unweave.objectives.base import Step, WeightedTerm
from unweave.objectives.densities import (
    COMPAT_HELP,
    DEFAULT_ESTIMATOR,
    ESTIMATOR_HELP,
    Compat,
    Densities,
    Estimator,
    check_compat,
    densities,
)
from unweave.schedules import Schedule
from unweave.spec import number, option


class _Decomposed(WeightedTerm):
    """Weight, estimator and compatibility, which the three terms share."""

    reads: ClassVar[Literal["posterior"]] = "posterior"
    in_elbo: ClassVar[bool] = True
    min_batch: ClassVar[int] = 2

    weight: float | Schedule = number(default=1.0, help="Weight of the term.")
    estimator: Estimator = option(default=DEFAULT_ESTIMATOR, help=ESTIMATOR_HELP)
    compat: Compat = option(default="none", help=COMPAT_HELP)

    def validate(self) -> None:
        """Refuse a compatibility that the estimator does not have."""
        check_compat(self.name, self.estimator, self.compat)

    def _densities(self, step: Step) -> Densities:
        return densities(step, self.estimator, self.compat)


@final
class MutualInformation(_Decomposed):
    """Index-code mutual information, the mean of log q(z given x) - log q(z).

    References:
        | Isolating Sources of Disentanglement in Variational Autoencoders (Chen et al., 2018)
        | https://arxiv.org/abs/1802.04942
    """

    name: ClassVar[str] = "mutual_information"

    def value(self, step: Step) -> Tensor:
        """Estimate in nats."""
        d = self._densities(step)
        return (d.conditional - d.joint).mean()


@final
class TotalCorrelation(_Decomposed):
    """Total correlation of the aggregate posterior, the mean of log q(z) - sum_j log q(z_j).

    References:
        | Isolating Sources of Disentanglement in Variational Autoencoders (Chen et al., 2018)
        | https://arxiv.org/abs/1802.04942
    """

    name: ClassVar[str] = "total_correlation"

    def value(self, step: Step) -> Tensor:
        """Estimate in nats."""
        d = self._densities(step)
        return (d.joint - d.product).mean()


@final
class DimensionKL(_Decomposed):
    """Dimension-wise KL, the mean of sum_j log q(z_j) - log p(z_j).

    References:
        | Isolating Sources of Disentanglement in Variational Autoencoders (Chen et al., 2018)
        | https://arxiv.org/abs/1802.04942
    """

    name: ClassVar[str] = "dimension_kl"

    def value(self, step: Step) -> Tensor:
        """Estimate in nats."""
        d = self._densities(step)
        return (d.product - d.prior).mean()
