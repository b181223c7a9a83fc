"""What scikit-learn's regression trees decide where rounding decides, by their own arithmetic.

Cuts of two features often part a small node alike, and which is taken then depends on the last
digit of their sums: on the order in which the features are visited and the rows stand. Both
follow from the seed of the tree and from the nodes before, and are traced here for the nodes that
need it.
"""

from __future__ import annotations

__all__ = ["NEAR", "PURE", "PURE_2019", "Node", "Trace", "Undecided", "part"]

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, TypeVar, final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from unweave.metrics.trees.regression import Presorted

T = TypeVar("T")
Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
# A node, a feature, and a place in the order of the node's rows by it.
Pair = tuple[int, int, int]

NEAR = np.float32(1e-7)
"""scikit-learn does not cut between values that are nearer to each other than this."""

PURE = float(np.finfo(np.float64).eps)
"""Nor does it split a node whose variance is not above this."""

PURE_2019 = 1e-7
"""In version 0.20 it was this."""

# With more pairs of equal values than this, whose order matters, too many orders are possible.
_FEW = 4


class Undecided(Exception):
    """The order of equal values matters, which only scikit-learn's own sort can tell."""


@final
@dataclass(eq=False)
class Node:
    """A node of a tree that is grown.

    Attributes:
        order: Its rows by the order of each feature, (L, n).
        test: Its test rows.
        depth: How many cuts are above it.
        total: Sum of the target over its rows.
        squares: Sum of its squares.
        noise: How far the sum of squares may be off by rounding.
        parent: The node above; None for the root.
        is_left: Whether it has the rows to the left of the cut above.
        cut: The feature, and the number of rows to the left, once it is split.
        visited: Features that were looked at, in order.
        sorted_last: The feature by which its rows were sorted last; -1 for none.
        constants: How many features are known to be constant in it.
    """

    order: Rows
    test: Rows
    depth: int
    total: float
    squares: float
    noise: float
    parent: Node | None = None
    is_left: bool = False
    cut: tuple[int, int] | None = None
    visited: list[int] = field(default_factory=list)
    sorted_last: int = -1
    constants: int = 0

    @property
    def count(self) -> int:
        """Number of rows."""
        return int(self.order.shape[1])


@final
class Trace:
    """One tree as scikit-learn grows it.

    Args:
        presorted: Codes of the rows.
        target: What the tree approximates, (N,).
        seed: The number that is drawn for the tree.
        old: Weigh cuts by the formula of version 0.20.
    """

    def __init__(self, presorted: Presorted, target: Floats, seed: int, old: bool = False) -> None:
        self._presorted = presorted
        self._old = old
        self._target = target
        self._random = seed
        self._features = list(range(presorted.features))
        self._constants = list(range(presorted.features))
        self._waiting: list[Node] = []
        # Pairs of equal values whose order matters, and those of them that are swapped.
        self._pairs: set[Pair] = set()
        self._swapped: frozenset[Pair] = frozenset()

    def splits(self, node: Node) -> None:
        """Note that scikit-learn looks for a cut of a node, depth first and left before right."""
        self._waiting.append(node)

    def is_leaf(self, node: Node) -> bool:
        """Whether the variance of a node is too small to split it.

        Raises:
            Undecided: It cannot be told.
        """
        self._catch_up()
        return self._surely(lambda: self._variance(node) <= PURE)

    def best(self, node: Node, features: Rows) -> tuple[int, int]:
        """The best cut of some features: which, and the number of rows to the left.

        Raises:
            Undecided: It cannot be told.
        """
        self._catch_up()
        among = set(features.tolist())
        return self._surely(lambda: self._best(node, among))

    def _surely(self, decide: Callable[[], T]) -> T:
        """A decision that is the same in every order of equal values."""
        self._pairs.clear()
        self._swapped = frozenset()
        found = decide()
        pairs = sorted(self._pairs)
        if len(pairs) > _FEW:
            raise Undecided
        for number in range(1, len(pairs) + 1):
            for some in combinations(pairs, number):
                self._swapped = frozenset(some)
                if decide() != found:
                    raise Undecided
        return found

    # The order in which features are visited

    def _catch_up(self) -> None:
        for node in self._waiting:
            self._visit(node)
        self._waiting.clear()

    def _visit(self, node: Node) -> None:
        """Draw the features without replacement, and set those aside that are constant."""
        features = self._features
        columns, order = self._presorted.columns, node.order
        places = np.arange(len(features))
        constant = (columns[places, order[:, -1]] <= columns[places, order[:, 0]] + NEAR).tolist()
        known = 0 if node.parent is None else node.parent.constants
        left, found, drawn = len(features), 0, 0
        while left > known + found:
            j = drawn + self._draw() % (left - found - drawn)
            if j < known:
                features[drawn], features[j] = features[j], features[drawn]
                drawn += 1
                continue
            j += found
            node.sorted_last = features[j]
            if constant[features[j]]:
                aside = known + found
                features[j], features[aside] = features[aside], features[j]
                found += 1
            else:
                left -= 1
                node.visited.append(features[j])
                features[left], features[j] = features[j], features[left]
        features[:known] = self._constants[:known]
        self._constants[known : known + found] = features[known : known + found]
        node.constants = known + found

    def _draw(self) -> int:
        """A 32-bit xorshift."""
        state = self._random or 1
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        self._random = state
        return state & 0x7FFFFFFF

    # Sums, in the order in which rows stand

    def _variance(self, node: Node) -> float:
        parent = node.parent
        if parent is None:
            total, squares = self._sums(node)
            return squares / node.count - (total / node.count) ** 2
        whole, whole_squares = self._sums(parent)
        left, right = (self._target[rows] for rows in self._parted(parent, (0, 1)))
        if len(left) <= len(right):
            total = _last(np.cumsum(left))
        else:
            total = _subtracted(whole, right[::-1])
        squares = _last(np.cumsum(left * left))
        if not node.is_left:
            total, squares = whole - total, whole_squares - squares
        mean = total / node.count
        return squares / node.count - mean * mean

    def _sums(self, node: Node) -> tuple[float, float]:
        """Of the target and its squares, as rows stand when the node is reached."""
        if node.parent is None:
            here = self._target
        else:
            side = 0 if node.is_left else 1
            here = self._target[self._parted(node.parent, (side,))[side]]
        return _last(np.cumsum(here)), _last(np.cumsum(here * here))

    def _parted(self, node: Node, sides: tuple[int, ...]) -> tuple[Rows, Rows]:
        """Rows of both children as they stand once the node is split.

        Args:
            node: Has a cut.
            sides: Which children matter, 0 for the left and 1 for the right.
        """
        assert node.cut is not None
        feature, count = node.cut
        goes_left = np.zeros(len(self._target), np.bool_)
        goes_left[node.order[feature, :count]] = True
        rows = node.order[node.sorted_last]
        parted = part(rows, goes_left[rows])
        here = [self._target[parted[side]] for side in sides]
        if all((values == values[0]).all() for values in here):
            return parted

        def matters(place: int) -> bool:
            other = _swap(rows, [place])
            found = part(other, goes_left[other])
            return any(
                (self._target[found[side]] != values).any()
                for side, values in zip(sides, here, strict=True)
            )

        rows = self._swap_pairs(node, node.sorted_last, goes_left, matters)
        return part(rows, goes_left[rows])

    def _swap_pairs(
        self,
        node: Node,
        feature: int,
        goes_left: NDArray[np.bool_] | None = None,
        matters: Callable[[int], bool] = lambda place: True,
    ) -> Rows:
        """Rows by a feature, with those pairs of equal values swapped that are to be."""
        rows: Rows = node.order[feature]
        values = self._presorted.values(feature, rows)
        equal = values[1:] == values[:-1]
        if not equal.any():
            return rows
        here = self._target[rows]
        differ = here[1:] != here[:-1]
        if goes_left is not None:
            side = goes_left[rows]
            differ |= side[1:] != side[:-1]
        places = np.flatnonzero(equal & differ)
        if len(places) > 4 * _FEW or (np.diff(places) == 1).any():
            raise Undecided
        pairs = {(id(node), feature, int(place)) for place in places if matters(int(place))}
        self._pairs |= pairs
        return _swap(rows, [place for *_, place in pairs & self._swapped])

    # The best cut

    def _best(self, node: Node, among: set[int]) -> tuple[int, int]:
        total, _ = self._sums(node)
        best, cut = -np.inf, None
        for feature in node.visited:
            if feature not in among:
                continue
            rows = self._swap_pairs(node, feature)
            values = self._presorted.values(feature, rows)
            left = np.flatnonzero(values[1:] > values[:-1] + NEAR) + 1
            sums = _left_sums(self._target[rows], left, total)
            rest = total - sums
            right = node.count - left
            if self._old:
                gains = (right * sums - left * rest) ** 2 / (left * right)
            else:
                gains = sums * sums / left + rest * rest / right
            place = int(np.argmax(gains))
            if gains[place] > best:
                best, cut = gains[place], (feature, int(left[place]))
        if cut is None:
            raise Undecided
        return cut


def _swap(rows: Rows, places: list[int]) -> Rows:
    """Rows with those after the places before them."""
    swapped = rows.copy()
    for place in places:
        swapped[[place, place + 1]] = rows[[place + 1, place]]
    return swapped


def part(rows: Rows, goes_left: NDArray[np.bool_]) -> tuple[Rows, Rows]:
    """Rows that go left and right, in the order in which swaps leave them.

    A row that goes right is swapped with the last one not yet looked at, and that one is looked
    at next, until both ends meet.

    Args:
        rows: (n,).
        goes_left: (n,).
    """
    count = int(goes_left.sum())
    if count == len(rows):
        return rows, rows[:0]
    head, tail = rows[:count].copy(), rows[count:][::-1]
    gaps = np.flatnonzero(~goes_left[:count])
    found = np.flatnonzero(goes_left[count:][::-1])
    # Who is in hand when the next row is taken from the end.
    hand = np.append(head[gaps], rows[count])
    head[gaps] = tail[found]
    shifted = tail.copy()
    shifted[found] = hand[1:]
    return head, np.concatenate([hand[:1], shifted[:-1]])[::-1]


def _left_sums(target: Floats, left: Rows, total: float) -> Floats:
    """Sums of the first rows at each cut, added up from where that is fewer steps.

    Args:
        target: In the order of the feature, (n,).
        left: Number of rows to the left of each cut.
        total: Sum of all.
    """
    count = len(target)
    steps = np.diff(left, prepend=0)
    sums = np.cumsum(target)
    for jump in np.flatnonzero(steps > count - left):
        place = left[jump]
        # Where many equal values are skipped, the sum is that of all less those behind.
        start = _subtracted(total, target[place:][::-1])
        sums[place - 1 :] = np.cumsum(np.concatenate([[start], target[place:]]))
    return np.asarray(sums[left - 1], np.float64)


def _subtracted(total: float, values: Floats) -> float:
    return _last(np.subtract.accumulate(np.concatenate([[total], values])))


def _last(values: Floats) -> float:
    return float(values[-1])
