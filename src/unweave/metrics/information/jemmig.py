"""The joint entropy minus the mutual information gap."""

from __future__ import annotations

__all__ = ["JEMMIG", "joint_entropy_gaps"]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.metrics.base import Score
from unweave.metrics.information.estimators import BinnedEstimator, Histogram
from unweave.metrics.information.matrix import InformationMatrix
from unweave.metrics.information.metric import InformationMetric, factor_parts
from unweave.representation import Representation
from unweave.spec import option


def joint_entropy_gaps(
    information: NDArray[np.float64],
    factor_entropy: NDArray[np.float64],
    code_entropy: NDArray[np.float64],
    levels: NDArray[np.int64],
) -> NDArray[np.float64]:
    """The normalised score of each factor, between 0 and 1; 0 if no latent knows of it, (K,).

    Args:
        information: Nats, (L, K).
        factor_entropy: Nats, (K,).
        code_entropy: Nats, (L,).
        levels: How many values each latent can take, (L,).
    """
    best = information.argmax(axis=0)
    ranked = np.sort(information, axis=0)
    first = ranked[-1]
    second = ranked[-2] if len(ranked) > 1 else np.zeros_like(first)
    joint = factor_entropy + code_entropy[best] - first
    most = factor_entropy + np.log(levels[best])
    share = (joint - first + second) / np.where(most > 0, most, 1.0)
    return np.where(first > 0, np.clip(1 - share, 0.0, 1.0), 0.0)


@final
class JEMMIG(InformationMetric):
    r"""How well the latent that knows most of a factor matches it, and is alone in that.

    .. math:: 1 - \frac{1}{K} \sum_k
        \frac{H(v_k, z_*) - I(z_*; v_k) + I(z_{(2)}; v_k)}{H(v_k) + \log B}

    where :math:`z_*` is that latent in B bins, and :math:`z_{(2)}` the one that knows second most.
    A latent that holds more than its factor has a larger joint entropy and scores less; 1 takes
    one that is the factor in other words, and no second. With a single latent the second knows
    nothing. A factor that no latent knows anything of scores 0, where a constant latent would
    otherwise be rewarded for its lack of entropy.

    References:
        Do and Tran, 2020, who propose it; here in its normalised form.
    """

    name: ClassVar[str] = "jemmig"
    source: ClassVar[str] = "Do and Tran, 2020"

    estimator: BinnedEstimator = option(
        default=Histogram(), help="How latents are made discrete; their values are counted."
    )

    def score_matrix(self, found: InformationMatrix, table: Representation) -> Score:
        """The mean over the factors that vary, and the score of each."""
        if found.code_entropy is None or found.levels is None:
            raise DataError("jemmig needs the entropy of latents, so it takes a binned estimator.")
        values = joint_entropy_gaps(
            found.information, found.factor_entropy, found.code_entropy, found.levels
        )
        parts = factor_parts(values, found, table)
        return self.result(float(np.mean(list(parts.values()))), parts, found, table)
