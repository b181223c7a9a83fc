"""The separated attribute predictability score of factors that are taken as numbers."""

from __future__ import annotations

__all__ = ["SAPContinuous", "squared_correlations"]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics.base import Metric, Score
from unweave.metrics.columns import with_room
from unweave.metrics.draws import Draws
from unweave.metrics.predictive.sap import gap_score
from unweave.metrics.sampling import COMPAT_HELP, Compat, grid_rows, sampler
from unweave.representation import Representation
from unweave.spec import number, option

# Below this variance disentanglement_lib takes a latent for constant.
_CONSTANT = 1e-12


def squared_correlations(
    codes: NDArray[np.floating], factors: NDArray[np.int64], smallest: float = 0.0
) -> NDArray[np.float64]:
    """Squared correlation of each latent with each factor's index.

    Args:
        codes: (N, L).
        factors: Factor indices, (N, K).
        smallest: Variance up to which a latent counts as constant.

    Returns:
        From 0 to 1, (L, K); 0 for a constant latent, NaN for a constant factor.
    """
    x, y = with_room(np.asarray(codes, np.float64), 64), np.asarray(factors, np.float64)
    # Values that are all the same have a mean that may differ from them in the last bit.
    x, y = x - x[:1], y - y[:1]
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    # Scaled, lest squares of what is tiny vanish and of what is huge overflow.
    largest = np.abs(x).max(axis=0)
    x = x / np.where(largest > 0, largest, 1.0)
    squares = (x**2).sum(axis=0)
    alive = largest * np.sqrt(squares / (len(x) - 1)) > np.sqrt(smallest)
    varies = (y != 0).any(axis=0)
    norms = np.outer(np.where(alive, squares, 1.0), np.where(varies, (y**2).sum(axis=0), np.nan))
    found = np.minimum((x.T @ y) ** 2 / norms, 1.0)
    result: NDArray[np.float64] = np.where(alive[:, None] | ~varies, found, 0.0)
    return result


@final
class SAPContinuous(Metric):
    r"""Gap between the two latents that correlate most with a factor.

    .. math:: \frac{1}{K} \sum_k \left( r^2_{(1)k} - r^2_{(2)k} \right)

    The squared correlation is that with the index of a factor's value, so it suits factors whose
    values are ordered and evenly spaced. A factor that is constant is left out of the mean, and
    `parts` does not name it. It is the form of SAP for continuous factors.

    References:
        | Variational Inference of Disentangled Latent Concepts from Unlabeled Observations (Kumar
        | et al., 2018)
        | https://arxiv.org/abs/1711.00848
    """

    name: ClassVar[str] = "sap_continuous"
    source: ClassVar[str] = "Kumar et al., 2018, arXiv 1711.00848"

    samples: int | None = number(
        default=None, low=2, help="Rows drawn, all where there are fewer; None for all rows."
    )
    compat: Compat = option(default="none", help=COMPAT_HELP)

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse a single latent, and rows that cannot be drawn or are all alike.

        Raises:
            DataError: The message says which.
        """
        if latents < 2:
            raise DataError(
                "sap_continuous compares two latents, but the representation has only one."
            )
        if self.compat != "none" and self.samples is not None:
            grid_rows(factors, factor_space)
        if not (factors != factors[:1]).any():
            raise DataError(
                "sap_continuous needs a factor that varies, but every factor is constant here."
            )

    def score(self, representation: Representation, draws: Draws) -> Score:
        """The mean gap, that of each factor, and the latent-by-factor squared correlation.

        Raises:
            DataError: There are fewer than two latents, or every factor is constant.
        """
        codes, factors = np.asarray(representation.mean), np.asarray(representation.factors)
        self.check(factors, representation.factor_space, representation.latents)
        if self.samples is not None:
            rows = sampler(representation, draws, self.compat).sample(self.samples)
            codes, factors = codes[rows], factors[rows]
        smallest = 0.0 if self.compat == "none" else _CONSTANT
        correlations = squared_correlations(codes, factors, smallest)
        label = "squared correlation, 0 for a constant factor"
        score = gap_score(correlations, representation, label, self.compat)
        if score is None:
            raise DataError(
                f"sap_continuous needs a factor that varies, but in these {len(factors)} rows "
                f"every factor is constant."
            )
        return score
