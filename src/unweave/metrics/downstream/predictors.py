"""Classifiers that downstream tasks fit to codes."""

from __future__ import annotations

__all__ = ["BoostedTrees", "LogisticCV", "Predictor"]

import time
import warnings
from abc import abstractmethod
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.columns import standardised
from unweave.metrics.sampling import Compat
from unweave.metrics.solvers import fit, logistic_regression
from unweave.metrics.threads import cores_for, mapping
from unweave.metrics.trees.boosting import (
    WORTH_THREADS,
    Boosted,
    boost,
    boost_2019,
    draw_seeds,
    trees_of,
)
from unweave.metrics.trees.regression import Presorted
from unweave.spec import Component, number

Codes = NDArray[np.floating]
Labels = NDArray[np.int64]


class Predictor(Component):
    """A classifier of codes, which enter standardised as in the rows fitted.

    With `compat` they enter as they are, as in the reference.

    Class attributes:
        unit: What a fit consists of, in words for people.
    """

    family: ClassVar[str] = "predictor"
    unit: ClassVar[str] = ""

    def predict(
        self,
        codes: Codes,
        labels: Labels,
        others: Codes,
        random_state: np.random.RandomState,
        compat: Compat = "none",
    ) -> tuple[Labels, Labels]:
        """Labels found for the rows that it is fitted to, and for others.

        Where all labels are the same, that one is found.

        Args:
            codes: Rows to fit, (N, L), N >= 1.
            labels: Their labels, (N,).
            others: Further rows, (M, L).
            random_state: Where the fit draws from.
            compat: Which version of the solver, where there are several.

        Returns:
            (N,) and (M,).
        """
        if (labels == labels[0]).all():
            return labels.copy(), np.full(len(others), labels[0])
        if compat == "none":
            codes, others = standardised(codes, others)
        return self._predict(codes, labels, others, random_state, compat)

    @abstractmethod
    def units(self, classes: int) -> int:
        """How many trees, regressions and so on are fitted for so many labels."""

    @abstractmethod
    def seconds(self, codes: Codes, labels: Labels, compat: Compat) -> float:
        """How long a fit takes here, from a small part of one; labels are not all the same.

        Args:
            codes: Codes of the rows to fit, (N, L).
            labels: Their labels, (N,).
            compat: Whose published code is repeated.
        """

    @abstractmethod
    def _predict(
        self,
        codes: Codes,
        labels: Labels,
        others: Codes,
        random_state: np.random.RandomState,
        compat: Compat,
    ) -> tuple[Labels, Labels]:
        """The same for at least two different labels."""


@final
class BoostedTrees(Predictor):
    """Gradient boosted trees: scikit-learn's classifier at its defaults.

    Depth 3, learning rate 0.1, no subsampling; one tree a stage for each of more than two labels.
    Under `dlib2019` they grow as they did in scikit-learn 0.20.
    """

    name: ClassVar[str] = "boosted_trees"
    unit: ClassVar[str] = "trees"

    stages: int = number(default=100, low=1, help="Rounds of boosting.")

    def units(self, classes: int) -> int:
        """Number of trees."""
        return trees_of(classes, self.stages)

    def seconds(self, codes: Codes, labels: Labels, compat: Compat) -> float:
        """From two rounds."""
        import sklearn.ensemble  # noqa: F401 - before the clock starts

        codes = codes if compat != "none" else standardised(codes, codes)[0]
        begun = time.perf_counter()
        _boosted(codes, labels, codes[:1], np.random.RandomState(0), 2, compat)
        return (time.perf_counter() - begun) * self.stages / 2

    def importances(
        self,
        codes: Codes,
        labels: Labels,
        random_state: np.random.RandomState,
        compat: Compat = "none",
    ) -> NDArray[np.float64]:
        """Share of each latent in what the splits gain; 0 where labels are the same, (L,).

        Args:
            codes: Codes of the rows to fit, (N, L).
            labels: Their labels, (N,).
            random_state: Where the trees draw.
            compat: Whose published code is repeated.
        """
        if (labels == labels[0]).all():
            return np.zeros(codes.shape[1])
        if compat == "none":
            codes, _ = standardised(codes, codes[:1])
        return _boosted(codes, labels, codes[:1], random_state, self.stages, compat).importances

    def _predict(
        self,
        codes: Codes,
        labels: Labels,
        others: Codes,
        random_state: np.random.RandomState,
        compat: Compat,
    ) -> tuple[Labels, Labels]:
        found = _boosted(codes, labels, others, random_state, self.stages, compat)
        return np.asarray(found.train, np.int64), np.asarray(found.test, np.int64)


@final
class LogisticCV(Predictor):
    """Logistic regression with an L2 penalty that is chosen by cross-validated accuracy.

    Penalties are 1 / C for C in equal ratios from 1e-4 to 1e4. Folds are neighbouring rows, not
    shuffled; there are fewer where there are fewer rows. Under `dlib2019` one regression for each
    label against the rest takes the place of a multinomial one, each with a penalty of its own.
    """

    name: ClassVar[str] = "logistic_cv"
    unit: ClassVar[str] = "logistic regressions"

    penalties: int = number(default=10, low=1, help="How many penalties are tried.")
    folds: int = number(default=5, low=2, help="Parts of the rows, each left out once.")

    def units(self, classes: int) -> int:
        """Number of regressions."""
        return self.penalties * self.folds + 1

    def seconds(self, codes: Codes, labels: Labels, compat: Compat) -> float:
        """From one regression with a middling penalty."""
        classifier = logistic_regression(compat)
        codes = codes if compat != "none" else standardised(codes, codes)[0]
        begun = time.perf_counter()
        fit(classifier, codes, labels)
        return (time.perf_counter() - begun) * self.units(0)

    def _predict(
        self,
        codes: Codes,
        labels: Labels,
        others: Codes,
        random_state: np.random.RandomState,
        compat: Compat,
    ) -> tuple[Labels, Labels]:
        classifier = self._classifier(len(codes), compat)
        with warnings.catch_warnings():
            # That a solver stopped at its largest number of iterations, that a fold lacks a
            # label, and what scikit-learn will change.
            warnings.simplefilter("ignore")
            classifier.fit(codes, labels)
        return (
            np.asarray(classifier.predict(codes), np.int64),
            np.asarray(classifier.predict(others), np.int64),
        )

    def _classifier(self, rows: int, compat: Compat) -> Any:
        from sklearn.linear_model import LogisticRegressionCV
        from sklearn.model_selection import KFold
        from sklearn.multiclass import OneVsRestClassifier

        one = LogisticRegressionCV(
            Cs=self.penalties, cv=KFold(min(self.folds, rows)), scoring="accuracy"
        )
        return OneVsRestClassifier(one) if compat == "dlib2019" else one


def _boosted(
    codes: Codes,
    labels: Labels,
    others: Codes,
    random_state: np.random.RandomState,
    stages: int,
    compat: Compat,
) -> Boosted:
    presorted = Presorted(np.asarray(codes, np.float32))
    test = np.asarray(others, np.float32)
    seeds = draw_seeds(random_state, labels, stages)
    if compat == "dlib2019":
        return boost_2019(presorted, labels, test, seeds)
    with mapping(cores_for(codes.size, WORTH_THREADS)) as mapped:
        return boost(presorted, labels, test, seeds, mapped)
