"""Decoders of true factors, against plain layers of PyTorch and their published sizes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from unweave.errors import SpecError
from unweave.exporting.standard import standard
from unweave.nn import (
    Architecture,
    DecoderBurgess,
    DecoderDeep,
    DecoderDeepBN,
    DecoderHiggins,
    DecoderKim,
    DecoderKimBN,
)
from unweave.nn.initialise import construct
from unweave.spec import members, parse


def up(channels: int, following: int, *, bias: bool = True) -> nn.Module:
    return nn.ConvTranspose2d(channels, following, 4, 2, 1, bias=bias)


# The layers of each, for K factors and images of 64x64 with C channels, written out as published.
PLAIN = {
    "decoder_higgins": lambda K, C, side=64: [
        nn.Linear(K, 1200), nn.Tanh(), nn.Linear(1200, 1200), nn.Tanh(),
        nn.Linear(1200, 1200), nn.Tanh(), nn.Linear(1200, C * side**2),
        nn.Unflatten(1, (C, side, side)),
    ],
    "decoder_burgess": lambda K, C: [
        nn.Linear(K, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU(), nn.Unflatten(1, (32, 4, 4)),
        up(32, 32), nn.ReLU(), up(32, 32), nn.ReLU(), up(32, 32), nn.ReLU(), up(32, C),
    ],
    "decoder_kim": lambda K, C: [
        nn.Linear(K, 256), nn.ReLU(), nn.Linear(256, 1024), nn.ReLU(), nn.Unflatten(1, (64, 4, 4)),
        up(64, 64), nn.ReLU(), up(64, 32), nn.ReLU(), up(32, 32), nn.ReLU(), up(32, C),
    ],
    "decoder_kim_bn": lambda K, C: [
        nn.Linear(K, 256), nn.ReLU(), nn.BatchNorm1d(256),
        nn.Linear(256, 1024, bias=False), nn.ReLU(), nn.BatchNorm1d(1024),
        nn.Unflatten(1, (64, 4, 4)),
        up(64, 64, bias=False), nn.ReLU(), nn.BatchNorm2d(64),
        up(64, 64, bias=False), nn.ReLU(), nn.BatchNorm2d(64),
        up(64, 32, bias=False), nn.ReLU(), nn.BatchNorm2d(32), up(32, C),
    ],
    "decoder_deep": lambda K, C: [
        nn.Linear(K, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(),
        nn.Linear(512, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(),
        nn.Unflatten(1, (64, 4, 4)),
        up(64, 64), nn.ReLU(), up(64, 64), nn.ReLU(), up(64, 32), nn.ReLU(), up(32, C),
    ],
    "decoder_deep_bn": lambda K, C: [
        nn.Linear(K, 512), nn.ReLU(), nn.BatchNorm1d(512),
        nn.Linear(512, 512, bias=False), nn.ReLU(), nn.BatchNorm1d(512),
        nn.Linear(512, 1024, bias=False), nn.ReLU(), nn.BatchNorm1d(1024),
        nn.Linear(1024, 1024, bias=False), nn.ReLU(), nn.BatchNorm1d(1024),
        nn.Unflatten(1, (64, 4, 4)),
        up(64, 64, bias=False), nn.ReLU(), nn.BatchNorm2d(64),
        up(64, 64, bias=False), nn.ReLU(), nn.BatchNorm2d(64),
        up(64, 32, bias=False), nn.ReLU(), nn.BatchNorm2d(32), up(32, C, bias=False),
    ],
}  # fmt: skip
# Parameters as counted in the published code, for 5 factors and one channel, and 6 and three.
PUBLISHED = {
    "decoder_higgins": (7_808_896, 17_648_688),
    "decoder_burgess": (182_881, 184_163),
    "decoder_kim": (380_033, 381_315),
    "decoder_kim_bn": (430_913, 432_195),
    "decoder_deep": (2_005_153, 2_006_691),
    "decoder_deep_bn": (2_008_896, 2_010_432),
}
every_decoder = pytest.mark.parametrize("name", PUBLISHED)


def decoder(name: str, factors: int = 5, shape: tuple[int, int, int] = (64, 64, 1)) -> nn.Module:
    architecture = parse(name, Architecture)
    generator = torch.Generator().manual_seed(0)
    return construct(
        lambda: architecture.decoder(shape, factors), generator, architecture.initialise
    )


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_every_decoder_alone_is_tested_here():
    alone = {name for name, cls in members(Architecture).items() if not cls.encodes}
    assert alone == set(PUBLISHED) == set(PLAIN)
    classes = {
        DecoderBurgess,
        DecoderDeep,
        DecoderDeepBN,
        DecoderHiggins,
        DecoderKim,
        DecoderKimBN,
    }
    assert {cls.name for cls in classes} == alone


@every_decoder
def test_numbers_of_parameters_are_the_published_ones(name):
    with torch.device("meta"):
        one = parse(name, Architecture).decoder((64, 64, 1), 5)
        three = parse(name, Architecture).decoder((64, 64, 3), 6)
    assert (count(one), count(three)) == PUBLISHED[name]


@pytest.mark.parametrize(
    ("name", "training"),
    [(name, mode) for name in PUBLISHED for mode in (False, True) if mode or "_bn" in name],
)
def test_values_and_gradients_are_those_of_plain_layers(name, training):
    # Dense layers to images of 64x64 take seconds.
    side, given = (8, (6, 3, 8)) if name == "decoder_higgins" else (64, (6, 3))
    ours = decoder(name, 6, (side, side, 3)).double().train(training)
    with torch.device("meta"):
        plain = nn.Sequential(*PLAIN[name](*given)).double()
    plain = plain.to_empty(device="cpu").train(training)
    plain.load_state_dict(ours.state_dict())
    generator = torch.Generator().manual_seed(1)
    z = torch.randn(2, 6, generator=generator, dtype=torch.float64)
    found, expected = ours(z), plain(z)
    assert found.shape == (2, 3, side, side)
    torch.testing.assert_close(found, expected)
    weights = torch.randn(found.shape, generator=generator, dtype=torch.float64)
    for mine, other in zip(
        torch.autograd.grad(found, list(ours.parameters()), weights),
        torch.autograd.grad(expected, list(plain.parameters()), weights),
        strict=True,
    ):
        torch.testing.assert_close(mine, other)
    # And of what is exported, whose layers are PyTorch's.
    torch.testing.assert_close(standard(ours.eval())(z), plain.eval()(z))


@every_decoder
def test_first_weights_and_biases_are_pytorchs_own(name):
    for layer in decoder(name).modules():
        if isinstance(layer, nn.Linear | nn.ConvTranspose2d):
            bound = 1 / math.sqrt(layer.weight[0].numel())
            for values in filter(lambda each: each is not None, (layer.weight, layer.bias)):
                assert values.abs().max() <= bound * (1 + 1e-6)
                if values.numel() > 1000:
                    assert values.abs().max() > 0.98 * bound
                    assert values.var().item() == pytest.approx(bound**2 / 3, rel=0.1)


@every_decoder
def test_sizes_that_are_taken(name):
    architecture = parse(name, Architecture)
    for side in (28, 32, 64, 128):
        if architecture.sides is not None and side not in architecture.sides:
            with pytest.raises(SpecError, match=f"not {side}x{side}") as caught:
                architecture.check((side, side, 1), 5)
            assert "burgess" in str(caught.value)
            assert "decoder_" not in str(caught.value).partition("are taken by")[2]
            continue
        architecture.check((side, side, 1), 5)
        if architecture.sides is None and side > 32:
            continue
        with torch.device("meta"):
            network = architecture.decoder((side, side, 2), 5)
            assert network(torch.empty(2, 5)).shape == (2, 2, side, side)
    assert architecture.min_batch == (2 if name.endswith("_bn") else 1)


@every_decoder
def test_there_is_no_encoder(name):
    architecture = parse(name, Architecture)
    reason = f"and {name} is a decoder alone, for the method ground_truth_decoder"
    with pytest.raises(SpecError, match=reason):
        architecture.trunk((64, 64, 1))
    for text in (
        f"pair(encode={name}, decode=kim)",
        f"own(encode={name}, decode='models.py:Decoder')",
    ):
        with pytest.raises(SpecError, match=reason):
            parse(text, Architecture)
    pair = parse(f"pair(encode=kim, decode={name})", Architecture)
    assert pair.encodes
    pair.check_encodes("vae")
    assert pair.min_batch == architecture.min_batch
