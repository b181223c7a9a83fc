"""Learning rates of a shortened training have the shape of the whole one."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from reference.members import shipped
from unweave.spec import parse
from unweave.studies.published.scaling import COUNTED, scaled_text
from unweave.training import LearningRate, Optimizer

IMAGES, BATCH = 640, 64


def rates_after(text: str, steps: range) -> list[float]:
    """Learning rates after so many optimiser steps, from PyTorch's scheduler alone."""
    optimizer = parse(text, Optimizer)
    made = optimizer.make([torch.nn.Parameter(torch.zeros(1))])
    scheduler = optimizer.rate.make(made)
    found, taken = [], 0
    for step in steps:
        while taken < optimizer.rate.changes(step, IMAGES, BATCH):
            made.step()
            scheduler.step()
            taken += 1
        found.append(made.param_groups[0]["lr"])
    return found


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("step_lr(start=1, step_size=100)", "step_lr(start=1, step_size=10)"),
        ("step_lr(start=1, step_size=3, every=50)", "step_lr(start=1, step_size=3, every=5)"),
        (
            "step_lr(start=1, step_size=20, every=10, unit=epochs)",
            "step_lr(start=1, step_size=20, every=1, unit=epochs)",
        ),
        (
            "step_lr(start=1, step_size=20, unit=epochs)",
            "step_lr(start=1, step_size=2, unit=epochs)",
        ),
        (
            "multi_step_lr(start=1, milestones=(50, 100, 210))",
            "multi_step_lr(start=1, milestones=(5, 10, 21))",
        ),
        ("constant_lr(start=1, total_iters=50)", "constant_lr(start=1, total_iters=5)"),
        ("linear_lr(start=1, total_iters=100)", "linear_lr(start=1, total_iters=10)"),
        (
            "polynomial_lr(start=1, total_iters=200, power=2)",
            "polynomial_lr(start=1, total_iters=20, power=2)",
        ),
        (
            "exponential_lr(start=1, gamma=0.9, every=20)",
            "exponential_lr(start=1, gamma=0.9, every=2)",
        ),
        ("cosine_annealing_lr(start=1, t_max=300)", "cosine_annealing_lr(start=1, t_max=30)"),
        (
            "cosine_annealing_warm_restarts(start=1, t_0=100, t_mult=2)",
            "cosine_annealing_warm_restarts(start=1, t_0=10, t_mult=2)",
        ),
        (
            "cyclic_lr(start=0.1, max_lr=1, step_size_up=30, step_size_down=60)",
            "cyclic_lr(start=0.1, max_lr=1, step_size_up=3, step_size_down=6)",
        ),
        # What is not written has a default, and is written where that no longer holds.
        (
            "cyclic_lr(start=0.1, max_lr=1)",
            "cyclic_lr(start=0.1, max_lr=1, step_size_up=200)",
        ),
        (
            "sequential_lr(rates=(constant_lr(start=0.1, total_iters=40), "
            "cosine_annealing_lr(start=1, t_max=200)), milestones=(100,))",
            "sequential_lr(rates=(constant_lr(start=0.1, total_iters=4), "
            "cosine_annealing_lr(start=1, t_max=20)), milestones=(10,))",
        ),
        (
            "chained_lr(rates=(step_lr(start=1, step_size=6), step_lr(start=1, step_size=9)), "
            "every=10)",
            "chained_lr(rates=(step_lr(start=1, step_size=6), step_lr(start=1, step_size=9)), "
            "every=1)",
        ),
        # Its schedule counts changes, of which there are as many.
        (
            "lambda_lr(schedule=piecewise(values=(1, 0.5), steps=(7,)), every=10)",
            "lambda_lr(schedule=piecewise(values=(1, 0.5), steps=(7,)), every=1)",
        ),
    ],
)  # fmt: skip
def test_a_tenth_has_the_rates_of_the_whole(text, short):
    found = scaled_text(f"adam(lr={text})", 0.1)
    assert found == f"adam(lr={short})"
    whole = rates_after(f"adam(lr={text})", range(0, 3000, 10))
    assert rates_after(found, range(300)) == pytest.approx(whole, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "scale", "short"),
    [
        # It compares once an epoch, and so its patience is counted in epochs.
        (
            "plateau(start=1, patience=20, cooldown=4)", 0.1,
            "plateau(start=1, patience=2, cooldown=1)",
        ),
        ("plateau(start=1)", 0.1, "plateau(start=1, patience=1)"),
        ("plateau(start=1, patience=0)", 0.1, "plateau(start=1, patience=0)"),
        ("plateau(start=1, patience=0)", 3, "plateau(start=1, patience=0)"),
        # Times between two looks are shortened, and not how often it waits.
        (
            "plateau(start=1, every=500, unit=steps)", 0.01,
            "plateau(start=1, every=5, unit=steps)",
        ),
        (
            "one_cycle_lr(max_lr=1, total_steps=1000)", 0.1,
            "one_cycle_lr(max_lr=1, total_steps=100)",
        ),
        # Milestones keep growing.
        (
            "multi_step_lr(start=1, milestones=(3, 40, 50))", 0.01,
            "multi_step_lr(start=1, milestones=(1, 2, 3))",
        ),
        (
            "lambda_lr(schedule=linear(start=1, stop=0, steps=100))", 0.1,
            "lambda_lr(schedule=linear(start=1, stop=0, steps=10))",
        ),
        ("multiplicative_lr(start=1, schedule=step_decay(start=1, steps=40))", 2,
         "multiplicative_lr(start=1, schedule=step_decay(start=1, steps=80))"),
        ("cyclic_lr(start=1, max_lr=2, step_size_down=None)", 0.001,
         "cyclic_lr(start=1, max_lr=2, step_size_down=None, step_size_up=2)"),
        # Rounded from 2.5 to 3 steps, of which fewer are then as long as before.
        (
            "step_lr(start=1, step_size=60, every=5)", 0.5,
            "step_lr(start=1, step_size=50, every=3)",
        ),
        ("to_come_lr(start=1, step_size=60)", 0.5, "to_come_lr(start=1, step_size=60)"),
    ],
)  # fmt: skip
def test_other_counts(text, scale, short):
    found = scaled_text(f"adam(lr={text})", scale)
    assert found == f"adam(lr={short})"
    if "to_come" not in text:
        parse(found, Optimizer)
    assert scaled_text(f"adam(lr={text})", 1) == f"adam(lr={text})"


def test_every_count_of_a_learning_rate_is_known():
    # Whole numbers among fields: lengths, and these, which are none.
    others = {"every", "t_mult"}
    rates = shipped(LearningRate)
    assert COUNTED.keys() <= rates.keys()
    for name, cls in rates.items():
        counts = {f.name for f in dataclasses.fields(cls) if "int" in str(f.type)} - others
        assert counts == set(COUNTED.get(name, ())), name
