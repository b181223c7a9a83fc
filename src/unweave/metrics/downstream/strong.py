"""How well predictors of factors carry over to values of other factors that they never saw."""

from __future__ import annotations

__all__ = ["StrongDownstream"]

from collections.abc import Sequence
from typing import ClassVar, final

import numpy as np

from unweave.metrics.base import Matrix, Score
from unweave.metrics.downstream.accuracy import require_sizes, row_sets
from unweave.metrics.downstream.interventions import Interventions
from unweave.metrics.downstream.metric import Findings, Fit, PredictorMetric
from unweave.metrics.draws import Draws
from unweave.metrics.sampling import sampler
from unweave.representation import Representation
from unweave.spec import number


@final
class StrongDownstream(PredictorMetric):
    """Accuracy of predictors of a factor where another factor has values that they never saw.

    For each factor, `experiments` times, another factor and one of its values are chosen at
    random. In the rows to fit on it has that value, in the rows to test on any other. The value is
    the accuracy on those test rows, averaged; beside it stands the accuracy without such a shift.

    Where a table has every combination of factors, the same rows are taken with that factor
    changed; else rows that have the value. At least two factors must vary.

    References:
        | The disentanglement_lib code (Locatello et al., 2019), which defines it
        | https://arxiv.org/abs/1811.12359
    """

    name: ClassVar[str] = "strong_downstream"
    source: ClassVar[str] = "disentanglement_lib (Locatello et al., 2019, arXiv 1811.12359)"
    aliases: ClassVar[tuple[str, ...]] = ("strong_downstream_task",)
    fewest_factors: ClassVar[int] = 2

    train: tuple[int, ...] = number(default=(1000,), low=2, help="Numbers of rows to fit on.")
    test: int = number(default=1000, low=1, help="Rows to test on.")
    experiments: int = number(default=2, low=1, help="Shifts for each factor.")

    def validate(self) -> None:
        """Refuse no number of rows at all."""
        require_sizes(self.name, self.train)

    def plan(self, table: Representation, draws: Draws) -> list[Fit]:
        """For each number of rows, fits without a shift, then those of the experiments."""
        factors = self.varying(table)
        change = Interventions(np.asarray(table.factors), table.factor_space)
        if self.compat == "none":
            row_pairs = row_sets(self, table, draws, self.train, self.test)
            state = sampler(
                table, Draws(draws.seed, f"{draws.purpose}/shift"), "none"
            ).random_state
        else:
            drawn = sampler(table, draws, self.compat)
            sizes = sorted(set(self.train))
            row_pairs = [(drawn.at_once(size), drawn.at_once(self.test)) for size in sizes]
            state = draws.legacy()
        fits = []
        for train, test in row_pairs:
            fits += [Fit(factor=k, train=train, test=test) for k in factors]
            for k in factors:
                for _ in range(self.experiments):
                    other = int(state.choice([j for j in factors if j != k]))
                    values = change.values(other)
                    value = int(state.choice(values))
                    unseen = state.choice(values[values != value], size=len(test))
                    shifted = change.change(train, other, value, state)
                    tested = change.change(test, other, unseen, state)
                    fits.append(Fit(factor=k, train=shifted, test=tested))
        return fits

    def read(self, representation: Representation, prepared: Findings) -> Score:
        """Mean accuracy under shifts at the largest number of rows, and beside it without."""
        fits, found = prepared
        factors = self.varying(representation)
        count = len(factors) * (1 + self.experiments)
        parts: dict[str, float] = {}
        for start in range(0, len(fits), count):
            n = len(fits[start].train)
            plain, shifted = (
                found[start : start + len(factors)],
                found[start + len(factors) : start + count],
            )
            parts[f"{n}:mean_train_accuracy"] = _mean([each.train_accuracy for each in plain])
            tested = parts[f"{n}:mean_test_accuracy"] = _mean([e.test_accuracy for e in plain])
            parts[f"{n}:mean_strong_train_accuracy"] = _mean([e.train_accuracy for e in shifted])
            strong = _mean([each.test_accuracy for each in shifted])
            parts[f"{n}:mean_strong_test_accuracy"] = strong
            if self.compat != "none":
                gap = 1 - strong / tested if tested > 0 else 0.0
                parts[f"{n}:strong_generalization_gap"] = gap
        of_factor = np.array([each.test_accuracy for each in shifted]).reshape(len(factors), -1)
        values = np.stack([[each.test_accuracy for each in plain], of_factor.mean(axis=1)])
        return Score(
            value=strong,
            parts=parts,
            matrix=Matrix(
                values=values,
                rows=("as fitted", "shifted"),
                columns=tuple(representation.factor_space.names[k] for k in factors),
                label=f"accuracy on test rows, {n} rows fitted",
            ),
        )


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))
