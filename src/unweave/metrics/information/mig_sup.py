"""The mutual information gap between factors."""

from __future__ import annotations

__all__ = ["MIGSup", "factor_gaps"]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.base import Score
from unweave.metrics.information.matrix import InformationMatrix
from unweave.metrics.information.metric import InformationMetric, latent_parts
from unweave.representation import Representation


def factor_gaps(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each row, (L, K), the largest entry less the second; the largest where K is 1, (L,)."""
    ranked = np.sort(table, axis=1)
    return np.asarray(ranked[:, -1] - (ranked[:, -2] if table.shape[1] > 1 else 0.0))


@final
class MIGSup(InformationMetric):
    r"""Gap between the two factors that a latent knows most of, each relative to its entropy.

    .. math:: \frac{1}{L} \sum_j R_{j(1)} - R_{j(2)}, \qquad R_{jk} = I(z_j; v_k) / H(v_k)

    It is to modularity what MIG is to compactness. Where only one factor varies, the second is 0.
    A latent that is constant is left out of the mean; where all are, the score is 0. One that
    carries noise alone counts, with a gap near 0.

    References:
        Li et al., 2020, who propose it.
    """

    name: ClassVar[str] = "mig_sup"
    source: ClassVar[str] = "Li et al., 2020 (MIG-sup)"

    def score_matrix(self, found: InformationMatrix, table: Representation) -> Score:
        """The mean gap, and the gap of each latent."""
        parts = latent_parts(factor_gaps(found.shares), found.alive)
        value = float(np.mean(list(parts.values()))) if parts else 0.0
        return self.result(value, parts, found, table)
