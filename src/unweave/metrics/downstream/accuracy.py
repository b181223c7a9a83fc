"""How well factors are predicted from codes, by the number of rows to learn from."""

from __future__ import annotations

__all__ = ["DownstreamLogistic", "DownstreamTask", "DownstreamTrees"]

from collections.abc import Sequence
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import SpecError
from unweave.metrics.base import Matrix, Score
from unweave.metrics.downstream.metric import Findings, Fit, PredictorMetric
from unweave.metrics.downstream.predictors import BoostedTrees, LogisticCV, Predictor
from unweave.metrics.draws import Draws
from unweave.metrics.sampling import sampler
from unweave.representation import Representation
from unweave.spec import number, option

Rows = NDArray[np.int64]


class DownstreamTask(PredictorMetric):
    """Accuracy of predictors of each factor, by the number of rows that they are fitted to.

    The value is that on test rows for the largest number, averaged over factors. Numbers above
    what a table has become what it has, after a third of its rows, `test` at most, are kept for
    testing. A predictor that saw a single value of its factor predicts that value; a factor that
    is constant in the table is left out.
    """

    source: ClassVar[str] = "Locatello et al., 2019, arXiv 1811.12359"

    train: tuple[int, ...] = number(
        default=(10, 100, 1000, 10_000), low=2, help="Numbers of rows to fit on."
    )
    test: int = number(default=5_000, low=1, help="Rows to test on.")

    def validate(self) -> None:
        """Refuse no number of rows at all."""
        require_sizes(self.name, self.train)

    def plan(self, table: Representation, draws: Draws) -> list[Fit]:
        """One fit for each number of rows and factor."""
        return [
            Fit(factor=k, train=train, test=test)
            for train, test in row_sets(self, table, draws, self.train, self.test)
            for k in self.varying(table)
        ]

    def read(self, representation: Representation, prepared: Findings) -> Score:
        """Mean accuracy on test rows at the largest number, and all accuracies."""
        fits, found = prepared
        factors = self.varying(representation)
        names = [representation.factor_space.names[k] for k in factors]
        sizes = [len(fit.train) for fit in fits[:: len(factors)]]
        shape = (len(sizes), len(factors))
        train = np.array([each.train_accuracy for each in found]).reshape(shape)
        test = np.array([each.test_accuracy for each in found]).reshape(shape)
        parts: dict[str, float] = {}
        if self.compat != "none":
            for n, fitted, tested in zip(sizes, train, test, strict=True):
                for what, values in (("train", fitted), ("test", tested)):
                    parts[f"{n}:mean_{what}_accuracy"] = float(values.mean())
                    parts[f"{n}:min_{what}_accuracy"] = float(values.min())
                    for k, value in zip(factors, values, strict=True):
                        parts[f"{n}:{what}_accuracy_factor_{k}"] = float(value)
        else:
            parts = {name: float(value) for name, value in zip(names, test[-1], strict=True)}
            for n, tested in zip(sizes, test, strict=True):
                parts[f"{n}:mean_test_accuracy"] = float(tested.mean())
        return Score(
            value=float(test[-1].mean()),
            parts=parts,
            matrix=Matrix(
                values=test,
                rows=tuple(f"{n} rows" for n in sizes),
                columns=tuple(names),
                label="accuracy on test rows, by rows fitted",
            ),
        )


@final
class DownstreamTrees(DownstreamTask):
    """Accuracy of boosted trees that predict each factor, by the number of rows to learn from.

    References:
        | Challenging Common Assumptions in the Unsupervised Learning of Disentangled
        | Representations (Locatello et al., 2019)
        | https://arxiv.org/abs/1811.12359
    """

    name: ClassVar[str] = "downstream_trees"
    aliases: ClassVar[tuple[str, ...]] = ("downstream_task_boosted_trees",)

    predictor: Predictor = option(default=BoostedTrees(), help="What is fitted for each factor.")


@final
class DownstreamLogistic(DownstreamTask):
    """Accuracy of logistic regressions that predict each factor, by the number of rows.

    References:
        | Challenging Common Assumptions in the Unsupervised Learning of Disentangled
        | Representations (Locatello et al., 2019)
        | https://arxiv.org/abs/1811.12359
    """

    name: ClassVar[str] = "downstream_logistic"
    aliases: ClassVar[tuple[str, ...]] = ("downstream_task_logistic_regression",)

    predictor: Predictor = option(default=LogisticCV(), help="What is fitted for each factor.")


def require_sizes(name: str, sizes: tuple[int, ...]) -> None:
    """Refuse no number of rows at all.

    Raises:
        SpecError: There is none.
    """
    if not sizes:
        raise SpecError(f"{name}: train needs a number of rows to fit on, such as (100, 1000).")


def row_sets(
    metric: PredictorMetric,
    table: Representation,
    draws: Draws,
    sizes: Sequence[int],
    test: int,
) -> list[tuple[Rows, Rows]]:
    """Rows to fit and to test on for each number of rows to fit, from small to large.

    Under `compat` each pair is drawn anew, as in the reference. Otherwise all share one order of
    the rows: the last are to test on, the first to fit on, so that larger sets hold the smaller.
    """
    drawn = sampler(table, draws, metric.compat)
    if metric.compat != "none":
        return [drawn.split(size, test) for size in sorted(set(sizes))]
    order = drawn.sample(len(table))
    held_out = min(test, max(1, len(order) // 3))
    rest, tested = order[:-held_out], order[-held_out:]
    return [(rest[:size], tested) for size in sorted({min(size, len(rest)) for size in sizes})]
