"""Learning rates that change, each against a plain loop with PyTorch's scheduler."""

from __future__ import annotations

import inspect
import warnings

import pytest
import torch
from torch import nn
from torch.optim import lr_scheduler

from unweave.errors import SpecError
from unweave.schedules import Cyclical, Linear
from unweave.spec import members, parse
from unweave.training import Optimizer
from unweave.training.pace import Pace
from unweave.training.rates import LearningRate

LOGGED = ("loss/model", "raw/reconstruction", "kl/0")
IMAGES, BATCH = 70, 20
STEPS = 40
RAMP = Linear(start=1, stop=0.1, steps=20)

# Each learning rate, the optimiser's first one, and PyTorch's scheduler.
PAIRS = [
    ("step_lr(start=0.3, step_size=7, gamma=0.5)", 0.3, lambda o: lr_scheduler.StepLR(o, 7, 0.5)),
    (
        "multi_step_lr(start=0.3, milestones=(3, 11), gamma=0.2)",
        0.3,
        lambda o: lr_scheduler.MultiStepLR(o, [3, 11], 0.2),
    ),
    (
        "constant_lr(start=0.3, factor=0.25, total_iters=6)",
        0.3,
        lambda o: lr_scheduler.ConstantLR(o, 0.25, 6),
    ),
    (
        "linear_lr(start=0.3, start_factor=0.1, end_factor=0.9, total_iters=12)",
        0.3,
        lambda o: lr_scheduler.LinearLR(o, 0.1, 0.9, 12),
    ),
    (
        "exponential_lr(start=0.3, gamma=0.93)",
        0.3,
        lambda o: lr_scheduler.ExponentialLR(o, 0.93),
    ),
    (
        "polynomial_lr(start=0.3, total_iters=25, power=1.7)",
        0.3,
        lambda o: lr_scheduler.PolynomialLR(o, 25, 1.7),
    ),
    (
        "cosine_annealing_lr(start=0.3, t_max=30, eta_min=0.01)",
        0.3,
        lambda o: lr_scheduler.CosineAnnealingLR(o, 30, 0.01),
    ),
    (
        "cosine_annealing_warm_restarts(start=0.3, t_0=5, t_mult=2, eta_min=0.02)",
        0.3,
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5, 2, 0.02),
    ),
    (
        "cyclic_lr(start=0.01, max_lr=0.3, step_size_up=4, step_size_down=7, mode=triangular2, "
        "base_momentum=0.7, max_momentum=0.85)",
        0.01,
        lambda o: lr_scheduler.CyclicLR(
            o, 0.01, 0.3, 4, 7, "triangular2", base_momentum=0.7, max_momentum=0.85
        ),
    ),
    (
        "cyclic_lr(start=0.01, max_lr=0.3, step_size_up=4, mode=exp_range, gamma=0.98, "
        "cycle_momentum=False)",
        0.01,
        lambda o: lr_scheduler.CyclicLR(
            o, 0.01, 0.3, 4, mode="exp_range", gamma=0.98, cycle_momentum=False
        ),
    ),
    (
        "one_cycle_lr(max_lr=0.3, total_steps=40)",
        0.3 / 25,
        lambda o: lr_scheduler.OneCycleLR(o, 0.3, total_steps=40),
    ),
    (
        "one_cycle_lr(max_lr=0.3, total_steps=50, pct_start=0.2, anneal_strategy=linear, "
        "base_momentum=0.8, max_momentum=0.9, div_factor=10, final_div_factor=100, "
        "three_phase=True)",
        0.03,
        lambda o: lr_scheduler.OneCycleLR(
            o, 0.3, total_steps=50, pct_start=0.2, anneal_strategy="linear", base_momentum=0.8,
            max_momentum=0.9, div_factor=10, final_div_factor=100, three_phase=True,
        ),
    ),
    (
        "lambda_lr(start=0.3, schedule=linear(start=1, stop=0.1, steps=20))",
        0.3,
        lambda o: lr_scheduler.LambdaLR(o, lambda e: RAMP.at(e + 1)),
    ),
    (
        "multiplicative_lr(start=0.3, schedule=cyclical(start=0.9, stop=1, steps=6))",
        0.3,
        lambda o: lr_scheduler.MultiplicativeLR(o, Cyclical(start=0.9, stop=1, steps=6).at),
    ),
    (
        "sequential_lr(rates=(linear_lr(start=0.3, total_iters=4), step_lr(start=0.3, "
        "step_size=3), cosine_annealing_warm_restarts(start=0.3, t_0=5)), milestones=(6, 17))",
        0.3,
        lambda o: lr_scheduler.SequentialLR(
            o,
            [
                lr_scheduler.LinearLR(o, total_iters=4),
                lr_scheduler.StepLR(o, 3),
                lr_scheduler.CosineAnnealingWarmRestarts(o, 5),
            ],
            [6, 17],
        ),
    ),
    (
        "chained_lr(rates=(constant_lr(start=0.3, factor=0.1, total_iters=4), "
        "exponential_lr(start=0.3, gamma=0.9)))",
        0.3,
        lambda o: lr_scheduler.ChainedScheduler(
            [lr_scheduler.ConstantLR(o, 0.1, 4), lr_scheduler.ExponentialLR(o, 0.9)]
        ),
    ),
]  # fmt: skip
EVERY = [text for text, _, _ in PAIRS]


def gradients(step):
    generator = torch.Generator().manual_seed(step)
    return torch.randn(3, generator=generator)


def values(step):
    """What a step logs, in the order of LOGGED: a noisy loss, a constant term, a KL that falls."""
    generator = torch.Generator().manual_seed(1000 + step)
    loss = 5 + torch.randn((), generator=generator)
    return torch.stack([loss, torch.tensor(2.0), torch.tensor(10.0 / step)])


class Loop:
    """Steps of an optimiser with a learning rate."""

    def __init__(self, rate, optimizer="adam"):
        self.parameter = nn.Parameter(torch.ones(3))
        component = parse(f"{optimizer}(lr={rate})", Optimizer)
        self.optimizer = component.make([self.parameter])
        self.pace = Pace(
            component.rate,
            self.optimizer,
            LOGGED,
            images=IMAGES,
            batch_size=BATCH,
            device=torch.device("cpu"),
        )
        self.seen = []

    def run(self, first, last):
        for step in range(first, last + 1):
            group = self.optimizer.param_groups[0]
            self.seen.append((group["lr"], group.get("betas"), group.get("momentum")))
            self.parameter.grad = gradients(step)
            self.optimizer.step()
            self.pace.after(values(step), step)
        return self


def plain(make_optimizer, lr, make_scheduler, is_due):
    """The same by hand: learning rate and momentum of each step, and the last weights."""
    parameter = nn.Parameter(torch.ones(3))
    optimizer = make_optimizer([parameter], lr)
    scheduler = make_scheduler(optimizer)
    seen = []
    for step in range(1, STEPS + 1):
        group = optimizer.param_groups[0]
        seen.append((group["lr"], group.get("betas"), group.get("momentum")))
        parameter.grad = gradients(step)
        optimizer.step()
        if is_due(step):
            scheduler.step()
    return seen, parameter


def adam(parameters, lr):
    return torch.optim.Adam(parameters, lr=lr, fused=True)


def with_pace(rate, every, unit):
    return rate.replace("(", f"(every={every}, unit={unit}, ", 1)


def ends_epoch(step):
    """Whether the last of 70 images, 20 at a time, is seen for another time."""
    return step * 20 // 70 > (step - 1) * 20 // 70


@pytest.mark.parametrize(("rate", "lr", "scheduler"), PAIRS, ids=EVERY)
@pytest.mark.parametrize(
    ("every", "unit", "is_due"),
    [
        (1, "steps", lambda step: True),
        (3, "steps", lambda step: step % 3 == 0),
        (1, "epochs", ends_epoch),
    ],
    ids=["step", "3 steps", "epoch"],
)
def test_a_learning_rate_is_that_of_pytorchs_scheduler(rate, lr, scheduler, every, unit, is_due):
    seen, parameter = plain(adam, lr, scheduler, is_due)
    loop = Loop(with_pace(rate, every, unit)).run(1, STEPS)
    assert loop.seen == seen
    assert len({lr for lr, _, _ in seen}) > 1
    assert torch.equal(loop.parameter, parameter)


def test_learning_rates_in_a_row_begin_each_at_its_own_start():
    rate = (
        "sequential_lr(rates=(exponential_lr(start=0.8, gamma=0.5), linear_lr(start=0.6, "
        "start_factor=0.5, total_iters=2)), milestones=(3,))"
    )
    seen = [lr for lr, _, _ in Loop(rate).run(1, 7).seen]
    assert seen == pytest.approx([0.8, 0.4, 0.2, 0.3, 0.45, 0.6, 0.6], rel=1e-12)


def test_momentum_is_cycled_where_it_is_called_so():
    rate, lr, scheduler = next(pair for pair in PAIRS if pair[0].startswith("cyclic_lr"))
    seen, parameter = plain(
        lambda p, lr: torch.optim.SGD(p, lr, momentum=0.5, fused=True), lr, scheduler, bool
    )
    loop = Loop(rate, "sgd").run(1, STEPS)
    assert loop.seen == seen
    assert len({momentum for _, _, momentum in seen}) > 3
    assert torch.equal(loop.parameter, parameter)


@pytest.mark.parametrize("rate", EVERY)
@pytest.mark.parametrize("middle", [1, 13, 20])
def test_a_resumed_learning_rate_goes_on_as_if_nothing_had_been(rate, middle):
    rate = with_pace(rate, 2, "steps")
    whole = Loop(rate).run(1, STEPS)
    broken = Loop(rate).run(1, middle)
    state = {name: value.clone() for name, value in broken.pace.tensors().items()}
    resumed = Loop(rate)
    with torch.no_grad():
        resumed.parameter.copy_(broken.parameter)
    resumed.optimizer.state[resumed.parameter] = broken.optimizer.state[broken.parameter]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        resumed.pace.restore(state)
        resumed.run(middle + 1, STEPS)
    assert broken.seen + resumed.seen == whole.seen
    assert torch.equal(resumed.parameter, whole.parameter)
    for name, value in whole.pace.tensors().items():
        assert torch.equal(resumed.pace.tensors()[name], value), name


def test_the_state_of_a_learning_rate_must_be_there():
    loop = Loop(EVERY[0]).run(1, 3)
    state = loop.pace.tensors()
    del state["state"]
    with pytest.raises(KeyError, match="state"):
        Loop(EVERY[0]).pace.restore(state)


@pytest.mark.parametrize("text", ["", "{", "\x00", "[]", '{"taken": 1, "scheduler": 1}', "\xff"])
def test_a_damaged_state_of_a_learning_rate_is_refused(text):
    loop = Loop(EVERY[0]).run(1, 3)
    state = loop.pace.tensors()
    state["state"] = torch.tensor(list(text.encode("latin-1")), dtype=torch.uint8)
    with pytest.raises(RuntimeError, match="state of the learning rate is damaged"):
        Loop(EVERY[0]).pace.restore(state)


# Plateaus

PLATEAUS = [
    ("", {}, "loss/model", 1, "epochs"),
    ("patience=0, factor=0.5, every=2", {"patience": 0, "factor": 0.5}, "loss/model", 2, "epochs"),
    (
        "monitor='raw/reconstruction', patience=1, factor=0.7, stop=0.05, every=3, unit=steps",
        {"patience": 1, "factor": 0.7, "min_lr": 0.05},
        "raw/reconstruction",
        3,
        "steps",
    ),
    (
        "monitor='kl/0', mode=max, patience=2, threshold=0.5, threshold_mode=abs, cooldown=1, "
        "unit=steps, eps=0.001",
        {
            "mode": "max", "patience": 2, "threshold": 0.5, "threshold_mode": "abs", "cooldown": 1,
            "eps": 0.001,
        },
        "kl/0",
        1,
        "steps",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "settings", "monitor", "every", "unit"), PLATEAUS)
def test_a_plateau_is_pytorchs_fed_with_means_by_hand(fields, settings, monitor, every, unit):
    rate = f"plateau(start=0.3{', ' if fields else ''}{fields})"
    parameter = nn.Parameter(torch.ones(3))
    optimizer = adam([parameter], 0.3)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
    seen, since = [], []
    for step in range(1, STEPS + 1):
        seen.append(optimizer.param_groups[0]["lr"])
        parameter.grad = gradients(step)
        optimizer.step()
        since.append(values(step)[LOGGED.index(monitor)].item())
        epochs = [t for t in range(1, step + 1) if ends_epoch(t)]
        due = (
            step % every == 0 if unit == "steps" else ends_epoch(step) and not len(epochs) % every
        )
        if due:
            scheduler.step(sum(since) / len(since))
            since = []
    loop = Loop(rate).run(1, STEPS)
    assert [lr for lr, _, _ in loop.seen] == seen
    assert torch.equal(loop.parameter, parameter)
    if settings:
        assert seen[-1] < 0.3

    for middle in (1, 8, 11):
        broken = Loop(rate).run(1, middle)
        resumed = Loop(rate)
        resumed.pace.restore(broken.pace.tensors())
        assert [lr for lr, _, _ in (broken.seen + resumed.run(middle + 1, STEPS).seen)] == seen


def test_a_plateau_waits_for_the_device_only_where_it_compares(monkeypatch):
    loop = Loop("plateau(start=0.3, every=5, unit=steps)")
    asked = []
    item = torch.Tensor.item
    monkeypatch.setattr(torch.Tensor, "item", lambda self: asked.append(1) or item(self))
    counts = []
    for step in range(1, 11):
        before = len(asked)
        loop.pace.after(values(step), step)
        counts.append(len(asked) - before)
    assert counts == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1]


# What there is, and what is refused


def test_every_scheduler_of_pytorch_has_its_component():
    theirs = {
        name
        for name, cls in vars(lr_scheduler).items()
        if inspect.isclass(cls) and issubclass(cls, lr_scheduler.LRScheduler)
    } - {"LRScheduler", "_LRScheduler"}
    made = {
        type(parse(text, LearningRate).make(adam([nn.Parameter(torch.ones(1))], 0.1))).__name__
        for text in [*EVERY, "plateau(start=0.1)"]
    }
    assert made == theirs
    assert {text.split("(")[0] for text in EVERY} | {"plateau"} == set(members(LearningRate))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("step_lr(step_size=3)", "step_lr needs start: write step_lr(start=...)"),
        ("step_lr(start=0, step_size=3)", "step_lr: start must be more than 0"),
        ("step_lr(start=1, step_size=0)", "step_lr: step_size must be at least 1"),
        ("step_lr(start=1, step_size=2, every=0)", "step_lr: every must be at least 1"),
        ("step_lr(start=1, step_size=2, unit=epoch)", "Did you mean epochs"),
        ("multi_step_lr(start=1, milestones=(3, 3))", "milestones must grow, but are (3, 3)"),
        # PyTorch divides by it when the first steps are over.
        ("constant_lr(start=1, factor=0)", "constant_lr: factor must be more than 0"),
        ("cyclic_lr(start=1, max_lr=0.5)", "max_lr must be at least start, which is 1"),
        (
            "cyclic_lr(start=1, max_lr=2, base_momentum=0.95)",
            "cyclic_lr: max_momentum must be at least base_momentum, which is 0.95, but is 0.9",
        ),
        (
            "one_cycle_lr(max_lr=1, total_steps=10, max_momentum=0.5)",
            "one_cycle_lr: max_momentum must be at least base_momentum, which is 0.85, but is 0.5",
        ),
        (
            "one_cycle_lr(max_lr=1, total_steps=10, pct_start=0.1)",
            "with pct_start 0.1 the first of 10 steps would be the whole rise",
        ),
        (
            "one_cycle_lr(max_lr=1, total_steps=1, pct_start=1, three_phase=True)",
            "Take a larger pct_start, or 0",
        ),
        ("plateau(start=0.1, stop=0.2)", "plateau: stop must be at most start, which is 0.1"),
        ("plateau(start=0.1, factor=1)", "plateau: factor must be less than 1"),
        ("lambda_lr(schedule=linear(start=1, stop=-1, steps=4))", "must not be negative"),
        ("lambda_lr(schedule=0.1)", "lambda_lr: schedule takes a schedule"),
        ("sequential_lr(rates=(), milestones=())", "rates takes at least one learning rate"),
        (
            "sequential_lr(rates=(step_lr(start=1, step_size=2),), milestones=(4,))",
            "rates takes one more than there are milestones, but there are 1 rates and 1",
        ),
        (
            "sequential_lr(rates=(plateau(start=1), linear_lr(start=1)), milestones=(4,))",
            "rates cannot hold plateau, nor any of one_cycle_lr, multiplicative_lr",
        ),
        (
            "chained_lr(rates=(exponential_lr(start=1, gamma=0.5), linear_lr(start=2)))",
            "the same start, but have 1, 2",
        ),
        (
            "chained_lr(rates=(exponential_lr(start=1, gamma=0.5, every=3),))",
            "every and unit are given to chained_lr and not to exponential_lr",
        ),
        (
            "sequential_lr(rates=(cyclic_lr(start=1, max_lr=2),), milestones=())",
            "write cycle_momentum=False",
        ),
    ],
)
def test_learning_rates_that_are_refused(text, reason):
    with pytest.raises(SpecError) as caught:
        parse(text, LearningRate)
    assert reason in str(caught.value)


@pytest.mark.parametrize("name", ["cyclic_lr(start=1, ", "one_cycle_lr(total_steps=10, "])
@pytest.mark.parametrize("momenta", ["0.9, cycle_momentum=False", "0.5"])
def test_momenta_that_are_equal_or_do_not_count_are_taken(name, momenta):
    text = f"{name}max_lr=2, base_momentum={momenta}, max_momentum=0.5)"
    rate = parse(text, LearningRate)
    assert parse(str(rate), LearningRate) == rate


@pytest.mark.parametrize("total", [1, 2, 3, 7, 10])
@pytest.mark.parametrize("share", [0, 0.1, 0.25, 1 / 3, 0.5, 2 / 3, 0.9, 1])
@pytest.mark.parametrize("three", [False, True])
def test_a_cycle_that_is_taken_can_be_gone_through(total, share, three):
    """PyTorch divides by the number of steps of each rise and fall, which may be none."""
    text = f"one_cycle_lr(max_lr=1, total_steps={total}, pct_start={share}, three_phase={three})"
    risen = share * total - 1
    if risen == 0 or (2 * risen if three else risen) == total - 1:
        with pytest.raises(SpecError, match="pct_start"):
            parse(text, LearningRate).check(LOGGED, total)
        return
    parse(text, LearningRate).check(LOGGED, total)
    seen = [lr for lr, _, _ in Loop(text).run(1, total).seen]
    assert len(seen) == total
    assert all(0 < lr <= 1 for lr in seen)


def test_what_does_not_fit_the_training_is_refused():
    with pytest.raises(SpecError, match=r"'raw/kld' is not logged .* Did you mean .*raw/kl"):
        parse("plateau(start=1, monitor='raw/kld')", LearningRate).check(("raw/kl", "loss/x"), 1)
    cycle = parse("one_cycle_lr(max_lr=1, total_steps=10, every=3)", LearningRate)
    assert cycle.changes(32, IMAGES, BATCH) == 10
    cycle.check(LOGGED, 10)
    with pytest.raises(SpecError, match="total_steps is 10, but this training changes the"):
        cycle.check(LOGGED, 11)
