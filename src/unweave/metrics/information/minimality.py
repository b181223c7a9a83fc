"""Whether latents hold nothing but one factor, and factors are held by one latent."""

from __future__ import annotations

__all__ = ["Minimality", "Sufficiency"]

from typing import ClassVar, final

import numpy as np

from unweave.errors import DataError
from unweave.metrics.base import Score
from unweave.metrics.information.estimators import (
    BinnedEstimator,
    Histogram,
    InformationEstimator,
)
from unweave.metrics.information.matrix import InformationMatrix
from unweave.metrics.information.metric import InformationMetric, factor_parts, latent_parts
from unweave.representation import Representation
from unweave.spec import option


@final
class Minimality(InformationMetric):
    r"""How much of what a latent holds is information about one factor.

    .. math:: \frac{1}{L} \sum_j \max_k \frac{I(z_j; v_k)}{H(z_j)}

    Meaningful for factors that depend on each other too. A latent that is constant is left out of
    the mean; where all are, the score is 0.

    References:
        Almudévar et al., 2024, who propose it.
    """

    name: ClassVar[str] = "minimality"
    source: ClassVar[str] = "Almudévar et al., 2024"

    estimator: BinnedEstimator = option(
        default=Histogram(bins=15),
        help="How latents are made discrete, so that they have entropy.",
    )

    def score_matrix(self, found: InformationMatrix, table: Representation) -> Score:
        """The mean over latents, and the share of each."""
        if found.code_entropy is None:
            raise DataError("minimality needs the entropy of latents: give a binned estimator.")
        entropy = np.where(found.alive, found.code_entropy, 1.0)
        values = np.minimum(found.information.max(axis=1) / entropy, 1.0)
        parts = latent_parts(values, found.alive)
        value = float(np.mean(list(parts.values()))) if parts else 0.0
        return self.result(value, parts, found, table)


@final
class Sufficiency(InformationMetric):
    r"""How much of a factor one latent alone knows.

    .. math:: \frac{1}{K} \sum_k \max_j \frac{I(z_j; v_k)}{H(v_k)}

    References:
        Almudévar et al., 2024, who propose it.
    """

    name: ClassVar[str] = "sufficiency"
    source: ClassVar[str] = "Almudévar et al., 2024"

    estimator: InformationEstimator = option(
        default=Histogram(bins=15), help="How mutual information is estimated."
    )

    def score_matrix(self, found: InformationMatrix, table: Representation) -> Score:
        """The mean over the factors that vary, and the share of each."""
        parts = factor_parts(found.relative.max(axis=0), found, table)
        return self.result(float(np.mean(list(parts.values()))), parts, found, table)
