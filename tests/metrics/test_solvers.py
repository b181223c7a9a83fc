"""Logistic regression: the optimum of each problem, the draws of the old solver, silence."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, softmax

from reference import information_reference
from unweave.metrics.solvers import accuracy, fit, logistic_regression


def blobs(classes, seed=0, count=400, features=3):
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=count)
    centres = rng.normal(size=(classes, features))
    return centres[labels] + rng.normal(size=(count, features)), labels


@pytest.mark.parametrize("classes", [2, 4])
def test_of_2019_is_each_class_against_the_rest_with_the_intercept_penalised(classes):
    features, labels = blobs(classes)
    found = fit(logistic_regression("dlib2019"), features, labels)
    with_one = np.column_stack([features, np.ones(len(features))])
    for k, one in enumerate(found.estimators_):
        # Of two classes, the second is told from the first.
        sign = np.where(labels == (k if classes > 2 else 1), 1.0, -1.0)
        weights = np.append(one.coef_[0], one.intercept_)

        def slope(weights, sign=sign):
            pull = sign * expit(-sign * (with_one @ weights))
            return weights - with_one.T @ pull

        # The gradient is all but gone, next to what it was at the start.
        assert np.linalg.norm(slope(weights)) < 1e-2 * np.linalg.norm(slope(0 * weights))
        assert abs(weights[-1]) > 1e-3


@pytest.mark.parametrize("compat", ["none", "dlib"])
def test_of_today_is_one_problem_with_a_free_intercept(compat):
    features, labels = blobs(4)
    found = fit(logistic_regression(compat), features, labels)
    chances = softmax(features @ found.coef_.T + found.intercept_, axis=1)
    np.testing.assert_allclose(found.predict_proba(features), chances, rtol=1e-6)
    # The solver stops where no slope of the mean loss exceeds 1e-4.
    miss = chances - np.eye(4)[labels]
    np.testing.assert_allclose(found.coef_ + miss.T @ features, 0, atol=1e-4 * len(features))
    np.testing.assert_allclose(miss.sum(axis=0), 0, atol=1e-4 * len(features))
    start = (1 / 4 - np.eye(4)[labels]).T @ features
    assert np.abs(start).max() > 0.05 * len(features)


def test_they_differ():
    features, labels = blobs(4)
    old, new = (
        fit(logistic_regression(compat), features, labels).predict_proba(features)
        for compat in ("dlib2019", "dlib")
    )
    assert np.abs(old - new).max() > 0.02
    np.testing.assert_allclose(old.sum(axis=1), 1)


def test_without_penalty_it_is_the_optimum_of_newtons_method():
    features, labels = blobs(3)
    kept = np.concatenate([np.flatnonzero(labels == k)[:20] for k in range(3)])
    features, labels = features[kept], labels[kept]
    losses = []
    for penalised in (False, True):
        found = fit(logistic_regression("none", penalised=penalised), features, labels)
        chances = found.predict_proba(features)[np.arange(len(labels)), labels]
        losses.append(-np.log(chances).mean())
    expected = information_reference.cross_entropy(features, labels)
    assert losses[0] == pytest.approx(expected, abs=1e-4)
    assert losses[1] > losses[0] + 1e-3


@pytest.mark.filterwarnings("error")
def test_without_penalty_classes_may_be_apart():
    features = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    found = fit(logistic_regression("none", penalised=False), features, [3, 3, 7, 7])
    assert accuracy(found, features, [3, 3, 7, 7]) == 1.0


def test_the_old_solver_took_one_number_from_the_stream():
    features, labels = blobs(3)
    for compat, draws in (("dlib", 0), ("dlib2019", 1)):
        state, plain = np.random.RandomState(8), np.random.RandomState(8)
        fit(logistic_regression(compat, state), features, labels)
        for _ in range(draws):
            plain.randint(2**31 - 1)
        assert state.randint(1000, size=5).tolist() == plain.randint(1000, size=5).tolist()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("compat", ["none", "dlib", "dlib2019"])
def test_stopping_early_is_silent(compat):
    features, labels = blobs(3)
    fit(logistic_regression(compat), features * [1e6, 1e-6, 1.0], labels)


@pytest.mark.parametrize("compat", ["none", "dlib2019"])
def test_accuracy_is_the_share_of_labels_found(compat):
    features = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    found = fit(logistic_regression(compat), features, [3, 3, 7, 7])
    assert accuracy(found, features, [3, 3, 7, 7]) == 1.0
    assert accuracy(found, features, [3, 7, 7, 3]) == 0.5
    assert accuracy(found, features[:2], 7) == 0.0
