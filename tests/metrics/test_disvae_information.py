"""The entropies of the disentangling-vae code against its steps taken one by one."""

from __future__ import annotations

import numpy as np
import pytest

from reference import sampled_reference
from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace
from unweave.metrics.posterior.disvae import (
    check_grid,
    count_disvae_densities,
    disvae_entropies,
)
from unweave.representation import Representation

SPACE = FactorSpace((Factor("a", 2), Factor("b", 3), Factor("c", 5)))


def table(space=SPACE, seed=0, **changes):
    rng = np.random.default_rng(seed)
    factors = space.unravel(np.arange(space.size))
    mean = rng.normal(0, 0.3, (len(factors), 4))
    mean[:, : factors.shape[1]] += factors
    fields = {
        "mean": np.float32(mean),
        "logvar": np.float32(rng.uniform(-3, 0, mean.shape)),
        "factors": factors,
        "factor_space": space,
    }
    return Representation(**fields | changes)


def estimate(rows, samples, seed=0, **more):
    rng = np.random.default_rng(seed)
    return disvae_entropies(rows.mean, rows.logvar, rows.factors, samples=samples, rng=rng, **more)


@pytest.mark.parametrize("samples", [1, 4, 6])
def test_it_takes_the_published_steps(samples):
    rows = table()
    found = estimate(rows, samples, seed=3)
    marginal, conditional = sampled_reference.disvae_entropies(
        rows.mean, rows.logvar, SPACE.sizes, samples, np.random.default_rng(3)
    )
    np.testing.assert_allclose(found.marginal, marginal, rtol=2e-5, atol=1e-4)
    np.testing.assert_allclose(found.conditional, conditional, rtol=2e-5, atol=1e-4)


def test_a_sample_is_a_medley_of_all_latents():
    # All images alike, (0, 9): two of them are a table [[0, 9], [0, 9]], whose transpose would be
    # [0, 0] for one latent and [9, 9] for the other. Read in order, both get [0, 9].
    space = FactorSpace((Factor("a", 2), Factor("b", 3)))
    rows = Representation(
        mean=np.float32([[0, 9]] * 6),
        logvar=np.zeros((6, 2), np.float32),
        factors=space.unravel(np.arange(6)),
        factor_space=space,
    )
    found = estimate(rows, 2)
    expected = 0.5 * np.log(2 * np.pi) + 0.5 * (0.5 * 9**2)
    np.testing.assert_allclose(found.marginal, [expected] * 2, rtol=1e-5)
    np.testing.assert_allclose(found.conditional, [[expected] * 2] * 2, rtol=1e-5)


@pytest.mark.parametrize("logvar", [-200.0, 180.0])
def test_variances_beyond_single_precision_are_no_nan(logvar):
    rows = table(logvar=np.full((30, 4), logvar, np.float32))
    found = estimate(rows, 6, seed=3)
    # One component is all that reaches a point, or all do alike.
    gaps = [
        (np.float64(z) - np.float64(rows.mean[:, 0])) ** 2
        for z in rows.mean[np.random.default_rng(3).choice(30, 6, replace=False)].ravel()[:6]
    ]
    square = np.mean([gap.min() for gap in gaps]) / np.exp(logvar)
    expected = 0.5 * (np.log(2 * np.pi) + logvar + square) + (np.log(30) if logvar < 0 else 0)
    assert found.marginal[0] == pytest.approx(expected, rel=1e-6)
    assert np.isfinite(found.conditional).all()


def test_what_is_not_a_whole_grid_in_order_is_refused():
    rows = table()
    for chosen in (np.arange(29), np.roll(np.arange(30), 1), np.r_[np.arange(29), 0]):
        with pytest.raises(DataError, match="all combinations of the factors in file order, 30"):
            check_grid(rows.factors[chosen], SPACE, 2)


def test_too_few_images_of_a_value_are_refused():
    with pytest.raises(DataError, match=r"draws 7 images.*c has only 6 a value.*samples=6"):
        check_grid(table().factors, SPACE, 7)
    check_grid(table().factors, SPACE, 6)


def test_the_densities_are_counted_beforehand():
    told: list[int] = []
    estimate(table(), 5, progress=lambda what, done, total: told.append(done))
    assert told[-1] == 4 * count_disvae_densities(table().factors, 5) == 4 * 5 * 30 * 4
    assert told[-2] == told[-1] - 1
