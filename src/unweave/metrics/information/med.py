"""Disentanglement and completeness of DCI, with mutual information for importance."""

from __future__ import annotations

__all__ = ["MED"]

from typing import ClassVar, final

import numpy as np

from unweave.metrics.base import Score
from unweave.metrics.dci.scores import completeness, disentanglement
from unweave.metrics.information.matrix import InformationMatrix
from unweave.metrics.information.metric import InformationMetric
from unweave.representation import Representation
from unweave.spec import number


@final
class MED(InformationMetric):
    r"""Disentanglement of DCI, with mutual information in place of a predictor's importances.

    Importances are :math:`I(z_j; v_k) / \sum_i I(z_i; v_k)`, so that each factor has the same
    mass, as in DCI. Disentanglement is one less the entropy of a latent's importances to base K,
    weighted by their sum; completeness, a part, is the same of a factor to base L. It is fast
    where there are many latents. With `top`, only the importances of that many latents count for
    each factor, those that know most of it.

    Where only one factor varies, disentanglement is 1 if any latent knows of it, and with a single
    latent completeness is.

    References:
        Cao et al., 2022, who propose it.
    """

    name: ClassVar[str] = "med"
    source: ClassVar[str] = "Cao et al., 2022 (MED)"

    top: int | None = number(
        default=None, low=1, help="Latents that count for each factor; None for all."
    )

    def score_matrix(self, found: InformationMatrix, table: Representation) -> Score:
        """Disentanglement, and both as parts."""
        importance = found.information[:, found.varies]
        if self.top is not None and self.top < len(importance):
            least = np.sort(importance, axis=0)[-self.top]
            importance = np.where(importance >= least, importance, 0.0)
        mass = importance.sum(axis=0)
        importance = importance / np.where(mass > 0, mass, 1.0)
        parts = {
            "disentanglement": disentanglement(importance),
            "completeness": completeness(importance),
        }
        return self.result(parts["disentanglement"], parts, found, table)
