"""The axis alignment metric."""

from __future__ import annotations

__all__ = ["AAM"]

from typing import ClassVar, final

import numpy as np

from unweave.metrics.base import Score
from unweave.metrics.sampled_metric import SampledMetric
from unweave.representation import Representation


@final
class AAM(SampledMetric):
    r"""How far one latent alone knows a factor: what it knows more than all others together.

    .. math:: \frac{1}{K} \sum_k
        \frac{\max(0, I(z_{(1)}; v_k) - \sum_{j \ge 2} I(z_{(j)}; v_k))}{I(z_{(1)}; v_k)}

    The information is that of `mig_sampled`, with negative estimates taken as 0. A factor that no
    latent knows counts as 0; one that is constant is left out of the mean. Small amounts of
    information in many latents add up here, those that stem from the sampling too.

    References:
        | The disentangling-vae code (Dubois et al., 2019), which defines it
        | https://github.com/YannDubs/disentangling-vae
    """

    name: ClassVar[str] = "aam"
    source: ClassVar[str] = "disentangling-vae (Dubois et al., 2019)"

    def score(self, representation: Representation, rng: np.random.Generator) -> Score:
        """AAM, the share of each factor, and the latent-by-factor information in nats.

        Raises:
            DataError: There are fewer than two latents, no logvars, or every factor is constant;
                or the rows are not what `compat=disvae` can score.
        """
        entropy = self._checked(representation)
        information = self.entropies(representation, rng).information
        ranked = np.maximum(-np.sort(-information, axis=0), 0.0)
        surplus = np.maximum(ranked[0] - ranked[1:].sum(axis=0), 0.0)
        parts = {
            name: float(surplus[k] / ranked[0, k]) if ranked[0, k] > 0 else 0.0
            for k, name in enumerate(representation.factor_space.names)
            if entropy[k] > 0
        }
        return Score(
            value=float(np.mean(list(parts.values()))),
            parts=parts,
            matrix=self._matrix(representation, information),
        )
