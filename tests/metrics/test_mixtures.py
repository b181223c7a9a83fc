"""Log density of a mixture against loops, SciPy and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from reference import sampled_reference
from unweave.metrics.posterior.mixtures import Mixture, precision_of, seconds_per_density


def random_mixture(count, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.5, 2, count)
    return Mixture(
        mean=rng.normal(0, 2, count),
        logvar=rng.uniform(-4, 1, count),
        log_weight=np.log(weights / weights.sum()),
        dtype=dtype,
    )


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 2e-4)])
@pytest.mark.parametrize("count", [1, 3, 50])
def test_it_is_the_density_counted_one_component_after_the_other(dtype, tolerance, count):
    mixture = random_mixture(count, dtype)
    points = np.linspace(-8, 8, 37)
    weights = np.exp(mixture.log_weight)
    expected = [
        sampled_reference.log_mixture(z, mixture.mean, mixture.logvar, weights) for z in points
    ]
    assert mixture.log_density(points) == pytest.approx(expected, rel=tolerance, abs=tolerance)


def test_blocks_of_rows_and_columns_are_put_together():
    # More points and components than a block holds, with edges in the middle.
    mixture = random_mixture(20_011)
    points = np.linspace(-5, 5, 41)
    std = np.exp(0.5 * mixture.logvar)
    densities = stats.norm.pdf(points[:, None], mixture.mean, std)
    expected = np.log(densities @ np.exp(mixture.log_weight))
    np.testing.assert_allclose(mixture.log_density(points), expected, rtol=1e-10)
    single = Mixture(
        mean=mixture.mean, logvar=mixture.logvar, log_weight=mixture.log_weight, dtype=np.float32
    )
    np.testing.assert_allclose(single.log_density(points), expected, rtol=0, atol=2e-5)


def test_points_far_from_everything_have_a_finite_density():
    mixture = Mixture(
        mean=np.array([0.0, 1.0]), logvar=np.array([-8.0, -8.0]), log_weight=0.0, dtype=np.float32
    )
    found = mixture.log_density(np.array([100.0]))
    # The nearer one is all that counts.
    assert found[0] == pytest.approx(sampled_reference.log_normal(100.0, 1.0, -8.0), rel=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_point_that_nothing_reaches_has_density_zero(dtype):
    # The square of its distance exceeds the largest number; in a second block one reaches it.
    mean, logvar = np.zeros(8_193), np.full(8_193, -160.0 if dtype is np.float32 else -700.0)
    far = Mixture(mean=mean, logvar=logvar, log_weight=0.0, dtype=dtype)
    assert far.log_density(np.array([1e10]))[0] == -np.inf
    mean[-1], logvar[-1] = 1e10, 0.0
    near = Mixture(mean=mean, logvar=logvar, log_weight=0.0, dtype=dtype)
    expected = sampled_reference.log_normal(0.0, 0.0, 0.0)
    assert near.log_density(np.array([1e10]))[0] == pytest.approx(expected, rel=1e-6)


def test_a_component_can_be_exchanged_for_each_point():
    mixture = random_mixture(9_000)
    points = np.array([-1.0, 0.0, 2.0])
    exchanged, exchange = np.array([0, 8_500, 3]), np.array([-np.inf, -2.0, 0.5])
    found = mixture.log_density(points, exchanged=exchanged, exchange=exchange)
    std = np.exp(0.5 * mixture.logvar)
    logs = stats.norm.logpdf(points[:, None], mixture.mean, std) + mixture.log_weight
    logs[np.arange(3), exchanged] = exchange
    np.testing.assert_allclose(found, np.logaddexp.reduce(logs, axis=1), rtol=1e-10)


def test_progress_adds_up_to_the_densities_evaluated():
    told: list[int] = []
    random_mixture(9_000).log_density(np.zeros(40), tick=told.append)
    assert sum(told) == 40 * 9_000
    assert len(told) > 1


@pytest.mark.parametrize(
    ("mean", "std", "expected"),
    [
        (3.0, 0.05, np.float32),
        (3.0, 1e-4, np.float64),
        (0.0, 1e-4, np.float32),
        (0.0, 1e-38, np.float64),
    ],
)
def test_narrow_components_far_from_zero_are_evaluated_in_double_precision(mean, std, expected):
    means = np.float32([mean, 0.0])
    logvars = np.float32([2 * np.log(std), 0.0])
    rng = np.random.default_rng(0)
    points = means[0] + std * rng.normal(size=200)
    assert precision_of(means, logvars, points) is expected
    mixture = Mixture(
        mean=means,
        logvar=logvars,
        log_weight=np.log(0.5),
        dtype=precision_of(means, logvars, points),
    )
    logs = stats.norm.logpdf(points[:, None], means, np.exp(0.5 * np.float64(logvars)))
    exact = np.logaddexp.reduce(logs + np.log(0.5), axis=1)
    np.testing.assert_allclose(mixture.log_density(points), exact, rtol=1e-5, atol=2e-3)


@pytest.mark.parametrize(
    ("std", "largest", "expected"),
    [
        (1e30, 1e30, np.float32),
        (1e36, 1e36, np.float64),
        (1e30, 2e37, np.float64),
        (1e40, 0.0, np.float64),
    ],
)
def test_what_float32_cannot_hold_is_evaluated_in_double_precision(std, largest, expected):
    means, logvars = np.float32([0, largest]), np.full(2, np.float32(2 * np.log(std)))
    points = np.array([largest, 2 * std])
    dtype = precision_of(means, logvars, points)
    assert dtype is expected
    mixture = Mixture(mean=means, logvar=logvars, log_weight=np.log(0.5), dtype=dtype)
    logs = stats.norm.logpdf(points[:, None], means, np.exp(0.5 * np.float64(logvars)))
    exact = np.logaddexp.reduce(logs + np.log(0.5), axis=1)
    np.testing.assert_allclose(mixture.log_density(points), exact, rtol=1e-5)


def test_the_time_of_a_density_is_measured():
    assert 1e-11 < seconds_per_density() < 1e-6
