"""A stratified choice of posteriors stands for all of them without bias of the density."""

from __future__ import annotations

import numpy as np
import pytest

from reference import sampled_reference
from unweave.metrics.posterior.aggregate import Draws, Posteriors

COUNT = 60


@pytest.fixture(scope="module")
def posteriors():
    rng = np.random.default_rng(0)
    return Posteriors(
        mean=np.float32(np.sort(rng.normal(size=COUNT))),
        logvar=np.float32(rng.uniform(-5, -1, COUNT)),
    )


@pytest.fixture(scope="module")
def draws():
    rng = np.random.default_rng(1)
    # The first and the last image are among them, and one twice.
    rows = np.array([0, 7, 7, 30, 41, COUNT - 1])
    return Draws(rows, rng.normal(size=len(rows)))


def exact(posteriors, draws, rows):
    weights = [1 / len(rows)] * len(rows)
    means, logvars = posteriors.mean[rows].tolist(), posteriors.logvar[rows].tolist()
    result = []
    for row, noise in zip(draws.rows, draws.noise, strict=True):
        z = float(posteriors.mean[row]) + np.exp(0.5 * float(posteriors.logvar[row])) * noise
        result.append(sampled_reference.log_mixture(z, means, logvars, weights))
    return np.array(result)


def found(posteriors, draws, components, seed=0, rows=None):
    rows = np.arange(COUNT) if rows is None else rows
    places = np.array([int(np.flatnonzero(rows == row)[0]) for row in draws.rows])
    return posteriors.log_density(draws, places, rows, components, np.random.default_rng(seed))


@pytest.mark.parametrize("components", [None, COUNT, 10 * COUNT])
def test_all_posteriors_give_the_density_itself(posteriors, draws, components):
    expected = exact(posteriors, draws, np.arange(COUNT))
    np.testing.assert_allclose(found(posteriors, draws, components), expected, atol=1e-5)


@pytest.mark.parametrize("components", [2, 7, 25, 59])
def test_the_density_given_a_draw_is_unbiased(posteriors, draws, components):
    expected = np.exp(exact(posteriors, draws, np.arange(COUNT)))
    many = np.exp([found(posteriors, draws, components, seed) for seed in range(3_000)])
    error = many.std(axis=0) / np.sqrt(len(many))
    assert (np.abs(many.mean(axis=0) - expected) < 4.5 * error + 1e-6).all()
    # The test would notice the true weight of the own image missing.
    own = np.exp(-0.5 * draws.noise**2 - 0.5 * posteriors.logvar[draws.rows]) / np.sqrt(2 * np.pi)
    assert (own / COUNT > 9 * error).any()


def test_the_density_never_falls_below_the_share_of_the_own_image(posteriors, draws):
    own = (
        -0.5 * draws.noise**2
        - 0.5 * np.float64(posteriors.logvar[draws.rows])
        - 0.5 * np.log(2 * np.pi)
        - np.log(COUNT)
    )
    for seed in range(50):
        assert (found(posteriors, draws, 3, seed) >= own - 1e-9).all()


def test_a_group_of_one_image_is_its_posterior(posteriors):
    draws = Draws(np.array([5]), np.array([0.3]))
    rows = np.array([5])
    for components in (None, 2):
        value = found(posteriors, draws, components, rows=rows)
        np.testing.assert_allclose(value, exact(posteriors, draws, rows), atol=1e-5)


def test_strata_of_alike_images_leave_little_noise(posteriors, draws):
    shuffled = np.random.default_rng(3).permutation(COUNT)
    spread = {
        name: np.std([found(posteriors, draws, 20, seed, rows) for seed in range(300)], axis=0)
        for name, rows in (("ordered", np.arange(COUNT)), ("shuffled", shuffled))
    }
    assert spread["ordered"].mean() < 0.7 * spread["shuffled"].mean()
