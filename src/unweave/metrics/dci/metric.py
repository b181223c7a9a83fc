"""What metrics of importances have in common: rows, factors that vary, scores, cost."""

from __future__ import annotations

__all__ = ["Fitted", "ImportanceMetric", "Task", "task_of"]

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics.base import Matrix, Score
from unweave.metrics.columns import standardised
from unweave.metrics.costs import duration
from unweave.metrics.dci.scores import completeness, disentanglement
from unweave.metrics.draws import Draws
from unweave.metrics.prepared import PreparedMetric
from unweave.metrics.sampling import (
    COMPAT_HELP,
    SHARE_HELP,
    Compat,
    Rows,
    check_published_scale,
    grid_rows,
    in_order,
    sampler,
)
from unweave.representation import Representation
from unweave.spec import number, option

if TYPE_CHECKING:
    from unweave.progress import Progress

# What disentanglement_lib adds to every importance.
_FLOOR = 1e-11
_WORTH_SAYING = 5.0


@final
@dataclass(frozen=True, eq=False)
class Task:
    """Codes and labels to fit and to test on.

    Attributes:
        codes: Of the rows to fit, (N, L) float32.
        labels: Of the rows to fit, one column a factor that varies in them, (N, K).
        test_codes: Of the other rows, (M, L) float32.
        test_labels: Of the other rows, (M, K).
        columns: Which factors the columns are, (K,).
        random_state: For estimators that draw.
    """

    codes: NDArray[np.float32]
    labels: NDArray[np.int64]
    test_codes: NDArray[np.float32]
    test_labels: NDArray[np.int64]
    columns: NDArray[np.intp]
    random_state: np.random.RandomState


@final
@dataclass(frozen=True, eq=False)
class Fitted:
    """What was fitted for one factor.

    Attributes:
        importances: Of each latent, at least 0, (L,).
        train: Share of the rows fitted whose label is found.
        test: Share of the other rows whose label is found.
        per_tree: Importances in each of several trees, each with the sum 1, averaged, (L,).
    """

    importances: NDArray[np.float64]
    train: float
    test: float
    per_tree: NDArray[np.float64] | None = None


# Which factors were fitted, and what was fitted for each.
Importances = tuple[NDArray[np.intp], Sequence[Fitted]]


class ImportanceMetric(PreparedMetric[Importances]):
    """A metric of how much each latent matters to a predictor of each factor.

    The headline is disentanglement. A factor that is constant in the rows fitted has no predictor:
    it is left out. With `compat`, it is left out of everything but the number of factors.

    Class attributes:
        label: What the tables and figures call an importance.
    """

    opt_in: ClassVar[bool] = True
    label: ClassVar[str] = "importance"

    train: int = number(default=10_000, low=2, help="Rows that predictors are fitted to.")
    test: int = number(default=5_000, low=1, help="Other rows that predictors are tested on.")
    share: float | None = number(default=None, above=0, below=1, help=SHARE_HELP)
    compat: Compat = option(default="none", help=COMPAT_HELP)

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse factors that are all constant, and with `compat` what is not the full grid.

        Raises:
            DataError: The message says which.
        """
        if self.share is not None:
            in_order(len(factors), self.share)
        elif self.compat != "none":
            grid_rows(factors, factor_space)
        if not (factors != factors[:1]).any():
            raise DataError(self._constant())

    def measure_cost(self, representation: Representation) -> str | None:
        """Number of trees and time to grow them, from a few that are grown; None if little."""
        import sklearn.ensemble  # noqa: F401 - before a clock starts

        task = self._task(representation, Draws(0, "cost"))
        seconds = self.seconds(task)
        if seconds < _WORTH_SAYING:
            return None
        return f"{self.trees(task):,} trees to grow, about {duration(seconds)}"

    def work(
        self, representation: Representation, draws: Draws, progress: Progress | None
    ) -> Importances:
        """Fit the predictors.

        Raises:
            DataError: The representation is not one that the metric can score.
        """
        task = self._task(representation, draws)
        return task.columns, self.fit(task, progress)

    def read(self, representation: Representation, prepared: Importances) -> Score:
        """Disentanglement; completeness and informativeness as parts; the table of importances."""
        columns, fitted = prepared
        space = representation.factor_space
        importances = np.zeros((representation.latents, len(space.factors)))
        importances[:, columns] = np.stack([self.importances(each) for each in fitted], axis=1)
        plain = self.compat == "none"
        scored, floor = (importances[:, columns], 0.0) if plain else (importances, _FLOOR)
        value = disentanglement(scored, floor)
        parts = {
            "informativeness_train": float(np.mean([each.train for each in fitted])),
            "informativeness_test": float(np.mean([each.test for each in fitted])),
            "disentanglement": value,
            "completeness": completeness(scored, floor),
        }
        if plain:
            parts |= {
                f"completeness_{space.names[k]}": completeness(importances[:, [k]])
                for k in columns
            }
        matrix = Matrix(
            values=importances,
            rows=tuple(f"z{j}" for j in range(representation.latents)),
            columns=space.names,
            label=self.label,
        )
        return Score(value=value, parts=parts, matrix=matrix)

    def importances(self, fitted: Fitted) -> NDArray[np.float64]:
        """The importances that are scored, (L,)."""
        return fitted.importances

    @abstractmethod
    def fit(self, task: Task, progress: Progress | None) -> Sequence[Fitted]:
        """Fit a predictor of each factor of the task."""

    @abstractmethod
    def trees(self, task: Task) -> int:
        """How many trees are grown for it."""

    @abstractmethod
    def seconds(self, task: Task) -> float:
        """How long that takes, measured on a few."""

    def _constant(self) -> str:
        return f"{self.name} needs a factor that varies, but every factor is constant here."

    def _task(self, table: Representation, draws: Draws) -> Task:
        factors = np.asarray(table.factors)
        self.check(factors, table.factor_space, table.latents)
        if self.share is not None:
            train, test = in_order(len(table), self.share)
            if self.compat != "none":
                check_published_scale(table.mean)
            random_state = draws.legacy()
        else:
            rows = sampler(table, draws, self.compat)
            train, test = rows.split(self.train, self.test)
            # The reference's estimators draw from a stream of their own with the same seed.
            random_state = rows.random_state if self.compat == "none" else draws.legacy()
        which = "drawn at random" if self.share is None else "as they stand"
        return task_of(
            table,
            (train, test),
            random_state,
            name=self.name,
            which=which,
            scaled=self.compat == "none",
        )


def task_of(
    table: Representation,
    rows: tuple[Rows, Rows],
    random_state: np.random.RandomState,
    *,
    name: str,
    which: str = "drawn at random",
    scaled: bool = True,
) -> Task:
    """Codes and labels of rows to fit and of other rows to test on.

    Args:
        table: Has the rows.
        rows: Those to fit, (N,), and the others, (M,).
        random_state: For estimators that draw.
        name: The metric.
        which: How the rows came about, in words.
        scaled: Whether each latent is brought to mean 0 and deviation 1.

    Raises:
        DataError: No factor varies in the rows to fit.
    """
    train, test = rows
    factors = np.asarray(table.factors)
    labels = factors[train]
    columns = np.flatnonzero((labels != labels[:1]).any(axis=0))
    if not columns.size:
        raise DataError(
            f"{name} fits {len(train)} rows {which}, and every factor is constant in them. Give "
            f"more rows."
        )
    codes: NDArray[np.floating] = np.asarray(table.mean[train])
    others: NDArray[np.floating] = np.asarray(table.mean[test])
    if scaled:
        codes, others = standardised(codes, others)
    return Task(
        codes=np.ascontiguousarray(codes, np.float32),
        labels=labels[:, columns],
        test_codes=np.ascontiguousarray(others, np.float32),
        test_labels=factors[test][:, columns],
        columns=columns,
        random_state=random_state,
    )
