"""Decoders as programs: every architecture and the user's own, against sums in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from reference.program_reference import pixels
from unweave.explorer.layers import emit, program_of
from unweave.explorer.packing import HALF_LEVEL, pack, rounded, size_of
from unweave.explorer.program import Builder, NotKnownError
from unweave.explorer.running import run
from unweave.likelihoods import Bernoulli
from unweave.nn import Architecture, LieGroup, Mpcnn, Pair, ShallowLinear
from unweave.nn.conditions import Conditions
from unweave.nn.lie_group_maps import CommutingGroup, ExponentialGroup
from unweave.spec import members
from unweave.vae import VAE

PUBLISHED = sorted(set(members(Architecture)) - {"own", "pair"})
GROUPS = [
    LieGroup(latents=(10,), sizes=(25,)),
    LieGroup(latents=(4, 6), sizes=(9, 16), generators="skew"),
    LieGroup(latents=(7, 3), sizes=(25, 16), generators="commuting"),
    LieGroup(exponential=False),
]


def model_of(architecture, shape=(64, 64, 1), latents=10, **settings):
    """A model whose normalisations have seen something, and whose groups are no identity."""
    generator = torch.Generator().manual_seed(3)
    half = Pair(encode=ShallowLinear(), decode=architecture)
    model = VAE.create(half, shape, latents, Bernoulli(), generator, **settings).eval()
    with torch.no_grad():
        for name, value in model.decoder.named_parameters():
            if name.rpartition(".")[2] in ("basis", "growth", "turning"):
                value.mul_(200)
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(generator=generator)
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2, generator=generator)
    return model


def expected(model, given):
    """What the model itself makes of latents, with labels behind them."""
    with torch.inference_mode():
        z, told = given[:, : model.latents], given[:, model.latents :]
        logits = model.decode(z, told if model.conditions is not None else None)
        return model.likelihood.mean(logits).numpy()


def check(model):
    """A program gives what its model gives, by the slow reference and by PyTorch."""
    program = program_of(model)
    assert program is not None
    given = torch.randn(2, program.inputs, generator=torch.Generator().manual_seed(4))
    want = expected(model, given)
    assert np.ptp(want) > 1e-3
    np.testing.assert_allclose(pixels(program, given[0]), want[0], atol=1e-5)
    np.testing.assert_allclose(run(program, given).numpy(), want, atol=1e-5)
    return program


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_architecture(name):
    check(model_of(members(Architecture)[name]()))


@pytest.mark.parametrize("group", GROUPS, ids=str)
def test_groups_of_matrices(group):
    check(model_of(group))


def test_enlargement_to_sides_that_are_no_multiples():
    check(model_of(Mpcnn(), (28, 28, 3), 4))


def test_labels_go_past_the_group():
    told = Conditions(columns=(0,), sizes=(3,))
    program = check(model_of(GROUPS[0], conditions=told))
    assert program.inputs == 13


def test_a_normalisation_is_part_of_the_layer_before():
    program = program_of(model_of(members(Architecture)["pbt_vae"]()))
    kinds = [step.kind for step in program.steps]
    assert "affine" not in kinds
    assert kinds.count("transposed") == 6


class Residual(nn.Module):
    """What people write: views, sums, joined parts, functions and a grid of positions."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(5, 32)
        self.inner = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ELU(0.7))
        self.last = nn.ConvTranspose2d(9, 1, 3, stride=3, padding=1, output_padding=2)
        self.register_buffer("grid", torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8))

    def forward(self, z):
        x = torch.relu(self.dense(z)).view(z.shape[0], 8, 2, 2)
        x = nn.functional.interpolate(x, scale_factor=4)
        x = x + self.inner(x)
        grid = self.grid.expand(z.shape[0], -1, -1, -1)
        return self.last(torch.cat([x, nn.functional.leaky_relu(grid * grid, 0.1)], 1)).sigmoid()


class Looks(nn.Module):
    """Goes another way by the values of latents."""

    def forward(self, z):
        return z if z.sum() > 0 else -z


class Broadcast(nn.Module):
    """A decoder that spreads latents over an image and knows its places."""

    def __init__(self):
        super().__init__()
        self.register_buffer("places", torch.randn(1, 2, 6, 6))
        self.layers = nn.Sequential(nn.Conv2d(7, 4, 3, 1, 1), nn.GELU(), nn.Conv2d(4, 1, 1, 2))

    def forward(self, z):
        spread = z.unsqueeze(2).unsqueeze(3).expand(-1, -1, 6, 6)
        return self.layers(torch.cat([spread, self.places.expand(z.size(0), -1, -1, -1)], dim=1))


@pytest.mark.parametrize("network", [Residual, Broadcast])
def test_networks_of_ones_own(network):
    torch.manual_seed(0)
    module = network().eval()
    builder = Builder(5)
    try:
        emit(builder, module, 0)
    except NotKnownError as error:
        pytest.fail(f"not followed: {error}")
    given = torch.randn(5)
    with torch.no_grad():
        want = module(given[None])[0].numpy()
    np.testing.assert_allclose(pixels(builder.program(), given), want, atol=1e-5)


@pytest.mark.parametrize(
    "module",
    [
        Looks(),
        nn.LayerNorm(5),
        nn.Sequential(nn.Unflatten(1, (5, 1, 1)), nn.Conv2d(5, 5, 1, groups=5)),
        nn.Sequential(nn.Unflatten(1, (5, 1, 1)), nn.BatchNorm2d(5, track_running_stats=False)),
        nn.GELU(approximate="tanh"),
    ],
    ids=lambda module: type(module).__name__,
)
def test_what_no_step_stands_for(module):
    with pytest.raises(NotKnownError):
        emit(Builder(5), module.eval(), 0)


def test_subclasses_and_hooks_are_not_taken_for_what_they_derive_from():
    class Twice(nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    hooked = nn.Linear(5, 5)
    hooked.register_forward_hook(lambda module, given, gives: 2 * gives)
    for module in (Twice(5, 5), hooked):
        with pytest.raises(NotKnownError):
            emit(Builder(5), module, 0)


@pytest.mark.parametrize("kind", [ExponentialGroup, CommutingGroup])
def test_groups_alone(kind):
    group = kind(3, 4, 0.5)
    group.draw_weights(torch.Generator().manual_seed(0))
    builder = Builder(3)
    emit(builder, group, 0)
    z = torch.tensor([0.7, -1.5, 2.0])
    with torch.no_grad():
        want = group(z[None])[0].numpy()
    np.testing.assert_allclose(pixels(builder.program(), z), want, rtol=1e-4, atol=1e-5)


def test_rounded_weights_are_those_of_the_page():
    program = program_of(model_of(members(Architecture)["burgess"]()))
    given = torch.randn(4, 10)
    want = run(program, given)
    errors = {}
    for rounding in ("float32", "float16"):
        near = rounded(program, rounding)
        errors[rounding] = float((run(near, given) - want).abs().max())
        packed = pack(program, rounding)
        assert len(packed.text) == pytest.approx(size_of(program, rounding), rel=0.05)
        assert unpacked(packed).keys() == {
            (k, name) for k, step in enumerate(near.steps) for name in step.weights
        }
        for (k, name), array in unpacked(packed).items():
            np.testing.assert_array_equal(array, near.steps[k].weights[name])
    assert errors["float32"] == 0 < errors["float16"] < HALF_LEVEL


def unpacked(packed):
    """Weights read from a page's text, as its script does."""
    import base64

    content = base64.b64decode(packed.text)
    arrays = {}
    for k, step in enumerate(packed.steps):
        for name, entry in step["weights"].items():
            shape, at = entry["shape"], entry["at"]
            count = int(np.prod(shape))
            kind = {"float16": "<f2", "float32": "<f4"}[entry["type"]]
            values = np.frombuffer(content, kind, count, at).astype(np.float32)
            arrays[k, name] = values.reshape(shape)
    return arrays
