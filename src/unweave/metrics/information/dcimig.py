"""A gap between factors for each latent, of which the largest counts for each factor."""

from __future__ import annotations

__all__ = ["DCIMIG", "best_gaps"]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.base import Score
from unweave.metrics.information.matrix import InformationMatrix
from unweave.metrics.information.metric import InformationMetric, factor_parts
from unweave.metrics.information.mig_sup import factor_gaps
from unweave.representation import Representation


def best_gaps(information: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each factor the largest gap among the latents that know most of it, nats, (K,)."""
    gaps = factor_gaps(information)
    best = information.argmax(axis=1)
    result = np.zeros(information.shape[1])
    np.maximum.at(result, best, gaps)
    return result


@final
class DCIMIG(InformationMetric):
    r"""Information that single latents have of a factor beyond any other, as a share of all.

    .. math:: \frac{\sum_k \max_{j : k_j = k} \left( I(z_j; v_k) - I(z_j; v_{(2)}) \right)}
        {\sum_k H(v_k)}

    where :math:`k_j` is the factor that latent j knows most of. A factor that is no latent's first
    counts as 0. The parts are relative to the entropy of their own factor. Where only one factor
    varies, nothing is taken off.

    References:
        Sepliarskaia et al., 2019, who propose it.
    """

    name: ClassVar[str] = "dcimig"
    source: ClassVar[str] = "Sepliarskaia et al., 2019"

    def score_matrix(self, found: InformationMatrix, table: Representation) -> Score:
        """The share of all entropy, and that of each factor."""
        gaps = best_gaps(found.information)
        value = float(gaps.sum() / found.factor_entropy.sum())
        entropy = np.where(found.varies, found.factor_entropy, 1.0)
        return self.result(value, factor_parts(gaps / entropy, found, table), found, table)
