"""Latents matched one to one, against all permutations and against SciPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import spearmanr

from unweave.comparison import LatentMatch, match_latents
from unweave.errors import DataError, SpecError

RNG = np.random.default_rng(7)
CODES = RNG.normal(size=(400, 5)) @ (np.eye(5) + 0.3 * RNG.normal(size=(5, 5)))


def of(matching):
    return [(pair.first, pair.second) for pair in matching.pairs]


@pytest.mark.parametrize("correlation", ["spearman", "pearson"])
def test_a_permuted_copy_with_some_latents_upside_down_is_found(correlation):
    order, signs = [3, 0, 4, 1, 2], np.array([1, -1, -1, 1, -1])
    found = match_latents(CODES, 2.5 * CODES[:, order] * signs + 1, correlation=correlation)
    assert of(found) == sorted((first, second) for second, first in enumerate(order))
    for pair in found.pairs:
        assert pair.correlation == pytest.approx(signs[pair.second])
        assert pair.clear
    assert found.mean == pytest.approx(1)
    assert found.unmatched() == ([], [])


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (1, 4)])
def test_the_sum_is_the_largest_of_all_permutations(shape):
    rng = np.random.default_rng(shape)
    first, second = (rng.normal(size=(60, n)) for n in shape)
    second[:, 0] += first[:, 0]
    found = match_latents(first, second)
    table = np.array([[spearmanr(a, b).statistic for b in second.T] for a in first.T])
    np.testing.assert_allclose(found.correlations, table, atol=1e-12)
    few, many = sorted(shape)
    wide = np.abs(table if shape[0] <= shape[1] else table.T)
    best = max(
        sum(wide[k, j] for k, j in enumerate(places))
        for places in itertools.permutations(range(many), few)
    )
    assert sum(abs(pair.correlation) for pair in found.pairs) == pytest.approx(best)
    assert found.mean == pytest.approx(best / few)
    for pair in found.pairs:
        assert pair.correlation == pytest.approx(table[pair.first, pair.second])
    left = found.unmatched()
    assert [len(each) for each in left] == [shape[0] - few, shape[1] - few]
    assert set(left[1]) == set(range(shape[1])) - {pair.second for pair in found.pairs}


def test_ranks_see_through_a_curve_and_values_do_not():
    curved = np.exp(3 * CODES)
    assert match_latents(CODES, curved).mean == pytest.approx(1)
    assert match_latents(CODES, curved, correlation="pearson").mean < 0.9


def test_pearson_is_that_of_numpy():
    other = np.random.default_rng(1).normal(size=CODES.shape) + CODES
    found = match_latents(CODES, other, correlation="pearson")
    expected = np.corrcoef(CODES.T, other.T)[:5, 5:]
    np.testing.assert_allclose(found.correlations, expected, atol=1e-12)


def test_latents_that_carry_nothing_are_matched_with_none():
    kl = np.array([1.0, 0.5, 0.01, 2.0, 0.001])
    # The unused ones would match best of all.
    found = match_latents(CODES, CODES, kl=(kl, np.ones(5)))
    assert of(found) == [(0, 0), (1, 1), (3, 3)]
    np.testing.assert_array_equal(found.used[0], [True, True, False, True, False])
    assert found.unmatched() == ([], [2, 4])
    still = CODES.copy()
    still[:, 1] = 3.0
    without = match_latents(still, CODES)
    assert of(without) == [(0, 0), (2, 2), (3, 3), (4, 4)]
    assert np.isnan(without.correlations[1]).all()
    none = match_latents(CODES, CODES, kl=(np.zeros(5), None))
    assert none.pairs == ()
    assert none.mean is None


def test_pairs_that_hardly_go_together_are_not_clear():
    assert LatentMatch(0, 1, -0.5).clear
    assert not LatentMatch(0, 1, -0.49).clear
    assert LatentMatch(0, 1, 0.7).to_dict() == {
        "first": 0, "second": 1, "correlation": 0.7, "clear": True,
    }  # fmt: skip


def test_codes_too_large_to_be_squared():
    found = match_latents(CODES * 1e200, CODES, correlation="pearson")
    assert found.mean == pytest.approx(1)


@pytest.mark.parametrize(
    ("first", "second", "given", "words"),
    [
        (CODES, CODES[:-1], {}, "same images"),
        (CODES, CODES[0], {}, r"shape \(N, L\)"),
        (CODES[:1], CODES[:1], {}, "at least 2 rows"),
        (CODES, np.where(CODES > 1, np.nan, CODES), {}, "finite"),
        (CODES, CODES, {"kl": ([1.0] * 4, None)}, "one for each of 5"),
        (CODES, CODES, {"kl": (None, [np.inf] * 5)}, "finite"),
    ],
)
def test_what_cannot_be_matched(first, second, given, words):
    with pytest.raises(DataError, match=words):
        match_latents(first, second, **given)


def test_an_unknown_correlation():
    with pytest.raises(SpecError, match="kendall"):
        match_latents(CODES, CODES, correlation="kendall")
