"""Classifiers of scikit-learn: logistic regression, also as in 2019, and random forests."""

from __future__ import annotations

__all__ = ["WORTH_JOBS", "accuracy", "fit", "logistic_regression", "quiet", "random_forest"]

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave.metrics.sampling import Compat
from unweave.metrics.threads import cores_for

WORTH_JOBS = 40_000
"""Rows times trees from which on a forest is fitted faster by several jobs.

scikit-learn looks a hundred times a second whether its jobs are done, which is long for a small
forest.
"""


def logistic_regression(
    compat: Compat,
    random_state: np.random.RandomState | None = None,
    *,
    penalised: bool = True,
) -> Any:
    """An unfitted classifier of any number of classes with L2 penalty, C = 1.

    Under `dlib2019` it is the default of scikit-learn before 0.22: one liblinear problem for each
    class against the rest, whose intercept is penalised too, and probabilities normalised to sum
    to 1. Otherwise it is the default of the installed scikit-learn: the multinomial problem by
    L-BFGS, at most 100 iterations.

    Args:
        compat: Which one.
        random_state: The stream whose draws go on after the fit, or None. Neither solver makes
            random choices, but the old one drew a seed from it; that draw is made here, so make
            the classifier right before it is fitted.
        penalised: False for the multinomial problem without penalty, by Newton's method.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    if not penalised:
        return LogisticRegression(C=np.inf, solver="newton-cg", random_state=random_state)
    if compat != "dlib2019":
        return LogisticRegression(random_state=random_state)
    seed = None if random_state is None else random_state.randint(np.iinfo(np.int32).max)
    # All that matters is said, since defaults change; liblinear itself refuses a third class.
    one = LogisticRegression(
        solver="liblinear",
        C=1.0,
        tol=1e-4,
        max_iter=100,
        fit_intercept=True,
        intercept_scaling=1.0,
        random_state=seed,
    )
    return OneVsRestClassifier(one)


def random_forest(
    size: int,
    depth: int,
    rows: int,
    random_state: np.random.RandomState,
    criterion: Literal["gini", "entropy"] = "gini",
) -> Any:
    """An unfitted random forest, fitted by several jobs where that is worth it.

    Args:
        size: How many trees.
        depth: Largest depth of a tree.
        rows: Rows that it will be fitted to.
        random_state: Where the trees draw from.
        criterion: The impurity that splits reduce.
    """
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(
        n_estimators=size,
        max_depth=depth,
        criterion=criterion,
        n_jobs=cores_for(size * rows, WORTH_JOBS),
        random_state=random_state,
    )


def fit(classifier: Any, features: NDArray[np.floating], labels: ArrayLike) -> Any:
    """The classifier, fitted to features (N, D) and labels (N,) in the precision of the features.

    It is quiet when a solver stops at its largest number of iterations, as published scores
    often did. What several jobs have fitted predicts by one: several add up what the trees of a
    forest say in the order in which they end, and rounding decides ties.
    """
    with quiet():
        classifier.fit(features, labels)
    if getattr(classifier, "n_jobs", None) not in (None, 1):
        classifier.set_params(n_jobs=1)
    return classifier


@contextmanager
def quiet() -> Iterator[None]:
    """A block in which scikit-learn does not say what is no news to a metric.

    That a solver stopped at its largest number of iterations, and that a factor has a value for
    every other row or more, as one that numbers the rows has. Filters of warnings belong to all
    threads.
    """
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes is greater than 50%")
        yield


def accuracy(classifier: Any, features: NDArray[np.floating], labels: ArrayLike) -> float:
    """Share of labels (N,) that a fitted classifier finds from features (N, D)."""
    return float(np.mean(classifier.predict(features) == np.asarray(labels)))
