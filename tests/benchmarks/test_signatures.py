"""Signatures of methods against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from _methods.signatures import mmd_to_prior, off_diagonal, total_correlation

from unweave.factors import FactorSpace
from unweave.representation import Representation


def table(mean, logvar=None):
    return Representation(
        mean=mean.astype(np.float32),
        factors=np.empty((len(mean), 0), np.int64),
        factor_space=FactorSpace.unknown(),
        logvar=None if logvar is None else np.full_like(mean, logvar, dtype=np.float32),
    )


@pytest.mark.parametrize("correlation", [0.0, pytest.param(0.6, marks=pytest.mark.slow), 0.9])
def test_the_total_correlation_is_that_of_a_normal_distribution(correlation):
    rng = np.random.default_rng(0)
    covariance = np.array([[1.0, correlation], [correlation, 1.0]])
    # Means and noise of the posteriors add up to the covariance.
    noise = 0.05
    mean = rng.multivariate_normal([0, 0], covariance - noise * np.eye(2), 3000)
    found = total_correlation(table(mean, np.log(noise)))
    assert found == pytest.approx(-0.5 * np.log(1 - correlation**2), abs=0.08)


def test_covariances_of_different_latents_count_twice():
    mean = np.array([[1.0, 2.0, 0.0], [-1.0, -2.0, 0.0]])
    assert off_diagonal(table(mean)) == pytest.approx(2 * 2.0**2)


def test_the_discrepancy_is_zero_for_the_prior_and_grows_with_the_distance():
    rng = np.random.default_rng(1)
    normal = rng.standard_normal((5000, 4))
    assert abs(mmd_to_prior(table(normal))) < 2e-3
    near, far = (mmd_to_prior(table(normal + shift)) for shift in (0.5, 2.0))
    assert 5e-3 < near < far
    # Posteriors that make up the prior together.
    assert abs(mmd_to_prior(table(np.sqrt(0.5) * normal, np.log(0.5)))) < 2e-3
