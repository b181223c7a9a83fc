"""Likelihoods against sums over pixels, and at the scales of the disentangling-vae code."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reference import objectives_reference
from unweave.errors import SpecError
from unweave.likelihoods import Bernoulli, Gaussian, Laplace, Likelihood
from unweave.spec import parse


@pytest.fixture(params=[(1, 4, 4), (3, 5, 2)], ids=["grey", "colour"])
def pixels(request):
    """Logits and images (B, C, H, W), with black, white and grey pixels."""
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 2, (3, *request.param)).astype(np.float32)
    images = rng.choice([0.0, 1.0, 0.25, 0.7], (3, *request.param)).astype(np.float32)
    return logits, images


@pytest.mark.parametrize(
    ("likelihood", "oracle"),
    [
        (Bernoulli(), objectives_reference.bernoulli),
        (Gaussian(variance=0.3), lambda a, x: objectives_reference.gaussian(a, x, 0.3)),
        (Gaussian(), lambda a, x: objectives_reference.gaussian(a, x, 1 / 510)),
        (Laplace(scale=0.7), lambda a, x: objectives_reference.laplace(a, x, 0.7)),
        (Laplace(), lambda a, x: objectives_reference.laplace(a, x, 1 / 3)),
    ],
    ids=lambda given: str(given) if isinstance(given, Likelihood) else "",
)
def test_each_image_has_the_sum_over_its_pixels(likelihood, oracle, pixels):
    logits, images = pixels
    found = likelihood.negative_log(torch.tensor(logits), torch.tensor(images))
    assert found.shape == (3,)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.numpy(), oracle(logits, images), rtol=2e-6)


def test_default_scales_are_those_of_the_disentangling_vae_code(pixels):
    logits, images = map(torch.tensor, pixels)
    error = (torch.sigmoid(logits) - images).double()
    # (255 p - 255 x)^2 / 255, and 3 |p - x|.
    squared = ((255 * error) ** 2 / 255).flatten(1).sum(1)
    absolute = 3 * error.abs().flatten(1).sum(1)
    np.testing.assert_allclose(Gaussian().negative_log(logits, images), squared, rtol=1e-5)
    np.testing.assert_allclose(Laplace().negative_log(logits, images), absolute, rtol=1e-5)


def test_the_cross_entropy_of_a_perfect_grey_image_is_its_entropy():
    p = 0.25
    image = torch.full((1, 1, 4, 4), p)
    entropy = -16 * (p * np.log(p) + (1 - p) * np.log(1 - p))
    found = Bernoulli().negative_log(torch.logit(image), image)
    np.testing.assert_allclose(found, [entropy], rtol=1e-6)


def test_the_bernoulli_gradient_is_mean_minus_pixel_however_large_the_logits():
    logits = torch.tensor([-300.0, -30, -1, 0, 1, 30, 300]).reshape(1, 1, 1, 7)
    logits.requires_grad_()
    images = torch.tensor([1.0, 1, 0, 0.5, 1, 0, 0]).reshape(1, 1, 1, 7)
    loss = Bernoulli().negative_log(logits, images).sum()
    assert loss.item() == pytest.approx(300 + 30 + 2 * np.log1p(np.exp(-1)) + np.log(2) + 330)
    loss.backward()
    torch.testing.assert_close(logits.grad, torch.sigmoid(logits.detach()) - images)


@pytest.mark.parametrize("likelihood", [Bernoulli(), Gaussian(), Laplace()], ids=str)
def test_the_mean_is_the_sigmoid_and_scores_better_than_its_neighbours(likelihood):
    image = torch.full((1, 1, 2, 2), 0.3)
    logits = torch.logit(image)
    torch.testing.assert_close(likelihood.mean(logits), image)
    best = likelihood.negative_log(logits, image)
    for shift in (-0.5, 0.5):
        assert (likelihood.negative_log(logits + shift, image) > best).all()


@pytest.mark.parametrize("text", ["gaussian(variance=0)", "laplace(scale=-1)"])
def test_scales_are_positive(text):
    with pytest.raises(SpecError, match="must be more than 0"):
        parse(text, Likelihood)
