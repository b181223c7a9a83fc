"""Initial weights: their bounds, their spread, and where their randomness comes from."""

from __future__ import annotations

import functools
import math

import pytest
import torch
from torch import nn

from unweave.errors import SpecError
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


class Mixed(nn.Sequential):
    """Layers of PyTorch that are neither dense nor convolutional, with one that is."""

    def __init__(self):
        super().__init__(
            nn.Embedding(5, 3), nn.LayerNorm(3), nn.Linear(3, 8), nn.GroupNorm(2, 8), nn.PReLU()
        )


def test_other_layers_of_pytorch_are_filled_by_their_own_rule():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one, again, other = (construct(Mixed, generator(seed)) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before)
    for network in (one, again, other):
        for normalising in (network[1], network[3]):
            assert (normalising.weight == 1).all()
            assert (normalising.bias == 0).all()
        assert network[4].weight.item() == 0.25
    numbers = torch.cat(
        [construct(lambda: nn.Embedding(50, 40), generator()).weight.flatten(), one[0].weight[0]]
    )
    assert numbers.mean().item() == pytest.approx(0, abs=0.1)
    assert numbers.std().item() == pytest.approx(1, abs=0.1)
    for name, value in one.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    assert not torch.equal(one[0].weight, other[0].weight)
    assert not torch.equal(one[2].weight, other[2].weight)


class Scaled(nn.Module):
    def __init__(self, *, buffer):
        super().__init__()
        if buffer:
            self.register_buffer("scale", torch.ones(3))
        else:
            self.scale = nn.Parameter(torch.ones(3))


@pytest.mark.parametrize("buffer", [False, True])
def test_weights_that_nothing_fills_are_refused(buffer):
    make = functools.partial(Scaled, buffer=buffer)
    with pytest.raises(SpecError, match=r"Give Scaled a method draw_weights\(generator\)"):
        construct(lambda: nn.Sequential(nn.Linear(3, 3), make()), generator())
    # A layer that draws its own, and those of layers in it, is left alone.
    outer = nn.Sequential(make())
    outer.draw_weights = lambda g: outer[0].scale.data.fill_(2.0)
    initialise(outer, generator())
    assert outer[0].scale.tolist() == [2.0] * 3
