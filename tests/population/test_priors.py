"""Priors: their laws, their ends, and their texts."""

from __future__ import annotations

import json
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reference.evolution_reference import log_integer_odds, published_betas
from unweave.errors import SpecError
from unweave.population.priors import (
    Choice,
    Grid,
    Integers,
    LogIntegers,
    LogUniform,
    Prior,
    Uniform,
)
from unweave.population.published import BATCH_SIZES, BETAS, LEARNING_RATES
from unweave.spec import from_dict, members, parse, to_dict
from unweave.splits import keyed_generator

PRIORS = [
    LogUniform(low=1e-5, high=0.1),
    Uniform(low=-2.0, high=3.5),
    Integers(low=-1, high=6),
    LogIntegers(low=3, high=40),
    Grid(values=(1, 5, 2)),
    Grid(values=(0.1, 1.0)),
    Choice(values=("adam", "a b", "sgd")),
    Choice(values=(64, 8, 0.5)),
]
every_prior = pytest.mark.parametrize("prior", PRIORS, ids=str)


def draws(prior, count=4000):
    rng = keyed_generator(3, str(prior))
    return [prior.draw(rng) for _ in range(count)]


def fits(counts, odds):
    """Whether counts are those of the odds, by Pearson's test."""
    total = sum(counts.values())
    assert set(counts) <= set(odds)
    expected = [total * odds[key] for key in odds]
    return stats.chisquare([counts[key] for key in odds], expected).pvalue > 1e-3


def test_numbers_follow_their_law():
    logs = np.log(draws(PRIORS[0]))
    low, high = math.log(1e-5), math.log(0.1)
    assert stats.kstest(logs, "uniform", args=(low, high - low)).pvalue > 1e-3
    assert stats.kstest(draws(PRIORS[1]), "uniform", args=(-2, 5.5)).pvalue > 1e-3
    assert fits(Counter(draws(PRIORS[2])), dict.fromkeys(range(-1, 7), 1 / 8))
    assert fits(Counter(draws(PRIORS[3])), log_integer_odds(3, 40))


@pytest.mark.parametrize("prior", PRIORS[4:], ids=str)
def test_each_value_of_a_list_is_equally_likely(prior):
    odds = {value: 1 / len(prior.values) for value in prior.values}
    assert fits(Counter(draws(prior)), odds)


@every_prior
def test_draws_are_plain_and_keep_to_the_ends(prior):
    found = draws(prior, 500)
    assert {type(value) for value in found} <= {int, float, str}
    if prior.ends is not None:
        assert prior.ends[0] <= min(found)
        assert max(found) <= prior.ends[1]
    assert prior.whole == all(isinstance(value, int) for value in found)
    if prior.choices is not None:
        assert set(found) == set(prior.choices)


@every_prior
def test_the_same_stream_gives_the_same_value(prior):
    one, other = (prior.draw(keyed_generator(7, "a", 1)) for _ in range(2))
    assert one == other
    assert len({prior.draw(keyed_generator(7, "a", k)) for k in range(60)}) > 1


@every_prior
def test_texts_and_forms_are_read_back(prior):
    for again in (
        parse(str(prior), Prior),
        from_dict(json.loads(json.dumps(to_dict(prior))), Prior),
    ):
        assert again == prior
        assert again.whole == prior.whole
        assert str(again) == str(prior)


def test_all_members_are_tried_here():
    assert {type(prior) for prior in PRIORS} == set(members(Prior).values())


def test_whole_numbers_are_whole_however_they_are_written():
    grid = Grid(values=(1.0, 4, 8.0))
    assert grid.values == (1, 4, 8)
    assert grid.whole
    assert {type(value) for value in grid.values} == {int}
    assert not Grid(values=(1, 0.5)).whole
    assert {type(value) for value in Grid(values=(1, 0.5)).values} == {float}
    assert Choice(values=(2.0, 1)).whole
    assert not Choice(values=("a",)).whole


def test_choices_are_in_order_where_they_have_one():
    assert Choice(values=(64, 8, 0.5)).choices == (0.5, 8, 64)
    assert Choice(values=("b", "a")).choices == ("b", "a")
    assert Choice(values=("b", "a")).ends is None
    assert Choice(values=(64, 8, 0.5)).ends == (0.5, 64)
    assert Grid(values=(5, 1)).ends == (1, 5)
    assert Grid(values=(5, 1)).choices is None


@given(st.floats(1e-300, 1e300), st.floats(1e-300, 1e300), st.integers(0, 9))
def test_ends_hold_to_the_last_bit(one, other, seed):
    if one != other:
        low, high = sorted((one, other))
        for prior in (LogUniform(low=low, high=high), Uniform(low=-high, high=low)):
            value = prior.draw(keyed_generator(seed, "ends"))
            assert prior.low <= value <= prior.high


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("log_uniform(low=0, high=1)", "low must be more than 0"),
        ("log_uniform(low=2, high=1)", "low must be less than high, but they are 2 and 1"),
        ("uniform(low=1, high=1)", "low must be less than high"),
        ("integers(low=0.5, high=2)", "low takes a whole number"),
        ("log_integers(low=0, high=2)", "low must be at least 1"),
        ("grid(values=())", r"values takes at least one, such as values=\(8, 16\)"),
        ("grid(values=(1, 2, 1.0))", "each value stands once"),
        ("grid(values=('a', 'b'))", "values takes"),
        ("choice(values=('a', 1))", "either texts or numbers"),
        ("lognormal(low=1, high=2)", "Unknown prior 'lognormal'"),
    ],
)
def test_bad_priors_are_refused(text, message):
    with pytest.raises(SpecError, match=message):
        parse(text, Prior)


def test_published_grids():
    assert BATCH_SIZES == (8, 16, 32, 64, 128, 256, 512, 1024)
    assert list(BETAS) == published_betas()
    assert len(BETAS) == 23
    assert (BETAS[0], BETAS[6], BETAS[-1]) == (1, 8, 437)
    np.testing.assert_allclose(LEARNING_RATES, np.logspace(-5, 0, 30), rtol=1e-14)
    assert (LEARNING_RATES[0], LEARNING_RATES[-1]) == (1e-5, 1.0)
    assert [f"{rate:.3g}" for rate in (*LEARNING_RATES[1:3], LEARNING_RATES[-2])] == [
        *("1.49e-05", "2.21e-05", "0.672")
    ]
