"""Sampled entropies against closed forms and numerical integration."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from reference import sampled_reference
from unweave.factors import Factor, FactorSpace
from unweave.metrics.posterior.entropies import count_densities, sampled_entropies

SPACE = FactorSpace((Factor("a", 3), Factor("b", 5), Factor("c", 8)))
GRID = SPACE.unravel(np.arange(SPACE.size))
NORMAL = 0.5 * np.log(2 * np.pi * np.e)
"""Entropy of a standard normal distribution, nats."""


def estimate(mean, logvar, factors, samples=4_000, components=None, seed=0, **more):
    mean, logvar = np.broadcast_arrays(np.float32(mean), np.float32(logvar))
    return sampled_entropies(
        mean,
        logvar,
        factors,
        samples=samples,
        components=components,
        rng=np.random.default_rng(seed),
        **more,
    )


def table(seed=0, factors=GRID, repeats=1):
    """Latents that follow two factors, both at once, and none, with uneven noise."""
    rng = np.random.default_rng(seed)
    factors = np.tile(factors, (repeats, 1))
    mean = rng.normal(0, 0.2, (len(factors), 4))
    mean[:, 0] += factors[:, 0]
    mean[:, 1] += 0.5 * factors[:, 1]
    mean[:, 2] += 0.4 * factors[:, 0] + 0.3 * factors[:, 2]
    logvar = rng.uniform(-4, -1, mean.shape)
    return np.float32(mean), np.float32(logvar), factors


# Closed forms


@pytest.mark.parametrize("logvar", [-6.0, 0.0, 1.5])
@pytest.mark.parametrize("components", [None, 7])
def test_equal_posteriors_have_the_entropy_of_one(logvar, components):
    found = estimate(np.full((120, 2), 0.7), np.full((120, 2), logvar), GRID, 20_000, components)
    expected = NORMAL + 0.5 * logvar
    assert found.marginal == pytest.approx([expected] * 2, abs=0.02)
    assert found.conditional == pytest.approx(np.full((2, 3), expected), abs=0.02)
    np.testing.assert_allclose(found.information, 0, atol=1e-5)


@pytest.mark.parametrize("components", [None, 20])
def test_two_posteriors_far_apart_add_log_two(components):
    half = (np.arange(120) % 2).reshape(120, 1)
    found = estimate(10.0 * half, np.zeros((120, 1)), half, 20_000, components)
    assert found.marginal[0] == pytest.approx(NORMAL + np.log(2), abs=0.02)
    assert found.conditional[0, 0] == pytest.approx(NORMAL, abs=0.02)
    # The noise of the draws is that of both entropies, and cancels.
    assert found.information[0, 0] == pytest.approx(np.log(2), abs=1e-5)


@pytest.mark.parametrize("components", [None, 64])
@pytest.mark.parametrize("std", [1e-6, 0.02])
def test_latents_that_copy_factors_know_their_entropy(components, std):
    mean = np.tile(GRID, (6, 1))
    found = estimate(mean, np.full(mean.shape, 2 * np.log(std)), mean, 2_000, components)
    np.testing.assert_allclose(found.information, np.diag(np.log([3, 5, 8])), atol=2e-3)
    assert found.conditional[0, 0] == pytest.approx(NORMAL + np.log(std), abs=0.05)


def test_codes_that_follow_nothing_know_nothing():
    rng = np.random.default_rng(0)
    factors = np.tile(GRID, (20, 1))
    mean = rng.permutation(factors + 0.0)
    found = estimate(mean, np.full(mean.shape, -4.0), factors, 2_000, 500)
    # What is left is how far 2,400 rows are from independence: about (V - 1)^2 / 2N.
    assert np.abs(found.information).max() < 0.03


# Integration


@functools.cache
def integrated():
    """Entropies of a table by integration, which takes long."""
    return sampled_reference.integrated_entropies(*table(repeats=2))


@pytest.mark.parametrize("components", [None, 24])
def test_entropies_are_those_of_numerical_integration(components):
    mean, logvar, factors = table(repeats=2)
    marginal, conditional = integrated()
    found = estimate(mean, logvar, factors, 40_000, components)
    # The noise of 40,000 draws, and with few components the bias.
    tolerance = 0.015 if components is None else 0.03
    np.testing.assert_allclose(found.marginal, marginal, atol=tolerance)
    np.testing.assert_allclose(found.conditional, conditional, atol=tolerance)
    np.testing.assert_allclose(found.information, marginal[:, None] - conditional, atol=tolerance)


def test_rows_need_be_no_grid_and_a_value_may_have_one_row():
    mean, logvar, factors = table(repeats=3)
    rng = np.random.default_rng(5)
    kept = np.sort(rng.choice(len(factors), 150, replace=False))
    kept = kept[(factors[kept, 1] != 4) & (factors[kept, 0] != 1)]
    factors = factors[kept]
    factors[0, 1] = 4  # the only row of its value
    mean, logvar = mean[kept], logvar[kept]
    marginal, conditional = sampled_reference.integrated_entropies(mean, logvar, factors)
    found = estimate(mean, logvar, factors, 40_000)
    np.testing.assert_allclose(found.marginal, marginal, atol=0.02)
    np.testing.assert_allclose(found.conditional, conditional, atol=0.02)
    few = estimate(mean, logvar, factors, 4_000, 10)
    assert np.isfinite(few.conditional).all()


# Few components


def test_the_bias_of_few_components_is_upwards_small_and_shrinks():
    mean, logvar, factors = table(repeats=40)
    whole = estimate(mean, logvar, factors, 400)
    bias = {
        components: estimate(mean, logvar, factors, 400, components).marginal - whole.marginal
        for components in (16, 64, 256)
    }
    bias = {components: float(differences.mean()) for components, differences in bias.items()}
    assert bias[16] > bias[64] > abs(bias[256])
    assert bias[16] < 0.1
    assert abs(bias[256]) < 0.003
    close = estimate(mean, logvar, factors, 400, 256)
    np.testing.assert_allclose(close.information, whole.information, atol=0.01)


def test_draws_do_not_depend_on_the_components():
    mean, logvar, factors = table(repeats=2)
    whole = estimate(mean, logvar, factors, 300)
    # As many components as images is the full sum, the same draws included.
    again = estimate(mean, logvar, factors, 300, len(mean))
    np.testing.assert_array_equal(again.marginal, whole.marginal)
    np.testing.assert_array_equal(again.conditional, whole.conditional)


# Draws


def test_it_is_a_pure_function_of_the_generator():
    mean, logvar, factors = table()
    one, again, other = (
        estimate(mean, logvar, factors, 200, 30, seed=seed).conditional for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_the_order_of_the_rows_matters_no_more_than_the_seed():
    mean, logvar, factors = table(repeats=5)
    order = np.random.default_rng(9).permutation(len(mean))
    tables = {
        "sorted": (mean, logvar, factors),
        "mixed": (mean[order], logvar[order], factors[order]),
    }
    found = {
        name: np.array([estimate(*rows, 500, 100, seed=s).information for s in range(12)])
        for name, rows in tables.items()
    }
    difference = found["sorted"].mean(axis=0) - found["mixed"].mean(axis=0)
    error = np.sqrt(sum(f.var(axis=0, ddof=1) / 12 for f in found.values()))
    assert (np.abs(difference) < 5 * error + 1e-3).all()


# Cost


@pytest.mark.parametrize("components", [None, 10, 35])
def test_the_densities_are_counted_beforehand(components):
    mean, logvar, factors = table()
    told: list[tuple[str, int, int]] = []
    estimate(mean, logvar, factors, 960, components, progress=lambda *values: told.append(values))
    expected = 4 * count_densities(factors, 960, components)
    most = SPACE.size if components is None else components
    by_hand = 960 * 4 * (min(120, most) + min(40, most) + min(24, most) + min(15, most))
    assert expected == by_hand
    done = [value for _, value, _ in told]
    assert {(what, total) for what, _, total in told} == {("densities", expected)}
    assert done == sorted(done)
    assert done[-1] == expected
