"""Clusters: known factors are found again, with the purity that the best classifier has."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.recursion_codes import cluster_values
from unweave.errors import DataError, SpecError
from unweave.population.recursion.clusters import Clusters, find_clusters

TURN = 2 * math.pi


def share_right(ids, truth):
    """Of the images in a cluster, how many have the value that most of their cluster have."""
    kept = ids >= 0
    table = np.zeros((ids.max() + 1, truth.max() + 2), int)
    np.add.at(table, (ids[kept], truth[kept]), 1)
    # Outliers, whose true value is -1, are counted last, and never right.
    return table[:, :-1].max(axis=1).sum() / kept.sum()


@pytest.mark.parametrize("count", [2, 3, 6, 10, 15, 32, 50])
@pytest.mark.parametrize("noise", [0.02, 0.1, 0.2])
def test_counts_the_values_of_a_factor(count, noise):
    values, truth = cluster_values(count, 1000 * count, noise, seed=count)
    found = find_clusters(values)
    assert found.count == count
    assert found.usable.all()
    np.testing.assert_array_equal(
        np.unique(found.ids), np.arange(-1 + (found.ids >= 0).all(), count)
    )
    # Clusters are in the order of their values, as the true ones are.
    kept = found.ids >= 0
    assert (found.ids[kept] == truth[kept]).mean() > 0.99
    assert found.coverage == pytest.approx(kept.mean())
    between = (np.arange(count - 1) + 0.5 - (count - 1) / 2) * 3.4 / count
    np.testing.assert_allclose(found.edges, between, atol=0.2 * 3.4 / count)


@pytest.mark.parametrize("noise", [0.15, 0.2, 0.25, 0.28])
def test_purity_is_that_of_the_best_classifier(noise):
    # Half of the distance to a neighbour is 0.5 / noise deviations, and inner clusters have two.
    count = 5
    values, truth = cluster_values(count, 100_000, noise, seed=1)
    tail = 0.5 * math.erfc(0.5 / noise / math.sqrt(2))
    expected = 1 - tail * 2 * (count - 1) / count
    found = find_clusters(values)
    assert found.count == count
    assert found.purity == pytest.approx(expected, abs=0.004)
    assert (np.searchsorted(found.edges, values) == truth).mean() == pytest.approx(
        expected, abs=0.004
    )
    # Within intervals it is what the share of right ones is.
    right = share_right(found.ids, truth)
    told = float((found.purities * found.sizes).sum() / found.sizes.sum())
    assert told == pytest.approx(right, abs=0.004)
    assert right > expected


def test_unequal_sizes_overlap_and_outliers():
    sizes = np.array([1, 4, 2, 3, 1, 2, 4]) / 17
    values, truth = cluster_values(7, 30_000, 0.18, seed=2, sizes=sizes, outliers=0.03)
    found = find_clusters(values)
    assert found.usable.sum() == 7
    right = share_right(found.ids, truth)
    # Outliers that lie within a cluster cannot be told.
    assert right > 0.98
    far = np.abs(values) > 2.5
    assert far.sum() > 200
    assert (found.ids[far] == -1).mean() > 0.9


def test_a_small_clump_is_a_cluster_that_is_not_used():
    values, _ = cluster_values(4, 8000, 0.1, seed=3)
    values = np.append(values, np.random.default_rng(0).normal(4.0, 0.05, 100))
    found = find_clusters(values)
    assert found.count == 5
    assert found.usable.tolist() == [True] * 4 + [False]
    assert found.coverage == pytest.approx((np.isin(found.ids, range(4))).mean())


@pytest.mark.parametrize("images", [500, 20_000])
@pytest.mark.parametrize("kind", ["normal", "uniform", "logistic"])
def test_continuous_factors_have_no_clusters(kind, images):
    generator = np.random.default_rng(4)
    found = find_clusters(getattr(generator, kind)(size=images))
    assert found.count == 0
    assert found.reason == "the density of its values has one peak"
    assert (found.purity, found.coverage) == (0, 0)
    assert (found.ids == -1).all()
    assert (found.assign([0.0, 1.0]) == -1).all()


@pytest.mark.parametrize("values", [np.zeros(50), np.full(500, -2.5), np.array([1.0])])
def test_equal_values_have_no_clusters(values):
    found = find_clusters(values)
    assert found.count == 0
    assert "equal" in found.reason


def test_values_without_noise_are_clusters():
    truth = np.random.default_rng(5).integers(0, 9, 5000)
    found = find_clusters(truth * 0.3)
    np.testing.assert_array_equal(found.ids, truth)
    assert found.purity == pytest.approx(1)
    assert found.coverage == 1


def test_half_a_million_values_take_seconds_at_most():
    values, truth = cluster_values(50, 500_000, 0.15, seed=6)
    begun = time.perf_counter()
    found = find_clusters(values)
    assert time.perf_counter() - begun < 10
    assert found.count == 50
    assert share_right(found.ids, truth) > 0.999


@given(
    count=st.integers(2, 12),
    noise=st.floats(0.02, 0.2),
    scale=st.floats(1e-6, 1e6),
    shift=st.floats(-10, 10),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=25, deadline=None)
def test_clusters_do_not_depend_on_scale(count, noise, scale, shift, seed):
    values, _ = cluster_values(count, 500 * count, noise, seed=seed)
    first, second = find_clusters(values), find_clusters((values + shift) * scale)
    assert first.count == second.count
    # The bins of a few values change by rounding.
    assert (first.ids == second.ids).mean() > 0.995
    assert first.purity == pytest.approx(second.purity, abs=1e-3)


@given(
    values=st.lists(st.floats(-100, 100), min_size=1, max_size=300),
    repeat=st.integers(1, 40),
    period=st.sampled_from([None, TURN]),
)
@settings(max_examples=60, deadline=None)
def test_any_values_have_consistent_clusters(values, repeat, period):
    numbers = np.tile(values, repeat)
    if period is not None:
        numbers = np.abs(numbers) % period
    found = find_clusters(numbers, period=period)
    assert found.count == 0 or found.count >= 2
    assert (found.reason == "") == (found.count > 0)
    assert 0 <= found.purity <= 1
    assert 0 <= found.coverage <= 1
    np.testing.assert_array_equal(found.assign(numbers), found.ids)
    np.testing.assert_array_equal(
        found.sizes, [(found.ids == k).sum() for k in range(found.count)]
    )
    assert len(found.edges) == max(found.count - 1, 0)
    # Intervals ascend, and lie between the edges.
    flat = found.intervals.ravel()
    assert (np.diff(flat) >= 0).all()
    for k in range(found.count - 1):
        assert found.intervals[k, 1] <= found.edges[k] <= found.intervals[k + 1, 0]


@pytest.mark.parametrize("start", [0.0, 0.3, 3.0, 6.1])
def test_a_circle_has_no_end(start):
    generator = np.random.default_rng(7)
    truth = generator.integers(0, 8, 8000)
    angles = (start + truth * TURN / 8 + 0.05 * generator.normal(size=8000)) % TURN
    found = find_clusters(angles, period=TURN)
    assert found.count == 8
    assert found.circular
    kept = found.ids >= 0
    assert kept.mean() > 0.98
    # The same clusters, counted from another one.
    shifts = (found.ids[kept] - truth[kept]) % 8
    assert (shifts == shifts[0]).all()
    np.testing.assert_array_equal(found.assign(angles + TURN), found.assign(angles))


def test_a_uniform_circle_has_no_clusters():
    angles = np.random.default_rng(8).uniform(0, TURN, 20_000)
    found = find_clusters(angles, period=TURN)
    assert (found.count, found.circular) == (0, True)


def test_only_leaves_images_out():
    values, _ = cluster_values(3, 900, 0.1, seed=9)
    found = find_clusters(values)
    kept = np.arange(900) % 3 == 0
    part = found.only(kept)
    np.testing.assert_array_equal(part.ids, np.where(kept, found.ids, -1))
    assert part.sizes.sum() == (part.ids >= 0).sum()
    assert part.coverage == pytest.approx((part.ids >= 0).mean())
    assert isinstance(part, Clusters)


def test_refuses_bad_input():
    for values in ([], [[1.0, 2.0]], [1.0, np.nan]):
        with pytest.raises(DataError, match="finite values"):
            find_clusters(values)
    with pytest.raises(DataError, match=r"from 0 to below 6\.28"):
        find_clusters([0.0, 7.0], period=TURN)
    for name, value in (("depth", 1.0), ("sure", 0.0), ("significance", -1.0), ("share", -0.1)):
        with pytest.raises(SpecError, match=f"{name} must be"):
            find_clusters([0.0, 1.0], **{name: value})
