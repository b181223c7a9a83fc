"""What metrics of one information matrix have in common: estimator, rows, the shared estimate."""

from __future__ import annotations

__all__ = [
    "SAMPLES_HELP",
    "InformationBase",
    "InformationMetric",
    "factor_parts",
    "information_table",
    "latent_parts",
    "require_kept",
    "require_variation",
]

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.draws import Draws
from unweave.metrics.information.estimators import Histogram, InformationEstimator
from unweave.metrics.information.matrix import InformationMatrix
from unweave.metrics.sampling import RowSampler
from unweave.representation import Representation
from unweave.spec import number, option

SAMPLES_HELP = (
    "Rows drawn without replacement, all of them where there are fewer; None for all rows."
)


class InformationBase(Metric):
    """A metric of an information matrix, however that is estimated.

    Metrics with equal estimator and samples share one estimate of one sample. A factor that is
    constant in the sample has no entropy and is left out; `parts` does not name it.
    """

    stream: ClassVar[str] = "information"

    samples: int | None = number(default=None, low=2, help=SAMPLES_HELP)

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse factors that are all constant.

        Raises:
            DataError: They are.
        """
        require_variation(self.name, bool((factors != factors[:1]).any()))

    def sample(self, representation: Representation, draws: Draws) -> Representation:
        """The rows that are scored, the same for all metrics of as many.

        Raises:
            DataError: `check` refuses the table.
        """
        factors = np.asarray(representation.factors)
        self.check(factors, representation.factor_space, representation.latents)
        samples = self.samples
        if samples is None or samples >= len(representation):
            return representation
        return representation.once(
            ("rows", samples, draws),
            lambda: representation.subset(RowSampler(factors, draws).sample(samples)),
        )

    def estimated(
        self, representation: Representation, draws: Draws, estimator: InformationEstimator
    ) -> InformationMatrix:
        """The information matrix of the sample, estimated once a table.

        Raises:
            DataError: `check` refuses the rows, the estimator lacks something, or every factor is
                constant in the sample.
        """
        table = self.sample(representation, draws)
        purpose = Draws(draws.seed, f"{draws.purpose}/{estimator}")
        found = representation.once(
            ("information", estimator, self.samples, draws),
            lambda: estimator.estimate(table, purpose),
        )
        require_variation(self.name, bool(found.varies.any()))
        return found


class InformationMetric(InformationBase):
    """A metric that is a function of an information matrix alone."""

    estimator: InformationEstimator = option(
        default=Histogram(), help="How mutual information is estimated."
    )

    def cost(self, representation: Representation) -> str | None:
        """What the estimate takes, where that is long."""
        return self.estimator.cost(representation)

    def score(self, representation: Representation, draws: Draws) -> Score:
        """The score of the information matrix, which stands behind it.

        Raises:
            DataError: The representation is not one that the metric can score.
        """
        found = self.estimated(representation, draws, self.estimator)
        return self.score_matrix(found, representation)

    @abstractmethod
    def score_matrix(self, found: InformationMatrix, table: Representation) -> Score:
        """The score of an information matrix.

        Args:
            found: The matrix, of which at least one factor varies.
            table: Names factors and latents.

        Raises:
            DataError: The matrix is not one that the metric can score.
        """

    def result(
        self,
        value: float,
        parts: dict[str, float],
        found: InformationMatrix,
        table: Representation,
    ) -> Score:
        """A score without a unit, with the matrix behind it."""
        return Score(value=value, parts=parts, matrix=information_table(found, table))


def information_table(found: InformationMatrix, table: Representation) -> Matrix:
    """The matrix with names of its latents and factors."""
    names = table.factor_space.names
    return Matrix(
        values=found.information,
        rows=tuple(f"z{j}" for j in range(len(found.information))),
        columns=names[len(names) - found.information.shape[1] :],
        label="mutual information (nats)",
    )


def factor_parts(
    values: NDArray[np.float64], found: InformationMatrix, table: Representation
) -> dict[str, float]:
    """Values (K,) by the names of the factors that vary."""
    names = table.factor_space.names
    named = zip(names[len(names) - len(values) :], values, found.varies, strict=True)
    return {name: float(value) for name, value, varies in named if varies}


def latent_parts(values: NDArray[np.float64], used: NDArray[np.bool_]) -> dict[str, float]:
    """Values (L,) by the names of the latents that are used, `z0`, ..."""
    return {f"z{j}": float(values[j]) for j in np.flatnonzero(used)}


def require_kept(name: str, skip: int, factors: int) -> None:
    """Refuse to leave out all factors.

    Raises:
        DataError: None is left.
    """
    if skip >= factors:
        raise DataError(
            f"{name}: skip is {skip}, but there are {factors} factors. Give a skip of at most "
            f"{factors - 1}, so that one is left."
        )


def require_variation(name: str, varies: bool) -> None:
    """Refuse factors that are all constant.

    Raises:
        DataError: They are.
    """
    if not varies:
        raise DataError(f"{name} needs a factor that varies, but every factor is constant here.")
