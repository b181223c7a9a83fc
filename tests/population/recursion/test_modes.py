"""Densities: bandwidths by loops and in closed form, smoothing by hand, valleys that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reference.recursion_reference import wanted_bandwidth
from unweave.population.recursion.modes import BINS, Histogram, bandwidth, smooth, valleys


def counts_of(values):
    return Histogram.of(np.asarray(values, float)).counts


def test_histogram_counts_each_value_once():
    values = np.random.default_rng(0).normal(size=5000)
    histogram = Histogram.of(values)
    ends = histogram.at(np.arange(BINS + 1))
    # The edges that NumPy's own histogram is given are those that are told.
    expected, _ = np.histogram(values, ends)
    # Its last bin has both ends.
    np.testing.assert_array_equal(histogram.counts[:-1], expected[:-1])
    assert histogram.counts.sum() >= 0.998 * 5000


def test_histogram_leaves_outliers_out_and_needs_a_range():
    values = np.append(np.linspace(0, 1, 5000), 1e9)
    assert Histogram.of(values).width * BINS == pytest.approx(1.2, rel=0.01)
    assert Histogram.of(np.full(100, 3.0)) is None
    # Neighbouring doubles have no range that could be divided.
    assert Histogram.of(np.tile([1.0, np.nextafter(1.0, 2)], 50)) is None


@pytest.mark.parametrize("centres", [[64.0], [40.0, 90.0], [25.0, 60.0, 105.0]])
def test_bandwidth_is_what_it_asks_for_itself(centres):
    generator = np.random.default_rng(1)
    values = np.concatenate([generator.normal(centre, 8.0, 400) for centre in centres])
    counts, _ = np.histogram(values, np.arange(129))
    width = bandwidth(counts.astype(float))
    assert width > 1.6
    assert wanted_bandwidth(counts.tolist(), width) == pytest.approx(width, rel=1e-6)


def test_bandwidth_of_a_normal_density_is_that_of_the_normal_rule():
    values = np.random.default_rng(2).normal(size=50_000)
    histogram = Histogram.of(values)
    rule = (4 / 3 / len(values)) ** 0.2
    assert bandwidth(histogram.counts) * histogram.width == pytest.approx(rule, rel=0.1)


def test_bandwidth_of_many_peaks_is_that_of_one():
    generator = np.random.default_rng(3)
    values = np.repeat(np.arange(40), 2000) + 0.1 * generator.normal(size=80_000)
    histogram = Histogram.of(values)
    # Each has 2,000 values, of a deviation of 0.1.
    rule = 0.1 * (4 / 3 / 2000) ** 0.2
    assert bandwidth(histogram.counts) * histogram.width == pytest.approx(rule, rel=0.15)


def test_bandwidth_of_values_without_spread_is_the_narrowest():
    counts = np.zeros(BINS)
    counts[[300, 2000, 3500]] = 1000
    assert bandwidth(counts) == 1.5


@pytest.mark.parametrize("circular", [False, True])
def test_smoothing_is_a_sum_of_kernels(circular):
    counts = np.zeros(64)
    counts[[1, 30, 31, 60]] = [5, 2, 1, 7]
    width = 2.0
    weights = [math.exp(-0.5 * (d / width) ** 2) for d in range(-10, 11)]
    expected = np.zeros(64)
    for place, count in enumerate(counts):
        for d, weight in zip(range(-10, 11), weights, strict=True):
            where = place + d
            if circular:
                expected[where % 64] += count * weight / sum(weights)
            elif 0 <= where < 64:
                expected[where] += count * weight / sum(weights)
    np.testing.assert_allclose(smooth(counts, width, circular=circular), expected, atol=1e-12)


@pytest.mark.parametrize("noise", [0.02, 0.1, 0.2])
def test_valleys_are_between_clusters(noise):
    generator = np.random.default_rng(4)
    values = np.repeat(np.arange(12), 1000) + noise * generator.normal(size=12_000)
    histogram = Histogram.of(values)
    found = histogram.at(valleys(histogram.counts, depth=0.7, significance=4.0))
    np.testing.assert_allclose(found, np.arange(11) + 0.5, atol=0.2)


def test_a_shallow_or_uncertain_valley_is_none():
    generator = np.random.default_rng(5)
    # At a distance of 3 deviations the valley has 2 exp(-1.125) = 0.65 of a peak's density.
    values = np.concatenate([generator.normal(m, 1, 100_000) for m in (0, 3)])
    counts = counts_of(values)
    assert len(valleys(counts, depth=0.9, significance=4.0)) == 1
    assert len(valleys(counts, depth=0.5, significance=4.0)) == 0
    few = counts_of(values[::5000])
    assert len(valleys(few, depth=0.9, significance=4.0)) == 0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", ["normal", "uniform", "triangular", "laplace"])
@pytest.mark.parametrize("images", [300, 20_000])
def test_densities_with_one_peak_have_no_valley(kind, seed, images):
    generator = np.random.default_rng(seed)
    values = {
        "normal": lambda: generator.normal(size=images),
        "uniform": lambda: generator.uniform(size=images),
        "triangular": lambda: generator.triangular(0, 1, 3, size=images),
        "laplace": lambda: generator.laplace(size=images),
    }[kind]()
    assert len(valleys(counts_of(values), depth=0.7, significance=4.0)) == 0
