"""The discriminator's total correlation, its loss, and the permuted samples it is trained on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from objectives.steps import make_step, random_codes
from reference import objectives_reference
from unweave.likelihoods import Bernoulli
from unweave.nn import Burgess, LatentDiscriminator
from unweave.nn.initialise import construct
from unweave.objectives import DensityRatioTC, Setup
from unweave.objectives.density_ratio import discriminator_loss, permuted_samples
from unweave.vae import VAE

LATENTS, BATCH = 3, 6


@pytest.fixture(scope="module")
def discriminator():
    """A small one; its logits are far from zero."""
    network = construct(
        lambda: LatentDiscriminator(LATENTS, width=20, depth=3), torch.Generator().manual_seed(0)
    )
    for parameter in network.parameters():
        parameter.data *= 2
    return network


@pytest.fixture(scope="module")
def model():
    generator = torch.Generator().manual_seed(1)
    return VAE.create(Burgess(), (32, 32, 1), LATENTS, Bernoulli(), generator)


@pytest.fixture
def step(model, discriminator):
    codes = [torch.tensor(code, dtype=torch.float32) for code in random_codes(BATCH, LATENTS)]
    second = torch.rand(BATCH, 1, 32, 32, generator=torch.Generator().manual_seed(2))
    parts = {"discriminator": discriminator}
    return make_step(*codes, model=model, parts=parts, second=second)


def logits(discriminator, z) -> np.ndarray:
    """Output of the discriminator, by matrix products in double precision."""
    values = z.detach().double().numpy()
    layers = [layer for layer in discriminator.layers if hasattr(layer, "weight")]
    for depth, layer in enumerate(layers):
        weight, bias = layer.weight.detach().double(), layer.bias.detach().double()
        values = values @ weight.numpy().T + bias.numpy()
        if depth + 1 < len(layers):
            values = np.where(values > 0, values, 0.2 * values)
    return values


def test_the_value_is_the_mean_difference_of_the_logits(step, discriminator):
    own = logits(discriminator, step.z)
    expected = (own[:, 0] - own[:, 1]).mean()
    assert abs(expected) > 0.1
    assert DensityRatioTC().value(step).item() == pytest.approx(expected, rel=1e-4)
    raw = torch.tensor(2.0)
    assert DensityRatioTC(weight=6.4).weigh(raw, 1).item() == pytest.approx(12.8)


def test_the_discriminator_minimises_half_the_sum_of_two_cross_entropies(step, discriminator):
    own = logits(discriminator, step.z)
    permuted = logits(discriminator, permuted_samples(step))
    expected = 0.5 * (
        objectives_reference.cross_entropy(own, 0)
        + objectives_reference.cross_entropy(permuted, 1)
    )
    assert discriminator_loss(step).item() == pytest.approx(expected, rel=1e-5)


def test_permuted_samples_are_those_of_the_second_batch_shuffled_in_each_latent(step, model):
    permuted = permuted_samples(step)
    assert not permuted.requires_grad
    posterior = model.encode(step.batch.second)
    noise = step.streams.normal("second posterior", BATCH, LATENTS)
    samples = (posterior.mean + torch.exp(posterior.logvar / 2) * noise).detach()
    places = []
    for column in range(LATENTS):
        torch.testing.assert_close(permuted[:, column].sort()[0], samples[:, column].sort()[0])
        gaps = (permuted[:, column, None] - samples[None, :, column]).abs()
        places.append(tuple(gaps.argmin(dim=1).tolist()))
    assert all(sorted(place) == list(range(BATCH)) for place in places)
    assert len(set(places)) > 1, "the latents were permuted together"


def test_permutations_change_from_step_to_step(model, discriminator, step):
    codes = (step.posterior.mean, step.posterior.logvar, step.z)
    draws = [
        permuted_samples(
            make_step(*codes, model=model, second=step.batch.second, global_step=global_step)
        )
        for global_step in (1, 1, 2)
    ]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_the_noise_of_the_second_batch_is_not_that_of_the_first(step):
    first = step.streams.normal("posterior", BATCH, LATENTS)
    assert not torch.equal(first, step.streams.normal("second posterior", BATCH, LATENTS))


def test_it_brings_one_discriminator_and_one_player_with_its_own_adam():
    term = DensityRatioTC(lr=0.002)
    with torch.device("meta"):
        parts = term.parts(Setup(architecture=Burgess(), image_shape=(64, 64, 1), latents=10))
    assert {name: type(part) for name, part in parts.items()} == {
        "discriminator": LatentDiscriminator
    }
    (player,) = term.players()
    assert (player.name, player.parts, player.eager) == (
        "discriminator",
        ("discriminator",),
        False,
    )
    settings = player.optimizer
    assert (settings.lr, settings.beta1, settings.beta2) == (0.002, 0.5, 0.9)


def test_a_discriminator_that_cannot_tell_has_a_loss_of_log_two(step, discriminator):
    blind = construct(lambda: LatentDiscriminator(LATENTS, width=4), torch.Generator())
    for parameter in blind.parameters():
        parameter.data.zero_()
    codes = (step.posterior.mean, step.posterior.logvar, step.z)
    blinded = make_step(
        *codes, model=step.model, parts={"discriminator": blind}, second=step.batch.second
    )
    assert discriminator_loss(blinded).item() == pytest.approx(np.log(2))
    assert DensityRatioTC().value(blinded).item() == 0.0
