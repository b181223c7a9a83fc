"""Held-out parts and keyed generators."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unweave.errors import SpecError
from unweave.splits import holdout, keyed_generator, keyed_permutation


@given(st.integers(2, 500), st.floats(0.01, 0.99), st.integers(0, 2**70))
def test_the_parts_are_disjoint_complete_and_sorted(num_images, fraction, seed):
    count = round(num_images * fraction)
    if count in (0, num_images):
        return
    train, held = holdout(num_images, fraction, seed)
    assert len(held) == count
    assert sorted([*train, *held]) == list(range(num_images))
    assert np.all(np.diff(train) > 0)
    assert np.all(np.diff(held) > 0)
    assert train.dtype == held.dtype == np.int64


def test_nothing_held_out():
    train, held = holdout(10, 0, seed=3)
    assert train.tolist() == list(range(10))
    assert held.tolist() == []


def test_the_parts_depend_on_the_seed_alone():
    first, again, other = (holdout(1000, 0.1, seed)[1] for seed in (0, 0, 1))
    assert first.tolist() == again.tolist()
    # Two independent tenths share a hundredth: 10 of 100.
    assert len(np.intersect1d(first, other)) < 30


def test_the_held_out_part_is_spread_evenly():
    held = holdout(100_000, 0.1, seed=0)[1]
    counts = np.histogram(held, bins=10, range=(0, 100_000))[0]
    assert np.abs(counts - 1000).max() < 150  # five standard deviations of 30


@pytest.mark.parametrize("fraction", [-0.1, 1, 1.5, float("nan")])
def test_fractions_out_of_range_are_refused(fraction):
    with pytest.raises(SpecError, match="at least 0 and less than 1"):
        holdout(100, fraction, seed=0)


def test_empty_parts_are_refused():
    with pytest.raises(SpecError, match=r"holds out none: give at least 0\.05"):
        holdout(10, 0.04, seed=0)
    with pytest.raises(SpecError, match="leaves none to train on"):
        holdout(10, 0.96, seed=0)


def test_golden_draws():
    # Frozen: another outcome would change every run that is resumed.
    assert keyed_permutation(8, 0, "test").tolist() == [2, 3, 4, 7, 1, 5, 6, 0]
    assert holdout(20, 0.2, seed=7)[1].tolist() == [3, 6, 15, 18]


def test_each_part_of_the_key_counts():
    keys = [(0, "a"), (1, "a"), (0, "b"), (0, "a", 0), (0, "a", 1), (0, "a", 0, 1), (2**64, "a")]
    draws = [keyed_generator(*key).integers(2**60) for key in keys]
    assert len(set(draws)) == len(keys)
    assert draws == [keyed_generator(*key).integers(2**60) for key in keys]


def test_permutations_are_permutations_and_uniform():
    orders = [tuple(keyed_permutation(3, 0, "test", k)) for k in range(6000)]
    counts = [orders.count(order) for order in set(orders)]
    assert len(counts) == 6
    assert max(abs(count - 1000) for count in counts) < 150  # five standard deviations of 29


def test_keys_mean_the_same_in_another_process():
    code = "from unweave.splits import keyed_permutation as k; print(k(9, 5, 'x', 2).tolist())"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == str(keyed_permutation(9, 5, "x", 2).tolist())


@pytest.mark.parametrize("seed", [-1, 1.5, "0", None])
def test_bad_seeds_are_refused(seed):
    with pytest.raises(SpecError, match="seed must be"):
        keyed_generator(seed, "a")
