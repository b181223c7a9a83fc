"""The candidates against loops, and against the exact densities where they must agree."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from _estimators.candidates import CANDIDATES, Codes
from _estimators.exact import exact_densities
from _estimators.gradients import estimated_coefficients, exact_coefficients, values

from reference import estimators_reference as slow
from reference import objectives_reference
from reference.steps import random_codes

IMAGES = 50


def codes(batch_size=6, latents=3, images=IMAGES, further=4):
    """A batch with images outside of it."""
    mean, logvar, z = (torch.tensor(a) for a in random_codes(batch_size, latents))
    more = [torch.tensor(a) for a in random_codes(further, latents, seed=1)[:2]]
    return Codes(mean, logvar, z, images, (more[0], more[1]))


def even_weights(count, components, images):
    """Row i: 1/N in column i, the rest spread evenly."""
    weights = np.full((count, components), (images - 1) / (images * (components - 1)))
    for i in range(count):
        weights[i, i] = 1 / images
    return weights


def expected(name, c):
    """log q(z) and sum of log q_j(z_j) of each sample, by loops."""
    mean, logvar = c.mean.numpy(), c.logvar.numpy()
    count, latents = mean.shape
    if name == "bank":
        mean = np.concatenate([mean, c.further[0].numpy()])
        logvar = np.concatenate([logvar, c.further[1].numpy()])
        weights = even_weights(count, len(mean), c.images)
    elif name == "others":
        weights = np.full((count, count), 1 / (count - 1))
        np.fill_diagonal(weights, 0)
    elif name == "smoothed":
        bandwidth = count ** (-1 / (latents + 4)) * mean.std(0, ddof=1)
        logvar = np.log(np.exp(logvar) + bandwidth**2)
        weights = np.full((count, count), 1 / count)
    else:
        weights = even_weights(count, count, c.images)
    return np.array(
        [slow.log_mixture(c.z[i].numpy(), mean, logvar, weights[i]) for i in range(count)]
    )


@pytest.mark.parametrize("name", ["even", "even, fixed", "others", "smoothed", "bank"])
def test_mixtures_are_those_of_the_definition(name):
    c = codes()
    found = CANDIDATES[name].make(c)
    np.testing.assert_allclose(found.joint, expected(name, c)[:, 0], rtol=1e-10)
    np.testing.assert_allclose(found.product, expected(name, c)[:, 1], rtol=1e-10)


@pytest.mark.parametrize("name", ["stratified", "weighted", "disvae"])
def test_those_of_the_package_are_measured_as_they_are_trained(name):
    c = codes()
    estimator, compat = ("stratified", "disvae") if name == "disvae" else (name, "none")
    information, correlation, dimension = objectives_reference.decomposition(
        c.mean.numpy(), c.logvar.numpy(), c.z.numpy(), IMAGES, estimator, compat
    )
    found = values(CANDIDATES[name].make(c)).mean(0)
    np.testing.assert_allclose(found, [correlation, information, dimension], rtol=1e-9)


def test_a_gaussian_has_the_moments_of_the_batch():
    c = codes(batch_size=9)
    middle = c.mean.numpy().mean(0)
    gaps = c.mean.numpy() - middle
    covariance = gaps.T @ gaps / 9 + np.diag(np.exp(c.logvar.numpy()).mean(0))
    found = CANDIDATES["gaussian"].make(c)
    for i in range(9):
        gap = c.z[i].numpy() - middle
        joint = -0.5 * (gap @ np.linalg.inv(covariance) @ gap)
        joint -= 0.5 * math.log((2 * math.pi) ** 3 * np.linalg.det(covariance))
        product = sum(
            objectives_reference.log_density(
                c.z[i, k].item(), middle[k], math.log(covariance[k, k])
            )
            for k in range(3)
        )
        assert found.joint[i].item() == pytest.approx(joint, rel=1e-10)
        assert found.product[i].item() == pytest.approx(product, rel=1e-10)


@pytest.mark.parametrize("name", CANDIDATES)
def test_the_three_terms_add_up_to_the_sampled_kl(name):
    c = codes()
    kl = objectives_reference.monte_carlo_kl(c.mean.numpy(), c.logvar.numpy(), c.z.numpy())
    assert values(CANDIDATES[name].make(c)).mean(0).sum().item() == pytest.approx(kl, rel=1e-9)


def test_a_batch_that_is_the_dataset_gives_the_exact_gradient_when_components_are_fixed():
    c = codes(batch_size=8, images=8)
    noise = (c.z - c.mean) / torch.exp(0.5 * c.logvar)
    exact = exact_densities(c.z, c.mean, c.logvar)
    truth = exact_coefficients(c, noise, exact.joint_slope, exact.product_slope)
    found = estimated_coefficients(CANDIDATES["even, fixed"], c, noise)
    torch.testing.assert_close(found, truth, rtol=1e-9, atol=1e-12)
    # With the derivative through the components there is more.
    more = estimated_coefficients(CANDIDATES["even"], c, noise)
    assert not torch.allclose(more[0], truth[0], atol=1e-3)
    # The terms still add up to the same.
    torch.testing.assert_close(more.sum(0), truth.sum(0), rtol=1e-9, atol=1e-12)


def test_gradients_are_those_of_the_estimates():
    """Means and log variances move the samples, too."""
    c = codes(batch_size=4, latents=2)
    noise = (c.z - c.mean) / torch.exp(0.5 * c.logvar)
    for name in ("stratified", "others", "smoothed", "gaussian"):
        found = estimated_coefficients(CANDIDATES[name], c, noise)
        for kind, i, k in np.ndindex(2, 4, 2):
            sides = []
            for step in (1e-5, -1e-5):
                moved = [c.mean.clone(), c.logvar.clone()]
                moved[kind][i, k] += step
                z = moved[0] + torch.exp(0.5 * moved[1]) * noise
                made = CANDIDATES[name].make(Codes(*moved, z, IMAGES, c.further))
                sides.append(values(made).mean(0))
            slope = (sides[0] - sides[1]) / 2e-5
            torch.testing.assert_close(found[:, kind, i, k], slope, rtol=1e-4, atol=1e-7)
