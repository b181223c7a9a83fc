"""Trees that rounding decides are those of scikit-learn, cut by cut."""

from __future__ import annotations

import numpy as np
import pytest

from unweave.metrics.trees.regression import Presorted, grow
from unweave.metrics.trees.rounding import Trace, part


def swapped(rows, goes_left):
    """Swaps from both ends, one at a time."""
    rows, side = list(rows), dict(zip(rows, goes_left, strict=True))
    start, end = 0, len(rows)
    while start < end:
        if side[rows[start]]:
            start += 1
        else:
            end -= 1
            rows[start], rows[end] = rows[end], rows[start]
    return rows[:end], rows[end:]


@pytest.mark.parametrize("count", range(1, 9))
def test_rows_are_parted_by_swaps(count):
    rng = np.random.default_rng(count)
    for _ in range(100):
        rows = rng.permutation(count)
        goes_left = rng.random(count) < rng.random()
        left, right = part(rows, goes_left)
        assert (left.tolist(), right.tolist()) == swapped(rows.tolist(), goes_left.tolist())


def two_values(rng, codes):
    """As in the first stage: the gain of a cut depends on counts alone, so that many tie."""
    return (rng.random(len(codes)) < 0.2) - 0.2


def steps(rng, codes):
    """A few values, and nodes in which all are equal."""
    return np.round(codes[:, 0]) / 3 - 0.1


def plain(rng, codes):
    codes[:, 1] *= 1e-7  # some of its neighbours may not be parted


def copied(rng, codes):
    codes[:, 1], codes[:, 3] = -codes[:, 0], 4 * codes[:, 2]


def rounded(rng, codes):
    codes[:, 1:3] = np.round(codes[:, 1:3], 1)


def repeated(rng, codes):
    codes[: len(codes) // 2] = codes[len(codes) // 2 :]
    codes[:, 4] = 0.5


@pytest.mark.parametrize("target", [two_values, steps], ids=lambda make: make.__name__)
@pytest.mark.parametrize("change", [plain, copied, rounded, repeated], ids=lambda c: c.__name__)
def test_ties_are_resolved_as_scikit_learn_does(change, target, monkeypatch):
    traced = []
    best = Trace.best
    monkeypatch.setattr(Trace, "best", lambda *args: traced.append(args) or best(*args))
    own = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        codes = rng.normal(size=(2 * rng.integers(3, 150), 5))
        change(rng, codes)
        goal = np.float64(target(rng, codes))
        presorted = Presorted(np.float32(codes))
        found = grow(presorted, goal, presorted.codes, seed + 1)
        expected = grow(presorted, goal, presorted.codes, seed + 1, fast=False)
        np.testing.assert_allclose(found.gains, expected.gains, atol=1e-13)
        pairs = {*zip(found.leaf.tolist(), expected.leaf.tolist(), strict=True)}
        assert len(pairs) == found.leaves == expected.leaves
        np.testing.assert_array_equal(found.leaf, found.test_leaf)
        own += not found.by_sklearn
    assert traced, "no tie, so nothing is shown"
    assert own >= 5, "scikit-learn compared with itself"


def test_equal_values_that_matter_are_left_to_scikit_learn():
    # Rows of one value have different targets, and every order of them another rounding.
    rng = np.random.default_rng(0)
    codes = np.float32(np.round(rng.normal(size=(500, 4))))
    found = grow(Presorted(codes), rng.normal(size=500), codes, 7)
    assert found.leaves <= 8
    ties = np.float32(np.concatenate([codes, codes], axis=1))
    goal = rng.normal(size=500)
    tied, asked = (grow(Presorted(ties), goal, ties, 7, fast=fast) for fast in (True, False))
    assert tied.by_sklearn
    np.testing.assert_array_equal(tied.gains, asked.gains)
