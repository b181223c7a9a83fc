"""The mean correlation of factors with latents matched one to one."""

from __future__ import annotations

__all__ = ["MCC", "correlations", "matched"]

from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.factors import FactorSpace
from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.columns import within_one
from unweave.metrics.draws import Draws
from unweave.metrics.information.metric import SAMPLES_HELP, require_variation
from unweave.metrics.sampling import RowSampler
from unweave.representation import Representation
from unweave.spec import number, option


def correlations(
    codes: NDArray[np.floating], factors: NDArray[np.int64], *, ranks: bool = False
) -> NDArray[np.float64]:
    """Absolute correlation of each latent with each factor, 0 where either is constant, (L, K).

    Args:
        codes: (N, L).
        factors: Factor indices, (N, K).
        ranks: Correlate ranks (Spearman) instead of values (Pearson); equal values share one.
    """
    one, other = within_one(codes), np.asarray(factors, np.float64)
    if ranks:
        from scipy.stats import rankdata

        one, other = rankdata(one, axis=0), rankdata(other, axis=0)
    one, other = _unit(one), _unit(other)
    return np.asarray(np.minimum(np.abs(one.T @ other), 1.0))


def matched(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entry of each column (L, K) in the matching of largest sum, 0 where it has no row, (K,)."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(table, maximize=True)
    result = np.zeros(table.shape[1])
    result[columns] = table[rows, columns]
    return result


@final
class MCC(Metric):
    """Mean absolute correlation of factors with latents, matched one to one for the largest sum.

    Latents beyond the number of factors stay unmatched; with fewer latents than factors, the
    factors that get none count as 0. Factors count by the index of their value, so an order of
    values is assumed. A factor that is constant is left out, and `parts` does not name it.

    References:
        Customary in work on independent component analysis.
    """

    name: ClassVar[str] = "mcc"
    source: ClassVar[str] = "Customary in independent component analysis"

    correlation: Literal["pearson", "spearman"] = option(
        default="pearson", help="Of values, or of ranks."
    )
    samples: int | None = number(default=None, low=2, help=SAMPLES_HELP)

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse factors that are all constant.

        Raises:
            DataError: They are.
        """
        require_variation(self.name, bool((factors != factors[:1]).any()))

    def score(self, representation: Representation, draws: Draws) -> Score:
        """The mean over the factors that vary, and the correlation of each with its latent.

        Raises:
            DataError: Every factor is constant.
        """
        factors = np.asarray(representation.factors)
        self.check(factors, representation.factor_space, representation.latents)
        codes = np.asarray(representation.mean)
        if self.samples is not None and self.samples < len(factors):
            rows = RowSampler(factors, draws).sample(self.samples)
            codes, factors = codes[rows], factors[rows]
        varies = (factors != factors[:1]).any(axis=0)
        require_variation(self.name, bool(varies.any()))
        table = correlations(codes, factors, ranks=self.correlation == "spearman")
        names = representation.factor_space.names
        kept = tuple(name for name, moves in zip(names, varies, strict=True) if moves)
        found = matched(table[:, varies])
        matrix = Matrix(
            values=table,
            rows=tuple(f"z{j}" for j in range(representation.latents)),
            columns=names,
            label=f"absolute {self.correlation.capitalize()} correlation",
        )
        parts = {name: float(value) for name, value in zip(kept, found, strict=True)}
        return Score(value=float(found.mean()), parts=parts, matrix=matrix)


def _unit(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns centred and of length 1; a constant one of zeros."""
    centred = columns - columns.mean(axis=0)
    # The mean of equal numbers may differ from them in the last bit.
    centred[:, np.ptp(columns, axis=0) == 0] = 0.0
    length = np.sqrt((centred**2).sum(axis=0))
    return np.asarray(np.divide(centred, length, out=np.zeros_like(centred), where=length > 0))
