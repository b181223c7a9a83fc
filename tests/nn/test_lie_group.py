"""The networks of the Lie group VAE: sizes, groups, first weights, what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from reference import lie_group_reference
from unweave.errors import SpecError
from unweave.likelihoods import Bernoulli
from unweave.nn import Conditions, LieGroup
from unweave.nn.lie_group_maps import CommutingGroup, ExponentialGroup
from unweave.nn.lie_group_networks import GroupDecoder
from unweave.vae import VAE

ONE, THREE = (64, 64, 1), (64, 64, 3)
KINDS = [
    LieGroup(),
    LieGroup(exponential=False),
    LieGroup(generators="skew"),
    LieGroup(generators="commuting"),
    LieGroup(sizes=(25, 9, 4, 1), latents=(4, 3, 2, 1)),
    LieGroup(sizes=(25, 9, 1), latents=(5, 4, 1), generators="commuting"),
]
every_kind = pytest.mark.parametrize("architecture", KINDS, ids=str)


def count(*networks: nn.Module) -> int:
    return sum(parameter.numel() for net in networks for parameter in net.parameters())


def drawn(architecture: LieGroup, shape=ONE, seed: int = 0, **more) -> VAE:
    generator = torch.Generator().manual_seed(seed)
    return VAE.create(
        architecture, shape, sum(architecture.latents), Bernoulli(), generator, **more
    )


@pytest.mark.parametrize(
    ("sizes", "shape", "encoder", "heads", "pixels", "basis", "total"),
    [
        ((100,), ONE, 403_492, 88_820, 404_353, 1_000, 897_665),
        ((400,), THREE, 481_616, 1_315_220, 482_179, 4_000, 2_283_015),
    ],
)
def test_numbers_of_parameters_are_the_published_ones(
    sizes, shape, encoder, heads, pixels, basis, total
):
    with torch.device("meta"):
        model = VAE(LieGroup(sizes=sizes), shape, 10, Bernoulli())
    assert count(model.trunk) == encoder
    assert count(model.head) == heads
    assert count(model.decoder.pixels) == pixels
    assert count(model.decoder.groups) == basis
    assert count(model) == total


def test_without_the_exponential_two_layers_are_in_its_place():
    model = drawn(LieGroup(exponential=False))
    assert count(model.decoder.groups) == 10 * 40 + 40 + 40 * 100 + 100
    assert count(model.trunk, model.head, model.decoder.pixels) == 897_665 - 1_000
    assert model.decoder.generators() == []


@every_kind
@pytest.mark.parametrize("shape", [(32, 32, 3), ONE, (128, 128, 3)], ids=str)
def test_shapes(architecture, shape):
    height, width, channels = shape
    architecture.check(shape, 10)
    with torch.device("meta"):
        trunk, features = architecture.trunk(shape)
        decoder = architecture.decoder(shape, 10)
        heads = [architecture.head(features, 10, moments) for moments in (1, 2)]
        images = torch.empty(2, channels, height, width)
        z = torch.empty(2, 10)
    assert features == sum(architecture.sizes)
    found = trunk(images)
    assert found.shape == (2, features)
    assert [head(found).shape for head in heads] == [(2, 10), (2, 20)]
    assert decoder.group(z).shape == (2, features)
    assert decoder(z).shape == images.shape


@every_kind
def test_the_decoder_makes_images_of_group_elements(architecture):
    decoder = drawn(architecture).decoder
    assert isinstance(decoder, GroupDecoder)
    z = torch.randn(3, 10, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(decoder(z), decoder.image(decoder.group(z)))


@pytest.mark.parametrize("architecture", [k for k in KINDS if k.exponential], ids=str)
@torch.no_grad()
def test_elements_are_exponentials_of_the_generators(architecture):
    """For every kind of generators, against SciPy; several groups stand side by side."""
    model = drawn(architecture.__class__(**_fields(architecture) | {"init": 0.4}))
    decoder = model.decoder.double()
    z = torch.randn(5, 10, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected, first = [], 0
    for generators, size in zip(decoder.generators(), architecture.sizes, strict=True):
        own, side = len(generators), math.isqrt(size)
        assert generators.shape == (own, side, side)
        columns = z[:, first : first + own]
        expected.append(lie_group_reference.exponentials(columns, generators.numpy()))
        first += own
    assert first == 10
    np.testing.assert_allclose(decoder.group(z), np.concatenate(expected, axis=1), atol=1e-10)


def _fields(architecture):
    return {name: getattr(architecture, name) for name in ("sizes", "latents", "generators")}


@torch.no_grad()
def test_skew_generators_make_rotations():
    group = ExponentialGroup(4, 6, 0.5, skew=True)
    group.draw_weights(torch.Generator().manual_seed(0))
    generators = group.generators()
    assert torch.equal(generators, -generators.mT)
    elements = group(torch.randn(8, 4, generator=torch.Generator().manual_seed(1)))
    elements = elements.view(8, 6, 6)
    identity = torch.eye(6).expand(8, 6, 6)
    torch.testing.assert_close(elements @ elements.mT, identity, rtol=0, atol=1e-5)


@pytest.mark.parametrize("side", [1, 2, 5, 8])
@torch.no_grad()
def test_commuting_generators_commute(side):
    group = CommutingGroup(3, side, 0.5).double()
    group.draw_weights(torch.Generator().manual_seed(0))
    # A basis that is no longer orthogonal, as after training.
    group.frame += 0.2 * torch.randn(side, side, generator=torch.Generator().manual_seed(1))
    generators = group.generators()
    products = generators[:, None] @ generators[None]
    torch.testing.assert_close(products, products.transpose(0, 1), rtol=0, atol=1e-12)
    z = torch.randn(6, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    expected = lie_group_reference.exponentials(z, generators.numpy())
    np.testing.assert_allclose(group(z), expected, atol=1e-11)
    # Each latent alone, multiplied in any order.
    alone = [group(z * (torch.arange(3) == i)).view(-1, side, side) for i in range(3)]
    torch.testing.assert_close((alone[2] @ alone[0] @ alone[1]).flatten(1), group(z))


@pytest.mark.parametrize("side", [3, 4])
def test_gradients_reach_all_weights_of_commuting_generators(side):
    group = CommutingGroup(2, side, 0.5).double()
    group.draw_weights(torch.Generator().manual_seed(0))
    z = torch.randn(4, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    names = [name for name, _ in group.named_parameters()]

    def elements(*weights):
        return torch.func.functional_call(group, dict(zip(names, weights, strict=True)), (z,))

    weights = [parameter.detach().requires_grad_() for parameter in group.parameters()]
    assert torch.autograd.gradcheck(elements, weights)


def test_first_weights_are_the_published_ones():
    model = drawn(LieGroup(init=0.05))
    for layer in model.modules():
        if not isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            continue
        weight = layer.weight
        fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(weight)
        bound = math.sqrt(6 / (fan_in + fan_out))
        assert 0.9 * bound < weight.abs().max().item() <= bound
        assert weight.detach().std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)
        assert layer.bias.abs().max() <= 1 / math.sqrt(fan_in)
    basis = model.decoder.groups.groups[0].basis
    assert basis.shape == (10, 10, 10)
    assert basis.detach().std().item() == pytest.approx(0.05, rel=0.1)
    assert basis.mean().abs() < 0.005


def test_two_seeds_give_two_sets_of_first_weights():
    one, again, other = (drawn(LieGroup(), seed=seed).state_dict() for seed in (1, 1, 2))
    for name, value in one.items():
        assert torch.equal(value, again[name])
        assert not torch.equal(value, other[name])


@torch.no_grad()
def test_what_tells_elements_apart_is_not_rounded_away_in_bfloat16():
    model = drawn(LieGroup())
    z = torch.randn(4, 10, generator=torch.Generator().manual_seed(1))
    exact = model.decoder.group(z)
    model.autocast_dtype = torch.bfloat16
    with model.autocast():
        assert torch.equal(model.decoder.group(z), exact)
        hidden = model.decoder.pixels[0](exact)
    assert hidden.dtype == torch.float32
    identity = torch.eye(10).flatten()[None]
    assert (exact - identity).abs().max() < 0.02
    torch.testing.assert_close(
        hidden - model.decoder.pixels[0](identity),
        (exact - identity) @ model.decoder.pixels[0].weight.T,
        rtol=1e-3,
        atol=1e-6,
    )
    assert model.encode(torch.rand(2, 1, 64, 64)).mean.dtype == torch.float32


@every_kind
def test_labels_of_a_conditional_model_go_past_the_group(architecture):
    conditions = Conditions(columns=(0, 1), sizes=(3, 2), planes=True)
    model = drawn(architecture, conditions=conditions)
    z = torch.zeros(2, 10)
    told = torch.tensor([[1.0, 0, 0, 1, 0], [0, 0, 1, 0, 1]])
    with torch.no_grad():
        images = model.decode(z, told)
        features = torch.cat([model.decoder.group(z), told], dim=1)
        torch.testing.assert_close(images, model.decoder.image(features))
        assert not torch.allclose(images[0], images[1])
        assert model.encode(torch.rand(2, 1, 64, 64), told).mean.shape == (2, 10)


def test_a_model_without_noise_has_means_alone():
    model = drawn(LieGroup(), deterministic=True)
    assert count(model.head) == 88_820 // 2
    assert model.encode(torch.rand(2, 1, 64, 64)).logvar is None


def test_a_group_sees_its_own_features_alone():
    architecture = LieGroup(sizes=(4, 9), latents=(2, 3))
    head = drawn(architecture).head
    features = torch.randn(1, 13, generator=torch.Generator().manual_seed(0))
    changed = features.clone()
    changed[:, :4] += 1
    with torch.no_grad():
        moved = (head(features) != head(changed))[0].tolist()
    # Means of both groups, then log variances of both.
    assert moved == ([True] * 2 + [False] * 3) * 2


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"sizes": (50,)}, "such as 49 or 64, not 50"),
        ({"sizes": ()}, "there are 0 and 1"),
        ({"sizes": (25, 25)}, r"there are 2 and 1. Write, for two groups, sizes=\(25, 25\)"),
        ({"latents": ()}, "there are 1 and 0"),
        ({"latents": (0,)}, "latents must be at least 1"),
        ({"init": 0}, "init must be more than 0"),
        ({"exponential": False, "generators": "skew"}, "generators=skew would change nothing"),
        (
            {"sizes": (9, 1), "latents": (2, 1), "generators": "skew"},
            "of one row are 0, .* at least 4 entries",
        ),
        ({"generators": "free_ones"}, "generators: 'free_ones' is not allowed"),
    ],
)
def test_settings_that_are_refused(fields, reason):
    with pytest.raises(SpecError, match=reason):
        LieGroup(**fields)


@pytest.mark.parametrize(
    ("architecture", "shape", "latents", "reason"),
    [
        (
            LieGroup(),
            ONE,
            6,
            r"its group has 10 latents, and the model has 6. Write latents=\(6,\)",
        ),
        (LieGroup(latents=(6,)), ONE, 10, "or train with 6 latents"),
        (LieGroup(sizes=(4, 4), latents=(2, 3)), ONE, 6, "its 2 groups have 5 latents"),
        (LieGroup(), (48, 48, 1), 10, "lie_group takes images of 32x32, 64x64 or 128x128"),
        (LieGroup(), (64, 32, 1), 10, "not 64x32"),
    ],
)
def test_images_and_latents_that_do_not_fit_are_refused(architecture, shape, latents, reason):
    with pytest.raises(SpecError, match=reason):
        architecture.check(shape, latents)
