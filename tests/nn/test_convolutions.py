"""Transposed convolutions against PyTorch's own: values, gradients, and gradients of gradients."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from unweave.nn.convolutions import UpConvolution

# Few output channels take another way to the values than many.
CHANNELS = [(5, 1), (6, 3), (3, 4), (4, 8)]
every_width = pytest.mark.parametrize(("channels", "out_channels"), CHANNELS)


def pair(channels: int, out_channels: int, kind: torch.dtype = torch.float64):
    """A layer of ours and one of PyTorch's with the same weights."""
    generator = torch.Generator().manual_seed(channels)
    ours = UpConvolution(channels, out_channels).to(kind)
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.normal_(generator=generator)
    theirs = nn.ConvTranspose2d(channels, out_channels, 4, 2, 1).to(kind)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@every_width
@pytest.mark.parametrize(("height", "width"), [(4, 4), (1, 1), (3, 7)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_values_and_gradients_are_those_of_pytorch(channels, out_channels, height, width, layout):
    ours, theirs = pair(channels, out_channels)
    images = draw(2, channels, height, width).contiguous(memory_format=layout).requires_grad_()
    found, expected = ours(images), theirs(images)
    torch.testing.assert_close(found, expected)
    weights = draw(*expected.shape, seed=1)
    inputs = lambda layer: [images, layer.weight, layer.bias]  # noqa: E731
    for mine, other in zip(
        torch.autograd.grad(found, inputs(ours), weights),
        torch.autograd.grad(expected, inputs(theirs), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other)
    with torch.no_grad():
        torch.testing.assert_close(ours(images), expected)


@every_width
def test_without_a_bias_it_is_pytorchs_without_one(channels, out_channels):
    ours = UpConvolution(channels, out_channels, bias=False).double()
    theirs = nn.ConvTranspose2d(channels, out_channels, 4, 2, 1, bias=False).double()
    theirs.load_state_dict(ours.state_dict())
    assert ours.bias is None
    images = draw(2, channels, 3, 7).requires_grad_()
    found, expected = ours(images), theirs(images)
    torch.testing.assert_close(found, expected)
    weights = draw(*expected.shape, seed=1)
    for mine, other in zip(
        torch.autograd.grad(found, [images, ours.weight], weights),
        torch.autograd.grad(expected, [images, theirs.weight], weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other)
    with torch.autocast("cpu", torch.bfloat16):
        near = ours.float()(images.float())
    assert 0 < (near - expected).norm() < 0.02 * expected.norm()


@pytest.mark.parametrize(("channels", "out_channels"), [(2, 1), (2, 5)])
def test_gradients_can_be_differentiated_again(channels, out_channels):
    ours, _ = pair(channels, out_channels)
    images = draw(2, channels, 2, 3).requires_grad_()

    def call(images, weight, bias):
        return torch.func.functional_call(ours, {"weight": weight, "bias": bias}, (images,))

    inputs = (images, *(p.detach().requires_grad_() for p in (ours.weight, ours.bias)))
    assert torch.autograd.gradcheck(call, inputs)
    assert torch.autograd.gradgradcheck(call, inputs)


@every_width
def test_under_autocast_it_is_as_near_as_pytorch(channels, out_channels):
    ours, theirs = pair(channels, out_channels, torch.float32)
    images = draw(4, channels, 8, 8).float()
    with torch.no_grad():
        exact = theirs(images)
    with torch.autocast("cpu", torch.bfloat16):
        found, expected = ours(images), theirs(images)
    assert found.dtype == expected.dtype == torch.bfloat16
    error = (found.float() - exact).abs().max()
    assert error <= 1.5 * (expected.float() - exact).abs().max()
    weights = draw(*exact.shape, seed=1).bfloat16()
    for mine, other in zip(
        torch.autograd.grad(found, [ours.weight, ours.bias], weights),
        torch.autograd.grad(expected, [theirs.weight, theirs.bias], weights),
        strict=True,
    ):
        assert mine.dtype == torch.float32
        torch.testing.assert_close(mine, other, rtol=2e-2, atol=2e-2)


def test_what_needs_no_gradient_gets_none():
    ours, _ = pair(3, 1)
    ours.requires_grad_(False)
    images = draw(1, 3, 2, 2).requires_grad_()
    ours(images).sum().backward()
    assert images.grad is not None
    assert ours.weight.grad is None
    assert ours.bias.grad is None


def test_weights_have_the_names_and_shapes_of_pytorch():
    ours, theirs = pair(3, 2)
    shapes = {name: value.shape for name, value in theirs.state_dict().items()}
    assert {name: value.shape for name, value in ours.state_dict().items()} == shapes
