"""Gradient boosted trees of scikit-learn's default settings, several times faster.

`sklearn.ensemble.GradientBoostingClassifier` sorts every feature again at every node. Here every
feature is sorted once, nodes keep the order, all cuts of all features are weighed at once, and the
trees of a stage, one for each class, may grow in threads. Draws, leaf values and choices between
equal cuts are scikit-learn's, so that the importances are those of its estimator up to rounding;
rarely a tie in a late tree goes the other way, which has been seen to move a score by 0.0001.
"""

from __future__ import annotations

__all__ = ["STAGES", "WORTH_THREADS", "Boosted", "boost", "boost_2019", "draw_seeds", "trees_of"]

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.trees.regression import Grown, Presorted, grow

STAGES = 100
WORTH_THREADS = 10_000
"""Numbers in the codes of the rows to fit from which on trees grow faster side by side."""

_LEARNING_RATE = 0.1
# The end of scikit-learn's draw of the seed of a tree.
_SEEDS = 2**31 - 1

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]
Map = Callable[[Callable[[int], Grown], Iterable[int]], Iterable[Grown]]


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
    train: Labels
    test: Labels
    by_sklearn: int


def trees_of(classes: int, stages: int = STAGES) -> int:
    """How many trees are grown for a factor of this many values: one a stage suffices for two."""
    return stages * (classes if classes > 2 else 1)


def draw_seeds(
    random_state: np.random.RandomState, labels: Labels, stages: int = STAGES
) -> Labels:
    """The number that scikit-learn draws for each tree, (stages, trees of a stage)."""
    shape = (stages, trees_of(len(np.unique(labels)), 1))
    return np.asarray(random_state.randint(0, _SEEDS, size=shape), np.int64)


def boost(
    presorted: Presorted,
    labels: Labels,
    test: NDArray[np.float32],
    seeds: Labels,
    mapped: Map = map,
    tick: Callable[[int], None] = lambda trees: None,
) -> Boosted:
    """Fit stages of trees of depth 3 with learning rate 0.1 to the labels of one factor.

    Args:
        presorted: Codes of the rows to fit.
        labels: Their labels, of which at least two are different, (N,).
        test: Codes of rows to predict, (M, L).
        seeds: As `draw_seeds` gives them.
        mapped: Grows the trees of a stage, such as the `map` of a pool of threads.
        tick: Told how many trees have grown since it was last called.
    """
    values, target = np.unique(labels, return_inverse=True)
    columns = seeds.shape[1]
    loss, start = _start(target, len(values))
    trees = _Ensemble(presorted, target, test, start, columns)
    truth = target.astype(np.float64)
    fast = True
    for numbers in seeds:
        gradient = -loss.gradient(y_true=truth, raw_prediction=trees.raw, sample_weight=None)
        gradient = np.asfortranarray(gradient.reshape(len(target), columns))

        def one(
            k: int, gradient: Floats = gradient, numbers: Labels = numbers, fast: bool = fast
        ) -> Grown:
            grown = grow(presorted, gradient[:, k], test, int(numbers[k]), fast=fast)
            trees.step(grown, gradient[:, k], k)
            return grown

        slow = trees.count(list(mapped(one, range(columns))))
        # Where codes repeat few values, every tree may need scikit-learn's own sort.
        fast = fast and slow < columns
        tick(columns)
    return trees.boosted(values)


def boost_2019(
    presorted: Presorted,
    labels: Labels,
    test: NDArray[np.float32],
    seeds: Labels,
    tick: Callable[[int], None] = lambda trees: None,
) -> Boosted:
    """The same as scikit-learn 0.20 fitted it.

    The raw scores of three or more classes began at their frequencies, not at the logarithms of
    these. Each tree of a stage saw what the trees before it in the stage had added. Nodes with a
    variance up to 1e-7 were not split. Choices between cuts that are equal up to rounding may
    differ from that version's.

    Args:
        presorted: Codes of the rows to fit.
        labels: Their labels, of which at least two are different, (N,).
        test: Codes of rows to predict, (M, L).
        seeds: As `draw_seeds` gives them.
        tick: Told how many trees have grown since it was last called.
    """
    values, target = np.unique(labels, return_inverse=True)
    columns = seeds.shape[1]
    prior = np.bincount(target) / len(target)
    start = prior if columns > 1 else np.log(prior[1:] / prior[:1])
    trees = _Ensemble(presorted, target, test, start, columns)
    for numbers in seeds:
        for k in range(columns):
            positive = trees.positive(k)
            gradient = positive - _probability(trees.raw, k)
            grown = grow(presorted, gradient, test, int(numbers[k]), old=True)
            trees.step(grown, gradient, k)
            trees.count([grown])
        tick(columns)
    return trees.boosted(values)


@final
class _Ensemble:
    """Raw scores and gains of the trees that have grown."""

    def __init__(
        self,
        presorted: Presorted,
        target: Labels,
        test: NDArray[np.float32],
        start: Floats,
        columns: int,
    ) -> None:
        self._target = target
        self._columns = columns
        # Column by column, as trees read and write them.
        self.raw = np.asfortranarray(np.tile(start, (len(target), 1)))
        self._test = np.asfortranarray(np.tile(start, (len(test), 1)))
        self._gains, self._shares = np.zeros(presorted.features), np.zeros(presorted.features)
        self._trees = self._slow = 0

    def positive(self, k: int) -> NDArray[np.bool_]:
        """Rows that tree k of a stage shall find."""
        return np.asarray(self._target == (k if self._columns > 1 else 1), np.bool_)

    def step(self, grown: Grown, gradient: Floats, k: int) -> None:
        """Add one Newton step in each leaf of tree k to the raw scores."""
        values = np.zeros(grown.leaves)
        positive = self.positive(k)
        for leaf in range(grown.leaves):
            rows = np.flatnonzero(grown.leaf == leaf)
            slope = gradient[rows]
            probability = positive[rows] - slope
            step = slope.sum() / len(rows)
            if self._columns > 1:
                step *= (self._columns - 1) / self._columns
            curvature = (probability * (1 - probability)).sum() / len(rows)
            values[leaf] = 0.0 if abs(curvature) < 1e-150 else step / curvature
        self.raw[:, k] += _LEARNING_RATE * values[grown.leaf]
        self._test[:, k] += _LEARNING_RATE * values[grown.test_leaf]

    def count(self, trees: list[Grown]) -> int:
        """Add the gains of trees; how many of these were left to scikit-learn."""
        for grown in trees:
            total = grown.gains.sum()
            self._gains += grown.gains
            self._shares += grown.gains / total if total > 0 else 0.0
        slow = sum(grown.by_sklearn for grown in trees)
        self._trees += len(trees)
        self._slow += slow
        return slow

    def boosted(self, values: Labels) -> Boosted:
        """What has been fitted to labels that take these values."""
        total = self._gains.sum()
        return Boosted(
            importances=self._gains / total if total > 0 else self._gains,
            per_tree=self._shares / self._trees,
            train=values[_found(self.raw)],
            test=values[_found(self._test)],
            by_sklearn=self._slow,
        )


def _start(target: Labels, classes: int) -> tuple[Any, Floats]:
    """The loss, and the raw scores of the classes' frequencies, (1 or classes,)."""
    # Not public; but its exponentials, rounded as they are, decide ties.
    from sklearn._loss.loss import HalfBinomialLoss, HalfMultinomialLoss

    epsilon = np.finfo(np.float64).eps
    prior = np.clip(np.bincount(target) / len(target), epsilon, 1 - epsilon)
    if classes == 2:
        loss = HalfBinomialLoss()
        raw = loss.link.link(prior[1:])
    else:
        loss = HalfMultinomialLoss(n_classes=classes)
        raw = loss.link.link(prior[None])[0]
    return loss, np.asarray(raw, np.float64)


def _probability(raw: Floats, k: int) -> Floats:
    """Of class k, or of the second of two, (N,)."""
    if raw.shape[1] == 1:
        with np.errstate(over="ignore"):
            return np.asarray(1 / (1 + np.exp(-raw[:, 0])), np.float64)
    shifted = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(shifted[:, k] / shifted.sum(axis=1), np.float64)


def _found(raw: Floats) -> Labels:
    if raw.shape[1] == 1:
        return np.asarray(raw[:, 0] >= 0, np.int64)
    return np.asarray(np.argmax(raw, axis=1), np.int64)
