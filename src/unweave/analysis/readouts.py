"""Factors read from codes by a fitted readout: what it is given to find, and how well it does."""

from __future__ import annotations

__all__ = ["Readout", "Target", "fit_readout", "targets_of"]

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.analysis.tables import CodeTable
from unweave.factors import Factor
from unweave.metrics.columns import standardised
from unweave.metrics.dci.lasso import targets

Floats: TypeAlias = NDArray[np.float64]
Readout: TypeAlias = Literal["linear", "mlp"]

# Two hidden layers; a fit stops where a tenth of the rows, kept apart, is read no better.
_HIDDEN = (128, 128)
_EPOCHS = 100
_PATIENCE = 10
_FEWEST_TO_KEEP_APART = 100


@final
@dataclass(frozen=True, eq=False)
class Target:
    """What a readout has to find of a factor.

    An ordinal factor is its value, a circular one cosine and sine of its angle, a categorical one
    an indicator of each value of the whole dataset.

    Attributes:
        factor: The factor, of the whole dataset.
        train: T numbers of each row that readouts are fitted to, (N, T); some vary.
        test: Those of the rows that are tested, (M, T).
        indices: Indices of the factor of the rows that are tested, (M,).
        seen: Whether each index occurs in the rows fitted to, (size,).
    """

    factor: Factor
    train: Floats
    test: Floats
    indices: NDArray[np.int64]
    seen: NDArray[np.bool_]

    def r2(self, found: Floats) -> float:
        r"""R2 on the tested rows, by the variance of the rows that were fitted to.

        .. math:: R^2 = 1 - \frac{\sum_t \mathrm{MSE}_t}{\sum_t \mathrm{Var}_t}

        over the T numbers t of the factor: the mean of their R2, each weighted by its variance.
        It does not depend on where a circle begins.

        Args:
            found: What a readout says of the tested rows, (M, T).
        """
        errors = ((found - self.test) ** 2).mean(axis=0).sum()
        return float(1 - errors / self.train.var(axis=0).sum())

    def accuracy(self, found: Floats) -> float | None:
        """Share of rows whose largest indicator is that of their value; None of other kinds.

        Args:
            found: What a readout says of the tested rows, (M, T).
        """
        if self.factor.kind != "categorical":
            return None
        best = np.where(self.seen, found, -np.inf).argmax(axis=1)
        return float((best == self.indices).mean())


def targets_of(train: CodeTable, test: CodeTable) -> list[Target]:
    """Those of the factors that vary in the rows that readouts are fitted to, in their order.

    Args:
        train: Rows that readouts are fitted to.
        test: Rows that are tested.
    """
    found = []
    for k, factor in enumerate(train.space.factors):
        own, others = train.factors[:, k], test.factors[:, k]
        if (own != own[:1]).any():
            seen = np.bincount(own, minlength=factor.size) > 0
            numbers = (targets(factor, own), targets(factor, others))
            found.append(Target(factor, *numbers, others, seen))
    return found


def fit_readout(
    readout: Readout, train: CodeTable, test: CodeTable, wanted: Sequence[Target], seed: int
) -> list[Floats]:
    """What a readout says of each target on the tested rows, each (M, T).

    Codes and targets enter with mean 0 and deviation 1 over the rows fitted to; a number that is
    the same in all of these is predicted to be so.

    - `linear`: least squares with an intercept, the smallest weights where there are several.
    - `mlp`: one network for all targets, two hidden layers of 128 units with ReLU, minimising the
      squared error by Adam (scikit-learn's `MLPRegressor`) for 100 epochs at most. A tenth of the
      rows is kept apart, and a fit ends where these have not been read better for ten epochs.

    Args:
        readout: Which one.
        train: Rows that it is fitted to.
        test: Rows that are tested.
        wanted: The targets.
        seed: Of first weights, batches and rows kept apart, below 2 ** 32.
    """
    codes, others = standardised(train.codes, test.codes)
    y = np.concatenate([target.train for target in wanted], axis=1)
    mean, deviation = y.mean(axis=0), y.std(axis=0)
    varies = (y != y[:1]).any(axis=0)
    scaled = (y[:, varies] - mean[varies]) / deviation[varies]
    fit = _linear if readout == "linear" else _mlp
    found = np.tile(mean, (len(others), 1))
    found[:, varies] += deviation[varies] * fit(codes, scaled, others, seed)
    ends = np.cumsum([target.train.shape[1] for target in wanted])
    return np.split(found, ends[:-1], axis=1)


def _linear(codes: Floats, y: Floats, others: Floats, seed: int) -> Floats:
    # Neither codes nor targets need an intercept: their means are 0.
    weights = np.linalg.lstsq(codes, y, rcond=None)[0]
    return np.asarray(others @ weights, np.float64)


def _mlp(codes: Floats, y: Floats, others: Floats, seed: int) -> Floats:
    from sklearn.neural_network import MLPRegressor

    model = MLPRegressor(
        hidden_layer_sizes=_HIDDEN,
        max_iter=_EPOCHS,
        early_stopping=len(codes) >= _FEWEST_TO_KEEP_APART,
        n_iter_no_change=_PATIENCE,
        random_state=seed,
    )
    single = y[:, 0] if y.shape[1] == 1 else y
    with warnings.catch_warnings():
        # That the epochs are over.
        warnings.simplefilter("ignore")
        model.fit(codes.astype(np.float32), single.astype(np.float32))
    with np.errstate(over="ignore"):
        # Far outside of what was seen, numbers may be beyond what single precision holds.
        found = model.predict(np.clip(others, -1e6, 1e6).astype(np.float32))
    return np.asarray(found, np.float64).reshape(len(others), -1)
