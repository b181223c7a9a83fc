"""The Burgess networks: sizes, shapes, what they refuse."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unweave.errors import SpecError
from unweave.likelihoods import Bernoulli
from unweave.nn import Burgess, LatentDiscriminator
from unweave.vae import VAE

SHAPES = [(64, 64, 1), (64, 64, 3), (32, 32, 1), (32, 32, 3), (28, 28, 1), (128, 128, 2)]
CONVOLUTIONS = {28: 4, 32: 6, 64: 8, 128: 10}


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("image_shape", "parameters"),
    [((64, 64, 1), 502_005), ((32, 32, 1), 469_173), ((64, 64, 3), 504_055)],
)
def test_numbers_of_parameters_are_the_published_ones(image_shape, parameters):
    with torch.device("meta"):
        assert count(VAE(Burgess(), image_shape, 10, Bernoulli())) == parameters


def test_the_discriminator_has_its_published_number_of_parameters():
    with torch.device("meta"):
        discriminator = LatentDiscriminator(10)
    assert count(discriminator) == 4_017_002
    slopes = {m.negative_slope for m in discriminator.modules() if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.2}
    assert discriminator(torch.empty(3, 10, device="meta")).shape == (3, 2)


@pytest.mark.parametrize("image_shape", SHAPES)
@pytest.mark.parametrize("latents", [1, 7])
def test_shapes(image_shape, latents):
    height, width, channels = image_shape
    with torch.device("meta"):
        trunk, features = Burgess().trunk(image_shape)
        decoder = Burgess().decoder(image_shape, latents)
    images = torch.empty(2, channels, height, width, device="meta")
    assert trunk(images).shape == (2, features) == (2, 256)
    assert decoder(torch.empty(2, latents, device="meta")).shape == images.shape


@pytest.mark.parametrize("image_shape", SHAPES)
def test_layers_are_those_of_the_paper(image_shape):
    with torch.device("meta"):
        trunk, _ = Burgess().trunk(image_shape)
        decoder = Burgess().decoder(image_shape, 10)
    convolutions = [
        layer
        for network in (trunk, decoder)
        for layer in network
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    ]
    assert len(convolutions) == CONVOLUTIONS[image_shape[0]]
    for layer in convolutions:
        assert (layer.kernel_size, layer.stride, layer.padding) == ((4, 4), (2, 2), (1, 1))
    widths = [layer.in_channels for layer in convolutions] + [convolutions[-1].out_channels]
    assert set(widths[1:-1]) == {32}
    assert widths[0] == widths[-1] == image_shape[2]
    # A ReLU follows every layer but the last, whose output are logits.
    weighted = [type(layer) for layer in decoder if not isinstance(layer, nn.Unflatten)]
    assert weighted[1::2] == [nn.ReLU] * (len(weighted) // 2)
    assert issubclass(weighted[-1], nn.ConvTranspose2d)


@pytest.mark.parametrize("image_shape", SHAPES)
def test_images_that_fit_are_taken(image_shape):
    Burgess().check(image_shape, 10)


@pytest.mark.parametrize(
    "image_shape", [(48, 48, 1), (64, 32, 1), (32, 64, 3), (16, 16, 2), (256, 256, 3)]
)
def test_images_that_do_not_fit_are_refused(image_shape):
    height, width, channels = image_shape
    with pytest.raises(SpecError, match=f"not {height}x{width} with {channels}"):
        Burgess().check(image_shape, 10)
