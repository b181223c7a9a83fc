"""The discriminator's total correlation, its loss, and the permuted samples it is trained on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from contracts.learners import make_batch, make_learner, small_config, step_of
from reference import objectives_reference, regularisers_reference
from reference.steps import make_step, random_codes
from unweave.errors import SpecError
from unweave.likelihoods import Bernoulli
from unweave.nn import Burgess, LatentDiscriminator
from unweave.nn.initialise import construct
from unweave.objectives import KL, DensityRatioTC, Setup, parse_objective
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


def logits(discriminator, z, slope=0.2) -> np.ndarray:
    """Output of the discriminator, by matrix products in double precision."""
    values = z.detach().double().numpy()
    layers = [layer for layer in discriminator.layers if hasattr(layer, "weight")]
    for depth, layer in enumerate(layers):
        weight, bias = layer.weight.detach().double(), layer.bias.detach().double()
        values = values @ weight.numpy().T + bias.numpy()
        if depth + 1 < len(layers):
            values = np.where(values > 0, values, slope * values)
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


# What published code does otherwise


def rows_of(compat):
    """The samples that stand for q(z), and those that are permuted."""
    half = BATCH // 2
    return (slice(0, half), slice(half, None)) if compat == "dag" else (slice(None), slice(None))


@pytest.mark.parametrize("compat", ["dlib", "clg", "dag"])
def test_without_a_second_batch_samples_of_the_batch_are_permuted(compat):
    other = rows_of(compat)[1]
    places = []
    for t in range(1, 6):
        step = make_step(*random_codes(BATCH, LATENTS), global_step=t)
        permuted, source = permuted_samples(step, compat), step.z[other]
        assert permuted.shape == source.shape
        for column in range(LATENTS):
            gaps = (permuted[:, column, None] - source[None, :, column]).abs()
            assert gaps.amin(dim=1).max() == 0
            place = tuple(gaps.argmin(dim=1).tolist())
            assert sorted(place) == list(range(len(source)))
            places.append((t, place))
    assert len({place for _, place in places}) > 1
    assert len(set(places)) > 5, "the latents were permuted together"
    assert not DensityRatioTC(compat=compat).needs.second
    assert DensityRatioTC().needs.second


@pytest.mark.parametrize("compat", ["dlib", "clg", "dag"])
def test_the_term_and_the_loss_are_those_of_the_published_rows(step, discriminator, compat):
    own = logits(discriminator, step.z[rows_of(compat)[0]])
    permuted = logits(discriminator, permuted_samples(step, compat))
    value = DensityRatioTC(compat=compat).value(step).item()
    assert value == pytest.approx((own[:, 0] - own[:, 1]).mean(), rel=1e-4)
    if compat == "dlib":
        expected = regularisers_reference.clipped_loss(own, permuted)
    else:
        expected = 0.5 * (
            objectives_reference.cross_entropy(own, 0)
            + objectives_reference.cross_entropy(permuted, 1)
        )
    assert discriminator_loss(step, compat).item() == pytest.approx(expected, rel=1e-5)


def test_a_discriminator_that_is_sure_learns_nothing_where_probabilities_are_clipped(
    step, discriminator
):
    for layer in (discriminator.layers[-1],):
        weight, bias = layer.weight.detach().clone(), layer.bias.detach().clone()
        layer.weight.data.zero_()
        # Class 0 for certain: right for samples, wrong for permuted ones.
        layer.bias.data.copy_(torch.tensor([20.0, -20.0]))
        exact, clipped = discriminator_loss(step, "clg"), discriminator_loss(step, "dlib")
        layer.weight.data.copy_(weight)
        layer.bias.data.copy_(bias)
    assert exact.item() == pytest.approx(20.0)
    assert clipped.item() == pytest.approx(-0.5 * (np.log(1e-6) + np.log1p(-1e-6)), rel=1e-4)
    (gradient,) = torch.autograd.grad(clipped, [discriminator.layers[-1].bias])
    assert gradient.abs().max() == 0


def test_the_kl_of_disent_and_gen_is_that_of_the_first_half():
    mean, logvar, z = random_codes(6, 4)
    term = parse_objective("factor_vae(compat=dag)").expand().terms["kl"]
    assert term == KL(compat="dag")
    value = term.value(make_step(mean, logvar, z)).item()
    assert value == pytest.approx(regularisers_reference.halved_kl(mean, logvar), rel=1e-12)
    assert parse_objective("factor_vae(compat=dlib)").expand().terms["kl"] == KL()


def test_a_batch_without_halves_is_refused():
    with pytest.raises(SpecError, match="splits the batch into halves, and batch_size is 7"):
        small_config("factor_vae(compat=dag)", batch_size=7)
    with pytest.raises(SpecError, match="batch_size must be at least 4"):
        small_config("factor_vae(compat=dag)", batch_size=2)
    small_config("factor_vae(compat=dag)", batch_size=4)


def test_the_discriminator_that_goes_first_is_met_by_the_model_as_it_has_become():
    objective = "factor_vae(compat=clg, lr=0.01)"
    learner, twin = make_learner(objective), make_learner(objective)
    batch = make_batch(learner)
    step = step_of(twin, batch)
    (player,) = twin.plan.players
    assert player.eager
    part = twin.parts["discriminator"]
    before = DensityRatioTC(compat="clg").value(step).item()
    loss = player.loss(step)
    gradients = torch.autograd.grad(loss, list(part.parameters()))
    adam = torch.optim.Adam(part.parameters(), lr=0.01, betas=(0.5, 0.9))
    for parameter, gradient in zip(part.parameters(), gradients, strict=True):
        parameter.grad = gradient
    adam.step()
    after = DensityRatioTC(compat="clg").value(step).item()
    assert after != pytest.approx(before, rel=0.01)
    learner.update(batch, 1)
    values = learner.tracker.read().values
    assert values["raw/density_ratio_tc"] == pytest.approx(after, rel=1e-4)
    assert values["loss/discriminator"] == pytest.approx(loss.item(), rel=1e-5)


def test_depth_width_slope_and_decays_are_the_discriminators():
    term = DensityRatioTC(depth=3, width=50, slope=0.01, beta1=0.9, beta2=0.999)
    setup = Setup(architecture=Burgess(), image_shape=(64, 64, 1), latents=10)
    network = construct(
        lambda: term.parts(setup)["discriminator"], torch.Generator().manual_seed(0)
    )
    shapes = [tuple(p.shape) for p in network.parameters() if p.dim() == 2]
    assert shapes == [(50, 10), (50, 50), (2, 50)]
    z = torch.randn(6, 10, generator=torch.Generator().manual_seed(1))
    np.testing.assert_allclose(
        network(z).detach(), logits(network, z, slope=0.01), rtol=1e-4, atol=1e-5
    )
    (player,) = term.players()
    assert (player.optimizer.beta1, player.optimizer.beta2) == (0.9, 0.999)
    fields = "depth=3, width=50, slope=0.01, beta1=0.9, beta2=0.999"
    plan = parse_objective(f"factor_vae(gamma=1, {fields})").expand()
    assert plan.terms["density_ratio_tc"] == term


@pytest.mark.parametrize(("depth", "count"), [(6, 4_017_002), (7, 5_018_002)])
def test_published_discriminators_have_their_number_of_parameters(depth, count):
    setup = Setup(architecture=Burgess(), image_shape=(64, 64, 1), latents=10)
    with torch.device("meta"):
        network = DensityRatioTC(depth=depth).parts(setup)["discriminator"]
    assert sum(p.numel() for p in network.parameters()) == count
