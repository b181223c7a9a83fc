"""What latents beyond the best one know of a factor."""

from __future__ import annotations

__all__ = ["FactorLeakage", "leakages"]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.factors import FactorSpace
from unweave.metrics.base import Score
from unweave.metrics.information.estimators import Histogram, InformationEstimator
from unweave.metrics.information.matrix import InformationMatrix
from unweave.metrics.information.metric import (
    InformationMetric,
    information_table,
    require_kept,
    require_variation,
)
from unweave.representation import Representation
from unweave.spec import number, option

_RELATIVE = ("factor_leakage_norm_mean", "factor_leakage_auc", "factor_leakage_nm_auc")


def leakages(information: NDArray[np.float64]) -> dict[str, float]:
    """The four figures by their published names; with a single latent nothing leaks.

    Args:
        information: Nats, (L, K).
    """
    ranked = -np.sort(-information, axis=0)
    best = ranked[0]
    shares = ranked / np.where(best > 0, best, 1.0)
    # Mean over what latents from each rank on know.
    tails = [float(shares[rank:].mean()) for rank in range(len(shares))]
    alone = len(shares) == 1
    return {
        "factor_leakage_mean": 0.0 if alone else float(ranked[1:].mean()),
        "factor_leakage_norm_mean": 0.0 if alone else tails[1],
        "factor_leakage_auc": float(np.mean(tails)),
        "factor_leakage_nm_auc": 0.0 if alone else float(np.mean(tails[1:])),
    }


@final
class FactorLeakage(InformationMetric):
    r"""Mean information about a factor in all latents but the one that knows most of it, in nats.

    Lower is better. The parts are the published figures: `factor_leakage_mean` is the score;
    `_norm_mean` the same relative to the best latent of each factor; `_auc` and `_nm_auc` average
    that over how many of the best latents are left out, from none and from one on. A factor that
    no latent knows leaks nothing.

    The plug-in estimate is biased upwards, by as much as many leaks are large, and unlike a gap
    the score keeps all of it; the estimator takes it off unless it is told otherwise.

    References:
        | Commutative Lie Group VAE for Disentanglement Learning (Zhu et al., 2021), in the code
        | https://arxiv.org/abs/2106.03375
    """

    name: ClassVar[str] = "factor_leakage"
    source: ClassVar[str] = "Zhu et al., 2021, arXiv 2106.03375"
    bounds: ClassVar[tuple[float | None, float | None]] = (0.0, None)
    higher_is_better: ClassVar[bool] = False

    estimator: InformationEstimator = option(
        default=Histogram(debiased=True), help="How mutual information is estimated."
    )
    skip: int = number(default=0, low=0, help="Factors at the beginning that are left out.")

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse factors that are all constant or left out.

        Raises:
            DataError: They are.
        """
        require_kept(self.name, self.skip, factors.shape[1])
        super().check(factors[:, self.skip :], factor_space, latents)

    def score_matrix(self, found: InformationMatrix, table: Representation) -> Score:
        """The mean in nats, and the four published figures."""
        kept = found.without(self.skip)
        require_variation(self.name, bool(kept.varies.any()))
        parts = leakages(kept.information[:, kept.varies])
        return Score(
            value=parts["factor_leakage_mean"],
            parts=parts,
            matrix=information_table(kept, table),
            unit="nats",
            units=dict.fromkeys(_RELATIVE, ""),
        )
