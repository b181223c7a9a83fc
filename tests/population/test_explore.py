"""Exploration by perturbation: factors, bounds, rounding, lists of values, fresh draws."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reference.evolution_reference import published_batch_size, published_beta
from unweave.errors import SpecError
from unweave.population.explore import Explore, Perturb
from unweave.population.priors import Choice, Grid, Integers, LogUniform, Prior, Uniform
from unweave.population.published import BATCH_SIZES, BETAS, EXPLORE, published_tuned
from unweave.population.table import Row, Task
from unweave.population.tuned import Tuned
from unweave.spec import parse

RATE = Tuned(path="optimizer.lr", prior=LogUniform(low=1e-5, high=0.1))


def parent_of(**hyper):
    return Row(task=Task(member=0, round=1, hyper=hyper, parent=None, seed=0), score=1.0)


def tuned(prior, **fields):
    return Tuned(path="a", prior=prior, **fields)


def steps(rule, field, value, count=400):
    """What a field becomes in many clones."""
    return [rule.step(field, value, 1, 2, member) for member in range(count)]


# The published rule


def test_published_closed_forms():
    size, rate, beta = published_tuned()
    assert EXPLORE.factors == (2, 1.2, 0.8, 0.5)
    assert EXPLORE.scaled(size, 1000, 2) == 1024
    assert EXPLORE.scaled(beta, 1, 0.5) == 1
    assert EXPLORE.scaled(beta, 3, 1.2) == 4
    assert EXPLORE.scaled(rate, 1.0, 2) == 2.0
    assert EXPLORE.scaled(rate, 1e-5, 0.5) == 5e-6


@given(st.integers(1, 5000), st.sampled_from([2, 1.2, 0.8, 0.5]))
def test_published_rounding(value, factor):
    size, _, beta = published_tuned()
    assert EXPLORE.scaled(beta, value, factor) == published_beta(value, factor)
    if value <= 1024:
        assert EXPLORE.scaled(size, value, factor) == published_batch_size(value, factor)


def test_published_draws_are_of_all_four_factors():
    size, rate, beta = published_tuned()
    for field, value in ((size, 100), (rate, 0.01), (beta, 10)):
        taken = Counter(steps(EXPLORE, field, value))
        expected = {EXPLORE.scaled(field, value, factor) for factor in EXPLORE.factors}
        assert set(taken) == expected
        assert stats.chisquare(list(taken.values())).pvalue > 1e-3


# Numbers


@given(st.floats(1e-5, 0.1), st.integers(0, 50))
def test_a_rate_is_multiplied_within_its_bounds(value, member):
    new = Perturb().step(RATE, value, 0, 3, member)
    assert new in {min(max(value * factor, 1e-5), 0.1) for factor in (0.8, 1.25)}


def test_two_steps_in_opposite_directions_lead_back():
    rule = Perturb()
    assert rule.scaled(RATE, rule.scaled(RATE, 0.01, 0.8), 1.25) == pytest.approx(0.01)


@given(st.integers(1, 60), st.floats(0.3, 3))
def test_whole_numbers_move_unless_a_bound_forbids_it(value, factor):
    field = tuned(Integers(low=1, high=60))
    new = Perturb().scaled(field, value, factor)
    assert type(new) is int
    assert 1 <= new <= 60
    if factor == 1:
        assert new == value
    elif factor > 1:
        assert new > value or value == 60
        assert new in (min(60, value + 1), min(60, math.floor(value * factor + 0.5)))
    else:
        assert new < value or value == 1
        assert new in (max(1, value - 1), max(1, math.floor(value * factor + 0.5)))


def test_zero_and_numbers_below_it():
    field = tuned(Integers(low=-9, high=9))
    rule = Perturb()
    assert rule.scaled(field, 0, 1.25) == 1
    assert rule.scaled(field, 0, 0.8) == -1
    assert rule.scaled(field, -1, 1.25) == -2
    assert rule.scaled(field, -1, 0.8) == 0
    assert rule.scaled(tuned(Uniform(low=-1, high=1)), -0.4, 2) == -0.8


def test_whole_numbers_never_get_to_zero_without_bounds():
    field = tuned(Grid(values=(1, 2)), bounded=False)
    assert Perturb().scaled(field, 1, 0.5) == 1
    assert Perturb(factors=(0.1,)).scaled(field, 3, 0.1) == 1


def test_a_grid_may_be_left_within_its_ends():
    field = tuned(Grid(values=(8, 16, 32)))
    assert set(steps(Perturb(), field, 16)) == {13, 20}
    assert set(steps(Perturb(), field, 32)) == {26, 32}


# Values of a list


def test_numbers_of_a_list_move_to_a_neighbour():
    field = tuned(Choice(values=(64, 16, 32, 128)))
    assert set(steps(Perturb(), field, 32)) == {16, 64}
    assert set(steps(Perturb(), field, 16)) == {32}
    assert set(steps(Perturb(), field, 128)) == {64}
    assert set(steps(Perturb(), tuned(Choice(values=(5,))), 5)) == {5}


def test_texts_move_to_any_other():
    field = tuned(Choice(values=("a", "b", "c")))
    taken = Counter(steps(Perturb(), field, "b"))
    assert set(taken) == {"a", "c"}
    assert stats.chisquare(list(taken.values())).pvalue > 1e-3
    assert set(steps(Perturb(), tuned(Choice(values=("a",))), "a")) == {"a"}


# Fresh draws


def test_with_the_given_odds_a_field_is_drawn_anew():
    field = tuned(Choice(values=tuple(range(100))))
    fresh = [value for value in steps(Perturb(resample=0.25), field, 50) if value not in (49, 51)]
    assert 70 <= len(fresh) <= 130
    assert set(steps(Perturb(resample=0), field, 50)) == {49, 51}
    always = steps(Perturb(resample=1), RATE, 0.01)
    low, high = math.log(1e-5), math.log(0.1)
    logs = [math.log(value) for value in always]
    assert stats.kstest(logs, "uniform", args=(low, high - low)).pvalue > 1e-3


# All fields of all clones


def test_each_field_of_each_clone_is_changed_for_itself():
    fields = published_tuned()
    hyper = {"batch_size": 64, "optimizer.lr": 0.01, "objective.beta": 4}
    clones = {member: parent_of(**hyper) for member in range(60)}
    found = EXPLORE.explore(clones, fields, [], 3, 5)
    assert list(found) == list(clones)
    pairs = Counter((new["batch_size"], new["objective.beta"]) for new in found.values())
    assert len(pairs) > 8  # of the 16 that there are
    for member, new in found.items():
        assert list(new) == list(hyper)
        for field in fields:
            assert new[field.path] == EXPLORE.step(field, hyper[field.path], 3, 5, member)


def test_a_further_field_changes_no_step_of_the_others():
    more = (tuned(BATCHES), RATE)
    clones = {9: parent_of(**{"a": 8, "optimizer.lr": 0.01})}
    with_both = Perturb().explore(clones, more, [], 1, 2)[9]
    alone = Perturb().explore(clones, (RATE,), [], 1, 2)[9]
    assert alone == {"optimizer.lr": with_both["optimizer.lr"]}


BATCHES = Choice(values=BATCH_SIZES)
PRIORS = [RATE.prior, BATCHES, Grid(values=BETAS), Integers(low=1, high=9)]


@given(
    st.sampled_from(PRIORS),
    st.lists(st.floats(0.1, 10), min_size=1, max_size=4).map(tuple),
    st.floats(0, 1),
    st.sampled_from(["nearest", "up"]),
    st.integers(0, 99),
)
def test_bounds_hold_over_many_rounds(prior: Prior, factors, resample, rounding, seed):
    field = tuned(prior)
    rule = Perturb(factors=factors, resample=resample, rounding=rounding)
    value = prior.ends[0]
    for round in range(2, 12):
        value = rule.step(field, value, seed, round, 0)
        assert prior.ends[0] <= value <= prior.ends[1]
        assert isinstance(value, int) == prior.whole
        assert prior.choices is None or value in prior.choices


def test_texts_of_the_rule():
    assert str(Perturb()) == "perturb"
    assert parse("perturb(factors=(2, 1.2, 0.8, 0.5), rounding=up)", Explore) == EXPLORE
    with pytest.raises(SpecError, match=r"factors takes at least one, such as"):
        Perturb(factors=())
    with pytest.raises(SpecError, match="perturb: factors must be more than 0"):
        Perturb(factors=(1, 0))
    with pytest.raises(SpecError, match="rounding"):
        parse("perturb(rounding=down)", Explore)
