"""Schedules: the value at a step, counted from 1."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from contracts.components import instances
from reference import objectives_reference
from unweave.errors import SpecError
from unweave.schedules import Linear, Schedule, value_at
from unweave.spec import members, parse

numbers = st.floats(-1e6, 1e6)


@given(numbers, numbers, st.integers(0, 10**6), st.integers(1, 2 * 10**6))
def test_rising_ramps_are_those_of_the_disentangling_vae_code(start, stop, steps, step):
    assume(start < stop)
    expected = objectives_reference.linear(start, stop, step, steps)
    assert Linear(start=start, stop=stop, steps=steps).at(step) == pytest.approx(
        expected, abs=1e-9 * max(abs(start), abs(stop), 1)
    )


@given(numbers, numbers, st.integers(0, 1000), st.integers(1, 1100))
def test_falling_ramps_mirror_rising_ones(start, stop, steps, step):
    rising = Linear(start=start, stop=stop, steps=steps).at(step)
    falling = Linear(start=-start, stop=-stop, steps=steps).at(step)
    assert falling == -rising


@given(numbers, numbers, st.integers(0, 1000), st.lists(st.integers(0, 1100), min_size=2))
def test_ramps_go_one_way_and_stay_between_their_ends(start, stop, steps, at):
    ramp = Linear(start=start, stop=stop, steps=steps)
    values = [ramp.at(step) for step in sorted(at)]
    slack = 1e-9 * (1 + abs(start) + abs(stop))
    assert min(start, stop) - slack <= min(values)
    assert max(values) <= max(start, stop) + slack
    assert values == sorted(values, reverse=stop < start)


def test_the_first_step_is_one():
    ramp = Linear(start=0, stop=25, steps=100_000)
    assert ramp.at(1) == 25 / 100_000
    assert ramp.at(50_000) == 12.5
    assert ramp.at(100_000) == ramp.at(100_001) == ramp.at(10**9) == 25.0
    assert ramp.at(0) == 0.0


def test_a_ramp_without_length_is_at_its_end_from_the_start():
    assert Linear(start=3, stop=7, steps=0).at(1) == 7.0
    assert Linear(start=3, stop=7, steps=0).at(0) == 7.0


def test_a_flat_ramp_is_constant():
    assert {Linear(start=2, stop=2, steps=5).at(step) for step in range(1, 9)} == {2.0}


def test_a_number_is_a_constant_schedule():
    assert value_at(3.5, 1) == value_at(3.5, 10**6) == 3.5
    assert value_at(Linear(start=1, stop=2, steps=4), 1) == 1.25


def test_a_schedule_is_written_with_its_three_fields():
    ramp = Linear(start=0.0, stop=4.0, steps=10_000)
    assert str(ramp) == "linear(start=0, stop=4, steps=10000)"
    assert parse(str(ramp), Schedule) == ramp
    with pytest.raises(SpecError, match="linear: steps must be at least 0"):
        parse("linear(start=0, stop=1, steps=-1)", Schedule)
    with pytest.raises(SpecError, match="linear needs start, stop, steps"):
        parse("linear", Schedule)


# Schedules that are not ramps


def curve(text, steps):
    schedule = parse(text, Schedule)
    return [schedule.at(step) for step in range(1, steps + 1)]


def test_half_a_cosine_against_numpy():
    t = np.minimum(np.arange(1, 41) / 30, 1)
    expected = 0.5 + (4 - 0.5) * (1 + np.cos(np.pi * t)) / 2
    assert curve("cosine(start=4, stop=0.5, steps=30)", 40) == pytest.approx(expected, abs=1e-12)


def test_equal_factors_against_numpy():
    expected = np.append(np.geomspace(8, 0.01, 31)[1:], [0.01] * 10)
    found = curve("geometric(start=8, stop=0.01, steps=30)", 40)
    assert found == pytest.approx(expected, rel=1e-12)
    extreme = parse("geometric(start=1e-300, stop=1e300, steps=4)", Schedule)
    assert extreme.at(2) == pytest.approx(1.0, rel=1e-9)


def test_a_decay_in_steps_is_multiplied_by_hand():
    value, expected = 2.0, []
    for step in range(1, 12):
        value *= 0.3 if step % 4 == 0 else 1
        expected.append(value)
    assert curve("step_decay(start=2, factor=0.3, steps=4)", 11) == pytest.approx(expected)


def test_a_piecewise_constant_keeps_a_value_up_to_and_including_its_step():
    assert curve("piecewise(values=(1, -5, 7), steps=(2, 5))", 7) == [1, 1, -5, -5, -5, 7, 7]
    assert curve("piecewise(values=(3,), steps=())", 2) == [3, 3]


def test_a_weight_that_counts_later_is_that_of_disentanglement_lib():
    """Its annealer `fine_tune` with weight 100 and 100 steps: nothing at step 100, all at 101."""
    schedule = parse("piecewise(values=(0, 100), steps=(100,))", Schedule)
    assert (schedule.at(1), schedule.at(100), schedule.at(101)) == (0, 0, 100)


def test_its_linear_annealer_is_a_ramp():
    assert parse("linear(start=0, stop=100, steps=100)", Schedule).at(10) == 10


@pytest.mark.parametrize(
    ("text", "factor"),
    [
        ("linear(start=10, stop=1, steps=900)", lambda t: max(1 - t / 1000, 0.1)),
        ("linear(start=2, stop=10, steps=800)", lambda t: min(0.2 + t / 1000, 1)),
    ],
)
def test_anneal_and_increase_of_disent_and_gen_are_ramps(text, factor):
    expected = [10 * factor(step) for step in range(1, 1201)]
    assert curve(text, 1200) == pytest.approx(expected, rel=1e-12)


def test_a_reconstruction_weight_that_changes_once_an_epoch():
    """From 1 to 10 in 3 epochs it is 1, 4, 7, 10, 10, and the first change comes an epoch late."""
    epoch = 5
    ramp = "linear(start=1, stop=10, steps=15)"
    text = f"delayed(schedule=staircase(schedule={ramp}, steps=5), steps=5)"
    values = [1.0] * (epoch - 1)  # up to the end of the first epoch
    for value in (1, 4, 7, 10, 10):
        values += [value] * epoch
    assert curve(text, len(values)) == values


def cyclical_by_hand(start, stop, period, rise, cycles, steps):
    """Cycle by cycle, adding a constant to the weight until it is at the end."""
    values = np.full(steps, float(stop))
    increment = (stop - start) / (period * rise)
    for cycle in range(cycles):
        for i in range(period):
            value = start + i * increment
            if cycle * period + i < steps and value < stop:
                values[cycle * period + i] = value
    return values


@pytest.mark.parametrize("rise", [0.5, 0.3, 1.0])
def test_a_cyclical_weight_begins_each_cycle_anew(rise):
    expected = cyclical_by_hand(0.5, 4, 10, rise, 3, 45)
    found = curve(f"cyclical(start=0.5, stop=4, steps=10, rise={rise}, cycles=3)", 45)
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_published_cycles_rise_for_half_of_each_of_four():
    schedule = parse("cyclical(steps=100)", Schedule)
    assert [schedule.at(step) for step in (1, 26, 51, 100, 101, 301, 351, 401, 10**9)] == [
        0, 0.5, 1, 1, 0, 0, 1, 1, 1,
    ]  # fmt: skip


@given(st.data())
def test_every_schedule_stays_within_its_bounds(data):
    cls = data.draw(st.sampled_from(list(members(Schedule).values())))
    schedule = data.draw(instances(cls))
    low, high = schedule.bounds
    assume(max(abs(low), abs(high)) < 1e300)
    slack = 1e-9 * (1 + abs(low) + abs(high))
    for step in data.draw(st.lists(st.integers(0, 10**10), min_size=1, max_size=5)):
        assert low - slack <= schedule.at(step) <= high + slack


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cosine(start=0, stop=1, steps=0)", "cosine: steps must be at least 1"),
        ("geometric(start=0, stop=1, steps=3)", "geometric: start must be more than 0"),
        ("step_decay(start=1, factor=2, steps=3)", "step_decay: factor must be at most 1"),
        ("piecewise(values=(1, 2), steps=(1, 2))", "there are 2 values and 2 steps"),
        ("piecewise(values=(1, 2, 3), steps=(2, 2))", "steps must grow, but are (2, 2)"),
        ("cyclical(steps=5, rise=0)", "cyclical: rise must be more than 0"),
        ("cyclical(steps=5, cycles=0)", "cyclical: cycles must be at least 1"),
        ("delayed(schedule=1, steps=3)", "delayed: schedule takes a schedule"),
        ("exponential(steps=3)", "Unknown schedule 'exponential'"),
    ],
)
def test_schedules_that_are_refused(text, reason):
    with pytest.raises(SpecError) as caught:
        parse(text, Schedule)
    assert reason in str(caught.value)
