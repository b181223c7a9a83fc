"""The interventional robustness score: how little a latent moves while its factor is fixed."""

from __future__ import annotations

__all__ = ["IRS", "group_deviations"]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError, SpecError
from unweave.factors import FactorSpace
from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.columns import with_room
from unweave.metrics.draws import Draws
from unweave.metrics.plug_in import discretise
from unweave.metrics.sampling import COMPAT_HELP, Compat, grid_rows, sampler
from unweave.representation import Representation
from unweave.spec import number, option

_CONSTANT = "IRS needs a factor that varies, but every factor is constant here."


def group_deviations(
    codes: NDArray[np.floating], labels: NDArray[np.int64], quantile: float
) -> NDArray[np.float64]:
    """How far codes go from the mean of their group, averaged over the groups.

    Args:
        codes: (N, L).
        labels: Group of each row, (N,).
        quantile: Which quantile of the absolute deviations speaks for a group.

    Returns:
        Mean over the groups, each counting once, (L,).
    """
    total = np.zeros(codes.shape[1])
    values = np.unique(labels)
    for value in values:
        group = codes[labels == value]
        total += np.quantile(np.abs(group - group.mean(axis=0)), quantile, axis=0)
    return total / len(values)


@final
class IRS(Metric):
    r"""How robust latents are to all but one factor, as a mean weighted by how far they move.

    .. math:: 1 - E_{jk} / \Delta_j

    is the robustness of latent j when factor k is fixed: E is the mean over the values of the
    factor of the `quantile` of the deviations of z_j from its mean among the rows with that
    value, and Delta is the largest deviation from the mean of all rows. A latent's score is its
    highest robustness, and the metric weights the scores by Delta.

    Constant latents have no weight, and where all are constant the score is 0. Robustness is at
    most 1 and at least -1, below 0 where groups lie further apart than they are wide. A factor
    that is constant groups nothing and is left out. `parts` are the highest robustness for each
    factor, and the matrix holds all of them (0 for constant latents).

    With `compat`, `parts` is `IRS` alone, sums have the precision of the codes, and constant
    factors take part.

    References:
        | Robustly Disentangled Causal Mechanisms: Validating Deep Representations for
        | Interventional Robustness (Suter et al., 2019), where the quantile is 1
        | https://arxiv.org/abs/1811.00007
    """

    name: ClassVar[str] = "irs"
    source: ClassVar[str] = "Suter et al., 2019, arXiv 1811.00007"
    bounds: ClassVar[tuple[float | None, float | None]] = (-1.0, 1.0)
    # A latent of larger scale weighs more.
    invariant_to: ClassVar[tuple[str, ...]] = ("order", "sign")

    quantile: float = number(
        default=0.99, low=0.0, high=1.0, help="Quantile of the deviations that speaks for a group."
    )
    bins: int | None = number(
        default=None, low=1, help="Equally wide bins for each factor; None for a group a value."
    )
    samples: int | None = number(
        default=None, low=2, help="Rows drawn without replacement; None for all rows."
    )
    compat: Compat = option(default="none", help=COMPAT_HELP)

    def validate(self) -> None:
        """Refuse the reference's draws without a number of them."""
        if self.compat != "none" and self.samples is None:
            raise SpecError(f"irs: compat={self.compat} draws samples, so give their number.")

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse factors that are all constant.

        Raises:
            DataError: They are, or `compat` needs the full grid and this is not one.
        """
        if self.compat != "none":
            grid_rows(factors, factor_space)
        if not (factors != factors[:1]).any():
            raise DataError(_CONSTANT)

    def score(self, representation: Representation, draws: Draws) -> Score:
        """The weighted mean of the latents' highest robustness.

        Raises:
            DataError: Every factor is constant, or `compat` needs the full grid and this is not
                one.
        """
        table = representation
        names = table.factor_space.names
        self.check(np.asarray(table.factors), table.factor_space, table.latents)
        codes, factors = table.mean, np.asarray(table.factors)
        if self.samples is not None:
            rows = sampler(table, draws, self.compat).sample(self.samples)
            codes, factors = codes[rows], factors[rows]
        if self.compat == "none":
            codes = with_room(codes.astype(np.float64), 64)
        columns = np.arange(len(names))
        if self.compat == "none":
            columns = np.flatnonzero((factors != factors[:1]).any(axis=0))
            if not columns.size:
                raise DataError(_CONSTANT)
        if self.bins is not None:
            factors = discretise(factors.astype(np.float64), self.bins)
        furthest, robustness = _robustness(codes, factors[:, columns], self.quantile)
        active = furthest > 0
        value = 0.0
        if active.any():
            value = float(np.average(robustness[active].max(axis=1), weights=furthest[active]))
        if self.compat != "none":
            parts = {"IRS": value}
        else:
            best = robustness[active].max(axis=0) if active.any() else np.zeros(len(columns))
            parts = {names[k]: float(found) for k, found in zip(columns, best, strict=True)}
        matrix = Matrix(
            values=robustness,
            rows=tuple(f"z{j}" for j in range(table.latents)),
            columns=tuple(names[k] for k in columns),
            label="robustness",
        )
        return Score(value=value, parts=parts, matrix=matrix)


def _robustness(
    codes: NDArray[np.floating], factors: NDArray[np.int64], quantile: float
) -> tuple[NDArray[np.floating], NDArray[np.float64]]:
    """Largest deviation of each latent, (L,), and its robustness for each factor, (L, K)."""
    # One latent after the other in memory: in single precision NumPy's sum depends on the order.
    by_latent = np.ascontiguousarray(codes.T)
    deviations = np.abs(by_latent - by_latent.mean(axis=1, keepdims=True))
    # A mean is rounded, so that even a constant latent may lie beside its own.
    constant = by_latent.max(axis=1) == by_latent.min(axis=1)
    furthest = np.where(constant, 0, deviations.max(axis=1))
    within = [group_deviations(codes, column, quantile) for column in factors.T]
    divisor = np.where(constant, 1, furthest)[:, None]
    robustness = np.where(constant[:, None], 0.0, 1 - np.stack(within, axis=1) / divisor)
    return furthest, robustness
