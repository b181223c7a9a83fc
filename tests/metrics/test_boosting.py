"""Boosted trees are those of scikit-learn: importances to rounding, labels one by one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.tree import DecisionTreeRegressor

from unweave.metrics.trees.boosting import boost, boost_2019, draw_seeds, trees_of
from unweave.metrics.trees.regression import Presorted, grow

ROWS, LATENTS = 600, 5


def labels(rng, classes, rows=ROWS):
    return np.concatenate([np.arange(classes), rng.integers(classes, size=rows - classes)])


def noisy(rng, y):
    codes = rng.normal(0, 0.4, (len(y), LATENTS))
    codes[:, 0] += y
    codes[:, 3] -= 0.5 * y
    return codes


def collapsed(rng, y):
    """Neighbours nearer than scikit-learn parts, a constant, and one of two near values."""
    codes = noisy(rng, y)
    codes[:, 1] *= 1e-5
    codes[:, 2] = 0.25
    codes[:, 4] = np.where(rng.random(len(y)) < 0.5, 1.0, np.nextafter(np.float32(1), 2))
    return codes


def few_values(rng, y):
    return np.round(noisy(rng, y) * 2) / 2


def copied(rng, y):
    """Latents that part the rows alike, so that rounding decides between them."""
    codes = noisy(rng, y)
    codes[:, 1], codes[:, 4] = 2 * codes[:, 0], -codes[:, 3]
    return codes


def repeated_rows(rng, y):
    order = np.sort(np.resize(np.arange(len(y) // 4), len(y)))
    y[:] = y[order]
    return noisy(rng, y)[order]


def pure(rng, y):
    codes = rng.normal(0, 0.1, (len(y), LATENTS))
    codes[:, 2] = y
    return codes


TABLES = [noisy, collapsed, few_values, copied, repeated_rows, pure]


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("make", TABLES, ids=lambda make: make.__name__)
def test_importances_and_labels_are_those_of_scikit_learn(make, classes):
    rng = np.random.default_rng(classes)
    y = labels(rng, classes)
    codes = np.float32(make(rng, y))
    test = np.float32(rng.normal(1, 2, (300, LATENTS)))
    names = 3 * y - 1
    model = GradientBoostingClassifier(n_estimators=12, random_state=np.random.RandomState(5))
    model.fit(codes, names)
    seeds = draw_seeds(np.random.RandomState(5), names, 12)
    with ThreadPoolExecutor(2) as pool:
        found = boost(Presorted(codes), names, test, seeds, pool.map)
    np.testing.assert_allclose(found.importances, model.feature_importances_, atol=1e-12)
    every = [tree.feature_importances_ for stage in model.estimators_ for tree in stage]
    np.testing.assert_allclose(found.per_tree, np.mean(every, axis=0), atol=1e-7)
    np.testing.assert_array_equal(found.train, model.predict(codes))
    np.testing.assert_array_equal(found.test, model.predict(test))


def test_the_stream_is_left_where_scikit_learn_leaves_it():
    rng = np.random.default_rng(0)
    y = labels(rng, 3)
    codes = np.float32(noisy(rng, y))
    ours, theirs = np.random.RandomState(1), np.random.RandomState(1)
    GradientBoostingClassifier(n_estimators=7, random_state=theirs).fit(codes, y)
    ticks = []
    boost(Presorted(codes), y, codes, draw_seeds(ours, y, 7), tick=ticks.append)
    assert ours.randint(2**31) == theirs.randint(2**31)
    assert sum(ticks) == trees_of(3, 7) == 21
    assert trees_of(2, 7) == 7


def test_most_trees_are_grown_without_scikit_learn():
    # Else all of the above says nothing of what is grown here.
    rng = np.random.default_rng(1)
    y = labels(rng, 3, 3000)
    codes = np.float32(noisy(rng, y))
    presorted = Presorted(codes)
    targets = [y == k for k in range(3)] + [rng.normal(size=len(y)) for _ in range(10)]
    grown = [grow(presorted, np.float64(t) + 0.1 * codes[:, 1], codes, 3) for t in targets]
    assert sum(tree.by_sklearn for tree in grown) == 0
    for tree, target in zip(grown, targets, strict=True):
        asked = grow(presorted, np.float64(target) + 0.1 * codes[:, 1], codes, 3, fast=False)
        assert asked.by_sklearn
        np.testing.assert_allclose(tree.gains, asked.gains, rtol=1e-9, atol=1e-15)
        np.testing.assert_array_equal(tree.leaf, tree.test_leaf)
        # The same leaves, whatever their numbers.
        pairs = {*zip(tree.leaf.tolist(), asked.leaf.tolist(), strict=True)}
        assert len(pairs) == tree.leaves == asked.leaves


def test_a_constant_table_has_no_importances():
    codes = np.zeros((50, 3), np.float32)
    y = np.arange(50) % 4
    found = boost(Presorted(codes), y, codes[:5], draw_seeds(np.random.RandomState(0), y, 3))
    assert (found.importances == 0).all()
    assert (found.per_tree == 0).all()
    assert (found.train == 0).all()


# scikit-learn 0.20


def classic(codes, y, test, stages):
    """Its algorithm, with one plain tree after the other."""
    classes = int(y.max()) + 1
    prior = np.bincount(y) / len(y)
    start = prior if classes > 2 else np.log(prior[1:] / prior[:1])
    raw, raw_test = np.tile(start, (len(y), 1)), np.tile(start, (len(test), 1))
    gains = np.zeros(codes.shape[1])
    for _ in range(stages):
        for k in range(raw.shape[1]):
            hit = y == (k if classes > 2 else 1)
            if classes > 2:
                odds = np.exp(raw)
                residual = hit - odds[:, k] / odds.sum(axis=1)
            else:
                residual = hit - 1 / (1 + np.exp(-raw[:, 0]))
            tree = DecisionTreeRegressor(max_depth=3, random_state=0).fit(codes, residual)
            gains += tree.tree_.compute_feature_importances(normalize=False)
            leaf, leaf_test = tree.apply(codes), tree.apply(test)
            for node in np.unique(leaf):
                inside = residual[leaf == node]
                p = hit[leaf == node] - inside
                step = inside.sum() / (p * (1 - p)).sum()
                step *= (classes - 1) / classes if classes > 2 else 1
                raw[leaf == node, k] += 0.1 * step
                raw_test[leaf_test == node, k] += 0.1 * step
    found = raw_test.argmax(axis=1) if classes > 2 else raw_test[:, 0] >= 0
    return gains / gains.sum(), found


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_trees_of_2019_see_those_before_them_in_their_stage(classes):
    rng = np.random.default_rng(classes)
    y = labels(rng, classes, 3000)
    codes = np.float32(noisy(rng, y))
    seeds = draw_seeds(np.random.RandomState(0), y, 4)
    found = boost_2019(Presorted(codes), y, codes[:500], seeds)
    importances, test = classic(codes, y, codes[:500], 4)
    np.testing.assert_allclose(found.importances, importances, atol=2e-3)
    assert (found.test != test).mean() < 0.01
    now = boost(Presorted(codes), y, codes[:500], seeds)
    if classes > 2:
        assert (
            np.abs(now.importances - importances).max()
            > 2 * np.abs(found.importances - importances).max()
        )
    assert found.by_sklearn == 0
