"""What metrics of downstream predictions have in common: their fits, cost and progress."""

from __future__ import annotations

__all__ = ["Findings", "Fit", "Found", "PredictorMetric"]

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics.costs import duration
from unweave.metrics.downstream.predictors import BoostedTrees, Predictor
from unweave.metrics.draws import Draws
from unweave.metrics.prepared import PreparedMetric
from unweave.metrics.sampling import COMPAT_HELP, Compat, grid_rows, sampler
from unweave.representation import Representation
from unweave.spec import option

if TYPE_CHECKING:
    from unweave.progress import Progress

Rows = NDArray[np.int64]
_WORTH_SAYING = 5.0


@final
@dataclass(frozen=True, eq=False)
class Fit:
    """A predictor of one factor to fit.

    Attributes:
        factor: Which it predicts.
        train: Rows to fit, (N,).
        test: Further rows to predict, (M,).
        without: Latents that it does not see.
        blocks: Lengths of the parts of `test`, where it has parts.
    """

    factor: int
    train: Rows
    test: Rows
    without: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for fits of the same, which are done once."""
        return (self.factor, id(self.train), id(self.test), self.without)


@final
@dataclass(frozen=True, eq=False)
class Found:
    """What a predictor found.

    Attributes:
        train: Labels of the rows fitted, (N,).
        test: Labels of the further rows, (M,).
        train_accuracy: Share of the former that is right.
        test_accuracy: Share of the latter that is right.
    """

    train: Rows
    test: Rows
    train_accuracy: float
    test_accuracy: float


# The fits of a plan, and what each found.
Findings = tuple[list[Fit], list[Found]]


class PredictorMetric(PreparedMetric[Findings]):
    """A metric of what predictors find that are fitted to a table's codes.

    Class attributes:
        fewest_factors: How many factors must vary.
    """

    opt_in: ClassVar[bool] = True
    fewest_factors: ClassVar[int] = 1

    predictor: Predictor = option(default=BoostedTrees(), help="What is fitted for each factor.")
    compat: Compat = option(default="none", help=COMPAT_HELP)

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse too few factors that vary, and with `compat` what is not the full grid.

        Raises:
            DataError: The message says which.
        """
        if self.compat != "none":
            grid_rows(factors, factor_space)
        count = len(_varying(factors))
        if count < self.fewest_factors:
            raise DataError(
                f"{self.name} needs {_several(self.fewest_factors)}, but {count or 'none'} "
                f"of {factors.shape[1]} {'does' if count < 2 else 'do'} here."
            )

    def measure_cost(self, representation: Representation) -> str | None:
        """What is fitted and how long that takes, from small parts of fits; None if little."""
        self._check(representation)
        fits = self.workload(representation, Draws(0, "cost"))
        units, seconds = self._amount(representation, fits)
        if seconds < _WORTH_SAYING:
            return None
        return f"{units:,} {self.predictor.unit} to fit, about {duration(seconds)}"

    @abstractmethod
    def plan(self, table: Representation, draws: Draws) -> list[Fit]:
        """What is to be fitted, in the order of the fits."""

    def work(
        self, representation: Representation, draws: Draws, progress: Progress | None
    ) -> Findings:
        """Fit the predictors and keep what they find.

        Raises:
            DataError: The representation is not one that the metric can score.
        """
        self._check(representation)
        fits = self.plan(representation, draws)
        # A stream of its own, begun anew, as solvers of the reference draw from NumPy's.
        state = sampler(representation, draws, self.compat).random_state
        found: dict[tuple[object, ...], Found] = {}
        for done, fit in enumerate(fits):
            if progress is not None:
                progress("fits", done, len(fits))
            if fit.key not in found:
                found[fit.key] = self._predicted(representation, fit, state)
        if progress is not None:
            progress("fits", len(fits), len(fits))
        return fits, [found[fit.key] for fit in fits]

    def varying(self, table: Representation) -> list[int]:
        """The factors that vary in the table."""
        return _varying(np.asarray(table.factors))

    def workload(self, table: Representation, draws: Draws) -> list[Fit]:
        """Fits that take as long as all that is done, without doing any of it."""
        return self.plan(table, draws)

    def _check(self, table: Representation) -> None:
        self.check(np.asarray(table.factors), table.factor_space, table.latents)

    def _predicted(self, table: Representation, fit: Fit, state: np.random.RandomState) -> Found:
        codes = _seen(table, fit)
        labels = np.asarray(table.factors)[:, fit.factor]
        own, others = self.predictor.predict(
            codes[fit.train], labels[fit.train], codes[fit.test], state, self.compat
        )
        return Found(
            train=own,
            test=others,
            train_accuracy=float(np.mean(own == labels[fit.train])),
            test_accuracy=float(np.mean(others == labels[fit.test])),
        )

    def _amount(self, table: Representation, fits: Sequence[Fit]) -> tuple[int, float]:
        """Units to fit and seconds they take, from the largest fit of each number of rows."""
        factors = np.asarray(table.factors)
        sizes: dict[int, list[tuple[int, Fit]]] = {}
        for fit in fits:
            labels = factors[fit.train, fit.factor]
            classes = np.unique(labels).size
            if classes > 1:
                sizes.setdefault(len(labels), []).append((classes, fit))
        units, seconds = 0, 0.0
        for same in sizes.values():
            classes, largest = max(same, key=lambda each: each[0])
            labels = factors[largest.train, largest.factor]
            one = self.predictor.seconds(_seen(table, largest)[largest.train], labels, self.compat)
            units += sum(self.predictor.units(count) for count, _ in same)
            seconds += one * sum(count for count, _ in same) / classes
        return units, seconds


def _seen(table: Representation, fit: Fit) -> NDArray[np.floating]:
    """The codes that a predictor sees, (N, L less those left out)."""
    codes = np.asarray(table.mean)
    return np.delete(codes, list(fit.without), axis=1) if fit.without else codes


def _varying(factors: NDArray[np.int64]) -> list[int]:
    return [int(k) for k in np.flatnonzero((factors != factors[:1]).any(axis=0))]


def _several(count: int) -> str:
    return "a factor that varies" if count == 1 else f"{count} factors that vary"
