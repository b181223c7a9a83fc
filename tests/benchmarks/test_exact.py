"""Densities over a whole dataset, and the gradient derived from them, against slow references."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from _estimators.candidates import Codes
from _estimators.exact import component_gradient, exact_densities
from _estimators.gradients import exact_coefficients

from reference import estimators_reference as slow


def mixture(count, latents, seed=0, dtype=torch.float64, low=-3.0):
    """Components with one sample each."""
    rng = np.random.default_rng(seed)
    mean = rng.normal(0, 1, (count, latents))
    logvar = rng.uniform(low, 0.5, (count, latents))
    z = mean + np.exp(0.5 * logvar) * rng.normal(0, 1, (count, latents))
    return [torch.tensor(array, dtype=dtype) for array in (z, mean, logvar)]


@pytest.mark.parametrize(("rows", "columns"), [(256, 2048), (4, 3), (1, 1), (7, 5)])
def test_densities_are_those_of_the_definition_whatever_the_blocks(rows, columns):
    z, mean, logvar = mixture(11, 3)
    told = []
    found = exact_densities(z[:7], mean, logvar, rows=rows, columns=columns, done=told.append)
    expected = np.array(
        [slow.log_mixture(row, mean.numpy(), logvar.numpy()) for row in z[:7].numpy()]
    )
    np.testing.assert_allclose(found.joint, expected[:, 0], rtol=1e-12)
    np.testing.assert_allclose(found.product, expected[:, 1], rtol=1e-12)
    differences = np.array(
        [slow.slopes(row, mean.numpy(), logvar.numpy()) for row in z[:7].numpy()]
    )
    np.testing.assert_allclose(found.joint_slope, differences[:, 0], rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found.product_slope, differences[:, 1], rtol=1e-6, atol=1e-7)
    assert sum(told) == 7


def test_one_component_is_its_own_mixture():
    z, mean, logvar = mixture(1, 4)
    found = exact_densities(z, mean, logvar)
    variance = logvar.exp()
    expected = torch.distributions.Normal(mean, variance.sqrt()).log_prob(z).sum(1)
    torch.testing.assert_close(found.joint, expected)
    torch.testing.assert_close(found.product, expected)
    torch.testing.assert_close(found.joint_slope, -(z - mean) / variance)
    torch.testing.assert_close(found.product_slope, -(z - mean) / variance)


def test_single_precision_is_enough_for_narrow_posteriors():
    wide = mixture(3000, 10, low=-9.0)
    single = [value.float() for value in wide]
    # The samples are rounded, too: what is compared is the arithmetic.
    again = [value.double() for value in single]
    exact = exact_densities(again[0][:100], *again[1:])
    found = exact_densities(single[0][:100], *single[1:])
    assert found.joint.dtype == torch.float32
    torch.testing.assert_close(found.joint.double(), exact.joint, rtol=0, atol=2e-3)
    torch.testing.assert_close(found.product.double(), exact.product, rtol=0, atol=2e-3)
    for name in ("joint_slope", "product_slope"):
        a, b = getattr(found, name).double(), getattr(exact, name)
        assert (a - b).norm() < 1e-3 * b.norm()


def test_the_gradient_through_the_sample_is_that_of_the_exact_value():
    """Components held fixed, by quadrature, against differences of the value by quadrature."""
    _, mean, logvar = mixture(3, 2, seed=4, low=-1.0)
    degree = 48
    noise, weights = (torch.tensor(a) for a in slow.nodes(2, degree))
    own = torch.arange(3).repeat_interleave(len(noise))
    z = mean[own] + torch.exp(0.5 * logvar[own]) * noise.repeat(3, 1)
    exact = exact_densities(z, mean, logvar)
    codes = Codes(mean[own], logvar[own], z, 3, (mean, logvar))
    # Each row was divided by the number of rows; its share is its weight over three components.
    share = len(z) * weights.repeat(3)[:, None] / 3
    coefficients = share * exact_coefficients(
        codes, noise.repeat(3, 1), exact.joint_slope, exact.product_slope
    )
    found = coefficients.reshape(3, 2, 3, len(noise), 2).sum(3)
    expected = np.empty((3, 2, 3, 2))
    for kind, n, k in np.ndindex(2, 3, 2):
        sides = []
        for step in (1e-4, -1e-4):
            moved = [mean.numpy().copy(), logvar.numpy().copy()]
            moved[kind][n, k] += step
            sides.append(slow.decomposition(*moved, degree))
        expected[:, kind, n, k] = (sides[0] - sides[1]) / 2e-4
    assert np.abs(expected).max() > 0.05
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_the_part_that_is_left_out_is_that_of_fixed_samples():
    z, mean, logvar = mixture(5, 2, seed=1)
    found = component_gradient(z, mean, logvar, rows=2)

    def value(*components):
        pairs = [slow.log_mixture(row, *components) for row in z.numpy()]
        return np.mean([joint - product for joint, product in pairs])

    for kind, n, k in np.ndindex(2, 5, 2):
        sides = []
        for step in (1e-5, -1e-5):
            moved = [mean.numpy().copy(), logvar.numpy().copy()]
            moved[kind][n, k] += step
            sides.append(value(*moved))
        assert found[kind][n, k].item() == pytest.approx((sides[0] - sides[1]) / 2e-5, abs=1e-8)
