"""How well factors are still predicted when the latents of one factor are taken away."""

from __future__ import annotations

__all__ = ["ReducedDownstream"]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics.base import Matrix, Score
from unweave.metrics.downstream.accuracy import require_sizes, row_sets
from unweave.metrics.downstream.metric import Findings, Fit, PredictorMetric
from unweave.metrics.downstream.predictors import BoostedTrees
from unweave.metrics.draws import Draws
from unweave.metrics.sampling import sampler
from unweave.representation import Representation
from unweave.spec import number, option

Rows = NDArray[np.int64]


@final
class ReducedDownstream(PredictorMetric):
    """Accuracy of predictors when the latents that matter most to one factor are taken away.

    For each factor, `remove` times, boosted trees that predict it say which of the latents that
    are left matters most, and it is taken away; then predictors of all factors are fitted to the
    rest. The value is the accuracy on test rows of the factors whose latents were not the aim,
    averaged: codes that keep factors apart lose nothing of them. Beside it stands the accuracy of
    the factor whose latents were taken, and the table has both, each row a factor that was aimed
    at. At least two factors must vary.

    Where two factors lose the same latents, the predictors are fitted once. The reference fits
    trees for all factors again to find one latent of one of them; the trees of that one suffice.

    References:
        | The disentanglement_lib code (Locatello et al., 2019), which defines it
        | https://arxiv.org/abs/1811.12359
    """

    name: ClassVar[str] = "reduced_downstream"
    source: ClassVar[str] = "disentanglement_lib (Locatello et al., 2019, arXiv 1811.12359)"
    aliases: ClassVar[tuple[str, ...]] = ("reduced_downstream_task",)
    fewest_factors: ClassVar[int] = 2

    train: tuple[int, ...] = number(default=(1000,), low=2, help="Numbers of rows to fit on.")
    test: int = number(default=5_000, low=1, help="Rows to test on.")
    remove: int = number(default=1, low=1, help="Latents taken away for each factor.")
    ranking: BoostedTrees = option(
        default=BoostedTrees(), help="Trees that say which latent matters most."
    )

    def validate(self) -> None:
        """Refuse no number of rows at all."""
        require_sizes(self.name, self.train)

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse as many latents as are taken away, and what no predictor metric can score.

        Raises:
            DataError: The message says which.
        """
        super().check(factors, factor_space, latents)
        if self.remove >= latents:
            raise DataError(
                f"reduced_downstream: remove is {self.remove}, but there are only {latents} "
                f"latents, of which one must be left."
            )

    def plan(self, table: Representation, draws: Draws) -> list[Fit]:
        """For each number of rows and each factor, predictors of all without its latents.

        Which latents these are is found here, which is a part of the work.
        """
        factors = self.varying(table)
        state = sampler(table, draws, self.compat).random_state
        fits = []
        for train, test in row_sets(self, table, draws, self.train, self.test):
            for without in self._taken(table, train, state):
                fits += [Fit(factor=k, train=train, test=test, without=without) for k in factors]
        return fits

    def workload(self, table: Representation, draws: Draws) -> list[Fit]:
        """As many fits as there are at most, none of them without latents."""
        factors = self.varying(table)
        fits = []
        for train, test in row_sets(self, table, draws, self.train, self.test):
            for _ in range(self.remove + len(factors)):
                fits += [Fit(factor=k, train=train, test=test) for k in factors]
        return fits

    def read(self, representation: Representation, prepared: Findings) -> Score:
        """Accuracy of the other factors, and of those aimed at, at the largest number of rows."""
        fits, found = prepared
        factors = self.varying(representation)
        names = [representation.factor_space.names[k] for k in factors]
        count = len(factors)
        parts: dict[str, float] = {}
        for start in range(0, len(fits), count**2):
            n = len(fits[start].train)
            some = found[start : start + count**2]
            train = np.array([each.train_accuracy for each in some]).reshape(count, count)
            test = np.array([each.test_accuracy for each in some]).reshape(count, count)
            for what, table_of in (("train", train), ("test", test)):
                if self.compat != "none":
                    parts |= _published(f"{n}:", what, table_of, factors)
                parts[f"{n}:mean_{what}_accuracy_reduced_factor"] = float(table_of.trace() / count)
                parts[f"{n}:mean_{what}_accuracy_other_factors"] = float(_others(table_of).mean())
        return Score(
            value=float(_others(test).mean()),
            parts=parts,
            matrix=Matrix(
                values=test,
                rows=tuple(f"without {name}" for name in names),
                columns=tuple(names),
                label=f"accuracy on test rows, {n} rows fitted, by the factor aimed at",
            ),
        )

    def _taken(
        self, table: Representation, train: Rows, state: np.random.RandomState
    ) -> list[tuple[int, ...]]:
        """The latents that matter most to each factor, in order of their index."""
        codes, factors = np.asarray(table.mean)[train], np.asarray(table.factors)[train]
        taken = []
        for k in self.varying(table):
            left = list(range(table.latents))
            for _ in range(self.remove):
                importances = self.ranking.importances(
                    codes[:, left], factors[:, k], state, self.compat
                )
                del left[int(np.argmax(importances))]
            taken.append(tuple(sorted(set(range(table.latents)) - set(left))))
        return taken


def _others(accuracies: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each row (K, K) without the diagonal, (K,)."""
    count = len(accuracies)
    others = (accuracies.sum(axis=1) - np.diag(accuracies)) / (count - 1)
    # Differences are rounded, and no accuracy is above 1.
    return np.asarray(np.minimum(others, 1.0))


def _published(
    prefix: str, what: str, accuracies: NDArray[np.float64], factors: list[int]
) -> dict[str, float]:
    """The outputs of disentanglement_lib for each factor aimed at, by its keys."""
    parts = {}
    others = _others(accuracies)
    for row, aim in enumerate(factors):
        stem = f"{prefix}reduced_factor_{aim}:mean_{what}_accuracy_"
        parts[f"{stem}reduced_factor"] = float(accuracies[row, row])
        parts[f"{stem}non_reduced_factor"] = float(others[row])
        for column, k in enumerate(factors):
            parts[f"{stem}factor_{k}"] = float(accuracies[row, column])
    return parts
