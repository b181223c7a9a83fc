"""Modularity and explicitness: of one factor alone, and all of it."""

from __future__ import annotations

__all__ = ["ModularityExplicitness", "class_aucs", "standardise"]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.columns import standardised
from unweave.metrics.draws import Draws
from unweave.metrics.information.modularity import modularities
from unweave.metrics.plug_in import discretise, entropies, mutual_information
from unweave.metrics.sampling import COMPAT_HELP, Compat, grid_rows, sampler
from unweave.metrics.solvers import fit, logistic_regression
from unweave.representation import Representation
from unweave.spec import number, option


def standardise(
    train: NDArray[np.floating], test: NDArray[np.floating]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Columns less their mean in training, over their standard deviation there.

    This is the arithmetic of disentanglement_lib, bit for bit.

    Args:
        train: (N, L).
        test: (M, L), moved and scaled as the training rows.

    Returns:
        Both, in their precision; a column without a deviation in training is 0 in both.
    """
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    still = deviation == 0
    scale = np.where(still, 1, deviation).astype(train.dtype)
    first, second = ((codes - mean) / scale for codes in (train, test))
    return np.where(still, 0, first), np.where(still, 0, second)


def class_aucs(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64], classes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Area under the ROC curve of each class against the rest, ties counting half.

    Args:
        probabilities: Probability of each class, (N, C).
        labels: True classes, (N,); some may be none of `classes`.
        classes: The class of each column, (C,).

    Returns:
        From 0 to 1, (C,); NaN for a class that no row has, or every row.
    """
    from scipy.stats import rankdata

    ranks = rankdata(probabilities, axis=0)
    positive = labels[:, None] == classes
    count = positive.sum(axis=0)
    pairs = count * (len(labels) - count)
    # How often a row of the class ranks above one of the rest.
    above = np.where(positive, ranks, 0).sum(axis=0) - count * (count + 1) / 2
    aucs: NDArray[np.float64] = np.where(pairs > 0, above, np.nan) / np.maximum(pairs, 1)
    return aucs


@final
class ModularityExplicitness(Metric):
    r"""Whether each latent knows of one factor alone, and whether all latents tell all of it.

    The value is the modularity, the mean over latents of

    .. math:: 1 - \frac{\sum_k I(z_j; v_k)^2 - m_j}{m_j (K - 1)},
        \qquad m_j = \max_k I(z_j; v_k)^2

    with the plug-in information of binned latents. Explicitness is how well a logistic regression
    on all latents tells the values of a factor from one another on rows that it was not fitted to:
    the area under the ROC curve of each value against the rest, 0.5 by chance, averaged over
    values and over factors.

    A latent that is constant is left out of modularity, which is 0 where all are; a factor that is
    constant counts in neither, and a value that the test rows lack not in explicitness. With
    `compat` a constant latent counts as a modularity of 0, and explicitness is left out where one
    has a standard deviation of exactly 0, because the reference stops there.

    References:
        | Learning Deep Disentangled Embeddings With the F-Statistic Loss (Ridgeway and Mozer,
        | 2018)
        | https://arxiv.org/abs/1802.05312
    """

    name: ClassVar[str] = "modularity_explicitness"
    source: ClassVar[str] = "Ridgeway and Mozer, 2018, arXiv 1802.05312"

    bins: int = number(default=20, low=2, help="Equally wide bins for each latent.")
    train: int = number(default=10_000, low=2, help="Rows to fit on.")
    test: int = number(default=5_000, low=2, help="Rows to test on.")
    compat: Compat = option(default="none", help=COMPAT_HELP)

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse factors that are all constant, and rows that are no grid and should be.

        Raises:
            DataError: The message says which.
        """
        if self.compat != "none":
            grid_rows(factors, factor_space)
        if not (factors != factors[:1]).any():
            raise DataError(
                "modularity_explicitness needs a factor that varies, but every factor is constant "
                "here."
            )

    def score(self, representation: Representation, draws: Draws) -> Score:
        """Modularity, explicitness, and the latent-by-factor information in nats.

        Raises:
            DataError: There are fewer than two rows, or no factor varies both in the rows to fit
                on and in those to test on.
        """
        space = representation.factor_space
        codes, factors = np.asarray(representation.mean), np.asarray(representation.factors)
        self.check(factors, space, representation.latents)
        train, test = sampler(representation, draws, self.compat).split(self.train, self.test)
        information = mutual_information(
            discretise(codes[train], self.bins, rounded=self.compat == "dlib2019"),
            factors[train],
            self.bins,
            space.sizes,
        )
        matrix = Matrix(
            values=information,
            rows=tuple(f"z{j}" for j in range(representation.latents)),
            columns=space.names,
            label="mutual information (nats)",
        )
        if self.compat != "none":
            value = float(modularities(information).mean())
            parts = {"modularity_score": value}
            # With the deviation that rounding may leave a constant latent the reference goes on.
            if (codes[train].std(axis=0) > 0).all():
                fitted, tested = self._explicitness(codes, factors, train, test)
                parts["explicitness_score_train"] = float(np.nanmean(fitted))
                parts["explicitness_score_test"] = float(np.nanmean(tested))
            return Score(value=value, parts=parts, matrix=matrix)
        varies = entropies(factors[train], space.sizes) > 0
        constant = (codes[train] == codes[train[:1]]).all(axis=0)
        alive = modularities(information[:, varies])[~constant] if varies.any() else np.empty(0)
        # Rounding may leave a hair less than nothing.
        value = max(0.0, float(alive.mean())) if alive.size else 0.0
        _, tested = self._explicitness(codes, factors, train, test)
        named = {
            f"explicitness_{name}": float(auc)
            for name, auc in zip(space.names, tested, strict=True)
            if not np.isnan(auc)
        }
        if not named:
            raise DataError(
                f"modularity_explicitness needs a factor that varies, but in these "
                f"{len(train)} rows to fit on and {len(test)} to test on none does in both."
            )
        explicitness = float(np.mean(list(named.values())))
        parts = {"modularity": value, "explicitness": explicitness, **named}
        return Score(value=value, parts=parts, matrix=matrix)

    def _explicitness(
        self,
        codes: NDArray[np.floating],
        factors: NDArray[np.int64],
        train: NDArray[np.int64],
        test: NDArray[np.int64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean area of each factor in training and on test rows, (K,) each; NaN if undefined."""
        rows = (train, test)
        prepare = standardised if self.compat == "none" else standardise
        sets = prepare(codes[train], codes[test])
        found = np.full((2, factors.shape[1]), np.nan)
        for k, column in enumerate(factors.T):
            if (column[train] == column[train[0]]).all():
                continue
            classifier = fit(logistic_regression(self.compat), sets[0], column[train])
            for s in range(2):
                probabilities = classifier.predict_proba(sets[s])
                aucs = class_aucs(probabilities, column[rows[s]], classifier.classes_)
                if not np.isnan(aucs).all():
                    found[s, k] = np.nanmean(aucs)
        return found[0], found[1]
