"""The diagonal Gaussian posterior against SciPy, torch.distributions and finite differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions import Normal, kl_divergence

from unweave.latents import DiagonalGaussian, log_normal


@pytest.fixture
def posterior():
    generator = torch.Generator().manual_seed(0)
    mean = 2 * torch.randn(5, 3, generator=generator)
    logvar = 2 * torch.randn(5, 3, generator=generator)
    return DiagonalGaussian(mean=mean, logvar=logvar)


@pytest.fixture
def z():
    return 2 * torch.randn(5, 3, generator=torch.Generator().manual_seed(1))


def test_log_normal_is_the_log_density_of_scipy(posterior, z):
    scale = np.exp(0.5 * posterior.logvar.numpy())
    expected = stats.norm.logpdf(z.numpy(), posterior.mean.numpy(), scale)
    np.testing.assert_allclose(
        log_normal(z, posterior.mean, posterior.logvar), expected, rtol=1e-5
    )
    np.testing.assert_allclose(posterior.log_prob(z), expected, rtol=1e-5)


def test_log_normal_in_double_precision(posterior, z):
    mean, logvar, point = posterior.mean.double(), posterior.logvar.double(), z.double()
    expected = stats.norm.logpdf(point, mean, np.exp(0.5 * logvar.numpy()))
    np.testing.assert_allclose(log_normal(point, mean, logvar), expected, rtol=1e-13)


def test_pairwise_log_prob_is_sample_i_under_posterior_j(posterior, z):
    pairs = posterior.pairwise_log_prob(z)
    assert pairs.shape == (5, 5, 3)
    for i in range(5):
        for j in range(5):
            expected = log_normal(z[i], posterior.mean[j], posterior.logvar[j])
            torch.testing.assert_close(pairs[i, j], expected)


def test_kl_is_that_of_torch_distributions(posterior):
    expected = kl_divergence(
        Normal(posterior.mean, torch.exp(0.5 * posterior.logvar)), Normal(0.0, 1.0)
    )
    torch.testing.assert_close(posterior.kl(), expected)
    assert (posterior.kl() > 0).all()


def test_kl_of_the_prior_is_zero():
    assert (DiagonalGaussian(torch.zeros(2, 4), torch.zeros(2, 4)).kl() == 0).all()


def test_a_sample_is_mean_plus_scaled_noise_and_passes_gradients():
    mean = torch.tensor([[1.0, -2.0]], requires_grad=True)
    logvar = torch.tensor([[0.0, np.log(9.0)]], dtype=torch.float32, requires_grad=True)
    noise = torch.tensor([[0.5, -1.0]])
    sample = DiagonalGaussian(mean, logvar).sample(noise)
    torch.testing.assert_close(sample, torch.tensor([[1.5, -5.0]]))
    sample.sum().backward()
    torch.testing.assert_close(mean.grad, torch.ones(1, 2))
    # d z / d logvar = noise * sigma / 2
    torch.testing.assert_close(logvar.grad, torch.tensor([[0.25, -1.5]]))


def test_samples_have_the_posterior_mean_and_variance():
    posterior = DiagonalGaussian(torch.full((100_000, 1), 3.0), torch.full((100_000, 1), -1.0))
    noise = torch.randn(100_000, 1, generator=torch.Generator().manual_seed(2))
    sample = posterior.sample(noise)
    assert sample.mean().item() == pytest.approx(3.0, abs=0.01)
    assert sample.var().item() == pytest.approx(np.exp(-1), rel=0.02)
