"""The BetaVAE score: can a linear classifier tell which factor pairs of images share?"""

from __future__ import annotations

__all__ = ["BetaVAEScore", "mean_differences"]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.columns import within_one
from unweave.metrics.draws import Draws
from unweave.metrics.sampling import COMPAT_HELP, Compat, check_interventions, sampler
from unweave.metrics.solvers import accuracy, fit, logistic_regression
from unweave.representation import Representation
from unweave.spec import number, option

# Rows whose codes are gathered at once.
_BLOCK = 2**17


def mean_differences(
    codes: NDArray[np.floating], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean absolute difference between the codes of paired rows, latent by latent.

    Args:
        codes: (N, L).
        first: Rows, (points, batch).
        second: Rows that they are compared with, (points, batch).

    Returns:
        Means over each batch, (points, L).
    """
    points, batch = first.shape
    found = np.empty((points, codes.shape[1]))
    step = max(1, _BLOCK // batch)
    for start in range(0, points, step):
        here = slice(start, start + step)
        differences = codes.take(first[here], axis=0)
        differences -= codes.take(second[here], axis=0)
        found[here] = np.abs(differences, out=differences).mean(axis=1)
    return found


@final
class BetaVAEScore(Metric):
    """Accuracy of naming the factor that pairs share from how far their codes differ.

    A point is a factor drawn at random, and a batch of pairs of rows that share its value; its
    features are the mean absolute differences of the codes over the batch. A logistic regression
    is fitted on `train` points and scored on `test` fresh ones. Chance is one over the number of
    factors.

    Codes are first divided by their standard deviation in the table, so that the penalty of the
    classifier does not favour latents of large scale; constant ones stay as they are. A factor
    that is constant in the table is never drawn. `parts` are the accuracies on the points of each
    factor. The matrix says how much smaller each feature is on the training points of a factor
    than on those of the factor where it is largest.

    With `compat`, codes are taken as they are, and `parts` are `train_accuracy` and
    `eval_accuracy`.

    References:
        | beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework
        | (Higgins et al., ICLR 2017)
        | Challenging Common Assumptions in the Unsupervised Learning of Disentangled
        | Representations (Locatello et al., 2019), whose classifier and features these are
        | https://arxiv.org/abs/1811.12359
    """

    name: ClassVar[str] = "beta_vae"
    aliases: ClassVar[tuple[str, ...]] = ("beta_vae_sklearn",)
    source: ClassVar[str] = "Higgins et al., ICLR 2017"

    train: int = number(default=10_000, low=2, help="Points that the classifier is fitted on.")
    test: int = number(default=5_000, low=1, help="Points that it is scored on.")
    batch: int = number(default=64, low=1, help="Pairs behind a point.")
    penalised: bool = option(default=True, help="Penalise the weights of the classifier.")
    compat: Compat = option(default="none", help=COMPAT_HELP)

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse tables with fewer than two factors that vary.

        Raises:
            DataError: There are fewer, or `compat` needs the full grid and this is not one.
        """
        check_interventions(self.name, factors, factor_space, self.compat)

    def score(self, representation: Representation, draws: Draws) -> Score:
        """The accuracy on fresh points.

        Raises:
            DataError: Fewer than two factors vary or were drawn for training, or `compat` needs
                the full grid and this is not one.
        """
        table = representation
        space = table.factor_space
        self.check(np.asarray(table.factors), space, table.latents)
        rows = sampler(table, draws, self.compat)
        codes = table.mean if self.compat != "none" else _of_unit_deviation(table.mean)

        def points(count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
            drawn = rows.pairs(count, self.batch)
            return mean_differences(codes, drawn.first, drawn.second), drawn.factor

        features, labels = points(self.train)
        drawn = np.unique(labels)
        if drawn.size < 2:
            raise DataError(
                f"beta_vae: train={self.train} points all share factor {space.names[drawn[0]]}; "
                "draw more of them."
            )
        unfitted = logistic_regression(self.compat, rows.random_state, penalised=self.penalised)
        classifier = fit(unfitted, features, labels)
        fresh, fresh_labels = points(self.test)
        value = accuracy(classifier, fresh, fresh_labels)
        if self.compat != "none":
            train = accuracy(classifier, features, labels)
            parts = {"train_accuracy": train, "eval_accuracy": value}
        else:
            parts = {
                space.names[k]: accuracy(classifier, fresh[fresh_labels == k], k)
                for k in np.unique(fresh_labels)
            }
        means = np.stack([features[labels == k].mean(axis=0) for k in drawn], axis=1)
        matrix = Matrix(
            values=_lost(means),
            rows=tuple(f"z{j}" for j in range(table.latents)),
            columns=tuple(space.names[k] for k in drawn),
            label="share of the mean difference that is gone while the factor is shared",
        )
        return Score(value=value, parts=parts, matrix=matrix)


def _lost(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far means, (L, K), fall short of the largest in their row, as a share; 0 of nothing."""
    largest = means.max(axis=1, keepdims=True)
    return 1 - np.where(largest > 0, means, 1.0) / np.where(largest > 0, largest, 1.0)


def _of_unit_deviation(codes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Codes over their standard deviation; constant latents stay constant."""
    codes = within_one(codes)
    deviations = codes.std(axis=0)
    return np.asarray(codes / np.where(deviations > 0, deviations, 1.0))
