"""One regression tree of depth 3 on features that are sorted once for all trees."""

from __future__ import annotations

__all__ = ["Grown", "Presorted", "grow"]

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.trees.rounding import NEAR, PURE, PURE_2019, Node, Trace, Undecided

DEPTH = 3
# Features with more forbidden cuts than this share have them struck out at every node.
_MANY = 0.05

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


@final
class Presorted:
    """Rows of codes, and their order by each latent; threads may share it.

    Args:
        codes: (N, L).
    """

    def __init__(self, codes: NDArray[np.float32]) -> None:
        self.codes = np.ascontiguousarray(codes, np.float32)
        self.columns = np.ascontiguousarray(self.codes.T)
        self.order = np.argsort(self.columns, axis=1, kind="stable")
        self.features = len(self.columns)
        cuts = _cuts(np.take_along_axis(self.columns, self.order, axis=1))
        # Between equal rows with equal targets no cut is best, and none has to be struck out.
        row = np.unique(self.codes, axis=0, return_inverse=True)[1].ravel()[self.order]
        forbidden = ~cuts & (row[:, 1:] != row[:, :-1])
        self.repeated = np.flatnonzero(forbidden.sum(axis=1) > _MANY * len(self.codes))

    def values(self, feature: int, rows: Rows) -> NDArray[np.float32]:
        """Values of a feature in rows."""
        found: NDArray[np.float32] = self.columns[feature].take(rows)
        return found


@final
@dataclass(frozen=True, eq=False)
class Grown:
    """A tree.

    Attributes:
        gains: What the splits by each feature take off the mean squared deviation, (L,).
        leaves: Number of leaves.
        leaf: Leaf of each row, (N,).
        test_leaf: Leaf of each test row, (M,).
        by_sklearn: Whether scikit-learn had to decide.
    """

    gains: Floats
    leaves: int
    leaf: NDArray[np.integer]
    test_leaf: NDArray[np.integer]
    by_sklearn: bool


def grow(
    presorted: Presorted,
    target: Floats,
    test: NDArray[np.float32],
    seed: int,
    *,
    fast: bool = True,
    old: bool = False,
) -> Grown:
    """The tree of least squares that `sklearn.tree.DecisionTreeRegressor` grows at depth 3.

    Args:
        presorted: Codes of the rows.
        target: What to approximate, (N,).
        test: Codes of rows to sort into leaves, (M, L).
        seed: The number that scikit-learn draws for the tree.
        fast: Whether to try here before scikit-learn is asked.
        old: The tree of version 0.20, where choices between equal cuts may differ from it.
    """
    if fast or old:
        try:
            return _Growth(presorted, target, test, seed, old).grown()
        except Undecided:
            pass
    return _by_sklearn(presorted, target, test, seed)


@final
class _Growth:
    """One tree in the making."""

    def __init__(
        self,
        presorted: Presorted,
        target: Floats,
        test: NDArray[np.float32],
        seed: int,
        old: bool,
    ) -> None:
        self._presorted = presorted
        self._old = old
        self._target = target
        self._test = test
        self._gains = np.zeros(presorted.features)
        self._leaf = np.empty(len(target), np.int8)
        self._test_leaf = np.empty(len(test), np.int8)
        self._leaves = 0
        self._buffer = np.empty(presorted.order.size)
        self._trace = Trace(presorted, target, seed, old)

    def grown(self) -> Grown:
        target = self._target
        squares = float(target @ target)
        root = Node(
            order=self._presorted.order,
            test=np.arange(len(self._test)),
            depth=0,
            total=float(target.sum()),
            squares=squares,
            noise=_rounding(len(target)) * squares,
        )
        pending = [root]
        while pending:
            node = pending.pop()
            cut = self._cut(node)
            if cut is None:
                self._close(node.order[0], node.test)
            else:
                node.cut = cut
                # Left before right, as scikit-learn does.
                pending.extend(reversed(self._divide(node, *cut)))
        gains = self._gains / len(target)
        return Grown(gains, self._leaves, self._leaf, self._test_leaf, by_sklearn=False)

    def _close(self, rows: Rows, test: Rows) -> None:
        self._leaf[rows] = self._leaves
        self._test_leaf[test] = self._leaves
        self._leaves += 1

    def _cut(self, node: Node) -> tuple[int, int] | None:
        """Feature, and number of rows to the left; None for a leaf."""
        count = node.count
        if node.depth == DEPTH or count < 2:
            return None
        variance = node.squares / count - (node.total / count) ** 2
        if self._is_leaf(node, variance):
            return None
        self._trace.splits(node)
        gains = self._weigh_cuts(node)
        struck = np.zeros(len(gains), np.bool_)
        self._strike(gains, node.order, self._presorted.repeated, struck)
        while True:
            peaks = gains.max(axis=1)
            feature = int(peaks.argmax())
            best = peaks[feature]
            if best < 0:
                return None
            least = best - _rounding(count) * (best + node.total**2 / count)
            tied = peaks >= least
            left = int(gains[feature].argmax()) + 1
            if tied.sum() == 1 and (gains[feature] >= least).sum() == 1:
                if struck[feature] or self._allowed(
                    node.order[feature, left - 1 : left + 1], feature
                ):
                    self._gains[feature] += best
                    return feature, left
            elif struck[tied].all():
                feature, left = self._resolve(node, np.flatnonzero(tied), (feature, left))
                self._gains[feature] += max(gains[feature, left - 1], 0.0)
                return feature, left
            self._strike(gains, node.order, np.flatnonzero(tied & ~struck), struck)

    def _is_leaf(self, node: Node, variance: float) -> bool:
        if self._old:
            return variance <= PURE_2019
        if abs(variance - PURE) > node.noise / node.count:
            return variance < PURE
        return self._trace.is_leaf(node)

    def _resolve(self, node: Node, features: Rows, first: tuple[int, int]) -> tuple[int, int]:
        """One of the equal cuts of some features; the first where the old version is unknown."""
        try:
            return self._trace.best(node, features)
        except Undecided:
            if self._old:
                return first
            raise

    def _weigh_cuts(self, node: Node) -> Floats:
        """What each cut takes off the sum of squares, forbidden ones too, (L, n - 1)."""
        features, count = node.order.shape
        sums = self._buffer[: features * count].reshape(features, count)
        centred = self._target - node.total / count
        np.take(centred, node.order, out=sums, mode="clip")
        np.cumsum(sums, axis=1, out=sums)
        gains = sums[:, :-1]
        gains *= gains
        left = np.arange(1.0, count)
        gains *= count / (left * (count - left))
        return gains

    def _strike(
        self, gains: Floats, order: Rows, features: Rows, struck: NDArray[np.bool_]
    ) -> None:
        """Give cuts between values that are too near a gain of -1."""
        for feature in features:
            gains[feature][~_cuts(self._presorted.values(feature, order[feature]))] = -1
        struck[features] = True

    def _allowed(self, rows: Rows, feature: int) -> bool:
        return bool(_cuts(self._presorted.values(feature, rows))[0])

    def _divide(self, node: Node, feature: int, left: int) -> list[Node]:
        """The children that may be split; leaves are closed."""
        presorted = self._presorted
        rows = node.order[feature]
        low, high = presorted.values(feature, rows[left - 1 : left + 1])
        # As scikit-learn has it, in double precision.
        threshold = float(low) / 2 + float(high) / 2
        goes_left = self._test[node.test, feature] <= threshold
        tests = node.test[goes_left], node.test[~goes_left]
        if node.depth == DEPTH - 1:
            self._close(rows[:left], tests[0])
            self._close(rows[left:], tests[1])
            return []
        # Afresh for both: what is left of a large sum has the rounding of the large sum.
        sides = (self._target[rows[:left]], self._target[rows[left:]])
        # Both keep the order of each feature.
        is_left = np.zeros(len(self._target), np.bool_)
        is_left[rows[:left]] = True
        flat = node.order.ravel()
        chosen = is_left.take(flat)
        return [
            Node(
                order=flat.take(np.flatnonzero(mask)).reshape(presorted.features, -1),
                test=test,
                depth=node.depth + 1,
                total=float(side.sum()),
                squares=float(side @ side),
                noise=_rounding(node.count) * node.squares,
                parent=node,
                is_left=mask is chosen,
            )
            for mask, test, side in zip((chosen, ~chosen), tests, sides, strict=True)
        ]


def _rounding(count: int) -> float:
    """How far a sum of this many numbers may be off, relative to that of their sizes."""
    return PURE * (64 + 2 * count)


def _cuts(values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Whether sorted values (..., n) may be parted after each, (..., n - 1)."""
    found: NDArray[np.bool_] = values[..., 1:] > values[..., :-1] + NEAR
    return found


class _Draw(np.random.RandomState):
    """Draws the number that scikit-learn would have drawn."""

    def __init__(self, number: int) -> None:
        super().__init__(0)
        self._number = number

    def randint(self, *args: Any, **kwargs: Any) -> Any:
        """The number."""
        return self._number


def _by_sklearn(
    presorted: Presorted, target: Floats, test: NDArray[np.float32], seed: int
) -> Grown:
    from sklearn.tree import DecisionTreeRegressor

    regressor = DecisionTreeRegressor(max_depth=DEPTH, random_state=_Draw(seed))
    regressor.fit(presorted.codes, target, check_input=False)
    tree = regressor.tree_
    number = np.cumsum(tree.children_left < 0) - 1
    return Grown(
        gains=tree.compute_feature_importances(normalize=False),
        leaves=int(number[-1]) + 1,
        leaf=number[tree.apply(presorted.codes)],
        test_leaf=number[tree.apply(test)],
        by_sklearn=True,
    )
