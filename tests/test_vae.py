"""The model: what encode and decode give, and in which precision."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unweave.likelihoods import Gaussian
from unweave.nn import Burgess
from unweave.vae import VAE

SHAPES = [(64, 64, 1), (32, 32, 3)]


@pytest.fixture(params=SHAPES, ids=str)
def model(request):
    generator = torch.Generator().manual_seed(0)
    return VAE.create(Burgess(), request.param, 5, Gaussian(), generator)


def images_for(model: VAE, count: int = 3) -> torch.Tensor:
    height, width, channels = model.image_shape
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, channels, height, width, generator=generator)


@torch.no_grad()
def test_encode_gives_the_posterior_and_decode_gives_logits(model):
    images = images_for(model)
    posterior = model.encode(images)
    assert posterior.mean.shape == posterior.logvar.shape == (3, 5)
    logits = model.decode(posterior.mean)
    assert logits.shape == images.shape
    # Logits take any sign; means of pixels come from the likelihood.
    assert logits.min() < 0
    pixels = model.likelihood.mean(logits)
    assert pixels.min() >= 0
    assert pixels.max() <= 1


@torch.no_grad()
def test_the_head_gives_all_means_and_then_all_log_variances(model):
    model.head.weight.zero_()
    model.head.bias.copy_(torch.arange(10.0))
    posterior = model.encode(images_for(model))
    torch.testing.assert_close(posterior.mean, torch.arange(5.0).expand(3, 5))
    torch.testing.assert_close(posterior.logvar, torch.arange(5.0, 10.0).expand(3, 5))


@torch.no_grad()
def test_it_is_the_composition_of_its_networks(model):
    images = images_for(model)
    rows = nn.functional.linear(model.trunk(images), model.head.weight, model.head.bias)
    posterior = model.encode(images)
    torch.testing.assert_close(torch.cat([posterior.mean, posterior.logvar], 1), rows)
    torch.testing.assert_close(model.decode(posterior.mean), model.decoder(posterior.mean))


@torch.no_grad()
def test_images_do_not_influence_each_other(model):
    images = images_for(model)
    together = model.encode(images).mean
    for i in range(3):
        alone = model.encode(images[i : i + 1]).mean[0]
        torch.testing.assert_close(alone, together[i], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_memory_format_does_not_change_the_result(model):
    images = images_for(model)
    before = model.encode(images).mean
    model.to(memory_format=torch.channels_last)
    after = model.encode(images.contiguous(memory_format=torch.channels_last)).mean
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_under_autocast_networks_run_in_bfloat16_and_results_are_float32(model):
    images = images_for(model)
    exact = model.encode(images)
    exact_logits = model.decode(exact.mean)
    seen: dict[str, torch.dtype] = {}
    for name, layer in (("trunk", model.trunk[-2]), ("head", model.head), ("dec", model.decoder)):
        layer.register_forward_hook(
            lambda module, given, out, name=name: seen.update({name: out.dtype})
        )
    model.autocast_dtype = torch.bfloat16
    posterior = model.encode(images)
    logits = model.decode(exact.mean)
    assert seen == {"trunk": torch.bfloat16, "head": torch.float32, "dec": torch.bfloat16}
    assert posterior.mean.dtype == posterior.logvar.dtype == logits.dtype == torch.float32
    torch.testing.assert_close(posterior.mean, exact.mean, rtol=0.05, atol=0.05)
    torch.testing.assert_close(logits, exact_logits, rtol=0.05, atol=0.05)
    assert not torch.equal(logits, exact_logits)


def test_it_knows_its_device_and_description(model):
    assert model.device == torch.device("cpu")
    assert model.latents == 5
    assert model.likelihood == Gaussian()
