"""What the best latent of a factor knows of it beyond any other factor."""

from __future__ import annotations

__all__ = ["NMIG", "own_gaps"]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.base import Score
from unweave.metrics.information.matrix import InformationMatrix
from unweave.metrics.information.metric import InformationMetric, factor_parts
from unweave.representation import Representation


def own_gaps(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each factor the share its best latent knows, less the most it knows of another, (K,).

    Args:
        shares: Information as a share of each factor's entropy, (L, K).
    """
    best = shares.argmax(axis=0)
    every = np.arange(shares.shape[1])
    own = shares[best, every]
    if len(own) == 1:
        return np.asarray(own)
    others = shares[best]
    others[every, every] = -np.inf
    return np.asarray(own - others.max(axis=1))


@final
class NMIG(InformationMetric):
    r"""What the latent that knows most of a factor knows of it beyond any other factor.

    .. math:: \frac{1}{K} \sum_k R_{j_k k} - \max_{i \ne k} R_{j_k i}, \qquad
        j_k = \arg\max_j R_{jk}, \quad R_{jk} = I(z_j; v_k) / H(v_k)

    It is negative where the best latent of a factor knows more of another. Where only one factor
    varies, nothing is taken off.

    References:
        | The code of PBT-U-VAE and rPU-VAE (Estermann et al., 2020), which defines it
        | https://arxiv.org/abs/2010.13527
    """

    name: ClassVar[str] = "nmig"
    source: ClassVar[str] = "The code of rPU-VAE (Estermann et al., 2020, arXiv 2010.13527)"
    bounds: ClassVar[tuple[float | None, float | None]] = (-1.0, 1.0)

    def score_matrix(self, found: InformationMatrix, table: Representation) -> Score:
        """The mean over the factors that vary, and the gap of each."""
        values = np.zeros(len(found.varies))
        values[found.varies] = own_gaps(found.shares)
        parts = factor_parts(values, found, table)
        return self.result(float(np.mean(list(parts.values()))), parts, found, table)
