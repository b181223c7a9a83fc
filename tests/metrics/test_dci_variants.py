"""DCI by other predictors: forests, boosting on histograms, linear models."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier

from reference import importance_reference
from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import DCIForest, DCIHist, DCILasso
from unweave.metrics.dci.hist import histogram_importances
from unweave.metrics.dci.lasso import lasso_weights, targets
from unweave.metrics.draws import Draws
from unweave.metrics.protocols import metrics_of, protocol
from unweave.metrics.sampling import GridSampler, RowSampler
from unweave.representation import Representation

SPACE = FactorSpace((Factor("shape", 2), Factor("size", 3), Factor("place", 5)))


def table_of(codes, factors=None, space=SPACE):
    factors = space.unravel(np.arange(len(codes)) % space.size) if factors is None else factors
    return Representation(mean=np.float32(codes), factors=factors, factor_space=space)


def noisy(copies=20, latents=4):
    factors = SPACE.unravel(np.arange(SPACE.size * copies) % SPACE.size)
    codes = np.random.default_rng(0).normal(0, 0.3, (len(factors), latents))
    codes[:, 1:] += factors[:, : latents - 1]
    return table_of(codes)


def score(metric, table, seed=0):
    return metric.score(table, Draws(seed, metric.name))


# Forests


def test_forests_are_those_of_scikit_learn():
    rng = np.random.default_rng(1)
    codes = SPACE.unravel(np.arange(SPACE.size)) + rng.normal(0, 0.4, (SPACE.size, 3))
    table = table_of(codes)
    found = score(DCIForest(train=400, test=200, size=20, depth=4, compat="dlib"), table, 3)
    train, test = GridSampler(table.factors, SPACE, Draws(3, "")).split(400, 200)
    state = np.random.RandomState(3)
    columns, accuracy = [], []
    for k in range(3):
        forest = RandomForestClassifier(20, max_depth=4, random_state=state)
        forest.fit(table.mean[train], table.factors[train, k])
        columns.append(forest.feature_importances_)
        accuracy.append(forest.score(table.mean[test], table.factors[test, k]))
    np.testing.assert_allclose(found.matrix.values, np.transpose(columns), atol=1e-12)
    assert found.parts["informativeness_test"] == pytest.approx(np.mean(accuracy))


def test_forests_of_tripod_split_by_entropy():
    # 100 trees of depth 10 by entropy; nine tenths of 10,000 rows to fit, one tenth to test.
    (metric,) = metrics_of(protocol("tripod2024"), ("dci_forest",))
    assert (metric.train, metric.test, metric.size, metric.depth) == (9000, 1000, 100, 10)
    table = noisy()
    found = score(metric, table, 2)
    rows = RowSampler(table.factors, Draws(2, "dci_forest"))
    train, test = rows.split(9000, 1000)
    assert len(test) == len(table) // 10
    codes = table.mean[train].astype(float)
    codes = np.float32((codes - codes.mean(axis=0)) / codes.std(axis=0))
    columns = []
    for k in range(3):
        forest = RandomForestClassifier(
            100, criterion="entropy", max_depth=10, random_state=rows.random_state
        )
        columns.append(forest.fit(codes, table.factors[train, k]).feature_importances_)
    np.testing.assert_allclose(found.matrix.values, np.transpose(columns), atol=1e-3)


def test_forests_and_histograms_have_their_trees_counted():
    rng = np.random.default_rng(0)
    space = FactorSpace((Factor("a", 40), Factor("b", 2), Factor("c", 3)))
    factors = np.stack([rng.integers(size, size=4000) for size in space.sizes], axis=1)
    table = table_of(rng.normal(size=(4000, 3)), factors, space)
    assert DCIForest(size=9000).cost(table).startswith("27,000 trees to grow, about ")
    assert DCIHist(stages=9000).cost(table).startswith("396,000 trees to grow, about ")


# Boosting on histograms


def test_a_single_split_gains_its_share():
    # Of +1 and -1, x0 parts the signs, x1 nothing.
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 40, float)
    y = np.where(x[:, 0] > 0, 1.0, -1.0)
    model = HistGradientBoostingRegressor(max_iter=1, min_samples_leaf=1).fit(x, y)
    assert histogram_importances(model).tolist() == [1.0, 0.0]
    model.fit(x, np.zeros(len(x)))
    assert histogram_importances(model).tolist() == [0.0, 0.0]


def test_gains_are_those_of_the_squares():
    # Loss y^2 / 2: a split gains half of what it takes off the sum of squares, in both levels.
    rng = np.random.default_rng(0)
    x = rng.integers(2, size=(4000, 2)).astype(float)
    y = 3 * x[:, 0] + x[:, 1]
    model = HistGradientBoostingRegressor(max_iter=1, min_samples_leaf=1, l2_regularization=0)
    model.fit(x, y)
    whole = ((y - y.mean()) ** 2).sum()
    halves = [y[x[:, 0] == side] for side in (0, 1)]
    rest = sum(((half - half.mean()) ** 2).sum() for half in halves)
    expected = np.array([whole - rest, rest]) / whole
    np.testing.assert_allclose(histogram_importances(model), expected, rtol=1e-4)


def test_histograms_find_what_latents_follow():
    found = score(DCIHist(), noisy())
    assert found.matrix.values.argmax(axis=0).tolist() == [1, 2, 3]
    np.testing.assert_allclose(found.matrix.values.sum(axis=0), 1)
    assert found.value > 0.7
    assert found.parts == score(DCIHist(), noisy()).parts


# Linear models


def test_weights_are_those_of_coordinate_descent():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5))
    y = x[:, :2] @ rng.normal(size=(2, 3)) + rng.normal(size=(200, 3))
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    found = lasso_weights(x, y, 0.3)
    expected = [importance_reference.lasso(x, column, 0.3) for column in y.T]
    np.testing.assert_allclose(found, np.transpose(expected), atol=1e-6)
    assert (found == 0).any()


def test_weights_of_uncorrelated_latents_in_closed_form():
    # Each is the correlation less alpha, in units of deviations.
    codes = SPACE.unravel(np.tile(np.arange(SPACE.size), 3)) * [2.0, 5.0, -0.25]
    found = score(DCILasso(alpha=0.1), table_of(codes))
    np.testing.assert_allclose(np.diag(found.matrix.values), 0.9, atol=0.03)
    assert found.value == pytest.approx(1, abs=0.2)
    assert found.parts["informativeness_train"] == pytest.approx(1 - 0.1**2, abs=1e-3)


def test_published_weights_depend_on_the_scale_of_latents():
    # With y of deviation 1: weight = (1 - alpha / deviation of x) / deviation of x.
    factors = SPACE.unravel(np.arange(SPACE.size))
    scale = np.array([1.0, 4.0, 0.01])
    codes = np.hstack([factors * scale, np.zeros((len(factors), 1))])
    found = score(DCILasso(compat="dag"), table_of(codes))
    deviation = codes[:, :3].std(axis=0)
    expected = np.maximum(1 - 0.02 / deviation, 0) / deviation
    np.testing.assert_allclose(np.diag(found.matrix.values), expected, atol=1e-6)
    assert expected[2] == 0
    assert found.value == pytest.approx(1, abs=1e-9)
    # A factor without any weight scores 1 as published, since its shares are all 0.
    assert found.parts == pytest.approx(
        {
            "disentanglement": 1.0,
            "completeness_shape": 1.0,
            "completeness_size": 1.0,
            "completeness_place": 1.0,
        },
        abs=1e-9,
    )


def test_published_scores_count_constant_factors():
    factors = SPACE.unravel(np.arange(SPACE.size))
    factors[:, 0] = 1
    rng = np.random.default_rng(2)
    codes = factors[:, 1:] @ rng.normal(size=(2, 4)) + rng.normal(0, 0.1, (len(factors), 4))
    found = score(DCILasso(compat="dag"), table_of(codes, factors))
    values = found.matrix.values
    assert (values[:, 0] == 0).all()
    expected = importance_reference.disentanglement(values.tolist())
    assert found.value == pytest.approx(expected, abs=1e-9)
    expected = importance_reference.completeness(values[:, [2]].tolist())
    assert found.parts["completeness_place"] == pytest.approx(expected, abs=1e-9)
    assert "completeness_shape" not in found.parts


def test_what_a_model_has_to_find():
    indices = np.array([0, 3, 2])
    assert targets(Factor("f", 4), indices).tolist() == [[0], [3], [2]]
    values = Factor("f", 4, values=(0.5, 1.0, 2.0, 7.0))
    assert targets(values, indices).tolist() == [[0.5], [7], [2]]
    kinds = Factor("f", 4, kind="categorical")
    assert targets(kinds, indices).tolist() == np.eye(4)[indices].tolist()
    turn = Factor("f", 4, kind="circular")
    np.testing.assert_allclose(targets(turn, indices), [[1, 0], [0, -1], [-1, 0]], atol=1e-12)
    closed = Factor("f", 4, kind="circular", closed=True)
    np.testing.assert_allclose(targets(closed, np.array([0, 3])), [[1, 0], [1, 0]], atol=1e-12)


def test_circular_and_categorical_factors_are_followed_by_linear_models():
    space = FactorSpace(
        (Factor("kind", 3, kind="categorical"), Factor("turn", 12, kind="circular"))
    )
    factors = space.unravel(np.tile(np.arange(space.size), 5))
    angle = 2 * np.pi * factors[:, 1] / 12
    codes = np.stack([factors[:, 0] == 1, np.cos(angle), np.sin(angle)], axis=1)
    found = score(DCILasso(), table_of(codes, factors, space))
    assert found.value > 0.8
    assert found.parts["informativeness_test"] > 0.6
    plain = FactorSpace((Factor("kind", 3), Factor("turn", 12)))
    ordinal = score(DCILasso(), table_of(codes, factors, plain))
    assert ordinal.parts["informativeness_test"] < 0.4


def test_linear_models_refuse_constant_factors():
    with pytest.raises(DataError, match="dci_lasso needs a factor that varies"):
        score(DCILasso(), table_of(np.eye(4), np.zeros((4, 3), np.int64)))
    factors = np.zeros((500, 3), np.int64)
    factors[0, 0] = 1
    with pytest.raises(DataError, match="dci_lasso fits 2 rows drawn at random"):
        score(DCILasso(train=2, test=1), table_of(np.ones((500, 2)), factors))
    found = score(DCILasso(), table_of(np.zeros((60, 3))))
    assert found.value == found.parts["completeness"] == 0.0
