"""Schedules: the value at a step, counted from 1."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reference import objectives_reference
from unweave.errors import SpecError
from unweave.schedules import Linear, Schedule, value_at
from unweave.spec import parse

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
