"""Initial weights: their bounds, their spread, and where their randomness comes from."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from unweave.likelihoods import Bernoulli
from unweave.nn import Burgess, LatentDiscriminator
from unweave.nn.initialise import construct, initialise
from unweave.vae import VAE


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def new_model(seed: int = 0, image_shape: tuple[int, int, int] = (64, 64, 3)) -> VAE:
    return VAE.create(Burgess(), image_shape, 10, Bernoulli(), generator(seed))


# What one unit sums over; for a transposed convolution PyTorch counts output channels.
FAN_IN = {
    "trunk.0": 3 * 16, "trunk.2": 512, "trunk.4": 512, "trunk.6": 512, "trunk.9": 512,
    "trunk.11": 256, "head": 256, "decoder.0": 10, "decoder.2": 256, "decoder.4": 256,
    "decoder.7": 512, "decoder.9": 512, "decoder.11": 512, "decoder.13": 3 * 16,
}  # fmt: skip


def test_every_layer_is_uniform_within_its_bounds():
    state = new_model().state_dict()
    assert {name.rsplit(".", 1)[0] for name in state} == set(FAN_IN)
    for name, fan_in in FAN_IN.items():
        for kind, bound in (("weight", math.sqrt(6 / fan_in)), ("bias", 1 / math.sqrt(fan_in))):
            values = state[f"{name}.{kind}"].double().flatten()
            assert values.abs().max() <= bound * (1 + 1e-6)
            n = len(values)
            # A uniform variable on (-b, b) has deviation b / sqrt(3), and its square b^2 / 3 the
            # deviation b^2 sqrt(4 / 45): five standard errors of n draws.
            assert values.mean().abs() < 5 * bound / math.sqrt(3 * n)
            spread = values.square().mean() - bound**2 / 3
            assert spread.abs() < 5 * bound**2 * math.sqrt(4 / 45 / n)
            if n >= 1000:
                assert values.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)
                assert values.abs().max() > 0.98 * bound


def test_the_discriminator_follows_the_same_rule():
    network = construct(lambda: LatentDiscriminator(6), generator())
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            bound = math.sqrt(6 / layer.in_features)
            assert 0.95 * bound < layer.weight.abs().max() <= bound * (1 + 1e-6)
            assert layer.bias.abs().max() <= 1 / math.sqrt(layer.in_features) * (1 + 1e-6)


def test_layers_of_one_shape_draw_different_numbers():
    state = new_model().state_dict()
    by_shape: dict[torch.Size, list[torch.Tensor]] = {}
    for value in state.values():
        by_shape.setdefault(value.shape, []).append(value)
    pairs = 0
    for group in by_shape.values():
        for i, one in enumerate(group):
            for other in group[:i]:
                assert not torch.isclose(one, other).any() or (one != other).float().mean() > 0.99
                pairs += 1
    assert pairs > 10


def test_weights_are_a_pure_function_of_the_generator():
    one, again, other = (new_model(seed).state_dict() for seed in (5, 5, 6))
    for name, value in one.items():
        assert torch.equal(value, again[name])
        assert not torch.equal(value, other[name])
    # A 32x32 model differs in its layers, but begins with the same draws for the same shapes.
    small = new_model(5, (32, 32, 3)).state_dict()
    assert torch.equal(small["trunk.0.weight"], one["trunk.0.weight"])


def test_the_global_generator_is_neither_read_nor_moved():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = new_model().state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    other = new_model().state_dict()
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_networks_are_real_and_on_the_cpu():
    model = new_model()
    assert {p.device.type for p in model.parameters()} == {"cpu"}
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert all(p.requires_grad and p.isfinite().all() for p in model.parameters())


def test_layers_without_a_bias_are_taken():
    layer = nn.Linear(6, 4, bias=False)
    initialise(layer, generator())
    assert layer.weight.abs().max() <= 1.0
