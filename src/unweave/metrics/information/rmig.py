"""The mutual information gap in nats."""

from __future__ import annotations

__all__ = ["RMIG"]

import dataclasses
from typing import ClassVar, final

import numpy as np

from unweave.metrics.base import Score
from unweave.metrics.information.matrix import InformationMatrix
from unweave.metrics.information.metric import InformationMetric, factor_parts
from unweave.metrics.information.mig_sup import factor_gaps
from unweave.representation import Representation


@final
class RMIG(InformationMetric):
    r"""Gap between the two latents that know most of a factor, in nats.

    .. math:: \frac{1}{K} \sum_k I(z_{(1)}; v_k) - I(z_{(2)}; v_k)

    It is MIG without the normalisation, so that factors of many values weigh more. With a single
    latent the second knows nothing. The authors estimate it over q(z), which is
    `estimator=posterior`.

    References:
        Do and Tran, 2020, who propose it.
    """

    name: ClassVar[str] = "rmig"
    source: ClassVar[str] = "Do and Tran, 2020"
    bounds: ClassVar[tuple[float | None, float | None]] = (0.0, None)

    def score_matrix(self, found: InformationMatrix, table: Representation) -> Score:
        """The mean gap, and the gap of each factor, in nats."""
        parts = factor_parts(factor_gaps(found.information.T), found, table)
        value = float(np.mean(list(parts.values())))
        return dataclasses.replace(self.result(value, parts, found, table), unit="nats")
