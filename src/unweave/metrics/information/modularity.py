"""Whether each latent knows of one factor alone."""

from __future__ import annotations

__all__ = ["Modularity", "modularities"]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.base import Score
from unweave.metrics.information.matrix import InformationMatrix
from unweave.metrics.information.metric import InformationMetric, latent_parts
from unweave.representation import Representation


def modularities(information: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each latent, from its information (L, K) in any unit; 0 where it has none, (L,).

    With a single factor, whatever is known is of that factor: 1.
    """
    squares = information**2
    largest = squares.max(axis=1)
    known = largest > 0
    others = squares.sum(axis=1) - largest
    most = np.where(known, largest, 1.0) * max(information.shape[1] - 1, 1)
    # A latent that knows of all alike may come out a rounding below 0.
    return np.where(known, np.maximum(1 - others / most, 0.0), 0.0)


@final
class Modularity(InformationMetric):
    r"""Whether each latent knows of one factor alone.

    .. math:: \frac{1}{L} \sum_j \left( 1 - \frac{\sum_k I(z_j; v_k)^2 - m_j}{m_j (K - 1)} \right),
        \qquad m_j = \max_k I(z_j; v_k)^2

    A latent that is constant is left out of the mean; where all are, the score is 0. Where only
    one factor varies, a latent that knows of it scores 1. A latent of noise alone counts, and the
    bias of the estimate makes it look as modular as chance has it.

    With the default estimator it is the modularity of `modularity_explicitness`, of all rows
    instead of those that are fitted there. That one repeats the bins of disentanglement_lib under
    `compat`, and counts constant latents as it does; protocols `dlib` and `dlib2019` define it.

    References:
        | Learning Deep Disentangled Embeddings With the F-Statistic Loss
        | (Ridgeway and Mozer, 2018)
        | https://arxiv.org/abs/1802.05312
    """

    name: ClassVar[str] = "modularity"
    source: ClassVar[str] = "Ridgeway and Mozer, 2018, arXiv 1802.05312"

    def score_matrix(self, found: InformationMatrix, table: Representation) -> Score:
        """The mean over latents, and the modularity of each."""
        parts = latent_parts(modularities(found.information[:, found.varies]), found.alive)
        value = float(np.mean(list(parts.values()))) if parts else 0.0
        return self.result(value, parts, found, table)
