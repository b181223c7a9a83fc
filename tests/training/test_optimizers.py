"""The optimisers that components make, against PyTorch's own and against definitions."""

from __future__ import annotations

import dataclasses
import inspect

import numpy as np
import pytest
import torch
from torch import nn

from unweave.errors import SpecError
from unweave.spec import identity, members, parse, to_dict
from unweave.training import Adam, Optimizer

# Every optimiser with other settings than its defaults, and PyTorch's with the same.
PAIRS = [
    (
        "adam(lr=0.01, beta1=0.8, beta2=0.95, eps=1e-6, weight_decay=0.1, amsgrad=True)",
        lambda p: torch.optim.Adam(
            p, 0.01, (0.8, 0.95), 1e-6, weight_decay=0.1, amsgrad=True, fused=True
        ),
    ),
    (
        "adamw(lr=0.01, beta1=0.8, beta2=0.95, eps=1e-6, weight_decay=0.1, amsgrad=True)",
        lambda p: torch.optim.AdamW(
            p, 0.01, (0.8, 0.95), 1e-6, weight_decay=0.1, amsgrad=True, fused=True
        ),
    ),
    (
        "adamax(lr=0.01, beta1=0.8, beta2=0.95, eps=1e-6, weight_decay=0.1)",
        lambda p: torch.optim.Adamax(p, 0.01, (0.8, 0.95), 1e-6, weight_decay=0.1),
    ),
    (
        "nadam(lr=0.01, beta1=0.8, beta2=0.95, eps=1e-6, weight_decay=0.1, momentum_decay=0.01, "
        "decoupled_weight_decay=True)",
        lambda p: torch.optim.NAdam(p, 0.01, (0.8, 0.95), 1e-6, 0.1, 0.01, True),
    ),
    (
        "radam(lr=0.01, beta1=0.8, beta2=0.95, eps=1e-6, weight_decay=0.1, "
        "decoupled_weight_decay=True)",
        lambda p: torch.optim.RAdam(p, 0.01, (0.8, 0.95), 1e-6, 0.1, True),
    ),
    (
        "adadelta(lr=0.5, rho=0.8, eps=1e-5, weight_decay=0.1)",
        lambda p: torch.optim.Adadelta(p, 0.5, 0.8, 1e-5, 0.1),
    ),
    (
        "adagrad(lr=0.1, lr_decay=0.2, weight_decay=0.1, initial_accumulator_value=0.3, eps=1e-5)",
        lambda p: torch.optim.Adagrad(p, 0.1, 0.2, 0.1, 0.3, 1e-5, fused=True),
    ),
    (
        "rmsprop(lr=0.01, alpha=0.9, eps=1e-5, weight_decay=0.1, momentum=0.5, centered=True)",
        lambda p: torch.optim.RMSprop(p, 0.01, 0.9, 1e-5, 0.1, 0.5, True),
    ),
    (
        "rprop(lr=0.05, eta_minus=0.4, eta_plus=1.3, step_min=0.001, step_max=0.2)",
        lambda p: torch.optim.Rprop(p, 0.05, (0.4, 1.3), (0.001, 0.2)),
    ),
    (
        "sgd(lr=0.1, momentum=0.7, weight_decay=0.1, nesterov=True)",
        lambda p: torch.optim.SGD(p, 0.1, 0.7, 0, 0.1, True, fused=True),
    ),
    (
        "sgd(lr=0.1, momentum=0.7, dampening=0.3)",
        lambda p: torch.optim.SGD(p, 0.1, 0.7, 0.3, fused=True),
    ),
    (
        "asgd(lr=0.1, lambd=0.01, alpha=0.6, t0=3, weight_decay=0.1)",
        lambda p: torch.optim.ASGD(p, 0.1, 0.01, 0.6, 3, 0.1),
    ),
]
NAMES = {"Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adadelta", "Adagrad", "RMSprop", "Rprop",
         "SGD", "ASGD"}  # fmt: skip


def steps(make, count=8):
    """Parameters after some steps on random gradients, and what the optimiser keeps of them."""
    generator = torch.Generator().manual_seed(3)
    parameters = [
        nn.Parameter(torch.randn(shape, generator=generator)) for shape in ((4, 3), (5,))
    ]
    optimizer = make(parameters)
    for _ in range(count):
        for parameter in parameters:
            parameter.grad = torch.randn(parameter.shape, generator=generator)
        optimizer.step()
    return parameters, optimizer


@pytest.mark.parametrize(("text", "torchs"), PAIRS, ids=[text.split("(")[0] for text, _ in PAIRS])
def test_an_optimiser_is_that_of_pytorch(text, torchs):
    component = parse(text, Optimizer)
    own, made = steps(component.make)
    other, reference = steps(torchs)
    for one, two in zip(own, other, strict=True):
        assert torch.equal(one, two)
        assert made.state[one].keys() == reference.state[two].keys()
    assert type(made) is type(reference)
    assert made.defaults == reference.defaults


def test_every_optimiser_is_compared_with_that_of_pytorch():
    compared = {parse(text, Optimizer).name for text, _ in PAIRS}
    ours = {n for n, cls in members(Optimizer).items() if cls.__module__.startswith("unweave.")}
    assert compared == ours
    assert {type(parse(text, Optimizer)).__name__ for text, _ in PAIRS} == NAMES


@pytest.mark.parametrize("name", sorted(NAMES - {"Adam"}))
def test_defaults_are_those_of_pytorch(name):
    made = parse(name.lower(), Optimizer).make([nn.Parameter(torch.zeros(2))])
    theirs = {
        key: value.default
        for key, value in inspect.signature(getattr(torch.optim, name).__init__).parameters.items()
        if value.default is not inspect.Parameter.empty and key != "fused"
    }
    assert {key: made.defaults[key] for key in theirs} == theirs


def test_pytorchs_other_optimisers_are_those_that_do_not_fit():
    theirs = {
        name
        for name, cls in vars(torch.optim).items()
        if inspect.isclass(cls) and issubclass(cls, torch.optim.Optimizer)
    }
    assert theirs - NAMES == {"Optimizer", "LBFGS", "SparseAdam", "Muon", "Adafactor"}


def test_adam_follows_its_definition():
    start = np.array([1.0, -2.0, 0.5])
    parameter = nn.Parameter(torch.tensor(start))
    optimizer = Adam(lr=0.1, beta1=0.8, beta2=0.95).make([parameter])
    theta, m, v = start.copy(), np.zeros(3), np.zeros(3)
    rng = np.random.default_rng(0)
    for t in range(1, 8):
        gradient = rng.normal(size=3)
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        m = 0.8 * m + 0.2 * gradient
        v = 0.95 * v + 0.05 * gradient**2
        theta -= 0.1 * (m / (1 - 0.8**t)) / (np.sqrt(v / (1 - 0.95**t)) + 1e-8)
        np.testing.assert_allclose(parameter.detach(), theta, rtol=1e-9)


def test_weight_decay_follows_its_definition():
    """Without a gradient adamw shrinks weights by lr times weight_decay, adam steps to zero."""
    start = np.array([1.0, -2.0])
    decoupled, coupled = (nn.Parameter(torch.tensor(start)) for _ in range(2))
    w = parse("adamw(lr=0.1, weight_decay=0.5)", Optimizer).make([decoupled])
    a = parse("adam(lr=0.1, weight_decay=0.5)", Optimizer).make([coupled])
    for parameter, optimizer in ((decoupled, w), (coupled, a)):
        parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
    np.testing.assert_allclose(decoupled.detach(), start * (1 - 0.1 * 0.5), rtol=1e-12)
    np.testing.assert_allclose(coupled.detach(), start - 0.1 * np.sign(start), rtol=1e-6)


def test_the_defaults_are_those_of_the_disentangling_vae_code():
    assert (Adam().lr, Adam().beta1, Adam().beta2) == (5e-4, 0.9, 0.999)


def test_adams_later_fields_leave_the_names_of_earlier_runs():
    plain = {"type": "adam", "lr": 5e-4, "beta1": 0.9, "beta2": 0.999}
    later = {"eps": 1e-8, "weight_decay": 0.0, "amsgrad": False}
    assert identity(Adam()) == plain
    assert to_dict(Adam()) == plain | later
    for field, value in (("eps", 1e-7), ("weight_decay", 0.1), ("amsgrad", True)):
        assert identity(dataclasses.replace(Adam(), **{field: value})) == plain | {field: value}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("adam(lr=0)", "adam: lr must be more than 0, but is 0"),
        ("adam(beta1=1)", "adam: beta1 must be less than 1, but is 1"),
        ("adam(beta2=-0.1)", "adam: beta2 must be at least 0, but is -0.1"),
        ("adam(weight_decay=-1)", "adam: weight_decay must be at least 0, but is -1"),
        ("adm", "Unknown optimizer 'adm'. Did you mean adam"),
        ("lbfgs", "Unknown optimizer 'lbfgs'. Choose one of: adadelta, adagrad, adam, adamax"),
        ("adam(lr=step)", "adam: lr takes a number or a learning rate (chained_lr, constant_lr"),
        ("adam(lr=stp_lr(start=1, step_size=2))", "Did you mean step_lr"),
        ("sgd(nesterov=True)", "sgd: nesterov needs a momentum above 0 and no dampening"),
        (
            "sgd(nesterov=True, momentum=0.9, dampening=0.1)",
            "momentum is 0.9 and dampening 0.1",
        ),
        (
            "adagrad(lr=cyclic_lr(start=0.1, max_lr=1))",
            "adagrad: lr=cyclic_lr changes the momentum, too, and adagrad has none: write "
            "cyclic_lr(..., cycle_momentum=False)",
        ),
        ("adagrad(initial_accumulator_value=1e39)", "must be at most 1e+30"),
        ("rprop(step_min=2, step_max=1)", "rprop: step_min must be at most step_max, which is 1"),
        ("rprop(lr=step_lr(start=1, step_size=2))", "rprop: lr is the length of the first step"),
    ],
)
def test_settings_that_are_refused(text, reason):
    with pytest.raises(SpecError) as caught:
        parse(text, Optimizer)
    assert reason in str(caught.value)
