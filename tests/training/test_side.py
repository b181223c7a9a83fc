"""Gradients made small, by NumPy, and the running mean of weights, by a slow loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from contracts.learners import make_batch, narrow_learner
from unweave.errors import TrainingDivergedError
from unweave.spec import parse
from unweave.training import Optimizer
from unweave.training.average import Average
from unweave.training.side import Clipping, Side


def gradients(scale=3.0):
    rng = np.random.default_rng(1)
    return [scale * rng.normal(size=(4, 3)), scale * rng.normal(size=5)]


def side_of(given, clipping):
    """A side without a learning rate, whose loss has these gradients."""
    parameters = [nn.Parameter(torch.zeros(g.shape, dtype=torch.float64)) for g in given]
    side = Side("model", None, parameters, torch.optim.SGD(parameters, lr=1.0), clipping)
    total = torch.zeros((), dtype=torch.float64)
    for parameter, gradient in zip(parameters, given, strict=True):
        total = total + (parameter * torch.tensor(gradient)).sum()
    side.set_gradients(total, retain=False)
    return side


@pytest.mark.parametrize(
    ("value", "norm"), [(None, None), (0.7, None), (None, 2.0), (0.7, 2.0), (None, 1e6)]
)
def test_gradients_are_followed_as_far_as_they_may(value, norm):
    given = gradients()
    expected = [g if value is None else np.clip(g, -value, value) for g in given]
    length = math.sqrt(sum(float((g**2).sum()) for g in expected))
    if norm is not None:
        expected = [g * min(1.0, norm / (length + 1e-6)) for g in expected]
    side = side_of(given, Clipping(value, norm))
    side.step()
    for parameter, gradient in zip(side.parameters, expected, strict=True):
        np.testing.assert_allclose(parameter.detach(), -gradient, rtol=1e-12)


def test_gradients_may_be_as_large_as_any_number():
    parameters = [nn.Parameter(torch.zeros(3))]
    limits = Clipping(value=1e308)
    side = Side("m", None, parameters, torch.optim.SGD(parameters, lr=1.0), limits)
    side.set_gradients((parameters[0] * torch.tensor([1.0, -2.0, 1e30])).sum(), retain=False)
    side.step()
    assert torch.equal(parameters[0], -torch.tensor([1.0, -2.0, 1e30]))


def test_a_gradient_that_is_one_number_in_many_places_can_be_made_small():
    parameters = [nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(3))]
    side = Side("m", None, parameters, torch.optim.SGD(parameters, lr=1.0), Clipping(norm=1.0))
    side.set_gradients((parameters[0] + parameters[1]).sum(), retain=False)
    side.step()
    for parameter in parameters:
        np.testing.assert_allclose(parameter.detach(), -np.ones(3) / math.sqrt(6), rtol=1e-5)


@pytest.mark.parametrize("optimizer", [torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD])
@pytest.mark.parametrize("order", [(1, 0, 2), (2, 1, 0), (0, 2, 1)])
def test_a_gradient_that_lies_otherwise_in_memory_is_followed_where_it_belongs(optimizer, order):
    """Optimisers that are fused read parameter and gradient in the order of their memory."""
    weights = torch.tensor(np.random.default_rng(0).normal(size=(4, 4, 4)), dtype=torch.float32)
    found = []
    for fused in (True, False):
        parameter = nn.Parameter(torch.zeros(4, 4, 4))
        made = optimizer([parameter], lr=0.1, fused=fused)
        side = Side("model", None, [parameter], made)
        loss = (parameter.permute(order).contiguous() * weights).sum()
        side.set_gradients(loss, retain=False)
        side.step()
        found.append(parameter.detach())
    torch.testing.assert_close(found[0], found[1])


def test_parameters_without_a_gradient_are_left_alone():
    parameters = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.ones(2))]
    side = Side("m", None, parameters, torch.optim.SGD(parameters, lr=1.0), Clipping(1.0, 1.0))
    side.set_gradients(parameters[0].sum(), retain=False)
    side.step()
    assert parameters[0].detach().norm() == pytest.approx(1, rel=1e-5)
    assert torch.equal(parameters[1].detach(), torch.ones(2))


def test_each_player_has_a_norm_of_its_own():
    learner = narrow_learner("factor_vae(gamma=10)", clip_norm=0.25, clip_value=0.02)
    learner.update(make_batch(learner), 1)
    for side in learner.sides:
        found = [p.grad for p in side.parameters if p.grad is not None]
        norm = torch.cat([gradient.flatten() for gradient in found]).norm().item()
        assert norm == pytest.approx(0.25, rel=1e-3), side.name
        assert max(gradient.abs().max().item() for gradient in found) <= 0.02


def test_a_bound_that_nothing_reaches_changes_nothing():
    one, other = narrow_learner("factor_vae"), narrow_learner("factor_vae", clip_norm=1e9)
    for learner in (one, other):
        for step in (1, 2):
            learner.update(make_batch(learner, seed=step), step)
    for name, value in one.weights().items():
        assert torch.equal(value, other.weights()[name]), name


# The running mean


def test_the_running_mean_follows_its_definition():
    weight, count = torch.zeros(3, dtype=torch.float64), torch.tensor(0)
    average = Average(0.8, {"weight": weight, "count": count})
    rng = np.random.default_rng(2)
    mean = None
    for step in range(1, 9):
        now = rng.normal(size=3)
        weight.copy_(torch.tensor(now))
        count += 1
        average.after(step)
        mean = now if mean is None else 0.8 * mean + 0.2 * now
        np.testing.assert_allclose(average.tensors["weight"], mean, rtol=1e-12)
        assert average.tensors["count"] == step


def test_the_mean_is_kept_beside_the_weights_and_takes_their_place_to_be_looked_at():
    learner = narrow_learner("factor_vae", ema=0.6)
    without = narrow_learner("factor_vae")
    mean = None
    for step in range(1, 5):
        for each in (learner, without):
            each.update(make_batch(each, seed=step), step)
        now = {name: value.double() for name, value in learner.weights().items()}
        mean = now if mean is None else {n: 0.6 * mean[n] + 0.4 * now[n] for n in now}
    trained = {name: value.clone() for name, value in learner.weights().items()}
    for name, value in without.weights().items():
        assert torch.equal(value, trained[name]), name
    with learner.averaged():
        for name, value in learner.weights().items():
            torch.testing.assert_close(value.double(), mean[name], rtol=1e-5, atol=1e-7)
        assert not torch.equal(learner.weights()["model/head.bias"], trained["model/head.bias"])
    for name, value in learner.weights().items():
        assert torch.equal(value, trained[name]), name
    with without.averaged():
        assert torch.equal(without.weights()["model/head.bias"], trained["model/head.bias"])


SETTINGS = [
    {"ema": 0.9, "clip_norm": 1.0},
    {"optimizer": "sgd(lr=1e-5, momentum=0.9)"},
    {"optimizer": "nadam(lr=plateau(start=0.001, patience=0, every=2, unit=steps))"},
    {"optimizer": "rmsprop(lr=cyclic_lr(start=1e-5, max_lr=0.001, step_size_up=2))"},
    {"optimizer": "asgd(lr=exponential_lr(start=1e-5, gamma=0.5))"},
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_checkpoint_holds_all_that_training_goes_on_from(settings):
    settings = dict(settings)
    if "optimizer" in settings:
        settings["optimizer"] = parse(settings["optimizer"], Optimizer)
    whole = narrow_learner("factor_vae", **settings)
    for step in (1, 2, 3):
        whole.update(make_batch(whole, seed=step), step)
    state = {name: value.clone() for name, value in whole.tensors().items()}
    resumed = narrow_learner("factor_vae", **settings)
    resumed.restore(state)
    for learner in (whole, resumed):
        for step in (4, 5, 6):
            learner.update(make_batch(learner, seed=step), step)
    assert whole.lr == resumed.lr
    assert whole.tensors().keys() == resumed.tensors().keys()
    for name, value in whole.tensors().items():
        assert torch.equal(resumed.tensors()[name], value), name


@pytest.mark.parametrize(
    "text",
    [
        "adamax(lr=1e38)",
        "asgd(alpha=1e39)",
        "nadam(weight_decay=1e39)",
        "rprop(step_max=1e39)",
        "rmsprop(lr=1e300)",
    ],
)
def test_numbers_that_the_optimiser_cannot_hold_end_the_training_with_a_reason(text):
    parameters = [nn.Parameter(torch.ones(3))]
    side = Side("model", None, parameters, parse(text, Optimizer).make(parameters))

    def steps():
        for _ in range(3):
            side.set_gradients((parameters[0] ** 2).sum(), retain=False)
            side.step()

    with pytest.raises(
        TrainingDivergedError, match=r"optimiser of model .* smaller learning rate"
    ):
        steps()


def test_other_errors_of_an_optimiser_are_left_as_they_are():
    parameters = [nn.Parameter(torch.ones(3))]
    optimizer = torch.optim.SGD(parameters, lr=1.0)
    side = Side("model", None, parameters, optimizer)
    optimizer.step = lambda: torch.ones(2) @ torch.ones(3)
    with pytest.raises(RuntimeError) as caught:
        side.step()
    assert not isinstance(caught.value, TrainingDivergedError)


def fused_side():
    parameters = [nn.Parameter(torch.ones(4, 3)), nn.Parameter(torch.ones(5))]
    return Side("model", None, parameters, torch.optim.Adam(parameters, lr=0.1, fused=True))


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("optimizer/model/0/exp_avg", torch.zeros(2), RuntimeError),
        ("optimizer/model/0/exp_avg", torch.zeros(()), RuntimeError),
        ("optimizer/model/0/exp_avg_sq", torch.zeros(4, 3, dtype=torch.int64), RuntimeError),
        ("optimizer/model/1/step", torch.zeros(5), RuntimeError),
        ("optimizer/model/1/step", torch.tensor(1), RuntimeError),
        ("optimizer/model/1/exp_avg_sq", None, KeyError),
    ],
)
def test_states_that_a_fused_optimiser_would_read_beyond_are_refused(key, value, error):
    """Its kernel trusts that each state is as large as its parameter."""
    side = fused_side()
    side.set_gradients(sum((p**2).sum() for p in side.parameters), retain=False)
    side.step()
    state = side.tensors()
    fused_side().restore(state)
    changed = {name: v for name, v in state.items() if name != key}
    changed |= {} if value is None else {key: value}
    with pytest.raises(error, match=key):
        fused_side().restore(changed)


def test_a_parameter_without_a_state_is_restored_without_one():
    side = fused_side()
    side.set_gradients((side.parameters[1] ** 2).sum(), retain=False)
    side.step()
    fresh = fused_side()
    fresh.restore(side.tensors())
    assert not fresh.optimizer.state[fresh.parameters[0]]
    assert fresh.optimizer.state[fresh.parameters[1]]["step"] == 1
