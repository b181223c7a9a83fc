"""Published architectures: parameters, layers, image sizes, first weights, gradients."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import nn

from unweave.errors import SpecError
from unweave.likelihoods import Bernoulli
from unweave.nn import (
    Abdi,
    Architecture,
    BetaCeleb,
    BetaShapes,
    Burgess,
    BurgessV2,
    DeepLinear,
    Higgins,
    Kim,
    Locatello,
    LocatelloMLP,
    Mathieu,
    Montero,
    Mpcnn,
    PadlessConv64,
    PbtVae,
    ShallowLinear,
    SimpleConv64,
)
from unweave.nn.pbt_vae import LogStdHead
from unweave.spec import members, parse
from unweave.vae import VAE

ALL = [
    Burgess(),
    BurgessV2(),
    Kim(),
    Mathieu(),
    Mpcnn(),
    Higgins(),
    Locatello(),
    Locatello(kernel=4),
    LocatelloMLP(),
    BetaShapes(),
    BetaCeleb(),
    SimpleConv64(),
    PadlessConv64(),
    ShallowLinear(),
    DeepLinear(),
    PbtVae(),
    Abdi(),
    Montero(),
]
every_architecture = pytest.mark.parametrize("architecture", ALL, ids=str)
ONE, THREE = (64, 64, 1), (64, 64, 3)


def count(*networks: nn.Module) -> int:
    return sum(parameter.numel() for net in networks for parameter in net.parameters())


def make(architecture: Architecture, image_shape: tuple[int, int, int], latents: int) -> VAE:
    with torch.device("meta"):
        return VAE(architecture, image_shape, latents, Bernoulli())


def drawn(architecture: Architecture, shape=THREE, latents: int = 10, seed: int = 0) -> VAE:
    generator = torch.Generator().manual_seed(seed)
    return VAE.create(architecture, shape, latents, Bernoulli(), generator)


# Architecture, image shape, latents: parameters of the encoder, and of the decoder, as counted in
# the published code; None where only one of them is known.
PUBLISHED = [
    (Burgess(), ONE, 10, 252_052, 249_953),
    (Burgess(), THREE, 10, 253_076, 250_979),
    (BurgessV2(), ONE, 10, 448_724, 447_105),
    (BurgessV2(), THREE, 10, 449_748, 448_131),
    (Kim(), ONE, 10, 382_932, 381_313),
    (Kim(), THREE, 10, 383_956, 382_339),
    (Mathieu(), ONE, 10, 249_172, 248_833),
    # Its published decoder gives 32 channels: 9,248 parameters in the last layer, not 289.
    (Mpcnn(), ONE, 10, 614_292, 622_688 - 9_248 + 289),
    (Locatello(), ONE, 10, 309_204, 381_313),
    (Locatello(), THREE, 10, 310_228, 382_339),
    (Locatello(kernel=4), ONE, 10, 382_932, 381_313),
    (SimpleConv64(), ONE, 8, 1_758_480, None),
    (SimpleConv64(), THREE, 20, 1_765_672, 2_039_363),
    (SimpleConv64(), ONE, 20, None, 2_038_209),
    (PadlessConv64(), ONE, 20, 407_368, 2_038_209),
    (PadlessConv64(), THREE, 20, 407_944, 2_039_363),
    (ShallowLinear(), ONE, 20, 1_654_840, None),
    (DeepLinear(), ONE, 20, 4_601_740, None),
]


@pytest.mark.parametrize(("architecture", "shape", "latents", "encoder", "decoder"), PUBLISHED)
def test_encoders_and_decoders_have_their_published_numbers_of_parameters(
    architecture, shape, latents, encoder, decoder
):
    model = make(architecture, shape, latents)
    if encoder is not None:
        assert count(model.trunk, model.head) == encoder
    if decoder is not None:
        assert count(model.decoder) == decoder


@pytest.mark.parametrize(
    ("architecture", "shape", "parameters"),
    [
        (BetaCeleb(), ONE, 764_245),
        (BetaCeleb(), THREE, 766_295),
        (BetaShapes(), ONE, 14_196_516),
        (BetaShapes(), THREE, 33_865_508),
        (Higgins(), ONE, 14_196_516),
        (LocatelloMLP(), ONE, 14_196_516),
        (PbtVae(), ONE, 1_298_581),
        (PbtVae(), THREE, 1_300_631),
    ],
)
def test_whole_models_have_their_published_numbers_of_parameters(architecture, shape, parameters):
    assert count(make(architecture, shape, 10)) == parameters


def test_numbers_without_a_published_one_follow_from_the_layers():
    # 10 x 400 + 400, and 400 x 4096 + 4096; then the deep one's layers in turn.
    assert count(make(ShallowLinear(), ONE, 10).decoder) == 4_400 + 1_642_496
    deep = 11 * 100 + 101 * 200 + 201 * 400 + 401 * 1000 + 1001 * 4096
    assert count(make(DeepLinear(), ONE, 10).decoder) == deep
    # Five convolutions of kernel 4, the dense layer and the head; and the same in reverse.
    for architecture, widths in (
        (Abdi(), (32, 32, 64, 128, 256)),
        (Montero(), (64, 64, 128, 128, 256)),
    ):
        for shape in (ONE, THREE):
            sizes = list(itertools.pairwise((shape[2], *widths)))
            both = [16 * i * o for i, o in sizes]
            model = make(architecture, shape, 10)
            encoder = sum(both) + sum(widths) + 1025 * 256 + 257 * 20
            assert count(model.trunk, model.head) == encoder
            decoder = sum(both) + sum(i for i, _ in sizes) + 11 * 256 + 257 * 1024
            assert count(model.decoder) == decoder
    # 1,024 more weights of the last layer for each channel more, and a bias.
    assert count(make(Mathieu(), THREE, 10).decoder) == 248_833 + 2 * (32 * 16 + 1)


# What passes between layers, for images of 64x64 and three channels: of each convolution, channels
# and side; of each dense layer, units.
FOUR_DOWN = [(32, 32), (32, 16), (64, 8), (64, 4)]
FOUR_UP = [(64, 8), (32, 16), (32, 32), (3, 64)]
SHAPES = [
    (Burgess(), [(32, 32), (32, 16), (32, 8), (32, 4), 256, 256],
     [256, 256, 512, (32, 8), (32, 16), (32, 32), (3, 64)]),
    (BurgessV2(), [*FOUR_DOWN, 256, 256], [256, 256, 1024, *FOUR_UP]),
    (Kim(), [*FOUR_DOWN, 256], [256, 1024, *FOUR_UP]),
    (BetaCeleb(), [*FOUR_DOWN, 256], [256, 1024, *FOUR_UP]),
    (Locatello(), [*FOUR_DOWN, 256], [256, 1024, *FOUR_UP]),
    (Locatello(kernel=4), [*FOUR_DOWN, 256], [256, 1024, *FOUR_UP]),
    (Mathieu(), [*FOUR_DOWN, 128], [128, 1024, *FOUR_UP]),
    (Mpcnn(), [(32, 64), (32, 32), (32, 16), 256, 256],
     [256, 256, 2048, (32, 16), (32, 32), (3, 64)]),
    (Higgins(), [1200, 1200], [1200, 1200, 1200, 12288]),
    (LocatelloMLP(), [1200, 1200], [1200, 1200, 1200, 12288]),
    (BetaShapes(), [1200, 1200], [1200, 1200, 1200, 12288]),
    (SimpleConv64(), [(32, 32), (32, 16), (64, 8), (128, 4), (256, 2), (256, 1)],
     [(256, 1), (256, 2), (128, 6), (128, 14), (64, 30), (64, 62), (3, 64)]),
    (PadlessConv64(), [(32, 31), (32, 15), (64, 7), (128, 3), (256, 1)],
     [(256, 1), (256, 2), (128, 6), (128, 14), (64, 30), (64, 62), (3, 64)]),
    (ShallowLinear(), [400], [400, 12288]),
    (DeepLinear(), [1000, 400, 200, 100], [100, 200, 400, 1000, 12288]),
    (PbtVae(), [*FOUR_DOWN, (512, 1)],
     [(512, 1), (64, 4), (64, 8), (32, 16), (32, 32), (3, 64)]),
    (Abdi(), [(32, 32), (32, 16), (64, 8), (128, 4), (256, 2), 256],
     [256, 1024, (128, 4), (64, 8), (32, 16), (32, 32), (3, 64)]),
    (Montero(), [(64, 32), (64, 16), (128, 8), (128, 4), (256, 2), 256],
     [256, 1024, (128, 4), (128, 8), (64, 16), (64, 32), (3, 64)]),
]  # fmt: skip


def passed(network: nn.Module, batch: torch.Tensor) -> list[object]:
    """What each layer with weights gives, without those that normalise."""
    found: list[object] = []

    def note(layer, given, out):
        found.append(out.shape[1] if out.dim() == 2 else (out.shape[1], out.shape[2]))
        assert out.dim() == 2 or out.shape[2] == out.shape[3]

    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            layer.register_forward_hook(note)
    network(batch)
    return found


@pytest.mark.parametrize(("architecture", "down", "up"), SHAPES, ids=[str(s[0]) for s in SHAPES])
def test_what_passes_between_layers_is_as_published(architecture, down, up):
    model = make(architecture, THREE, 10)
    assert passed(model.trunk, torch.empty(2, 3, 64, 64, device="meta")) == down
    assert passed(model.decoder, torch.empty(2, 10, device="meta")) == up


def test_every_architecture_is_tested_here():
    given = {"own", "pair"}
    ours = {
        cls.name
        for cls in members(Architecture).values()
        if cls.__module__.startswith("unweave.nn.")
    }
    tested = {architecture.name for architecture in ALL}
    assert tested == {architecture.name for architecture, *_ in SHAPES}
    assert tested <= ours
    assert not given & tested


@every_architecture
def test_every_layer_but_the_last_has_its_activation(architecture):
    model = make(architecture, ONE, 10)
    tanh = isinstance(architecture, Higgins | LocatelloMLP | BetaShapes)
    for network, kind in ((model.trunk, nn.ReLU), (model.decoder, nn.Tanh if tanh else nn.ReLU)):
        layers = [
            layer
            for layer in network
            if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.ReLU | nn.Tanh)
        ]
        if network is model.decoder:
            assert not isinstance(layers.pop(), nn.ReLU | nn.Tanh)
        assert [isinstance(layer, kind) for layer in layers] == [False, True] * (len(layers) // 2)


def test_kernels_and_paddings_are_as_published():
    kernels = [
        (layer.kernel_size[0], layer.padding[0])
        for layer in make(Locatello(), ONE, 10).trunk
        if isinstance(layer, nn.Conv2d)
    ]
    assert kernels == [(4, 1), (4, 1), (2, 0), (2, 0)]
    kernels = [
        (layer.kernel_size[0], layer.stride[0], layer.padding[0])
        for layer in make(SimpleConv64(), ONE, 10).decoder
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    ]
    assert kernels == [(1, 2, 0), (4, 2, 1), *[(4, 2, 0)] * 4, (3, 1, 0)]
    normalised = [type(layer) for layer in make(PbtVae(), ONE, 10).decoder]
    assert normalised.count(nn.BatchNorm2d) == 5
    assert [type(layer) for layer in make(PbtVae(), ONE, 10).trunk].count(nn.BatchNorm2d) == 5


SIDES = (28, 32, 64, 128)


@every_architecture
@pytest.mark.parametrize(
    ("side", "channels"), [*itertools.product(SIDES, (1, 3)), (64, 2), (64, 5)]
)
def test_sizes_that_are_taken_give_images_of_that_size(architecture, side, channels):
    shape = (side, side, channels)
    if architecture.sides is not None and side not in architecture.sides:
        with pytest.raises(SpecError, match=f"not {side}x{side} with {channels} channel"):
            architecture.check(shape, 7)
        return
    architecture.check(shape, 7)
    model = make(architecture, shape, 7)
    images = torch.empty(2, channels, side, side, device="meta")
    assert model.head(model.trunk(images)).shape == (2, 14)
    assert model.decoder(torch.empty(2, 7, device="meta")).shape == images.shape
    # With planes of three labels beside the image, and these labels after the latents.
    with torch.device("meta"):
        trunk, features = architecture.trunk((side, side, channels + 3))
        assert trunk(torch.empty(2, channels + 3, side, side)).shape == (2, features)
        assert architecture.decoder(shape, 10)(torch.empty(2, 10)).shape == images.shape


def test_which_sizes_are_taken():
    taken = {str(architecture): architecture.sides for architecture in ALL}
    assert taken == {
        **dict.fromkeys(("burgess", "mpcnn"), (28, 32, 64, 128)),
        **dict.fromkeys(("burgess_v2", "kim", "mathieu", "beta_celeb"), (32, 64, 128)),
        **dict.fromkeys(("abdi", "montero"), (32, 64, 128)),
        **dict.fromkeys(("locatello", "locatello(kernel=4)"), (32, 64, 128)),
        **dict.fromkeys(("simple_conv64", "padless_conv64", "pbt_vae"), (64,)),
        **dict.fromkeys(("higgins", "locatello_mlp", "beta_shapes"), None),
        **dict.fromkeys(("shallow_linear", "deep_linear"), None),
    }


def test_a_refusal_names_what_is_taken_and_what_takes_it():
    with pytest.raises(SpecError) as caught:
        Kim().check((28, 28, 1), 10)
    said = str(caught.value)
    assert said.startswith(
        "kim takes images of 32x32, 64x64 or 128x128, not 28x28 with 1 channel."
    )
    names = said.partition("Images of 28x28 are taken by ")[2].rstrip(".").replace(" and ", ", ")
    assert {"burgess", "mpcnn", "higgins", "deep_linear"} <= set(names.split(", "))
    assert not {"kim", "simple_conv64", "own", "pair"} & set(names.split(", "))
    for name in names.split(", "):
        parse(name, Architecture).check((28, 28, 1), 10)
    with pytest.raises(SpecError, match="simple_conv64 takes images of 64x64, not 64x32"):
        SimpleConv64().check((64, 32, 1), 10)
    with pytest.raises(SpecError, match="at least 1 channel, not 0"):
        Higgins().check((64, 64, 0), 10)
    Higgins().check((20, 31, 3), 10)


def test_fields_that_make_no_sense_are_refused():
    with pytest.raises(SpecError, match="locatello: kernel takes one of 2, 4, not 3"):
        parse("locatello(kernel=3)", Architecture)
    with pytest.raises(SpecError, match="kim has no field 'kernel'"):
        parse("kim(kernel=2)", Architecture)
    assert str(Locatello(kernel=4.0)) == "locatello(kernel=4)"
    assert str(Locatello(kernel=2)) == "locatello"


# First weights: of weights and of biases, whether they are uniform, and from fan-in and fan-out
# the bound, or the deviation of normal ones.
HE = lambda i, o: ("uniform", math.sqrt(6 / i))  # noqa: E731
GLOROT = lambda i, o: ("uniform", math.sqrt(6 / (i + o)))  # noqa: E731
PYTORCH = lambda i, o: ("uniform", 1 / math.sqrt(i))  # noqa: E731
XAVIER_NORMAL = lambda i, o: ("normal", math.sqrt(2 / (i + o)))  # noqa: E731
KAIMING_NORMAL = lambda i, o: ("normal", math.sqrt(2 / i))  # noqa: E731
ZERO = lambda i, o: ("uniform", 0.0)  # noqa: E731

# For convolutions, for dense layers, for biases.
RULES = {
    **dict.fromkeys(("burgess", "burgess_v2", "kim", "mathieu", "mpcnn"), (HE, HE, PYTORCH)),
    **dict.fromkeys(("abdi", "montero"), (HE, HE, PYTORCH)),
    "higgins": (HE, HE, PYTORCH),
    **dict.fromkeys(("locatello", "locatello_mlp"), (GLOROT, GLOROT, ZERO)),
    **dict.fromkeys(("beta_shapes", "beta_celeb", "pbt_vae"), (PYTORCH, PYTORCH, PYTORCH)),
    **dict.fromkeys(
        ("simple_conv64", "padless_conv64", "shallow_linear", "deep_linear"),
        (XAVIER_NORMAL, KAIMING_NORMAL, PYTORCH),
    ),
}


def check_draws(values: torch.Tensor, kind: str, scale: float) -> None:
    """Mean and spread within five standard errors of what they should be."""
    values = values.double().flatten()
    n = len(values)
    if kind == "uniform":
        assert values.abs().max() <= scale * (1 + 1e-6)
        deviation, fourth = scale / math.sqrt(3), scale**4 / 5
    else:
        deviation, fourth = scale, 3 * scale**4
    variance = deviation**2
    assert values.mean().abs() <= 5 * deviation / math.sqrt(n)
    error = math.sqrt((fourth - variance**2) / n)
    assert (values.square().mean() - variance).abs() <= 5 * error
    if kind == "uniform" and n >= 1000:
        assert values.abs().max() >= 0.98 * scale
    if kind == "normal" and n >= 10_000:
        # About 0.27 % lie beyond three deviations, where no uniform one does.
        assert 0 < (values.abs() > 3 * scale).double().mean() < 0.006


@every_architecture
def test_first_weights_are_drawn_as_published(architecture):
    convolutions, dense, biases = RULES[architecture.name]
    model = drawn(architecture, (64, 64, 1))
    seen = 0
    for layer in model.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(layer.weight)
            rule = dense if isinstance(layer, nn.Linear) else convolutions
            check_draws(layer.weight.detach(), *rule(fan_in, fan_out))
            check_draws(layer.bias.detach(), *biases(fan_in, fan_out))
            seen += 1
        elif isinstance(layer, nn.BatchNorm2d):
            for values, expected in (
                (layer.weight, 1), (layer.bias, 0), (layer.running_mean, 0), (layer.running_var, 1)
            ):  # fmt: skip
                assert torch.equal(values, torch.full_like(values, expected))
    assert seen >= 4


@every_architecture
def test_draws_come_from_the_given_generator_alone(architecture):
    shape = (64, 64, 1)
    before = torch.get_rng_state()
    one, again, other = (drawn(architecture, shape, 3, seed).state_dict() for seed in (5, 5, 6))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(value, again[name]) for name, value in one.items())
    weights = [name for name in one if name.endswith("weight") and one[name].dim() > 1]
    assert not any(torch.equal(one[name], other[name]) for name in weights)


@every_architecture
@pytest.mark.parametrize("deterministic", [False, True])
def test_the_gradient_reaches_every_parameter(architecture, deterministic):
    generator = torch.Generator().manual_seed(0)
    model = VAE.create(architecture, ONE, 3, Bernoulli(), generator, deterministic=deterministic)
    images = torch.rand(4, 1, 64, 64, generator=generator)
    posterior = model.encode(images)
    z = posterior.mean
    loss = 0.0
    if not deterministic:
        noise = torch.randn(z.shape, generator=generator)
        z = z + (0.5 * posterior.logvar).exp() * noise
        loss = posterior.kl().sum()
    loss = loss + nn.functional.binary_cross_entropy_with_logits(
        model.decode(z), images, reduction="sum"
    )
    names, parameters = zip(*model.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss, parameters)
    for name, gradient in zip(names, gradients, strict=True):
        assert gradient.isfinite().all(), name
        assert gradient.abs().max() > 0, name


@every_architecture
def test_the_smallest_batch_is_what_the_layers_need(architecture):
    model = drawn(architecture, ONE, 3)
    least = architecture.min_batch
    images = torch.rand(least, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    model.decode(model.encode(images).mean).sum().backward()
    assert all(p.grad is not None for p in model.decoder.parameters())
    if least > 1:
        with pytest.raises(ValueError, match="more than 1 value per channel"):
            model.encode(images[:1])
    # A single image can be looked at whatever the batches of the training.
    model.eval()
    one = model.encode(images[:1])
    logits = model.decode(one.mean)
    assert one.mean.isfinite().all()
    assert logits.shape == (1, 1, 64, 64)
    assert logits.isfinite().all()


@torch.no_grad()
def test_log_standard_deviations_become_log_variances():
    head = LogStdHead(4, 2)
    head.weight.copy_(torch.arange(16.0).reshape(4, 4))
    head.bias.copy_(torch.tensor([1.0, 2.0, 3.0, 4.0]))
    x = torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    # Rows are mean, log deviation, mean, log deviation: 0 + 1, 4 + 2, 8 + 3, 12 + 4.
    assert head(x).tolist() == [[1.0, 11.0, 2 * 6.0, 2 * 16.0]]
    model = drawn(PbtVae(), ONE, 3).eval()
    images = torch.rand(2, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    rows = nn.functional.linear(model.trunk(images), model.head.weight, model.head.bias)
    pairs = rows.reshape(2, 3, 2)
    posterior = model.encode(images)
    torch.testing.assert_close(posterior.mean, pairs[..., 0])
    torch.testing.assert_close((0.5 * posterior.logvar).exp(), pairs[..., 1].exp())


@torch.no_grad()
def test_the_enlarged_images_of_mpcnn_are_interpolated():
    model = drawn(Mpcnn(), (28, 28, 1), 2)
    enlarged = [layer for layer in model.decoder if isinstance(layer, nn.Upsample)]
    assert [layer.size for layer in enlarged] == [(7, 7), (14, 14), (28, 28)]
    row = torch.tensor([[0.0, 4.0]]).expand(2, 2)[None, None]
    # Half a pixel beyond the middles of the two, and a quarter of the way between them.
    assert nn.Upsample((4, 4), mode=enlarged[0].mode)(row)[0, 0, 0].tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize("architecture", [PbtVae(), Mpcnn(), SimpleConv64()], ids=str)
@torch.no_grad()
def test_networks_run_in_bfloat16_and_channels_last(architecture):
    model = drawn(architecture, ONE, 4).eval()
    images = torch.rand(3, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    exact = model.encode(images).mean
    model.to(memory_format=torch.channels_last)
    last = images.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(model.encode(last).mean, exact, rtol=1e-4, atol=1e-5)
    logits = model.decode(exact)
    model.autocast_dtype = torch.bfloat16
    for found, expected in ((model.encode(last).mean, exact), (model.decode(exact), logits)):
        assert found.dtype == torch.float32
        assert 0 < (found - expected).norm() < 0.03 * expected.norm()
