"""DCI by linear models with few weights."""

from __future__ import annotations

__all__ = ["DCILasso", "lasso_weights", "targets"]

import warnings
from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace
from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.columns import standardised
from unweave.metrics.dci.scores import completeness, disentanglement
from unweave.metrics.draws import Draws
from unweave.metrics.sampling import RowSampler
from unweave.representation import Representation
from unweave.spec import number, option

Floats = NDArray[np.float64]
_EPSILON = 1e-12


@final
class DCILasso(Metric):
    r"""How much each latent matters to one factor alone, to linear models that predict factors.

    The importance of a latent for a factor is the size of its weight in the lasso

    .. math:: \frac{1}{2N} \lVert y - Xw \rVert^2 + \alpha \lVert w \rVert_1

    with X and y of mean 0 and deviation 1. A circular factor is its cosine and sine, a categorical
    one an indicator of each value, and their weights are averaged. A factor is followed only where
    it is linear in the latents. Informativeness is the share of variance that is explained, at
    least 0, mean over the factors that vary.

    With `compat=dag` as the disent-and-gen code has it: all rows, latents of mean 0 but not
    scaled, so that the scale of a latent matters; every factor a number; completeness of each
    factor only, and no informativeness.

    References:
        | A Framework for the Quantitative Evaluation of Disentangled Representations
        | (Eastwood & Williams, 2018)
    """

    name: ClassVar[str] = "dci_lasso"
    source: ClassVar[str] = "Eastwood & Williams, 2018; alpha: the disent-and-gen code"

    alpha: float = number(default=0.02, above=0, help="Weight of the sum of absolute weights.")
    train: int = number(default=10_000, low=2, help="Rows that models are fitted to.")
    test: int = number(default=5_000, low=1, help="Other rows that models are tested on.")
    compat: Literal["none", "dag"] = option(
        default="none", help="dag: rows, scale and parts as in the disent-and-gen code."
    )

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse factors that are all constant.

        Raises:
            DataError: They are.
        """
        if not (factors != factors[:1]).any():
            raise DataError("dci_lasso needs a factor that varies, but every factor is constant.")

    def score(self, representation: Representation, draws: Draws) -> Score:
        """Disentanglement; completeness and informativeness as parts; the table of weights.

        Raises:
            DataError: There are fewer than two rows, or no factor varies in those drawn.
        """
        factors = np.asarray(representation.factors)
        self.check(factors, representation.factor_space, representation.latents)
        if self.compat == "dag":
            return self._as_published(representation)
        space = representation.factor_space
        train, test = RowSampler(factors, draws).split(self.train, self.test)
        columns = np.flatnonzero((factors[train] != factors[train][:1]).any(axis=0))
        if not columns.size:
            raise DataError(
                f"dci_lasso fits {len(train)} rows drawn at random, and every factor is constant "
                f"in them. Give more rows."
            )
        mean = representation.mean
        codes, others = standardised(np.asarray(mean[train]), np.asarray(mean[test]))
        importances = np.zeros((representation.latents, len(space.factors)))
        explained = []
        for k in columns:
            factor = space.factors[k]
            y, y_test = standardised(
                targets(factor, factors[train, k]), targets(factor, factors[test, k])
            )
            weights = lasso_weights(codes, y, self.alpha)
            varies = np.asarray(y.any(axis=0), np.bool_)
            importances[:, k] = np.abs(weights[:, varies]).mean(axis=1)
            explained.append(
                [
                    _explained(codes @ weights, y, varies),
                    _explained(others @ weights, y_test, varies),
                ]
            )
        scored = importances[:, columns]
        value = disentanglement(scored)
        on_train, on_test = np.mean(explained, axis=0)
        parts = {
            "informativeness_train": float(on_train),
            "informativeness_test": float(on_test),
            "disentanglement": value,
            "completeness": completeness(scored),
        }
        parts |= {
            f"completeness_{space.names[k]}": completeness(importances[:, [k]]) for k in columns
        }
        return Score(value=value, parts=parts, matrix=_matrix(importances, space))

    def _as_published(self, table: Representation) -> Score:
        space = table.factor_space
        factors = np.asarray(table.factors)
        codes = np.asarray(table.mean, np.float64)
        codes = codes - codes.mean(axis=0)
        varies = np.flatnonzero((factors != factors[:1]).any(axis=0))
        values = np.stack([_numbers(space.factors[k], factors[:, k]) for k in varies], axis=1)
        y = (values - values.mean(axis=0)) / (values.std(axis=0) + _EPSILON)
        importances = np.zeros((table.latents, len(space.factors)))
        importances[:, varies] = np.abs(lasso_weights(codes, y, self.alpha))
        value = _weighted_as_published(importances)
        columns = _concentration_as_published(importances.T)
        parts = {"disentanglement": value}
        parts |= {f"completeness_{space.names[k]}": float(columns[k]) for k in varies}
        return Score(value=value, parts=parts, matrix=_matrix(importances, space))


def lasso_weights(codes: Floats, y: Floats, alpha: float) -> Floats:
    """Weights of a lasso with intercept for each target, (L, T).

    Args:
        codes: (N, L).
        y: (N, T).
        alpha: Weight of the sum of absolute weights.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import Lasso

    model = Lasso(alpha=alpha, precompute=True, tol=1e-8, max_iter=10_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        weights = [model.fit(codes, column).coef_.copy() for column in y.T]
    return np.stack(weights, axis=1)


def targets(factor: Factor, indices: NDArray[np.int64]) -> Floats:
    """What a linear model has to find of a factor, (N, 1) or more columns.

    Args:
        factor: Its kind and values.
        indices: Its indices, (N,).
    """
    if factor.kind == "categorical":
        return np.asarray(indices[:, None] == np.arange(factor.size), np.float64)
    if factor.kind == "circular":
        angle = 2 * np.pi * indices / factor.poses
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _numbers(factor, indices)[:, None]


def _numbers(factor: Factor, indices: NDArray[np.int64]) -> Floats:
    if factor.values is None:
        return indices.astype(np.float64)
    return np.asarray(factor.values, np.float64)[indices]


def _explained(found: Floats, y: Floats, varies: NDArray[np.bool_]) -> float:
    """Share of the variance of targets (N, T) that is explained, at least 0, mean over those."""
    y, found = y[:, varies], found[:, varies]
    rest = ((y - found) ** 2).sum(axis=0)
    whole = ((y - y.mean(axis=0)) ** 2).sum(axis=0)
    share = np.divide(rest, whole, out=np.ones_like(rest), where=whole > 0)
    return float(np.maximum(1 - share, 0.0).mean())


def _concentration_as_published(rows: Floats) -> Floats:
    share = rows / (rows.sum(axis=1, keepdims=True) + _EPSILON)
    if rows.shape[1] == 1:
        return np.ones(len(rows))
    return np.asarray(
        1 + (share * np.log(share + _EPSILON)).sum(axis=1) / np.log(rows.shape[1]), np.float64
    )


def _weighted_as_published(rows: Floats) -> float:
    total = rows.sum()
    if total == 0:
        return 0.0
    return float(rows.sum(axis=1) @ _concentration_as_published(rows) / total)


def _matrix(importances: Floats, space: FactorSpace) -> Matrix:
    return Matrix(
        values=importances,
        rows=tuple(f"z{j}" for j in range(len(importances))),
        columns=space.names,
        label="absolute weight in a lasso",
    )
