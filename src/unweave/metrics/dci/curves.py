"""What probes of growing capacity find of one factor, and what the best of them relies on."""

from __future__ import annotations

__all__ = ["Curve", "Examples", "follow", "loss", "permutation_importances"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.factors import Factor
from unweave.metrics.dci.lasso import targets
from unweave.metrics.dci.probes import Codes, Fit, Floats, Probe, Target


@final
@dataclass(frozen=True, eq=False)
class Examples:
    """Rows of one factor, to fit and to test on.

    Attributes:
        fitted: What is to be found in the rows to fit, (N, T).
        codes: Of the rows to test on, (M, L).
        tested: What is to be found in them, (M, T).
        order: The row that gives each of them another's values, (M,).
    """

    fitted: Target
    codes: Codes
    tested: Target
    order: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        factor: Factor,
        labels: NDArray[np.int64],
        codes: Codes,
        tested: NDArray[np.int64],
        order: NDArray[np.int64],
    ) -> Examples:
        """Those of a factor's indices, (N,) and (M,); numbers have mean 0 and deviation 1."""
        values, others = targets(factor, labels), targets(factor, tested)
        classes = factor.kind == "categorical"
        if not classes:
            mean, scale = values.mean(axis=0), values.std()
            scale = scale if scale > 0 else 1.0
            values, others = (values - mean) / scale, (others - mean) / scale
        return cls(Target(values, classes), codes, Target(others, classes), order)

    @property
    def baseline(self) -> float:
        """The loss of the best constant, that of the rows fitted."""
        constant = self.fitted.values.mean(axis=0)
        return loss(self.tested, np.broadcast_to(constant, self.tested.values.shape), constant)

    def loss(self, probe: Probe, codes: Codes) -> float:
        """That of a probe, given these codes of the rows to test on, (M, L)."""
        return loss(self.tested, probe.predict(codes), self.fitted.values.mean(axis=0))


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """What probes find of one factor.

    Attributes:
        capacities: Of the probes, in ascending order, (P,).
        losses: Of each on rows that it was not fitted to, (P,).
        baseline: The loss of the best constant, above 0.
        importances: Of each latent to the probe with the least loss, at least 0, (L,).
    """

    capacities: NDArray[np.float64]
    losses: NDArray[np.float64]
    baseline: float
    importances: NDArray[np.float64]

    @property
    def least(self) -> NDArray[np.float64]:
        """The least loss up to each capacity, constant predictions among them, (P,)."""
        running: NDArray[np.float64] = np.minimum.accumulate(self.losses)
        return np.minimum(running, self.baseline)


def loss(target: Target, found: Floats, mean: Floats) -> float:
    """Share of rows whose class is missed, or of the variance of numbers that is not explained.

    Args:
        target: Of the rows, (N, T).
        found: What a predictor finds, (N, T).
        mean: That of the target in the rows fitted, about which variance is taken, (T,).

    Returns:
        At least 0; 0 too for numbers that all equal the mean.
    """
    if target.classes:
        return float(np.mean(found.argmax(axis=1) != target.values.argmax(axis=1)))
    whole = float(((target.values - mean) ** 2).sum())
    return float(((target.values - found) ** 2).sum()) / whole if whole > 0 else 0.0


def permutation_importances(
    examples: Examples, probe: Probe, before: float
) -> NDArray[np.float64]:
    """By how much the loss grows when the values of one latent are dealt out anew.

    Args:
        examples: Rows to test on.
        probe: A predictor.
        before: Its loss on them.

    Returns:
        At least 0, (L,).
    """
    codes = examples.codes
    grown = np.zeros(codes.shape[1])
    for j in np.flatnonzero((codes != codes[:1]).any(axis=0)):
        dealt = codes.copy()
        dealt[:, j] = codes[examples.order, j]
        grown[j] = examples.loss(probe, dealt) - before
    return np.maximum(grown, 0.0)


def follow(
    examples: Examples, fit: Fit, fitted: Callable[[], None] = lambda: None
) -> Curve | None:
    """Fit the probes of one factor, one after the other.

    Args:
        examples: Its rows.
        fit: Fits probes to the rows to fit.
        fitted: Called after each.

    Returns:
        None where a constant is right in all rows to test on.
    """
    baseline = examples.baseline
    if not baseline > 0:
        return None
    capacities, losses = [], []
    least, best = baseline, None
    for probe in fit(examples.fitted):
        capacities.append(probe.capacity)
        losses.append(examples.loss(probe, examples.codes))
        if losses[-1] < least:
            least, best = losses[-1], probe
        fitted()
    importances = (
        np.zeros(examples.codes.shape[1])
        if best is None
        else permutation_importances(examples, best, least)
    )
    return Curve(np.array(capacities), np.array(losses), baseline, importances)
