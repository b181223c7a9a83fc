"""How far predictions of a factor depend on another one that should not matter."""

from __future__ import annotations

__all__ = ["Fairness", "summary", "unfairness"]

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.base import Matrix, Score
from unweave.metrics.downstream.interventions import Interventions
from unweave.metrics.downstream.metric import Findings, Fit, PredictorMetric
from unweave.metrics.draws import Draws
from unweave.metrics.sampling import sampler
from unweave.representation import Representation
from unweave.spec import number

Rows = NDArray[np.int64]


def unfairness(counts: NDArray[np.int64]) -> tuple[float, float]:
    """How far predictions under each value of a sensitive factor are from those under all.

    The distance is the total variation between the two distributions of predictions, 0 to 1.

    Args:
        counts: How often each class is predicted under each value, (classes, values).

    Returns:
        Its mean over values, weighted by how many predictions each has, and its maximum.
    """
    counts = np.asarray(counts, np.float64)
    counts = counts[:, counts.sum(axis=0) > 0]
    total = counts.sum(axis=0)
    overall = counts.sum(axis=1, keepdims=True) / total.sum()
    distance = np.abs(counts / total - overall).sum(axis=0) / 2
    return float((distance * total).sum() / total.sum()), float(distance.max())


def summary(table: NDArray[np.float64], factors: Sequence[int] | None = None) -> dict[str, float]:
    """Means and maxima of a table of unfairness, without its diagonal.

    Args:
        table: By predicted factor and sensitive factor, (K, K), K >= 2.
        factors: Numbers of the factors, (K,); None for 0, 1, ...

    Returns:
        By the keys of disentanglement_lib without their prefix.
    """
    table = np.where(np.eye(len(table), dtype=bool), np.nan, table)
    indices = range(len(table)) if factors is None else factors
    parts = {
        f"pred{i}:sens{j}": float(table[row, column])
        for row, i in enumerate(indices)
        for column, j in enumerate(indices)
        if i != j
    }
    reduce: dict[str, Callable[..., Any]] = {"mean": np.nanmean, "max": np.nanmax}
    # A first reduction along rows or columns, then one over what it leaves.
    for axis, inner, outer in ((1, "sens", "pred"), (0, "pred", "sens")):
        for name, first in reduce.items():
            along = first(table, axis=axis)
            for i, value in zip(indices, along, strict=True):
                parts[f"{outer}{i}:{name}_{inner}"] = float(value)
            for whole, second in reduce.items():
                parts[f"{whole}_{outer}:{name}_{inner}"] = float(second(along))
    return parts


@final
class Fairness(PredictorMetric):
    """How far predictions of one factor depend on another: unfairness, 0 where they do not.

    A predictor of each factor is fitted to the codes. Then each other factor, the sensitive one,
    is set to each of its values in turn, all else as it is, and the distribution of predictions
    under a value is compared to that under all: half the sum of the absolute differences. The
    value is the mean over values, sensitive factors and predicted factors; `parts` gives the mean
    for each predicted factor, and the table all pairs.

    Where a table does not have every combination of factors, rows that have the value and were
    not fitted stand for a factor set to it. Then it counts as unfair too that factors go together
    in the table. At least two factors must vary.

    References:
        | On the Fairness of Disentangled Representations (Locatello et al., 2019)
        | https://arxiv.org/abs/1905.13662
    """

    name: ClassVar[str] = "fairness"
    source: ClassVar[str] = "Locatello et al., 2019, arXiv 1905.13662"
    higher_is_better: ClassVar[bool] = False
    fewest_factors: ClassVar[int] = 2

    train: int = number(default=10_000, low=2, help="Rows to fit on.")
    per_value: int = number(
        default=100, low=1, help="Rows for each value of a sensitive factor and each prediction."
    )

    def plan(self, table: Representation, draws: Draws) -> list[Fit]:
        """One fit for each factor, with the rows of every value of all others to predict."""
        factors = np.asarray(table.factors)
        drawn = sampler(table, draws, self.compat)
        change = Interventions(factors, table.factor_space)
        rows = np.arange(len(factors))
        rest = rows[:0]
        if self.compat != "none":
            train = drawn.sample(self.train)
        else:
            order = drawn.sample(len(rows))
            fitted = min(self.train, len(order) - max(1, len(order) // 3))
            train, rest = order[:fitted], order[fitted:]
        if not change.complete:
            rows = rest
            change = Interventions(factors[rest], table.factor_space)
        state = drawn.random_state
        fits = []
        for i in self.varying(table):
            blocks = []
            for j in self.varying(table):
                if j == i:
                    continue
                if self.compat != "none":
                    base = drawn.at_once(self.per_value)
                else:
                    base = state.permutation(rest)[: self.per_value]
                values = [change.change(base, j, int(v), state) for v in change.values(j)]
                blocks.append(rows[np.concatenate(values)])
            lengths = tuple(len(block) for block in blocks)
            fits.append(Fit(factor=i, train=train, test=np.concatenate(blocks), blocks=lengths))
        return fits

    def read(self, representation: Representation, prepared: Findings) -> Score:
        """Mean unfairness, and that of every pair of factors."""
        fits, found = prepared
        varying, sizes = self.varying(representation), representation.factor_space.sizes
        factors = np.asarray(representation.factors)
        mean, largest = np.zeros((2, len(varying), len(varying)))
        for row, (fit, predicted) in enumerate(zip(fits, found, strict=True)):
            others = [column for column in range(len(varying)) if column != row]
            ends = np.cumsum(fit.blocks)[:-1]
            blocks = zip(np.split(fit.test, ends), np.split(predicted.test, ends), strict=True)
            for column, (tested, labels) in zip(others, blocks, strict=True):
                sensitive = varying[column]
                counts = np.zeros((sizes[fit.factor], sizes[sensitive]), np.int64)
                np.add.at(counts, (labels, factors[tested, sensitive]), 1)
                mean[row, column], largest[row, column] = unfairness(counts)
        means = summary(mean, varying)
        names = tuple(representation.factor_space.names[k] for k in varying)
        if self.compat != "none":
            parts = {f"mean_fairness:{key}": value for key, value in means.items()}
            maxima = summary(largest, varying)
            parts |= {f"max_fairness:{key}": value for key, value in maxima.items()}
        else:
            parts = {
                name: means[f"pred{k}:mean_sens"] for name, k in zip(names, varying, strict=True)
            }
        return Score(
            value=means["mean_pred:mean_sens"],
            parts=parts,
            matrix=Matrix(
                values=mean,
                rows=tuple(f"predicted {name}" for name in names),
                columns=tuple(f"sensitive {name}" for name in names),
                label="mean unfairness; the diagonal is none and left out",
            ),
        )
