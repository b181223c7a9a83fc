"""What every method promises in training."""

from __future__ import annotations

import pytest
import torch

from contracts.learners import make_batch, make_learner, narrow_learner, step_of, trained
from contracts.objectives import (
    EXACT,
    METHODS,
    METHODS_FIRST,
    OTHERS,
    assert_same_weights,
    check_first_update,
)
from reference import objectives_reference
from unweave.objectives import parse_objective


def test_there_is_something_to_test():
    assert {"vae", "beta_vae", "annealed_vae", "beta_tcvae", "factor_vae"} <= set(METHODS)


@pytest.mark.parametrize("objective", METHODS)
def test_the_gradient_reaches_every_parameter_of_full_size_networks(objective):
    check_first_update(make_learner(objective, (64, 64, 1)))


@pytest.mark.parametrize("objective", METHODS + OTHERS)
def test_everything_is_finite_and_the_gradient_reaches_every_parameter(objective):
    check_first_update(narrow_learner(objective))


@pytest.mark.parametrize(
    "neutral",
    [
        "beta_vae(beta=1)",
        "annealed_vae(gamma=1, capacity=0)",
        "factor_vae(gamma=0)",
        "reconstruction + kl",
        "vae(kl=linear(start=0, stop=1, steps=0))",
        "vae + total_correlation(weight=0)",
        "vae + density_ratio_tc(weight=0)",
        "vae + mmd(weight=0)",
        "vae + dip_i(off_diagonal=0, diagonal=0)",
        "dip_vae_i(off_diagonal=0, diagonal=0)",
        "dip_vae_ii(off_diagonal=0, diagonal=0)",
        "info_vae(alpha=0, lambda_=1)",
        "factor_vae(gamma=0, compat=dlib)",
        "beta_vae(beta=1) + kl(weight=linear(start=0, stop=1, steps=0))",
        "vae + label_agreement(weight=0)",
        "vae + adversarial_information(weight=0)",
    ],
)
def test_neutral_settings_train_a_plain_vae(neutral):
    plain, other = trained("vae", 3), trained(neutral, 3)
    expected = plain.tracker.read().values["loss/model"]
    assert other.tracker.read().values["loss/model"] == pytest.approx(expected, rel=1e-6)
    assert_same_weights(plain, other, "model/", rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "setting", ["", ", estimator=weighted", ", estimator=stratified, compat=disvae"]
)
@pytest.mark.parametrize("image_shape", [(64, 64, 1), (32, 32, 3)], ids=str)
def test_beta_tcvae_with_neutral_weights_is_the_elbo_of_the_sample(setting, image_shape):
    objective = f"beta_tcvae(alpha=1, beta=1, gamma=1{setting})"
    learner = make_learner(objective, image_shape)
    batch = make_batch(learner)
    step = step_of(learner, batch)
    total, raw, _ = learner.plan.losses(step)
    codes = [step.posterior.mean, step.posterior.logvar, step.z]
    sampled = objectives_reference.monte_carlo_kl(*(c.detach().double().numpy() for c in codes))
    expected = raw["reconstruction"].item() + sampled
    assert total.item() == pytest.approx(expected, rel=1e-6)
    # And the reconstruction is that of a plain VAE with the same noise.
    plain = make_learner("vae", image_shape)
    plain.update(batch, 1)
    reconstruction = plain.tracker.read().values["raw/reconstruction"]
    assert raw["reconstruction"].item() == pytest.approx(reconstruction, rel=1e-6)


@pytest.mark.parametrize("objective", METHODS + OTHERS)
def test_the_smallest_batch_is_trained_on(objective):
    size = max(2, parse_objective(objective).expand().min_batch)
    assert trained(objective, batch_size=size).tracker.read().first_bad == {}


@pytest.mark.parametrize("objective", METHODS_FIRST)
def test_training_depends_on_its_seed_and_on_no_global_generator(objective):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = trained(objective, seed=3)
    assert torch.equal(torch.get_rng_state(), before), "the global generator was used"
    torch.manual_seed(2)
    again = trained(objective, seed=3)
    assert_same_weights(one, again, **EXACT)
    assert one.tracker.read() == again.tracker.read()
    other = trained(objective, seed=4)
    name = next(iter(one.weights()))
    assert not torch.equal(one.weights()[name], other.weights()[name])


@pytest.mark.parametrize(
    ("make", "objective"),
    [
        *((narrow_learner, objective) for objective in METHODS),
        *(pytest.param(narrow_learner, objective, marks=pytest.mark.slow) for objective in OTHERS),
        *((make_learner, objective) for objective in ("vae", "factor_vae", "lie_group_vae")),
    ],
)
def test_bfloat16_is_near_float32_and_keeps_losses_and_weights_in_float32(make, objective):
    exact = trained(objective, steps=1, make=make).tracker.read().values
    learner = trained(objective, steps=2, make=make, precision="bfloat16")
    assert learner.tracker.read().first_bad == {}
    assert {p.dtype for side in learner.sides for p in side.parameters} == {torch.float32}
    state = learner.tensors()
    moments = [value for name, value in state.items() if "exp_avg" in name]
    assert {value.dtype for value in moments} == {torch.float32}
    rounded = trained(objective, steps=1, make=make, precision="bfloat16").tracker.read().values
    name = "raw/reconstruction"
    assert rounded[name] != exact[name]
    assert rounded[name] == pytest.approx(exact[name], rel=0.01)
