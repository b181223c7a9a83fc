"""Predictors beside scikit-learn's classifiers, and rows in which one factor is changed."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from reference.downstream_reference import fitted_trees
from unweave.errors import SpecError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import BoostedTrees, LogisticCV, Predictor
from unweave.metrics.downstream.interventions import Interventions
from unweave.spec import parse

SPACE = FactorSpace((Factor("f0", 2), Factor("f1", 3), Factor("f2", 4)))
BOTH = pytest.mark.parametrize(
    "predictor", [BoostedTrees(stages=3), LogisticCV(penalties=3, folds=2)], ids=str
)


def state(seed=0):
    return np.random.RandomState(seed)


def data(classes, rows=150, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=rows + 60)
    codes = np.float32(rng.normal(size=(rows + 60, 3)))
    codes[:, 1] += labels
    return codes[:rows], labels[:rows], codes[rows:], labels[rows:]


# Predictors


@pytest.mark.parametrize("classes", [2, 5])
def test_trees_find_what_those_of_scikit_learn_find(classes):
    codes, labels, others, _ = data(classes)
    own, found = BoostedTrees(stages=20).predict(codes, labels, others, state())
    expected = fitted_trees(codes, labels, 20, state())
    np.testing.assert_array_equal(own, expected.predict(codes))
    np.testing.assert_array_equal(found, expected.predict(others))
    importances = BoostedTrees(stages=20).importances(codes, labels, state())
    np.testing.assert_allclose(importances, expected.feature_importances_, atol=1e-9)


def by_hand(codes, labels, penalties, folds):
    """The C of the highest mean accuracy on the parts left out, the smallest of equal ones."""
    parts = np.array_split(np.arange(len(codes)), folds)
    best, best_c = -1.0, None
    for c in np.logspace(-4, 4, penalties):
        accuracies = []
        for part in parts:
            rest = np.setdiff1d(np.arange(len(codes)), part)
            fitted = LogisticRegression(C=c, max_iter=1000).fit(codes[rest], labels[rest])
            accuracies.append(np.mean(fitted.predict(codes[part]) == labels[part]))
        if np.mean(accuracies) > best + 1e-12:
            best, best_c = np.mean(accuracies), c
    return LogisticRegression(C=best_c, max_iter=1000).fit(codes, labels)


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("compat", ["none", "dlib"])
def test_the_penalty_is_that_of_the_best_accuracy_on_unshuffled_folds(classes, compat):
    codes, labels, others, _ = data(classes)
    codes, others = codes * np.float32([1, 3, 0.2]), others * np.float32([1, 3, 0.2])
    predictor = LogisticCV(penalties=4, folds=3)
    own, found = predictor.predict(codes, labels, others, state(), compat)
    if compat == "none":
        mean, spread = codes.mean(axis=0), codes.std(axis=0)
        codes, others = (codes - mean) / spread, (others - mean) / spread
    expected = by_hand(codes, labels, 4, 3)
    # Rows on a boundary may fall to either side of it.
    assert np.mean(own != expected.predict(codes)) < 0.02
    assert np.mean(found != expected.predict(others)) < 0.04


def test_the_logistic_regression_of_2019_takes_one_label_at_a_time():
    codes, labels, others, _ = data(3)
    predictor = LogisticCV(penalties=4, folds=3)
    _, found = predictor.predict(codes, labels, others, state(), "dlib2019")
    scores = [
        by_hand(codes, (labels == k).astype(int), 4, 3).decision_function(others) for k in range(3)
    ]
    assert np.mean(found != np.argmax(scores, axis=0)) < 0.04


@BOTH
def test_one_label_is_what_is_found_everywhere(predictor):
    codes, _, others, _ = data(2)
    own, found = predictor.predict(codes, np.full(len(codes), 3), others, state())
    assert set(own) == set(found) == {3}


@BOTH
@pytest.mark.parametrize("compat", ["none", "dlib", "dlib2019"])
@pytest.mark.parametrize("labels", [[0, 1], [2, 0, 1], [0, 0, 0, 0, 0, 0, 4], [0, 1, 2, 3, 4, 5]])
def test_few_rows_are_fitted_without_a_warning(predictor, compat, labels):
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own, found = predictor.predict(
            np.float32(rng.normal(size=(len(labels), 2))),
            np.array(labels),
            np.float32(rng.normal(size=(9, 2))),
            state(),
            compat,
        )
    assert set(own) | set(found) <= set(labels)


def test_a_constant_latent_does_not_matter():
    codes, labels, others, _ = data(3)
    for predictor in (BoostedTrees(stages=3), LogisticCV(penalties=3, folds=2)):
        plain = predictor.predict(codes, labels, others, state())
        wider = [np.column_stack([each, np.full(len(each), 0.3)]) for each in (codes, others)]
        again = predictor.predict(wider[0], labels, wider[1], state())
        # Features that part equally well are chosen among by chance.
        assert np.mean(plain[1] != again[1]) < 0.04


def test_how_many_are_fitted():
    assert BoostedTrees().units(5) == 500
    assert BoostedTrees(stages=7).units(2) == 7
    assert LogisticCV().units(5) == 51


@BOTH
def test_the_time_of_a_fit_is_measured(predictor):
    codes, labels, _, _ = data(3)
    assert 0 < predictor.seconds(codes, labels, "none") < 60


@pytest.mark.parametrize(
    "text", ["boosted_trees(stages=0)", "logistic_cv(folds=1)", "logistic_cv(penalties=0)"]
)
def test_settings_that_are_refused(text):
    with pytest.raises(SpecError, match="must be at least"):
        parse(text, Predictor)


# Interventions


def test_on_a_complete_table_all_other_factors_stay():
    order = np.random.default_rng(0).permutation(48)
    factors = SPACE.unravel(order % 24)
    change = Interventions(factors, SPACE)
    assert change.complete
    rows = np.arange(0, 48, 3)
    values = np.arange(len(rows)) % 4
    found = factors[change.change(rows, 2, values, state())]
    np.testing.assert_array_equal(found[:, :2], factors[rows][:, :2])
    np.testing.assert_array_equal(found[:, 2], values)
    same = factors[change.change(rows, 1, 2, state())]
    assert set(same[:, 1]) == {2}
    np.testing.assert_array_equal(same[:, [0, 2]], factors[rows][:, [0, 2]])


def test_of_rows_that_will_do_each_is_found_at_times():
    factors = SPACE.unravel(np.tile(np.arange(24), 3))
    change = Interventions(factors, SPACE)
    found = change.change(np.zeros(300, np.int64), 0, 1, state())
    assert set(found) == {12, 36, 60}


def test_on_a_grid_nothing_is_drawn():
    change = Interventions(SPACE.unravel(np.arange(24)), SPACE)
    stream = state()
    change.change(np.arange(24), 1, 0, stream)
    assert stream.randint(2**31) == state().randint(2**31)


def test_on_an_incomplete_table_rows_have_the_value():
    factors = SPACE.unravel(np.arange(24))
    factors = factors[factors[:, 0] + factors[:, 1] != 2]
    change = Interventions(factors, SPACE)
    assert not change.complete
    found = change.change(np.zeros(200, np.int64), 0, 1, state())
    assert set(found) == set(np.flatnonzero(factors[:, 0] == 1))
    assert change.values(1).tolist() == [0, 1, 2]
    assert Interventions(factors[:3], SPACE).values(0).tolist() == [0]
