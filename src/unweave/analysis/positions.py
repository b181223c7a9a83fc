"""Where images are expected among latents: at the means of the values of their factors."""

from __future__ import annotations

__all__ = ["Assignment", "Positions", "association_of", "positions_of"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.analysis.tables import CodeTable
from unweave.errors import DataError
from unweave.metrics.columns import standardised
from unweave.metrics.dci.lasso import lasso_weights, targets

Floats: TypeAlias = NDArray[np.float64]
Assignment: TypeAlias = Literal["correlation_ratio", "lasso"]

# Rows that a value needs for a mean and a deviation.
_FEWEST = 10
# Of a latent's deviation over all rows: no deviation within a value counts as smaller.
_LEAST = 1e-3
_ALPHA = 0.02


@final
@dataclass(frozen=True, eq=False)
class Positions:
    """Means and deviations of latents, each over the rows with one value of a factor.

    Attributes:
        factors: Positions of F factors among the K, ascending.
        latents: The latent of each, (F,).
        means: Of each factor, the mean of its latent over the rows with each value, (size,); NaN
            of values with fewer than ten rows.
        deviations: The standard deviations of the same, (size,), at least a thousandth of that
            over all rows.
        spreads: Deviation of each latent within values, all rows taken together, (F,).
        needed: Positions of the factors whose values an expected position needs, ascending: these
            and constant ones.
        occurring: Of each of these, whether each value has ten rows, (size,).
    """

    factors: tuple[int, ...]
    latents: tuple[int, ...]
    means: tuple[Floats, ...]
    deviations: tuple[Floats, ...]
    spreads: Floats
    needed: tuple[int, ...]
    occurring: tuple[NDArray[np.bool_], ...]

    def known(self, factors: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether combinations (n, K) have an expected position: training has their values."""
        known = np.ones(len(factors), np.bool_)
        for k, there in zip(self.needed, self.occurring, strict=True):
            known &= there[factors[:, k]]
        return known

    def expected(self, factors: NDArray[np.int64]) -> Floats:
        """Expected positions of combinations (n, K) on the latents of the F factors, (n, F)."""
        columns = [mean[factors[:, k]] for k, mean in zip(self.factors, self.means, strict=True)]
        return np.stack(columns, axis=1)

    def deviation(self, factors: NDArray[np.int64]) -> Floats:
        """Deviations around the expected positions of combinations (n, K), (n, F)."""
        columns = [
            each[factors[:, k]] for k, each in zip(self.factors, self.deviations, strict=True)
        ]
        return np.stack(columns, axis=1)

    def moved(self, codes: Floats, factors: NDArray[np.int64]) -> Floats:
        """Codes (n, L) whose latents of the F factors are as expected; the others stay."""
        result = codes.copy()
        result[:, list(self.latents)] = self.expected(factors)
        return result

    def distances(self, codes: Floats, factors: NDArray[np.int64]) -> Floats:
        """How far codes (n, L) are from their expected positions, in deviations, (n, F)."""
        away = codes[:, list(self.latents)] - self.expected(factors)
        return np.asarray(away / self.deviation(factors))

    def nearest(
        self, codes: Floats, factors: NDArray[np.int64], trained: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Whether codes are nearer to their own expected position than to any other trained one.

        Distances are Euclidean, each latent in units of its deviation within values.

        Args:
            codes: (n, L).
            factors: Their combinations, (n, K).
            trained: Combinations that were trained on, (m, K); of those that differ only in other
                factors than the F one is enough.
        """
        from scipy.spatial import KDTree

        trained = trained[self.known(trained)]
        sizes = tuple(len(mean) for mean in self.means)
        own, rivals = (
            np.ravel_multi_index(tuple(rows[:, list(self.factors)].T), sizes)
            for rows in (factors, trained)
        )
        rivals, first = np.unique(rivals, return_index=True)
        places = codes[:, list(self.latents)] / self.spreads
        home = self.expected(factors) / self.spreads
        near = ((places - home) ** 2).sum(axis=1)
        if not len(rivals):
            return np.ones(len(codes), np.bool_)
        others = self.expected(trained[first]) / self.spreads
        # The nearest may be its own, if that was trained on; then the next one is asked.
        count = min(2, len(rivals))
        _, found = KDTree(others).query(places, k=[*range(1, count + 1)])
        away = ((places[:, None] - others[found]) ** 2).sum(axis=2)
        away[rivals[found] == own[:, None]] = np.inf
        return np.asarray(near < away.min(axis=1), np.bool_)


def positions_of(train: CodeTable, compared: Sequence[int], association: Floats) -> Positions:
    """The positions of the values of some factors.

    Each factor that varies gets a latent of its own, such that the sum of their associations is
    largest (the Hungarian method). Where there are fewer latents than such factors, only the
    compared ones get one.

    Args:
        train: Codes of images that were trained on.
        compared: Positions of factors; all that vary where none of these does.
        association: Of each latent with each factor, at least 0, (L, K).

    Raises:
        DataError: No factor varies, or there are fewer latents than factors that are compared.
    """
    from scipy.optimize import linear_sum_assignment

    varying = np.flatnonzero((train.factors != train.factors[:1]).any(axis=0)).tolist()
    chosen = [k for k in compared if k in varying] or varying
    names = train.space.names
    if not chosen:
        raise DataError(
            f"No factor varies among {len(train):,} images that were trained on, so that there "
            "are no positions of values to compare with."
        )
    latents = train.codes.shape[1]
    if latents < len(chosen):
        raise DataError(
            f"Each of {', '.join(names[k] for k in chosen)} needs a latent of its own to be "
            f"compared by, and there {'is' if latents == 1 else 'are'} {latents}."
        )
    among = varying if latents >= len(varying) else chosen
    columns, rows = linear_sum_assignment(-association[:, among].T)
    latent_of = {among[column]: int(row) for column, row in zip(columns, rows, strict=True)}
    found = [_of_values(train, k, latent_of[k]) for k in chosen]
    needed = tuple(sorted({*chosen, *compared}))
    return Positions(
        factors=tuple(chosen),
        latents=tuple(latent_of[k] for k in chosen),
        means=tuple(mean for mean, _, _ in found),
        deviations=tuple(deviation for _, deviation, _ in found),
        spreads=np.array([spread for _, _, spread in found]),
        needed=needed,
        occurring=tuple(_counts(train, k) >= _FEWEST for k in needed),
    )


def association_of(train: CodeTable, how: Assignment) -> Floats:
    """How closely each latent follows each factor, (L, K); 0 where either is constant.

    Args:
        train: Codes of images that were trained on.
        how: `correlation_ratio`: the share of a latent's variance that is between values of the
            factor. It needs no order of values, and sees what is not linear. `lasso`: the size of
            its weight as the factor is predicted from all latents, as in `dci_lasso`.
    """
    table = np.zeros((train.codes.shape[1], len(train.space.factors)))
    codes, _ = standardised(train.codes, train.codes[:1])
    for k, factor in enumerate(train.space.factors):
        own = train.factors[:, k]
        if (own == own[:1]).all():
            continue
        if how == "lasso":
            y, _ = standardised(targets(factor, own), targets(factor, own[:1]))
            weights = np.abs(lasso_weights(codes, y, _ALPHA))
            table[:, k] = weights[:, y.any(axis=0)].mean(axis=1)
        else:
            counts = np.maximum(_counts(train, k), 1)
            for latent, column in enumerate(codes.T):
                sums = np.bincount(own, column, factor.size)
                # Codes have mean 0 and variance 1, or are 0.
                table[latent, k] = (sums**2 / counts).sum() / len(own)
    return table


def _counts(train: CodeTable, factor: int) -> NDArray[np.int64]:
    """How many rows have each value, (size,)."""
    return np.bincount(train.factors[:, factor], minlength=train.space.sizes[factor])


def _of_values(train: CodeTable, factor: int, latent: int) -> tuple[Floats, Floats, float]:
    """Mean and deviation of a latent over rows with each value, and its deviation within them."""
    own, column = train.factors[:, factor], train.codes[:, latent]
    size = train.space.sizes[factor]
    counts = _counts(train, factor)
    divisor = np.maximum(counts, 1)
    # Around the mean of all, so that squares lose no digits.
    means = np.bincount(own, column - column.mean(), size) / divisor + column.mean()
    squares = np.bincount(own, (column - means[own]) ** 2, size)
    # A latent that never moves has deviation 0, of which any distance would be infinitely many.
    least = _LEAST * float(column.std()) or 1.0
    deviations = np.maximum(np.sqrt(squares / divisor), least)
    spread = max(float(np.sqrt(squares.sum() / len(own))), least)
    return np.where(counts >= _FEWEST, means, np.nan), deviations, spread
