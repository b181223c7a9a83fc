"""Gradient boosted trees of scikit-learn's default settings, several times faster.

`sklearn.ensemble.GradientBoostingClassifier` sorts every feature again at every node. Here every
feature is sorted once, nodes keep the order, all cuts of all features are weighed at once, and the
trees of a stage, one for each class, grow in threads. Draws, leaf values and choices between equal
cuts are scikit-learn's, so that the importances are those of its estimator up to rounding.
"""

from __future__ import annotations

__all__ = ["STAGES", "Boosted", "boost", "trees_of"]

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.regression_trees import Grown, Presorted, grow

STAGES = 100
_LEARNING_RATE = 0.1
# The end of scikit-learn's draw of the seed of a tree.
_SEEDS = 2**31 - 1

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True, eq=False)
class Boosted:
    """Boosted trees for one factor.

    Attributes:
        importances: Share of each latent in what the splits of all trees gain, (L,).
        per_tree: Mean of the shares in each tree, (L,).
        train: Labels found for the rows fitted, (N,).
        test: Labels found for the other rows, (M,).
        by_sklearn: How many of the trees were left to scikit-learn.
    """

    importances: Floats
    per_tree: Floats
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    by_sklearn: int


def trees_of(classes: int, stages: int = STAGES) -> int:
    """How many trees are grown for a factor of this many values: one a stage suffices for two."""
    return stages * (classes if classes > 2 else 1)


def boost(
    presorted: Presorted,
    labels: NDArray[np.int64],
    test: NDArray[np.float32],
    random_state: np.random.RandomState,
    pool: Executor,
    tick: Callable[[int], None] = lambda trees: None,
    stages: int = STAGES,
) -> Boosted:
    """Fit 100 stages of trees of depth 3 with learning rate 0.1 to the labels of one factor.

    Args:
        presorted: Codes of the rows to fit.
        labels: Their labels, of which at least two are different, (N,).
        test: Codes of rows to predict, (M, L).
        random_state: One number is drawn for each tree, as scikit-learn does.
        pool: Where trees grow.
        tick: Told how many trees have grown since it was last called.
        stages: Number of stages.
    """
    values, target = np.unique(labels, return_inverse=True)
    loss, raw = _start(target, len(values))
    columns = raw.shape[1]
    seeds = random_state.randint(0, _SEEDS, size=(stages, columns))
    raw_test = np.tile(raw[:1], (len(test), 1))
    # Column by column, as trees read and write them.
    raw, raw_test = np.asfortranarray(raw), np.asfortranarray(raw_test)
    gains, shares = np.zeros(presorted.features), np.zeros(presorted.features)
    truth = target.astype(np.float64)
    left = 0
    fast = True
    for stage in range(stages):
        gradient = -loss.gradient(y_true=truth, raw_prediction=raw, sample_weight=None)
        gradient = np.asfortranarray(gradient.reshape(len(target), columns))

        def one(
            k: int,
            gradient: Floats = gradient,
            seeds: NDArray[np.int64] = seeds[stage],
            fast: bool = fast,
        ) -> Grown:
            grown = grow(presorted, gradient[:, k], test, int(seeds[k]), fast)
            positive = target == k if columns > 1 else target == 1
            values = _leaf_values(grown, gradient[:, k], positive, columns)
            raw[:, k] += _LEARNING_RATE * values[grown.leaf]
            raw_test[:, k] += _LEARNING_RATE * values[grown.test_leaf]
            return grown

        trees = list(pool.map(one, range(columns)))
        # Where codes repeat few values, every tree may need scikit-learn's own sort.
        slow = sum(grown.by_sklearn for grown in trees)
        fast = fast and slow < columns
        left += slow
        for grown in trees:
            gains += grown.gains
            total = grown.gains.sum()
            shares += grown.gains / total if total > 0 else 0.0
        tick(columns)
    total = gains.sum()
    return Boosted(
        importances=gains / total if total > 0 else gains,
        per_tree=shares / (stages * columns),
        train=values[_found(raw)],
        test=values[_found(raw_test)],
        by_sklearn=left,
    )


def _start(target: NDArray[np.int64], classes: int) -> tuple[Any, Floats]:
    """The loss, and the raw scores of the classes' frequencies, (N, 1 or classes)."""
    # Not public; but its exponentials, rounded as they are, decide ties.
    from sklearn._loss.loss import HalfBinomialLoss, HalfMultinomialLoss

    epsilon = np.finfo(np.float64).eps
    prior = np.clip(np.bincount(target) / len(target), epsilon, 1 - epsilon)
    if classes == 2:
        loss = HalfBinomialLoss()
        raw = loss.link.link(np.full(len(target), prior[1])).reshape(-1, 1)
    else:
        loss = HalfMultinomialLoss(n_classes=classes)
        raw = loss.link.link(np.tile(prior, (len(target), 1)))
    return loss, np.asarray(raw, np.float64)


def _leaf_values(
    grown: Grown, gradient: Floats, positive: NDArray[np.bool_], columns: int
) -> Floats:
    """One Newton step in each leaf, (leaves,)."""
    values = np.zeros(grown.leaves)
    for leaf in range(grown.leaves):
        rows = np.flatnonzero(grown.leaf == leaf)
        slope = gradient[rows]
        probability = positive[rows] - slope
        step = slope.sum() / len(rows)
        if columns > 1:
            step *= (columns - 1) / columns
        curvature = (probability * (1 - probability)).sum() / len(rows)
        values[leaf] = 0.0 if abs(curvature) < 1e-150 else step / curvature
    return values


def _found(raw: Floats) -> NDArray[np.int64]:
    if raw.shape[1] == 1:
        return np.asarray(raw[:, 0] >= 0, np.int64)
    return np.asarray(np.argmax(raw, axis=1), np.int64)
