"""What every player promises: parameters of its own, and its own loss alone."""

from __future__ import annotations

import pytest
import torch

from contracts.learners import make_batch, narrow_learner, step_of, trained
from contracts.objectives import (
    EXACT,
    METHODS,
    OTHERS,
    TWO_PLAYERS,
    assert_same_weights,
    weights_of,
)


def test_there_is_something_to_test():
    assert "factor_vae" in TWO_PLAYERS


@pytest.mark.parametrize("objective", METHODS + OTHERS)
def test_every_parameter_has_one_owner(objective):
    learner = narrow_learner(objective)
    owners = [id(parameter) for side in learner.sides for parameter in side.parameters]
    assert len(set(owners)) == len(owners)
    networks = [learner.model, *learner.parts.values()]
    assert set(owners) == {id(p) for network in networks for p in network.parameters()}
    assert learner.sides[0].name == "model"
    model = {id(p) for p in learner.model.parameters()}
    assert model <= {id(p) for p in learner.sides[0].parameters}


@pytest.mark.parametrize("objective", METHODS + OTHERS)
def test_a_player_follows_the_gradient_of_its_own_loss_alone(objective):
    learner, twin = narrow_learner(objective), narrow_learner(objective)
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
        learner = narrow_learner(objective)
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
