"""What every method, and every sum of a method and a term, promises in training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from contracts.components import MEMBERS
from contracts.learners import make_batch, make_learner, step_of, trained
from reference import objectives_reference
from unweave.errors import SpecError
from unweave.objectives import Method, Term, parse_objective
from unweave.spec import members

METHODS = [cls.name for family, cls in MEMBERS if family is Method]
TERMS = [cls.name for family, cls in MEMBERS if family is Term]


def _sums() -> tuple[list[str], list[str]]:
    """Each method with each term that it does not have: those to train, and those to refuse."""
    sums, refused = [], []
    for method in METHODS:
        plan = parse_objective(method).expand()
        for term in TERMS:
            reads = members(Term)[term].reads
            has_none = plan.latent != "posterior" and reads == "posterior"
            if term not in plan.terms:
                (refused if has_none else sums).append(f"{method} + {term}")
    return sums, refused


SUMS, REFUSED = _sums()
OTHERS = [
    "beta_tcvae(estimator=weighted)",
    "beta_tcvae(estimator=stratified)",
    "beta_tcvae(alpha=-5, beta=10, estimator=stratified, compat=disvae)",
    "beta_vae(beta=linear(start=0, stop=4, steps=10))",
    "beta_tcvae(beta=6) + factor_vae(gamma=10)",
    "reconstruction + kl(weight=2, capacity=3)",
    "cvae(labels=(pos_x, shape), encoding=continuous)",
    "ifcvae(gamma=5, capacity=linear(start=0, stop=25, steps=10), compat=dpt)",
    "ifcvae(labels=(scale, shape), encoding=continuous)",
    "vae + total_correlation(weight=5) + density_ratio_tc(weight=5)",
    "vae + total_correlation(weight=5, compat=dlib) + dip_i + dip_ii(compat=dpt)",
    "factor_vae(compat=dlib, depth=7)",
    "factor_vae(compat=dag, depth=7, slope=0.01, lr=1e-5)",
    "factor_vae(compat=clg) + kl(weight=5, capacity=linear(start=0, stop=25, steps=10))",
    "factor_vae(beta1=0.9, beta2=0.999) + reconstruction(weight=linear(start=1, stop=9, steps=2))",
    "info_vae(kernel=imq(base=4), estimator=biased, samples=50)",
    "autoencoder(weight=10000) + density_ratio_tc",
    "wae_mmd(kernel=rbf, prior_std=2)",
    "ada_gvae(distance=symmetric_kl, sampler=laplace_pairs) + total_correlation(weight=5)",
    "ada_mlvae(compat=dlib) + factor_vae",
    "mlvae_labels(compat=dlib, sampler=pairs(changed=2)) + supervised(loss=cov)",
    "slow_vae(sampler=laplace_pairs, compat=slow_disentanglement)",
    "s2_vae(loss=l2, labeller=binned(bins=3))",
    "s2_vae(loss=l2(learn_scale=False), compat=dlib)",
    "s2_vae(loss=cov, gamma_sup=linear(start=0, stop=9, steps=10))",
    "s2_vae(loss=embed, labeller=partial)",
    "fully_supervised(loss=embed(sigma=2, use_order=True), labeller=permuted)",
]
TWO_PLAYERS = [text for text in METHODS + OTHERS if parse_objective(text).expand().players]
SHAPES = [(64, 64, 1), (32, 32, 3)]


def weights_of(learner, prefix=""):
    return {
        name: value.clone() for name, value in learner.weights().items() if name.startswith(prefix)
    }


def assert_same_weights(one, other, prefix="", **tolerance):
    left, right = weights_of(one, prefix), weights_of(other, prefix)
    common = left.keys() & right.keys()
    assert common
    for name in common:
        torch.testing.assert_close(left[name], right[name], **tolerance)


EXACT = {"rtol": 0, "atol": 0}


def test_there_is_something_to_test():
    assert {"vae", "beta_vae", "annealed_vae", "beta_tcvae", "factor_vae"} <= set(METHODS)
    assert len(SUMS) > 10
    assert "factor_vae" in TWO_PLAYERS


def test_a_term_that_a_method_has_cannot_be_added_to_it():
    for method in METHODS:
        for term in parse_objective(method).expand().terms:
            with pytest.raises(SpecError, match=f"has the term {term} more than once"):
                parse_objective(f"{method} + {term}")


@pytest.mark.parametrize("objective", REFUSED)
def test_terms_that_read_variances_are_refused_where_there_are_none(objective):
    with pytest.raises(SpecError, match=r"reads the variances of a posterior, and \w+ has none"):
        parse_objective(objective)


@pytest.mark.parametrize("image_shape", SHAPES, ids=str)
@pytest.mark.parametrize("objective", METHODS + OTHERS)
def test_everything_is_finite_and_the_gradient_reaches_every_parameter(objective, image_shape):
    learner = make_learner(objective, image_shape)
    before = weights_of(learner)
    learner.update(make_batch(learner), 1)
    _check(learner, before)


@pytest.mark.parametrize("objective", SUMS)
def test_terms_can_be_added_to_methods(objective):
    learner = make_learner(objective)
    before = weights_of(learner)
    learner.update(make_batch(learner), 1)
    _check(learner, before)


def _check(learner, before):
    record = learner.tracker.read()
    assert record.first_bad == {}
    assert record.steps == 1
    assert all(np.isfinite(value) for value in record.values.values())
    for side in learner.sides:
        for parameter in side.parameters:
            assert parameter.grad is not None
            assert parameter.grad.isfinite().all()
            assert parameter.grad.abs().max() > 0
    after = weights_of(learner)
    assert all(not torch.equal(before[name], value) for name, value in after.items())
    # What is logged is the objective: a weighted sum of named terms.
    values = record.values
    weighted = [values[f"weighted/{term}"] for term in learner.plan.terms]
    assert values["loss/model"] == pytest.approx(sum(weighted), rel=1e-5)
    assert {name for name in values if name.startswith("raw/")} == {
        f"raw/{term}" for term in learner.plan.terms
    }
    if learner.plan.latent != "posterior":
        assert not any(name.startswith("kl/") for name in values)
        return
    kl = [values[f"kl/{j}"] for j in range(learner.model.latents)]
    assert min(kl) >= 0
    # Of half of the batch it is another.
    if "kl" in learner.plan.terms and learner.plan.terms["kl"].compat == "none":
        assert sum(kl) == pytest.approx(values["raw/kl"], rel=1e-5)


@pytest.mark.parametrize("objective", METHODS + OTHERS)
def test_every_parameter_has_one_owner(objective):
    learner = make_learner(objective)
    owners = [id(parameter) for side in learner.sides for parameter in side.parameters]
    assert len(set(owners)) == len(owners)
    networks = [learner.model, *learner.parts.values()]
    assert set(owners) == {id(p) for network in networks for p in network.parameters()}
    assert learner.sides[0].name == "model"
    model = {id(p) for p in learner.model.parameters()}
    assert model <= {id(p) for p in learner.sides[0].parameters}


@pytest.mark.parametrize("objective", METHODS + OTHERS)
def test_a_player_follows_the_gradient_of_its_own_loss_alone(objective):
    learner, twin = make_learner(objective), make_learner(objective)
    batch = make_batch(learner)
    step = step_of(twin, batch)
    expected = {}
    # Eager players are updated before any other loss is evaluated.
    for side in twin.sides:
        if side.player is not None and side.player.eager:
            loss = side.player.loss(step)
            gradients = torch.autograd.grad(loss, side.parameters, retain_graph=True)
            expected[side.name] = gradients
            for parameter, gradient in zip(side.parameters, gradients, strict=True):
                parameter.grad = gradient
            side.optimizer.step()
    total, _, _ = twin.plan.losses(step)
    others = [side for side in twin.sides if side.name not in expected]
    losses = [total if s.player is None else s.player.loss(step) for s in others]
    for side, loss in zip(others, losses, strict=True):
        expected[side.name] = torch.autograd.grad(loss, side.parameters, retain_graph=True)
    learner.update(batch, 1)
    for side in learner.sides:
        for parameter, gradient in zip(side.parameters, expected[side.name], strict=True):
            torch.testing.assert_close(parameter.grad, gradient, **EXACT)


@pytest.mark.parametrize("objective", TWO_PLAYERS)
def test_players_do_not_move_what_others_own(objective):
    """One player standing still changes nothing in another's update.

    But for an eager one: those that are updated after it see what it has become.
    """
    both = trained(objective, steps=1)
    for still in range(len(both.sides)):
        learner = make_learner(objective)
        before = weights_of(learner)
        learner.sides[still].optimizer.param_groups[0]["lr"] = 0.0
        learner.update(make_batch(learner, seed=1), 1)
        player = learner.sides[still].player
        seen = player is not None and player.eager
        frozen = {id(p) for p in learner.sides[still].parameters}
        after, expected = learner.weights(), both.weights()
        networks = {"model": learner.model, **learner.parts}
        ids = {
            (f"model/{n}" if part == "model" else f"part/{part}/{n}"): id(p)
            for part, network in networks.items()
            for n, p in network.named_parameters()
        }
        for name, value in after.items():
            if seen and name.startswith("model/"):
                continue
            reference = before if ids[name] in frozen else expected
            torch.testing.assert_close(value, reference[name], **EXACT)


def test_the_discriminators_rate_is_its_own():
    slow, fast = trained("factor_vae(lr=1e-5)", 1), trained("factor_vae(lr=1e-2)", 1)
    assert_same_weights(slow, fast, "model/", **EXACT)
    moved = weights_of(slow, "part/discriminator/")
    assert any(
        not torch.equal(value, moved[name])
        for name, value in weights_of(fast, "part/discriminator/").items()
    )
    # From the second step on, the model sees another discriminator.
    slow, fast = trained("factor_vae(lr=1e-5)", 3), trained("factor_vae(lr=1e-2)", 3)
    changed = [
        not torch.equal(value, weights_of(fast)[name])
        for name, value in weights_of(slow, "model/").items()
    ]
    assert any(changed)


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
@pytest.mark.parametrize("image_shape", SHAPES, ids=str)
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


@pytest.mark.parametrize("objective", METHODS + OTHERS)
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
    name = "model/trunk.0.weight"
    assert not torch.equal(one.weights()[name], other.weights()[name])


@pytest.mark.parametrize("objective", METHODS + OTHERS)
def test_bfloat16_is_near_float32_and_keeps_losses_and_weights_in_float32(objective):
    exact = trained(objective, steps=1).tracker.read().values
    learner = trained(objective, steps=2, precision="bfloat16")
    assert learner.tracker.read().first_bad == {}
    assert {p.dtype for side in learner.sides for p in side.parameters} == {torch.float32}
    state = learner.tensors()
    moments = [value for name, value in state.items() if "exp_avg" in name]
    assert {value.dtype for value in moments} == {torch.float32}
    rounded = trained(objective, steps=1, precision="bfloat16").tracker.read().values
    name = "raw/reconstruction"
    assert rounded[name] != exact[name]
    assert rounded[name] == pytest.approx(exact[name], rel=0.01)
