"""Tuned fields: bounds, rounding, first values, and the usual ones."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unweave.errors import SpecError
from unweave.population.priors import Choice, Grid, Integers, LogIntegers, LogUniform, Uniform
from unweave.population.published import published_tuned
from unweave.population.tuned import Tuned, check_tuned, initial, usual
from unweave.spec import from_dict, parse, to_dict

RATE = Tuned(path="optimizer.lr", prior=LogUniform(low=1e-5, high=0.1))
SIZE = Tuned(path="batch_size", prior=LogIntegers(low=8, high=100))


def test_bounds_are_the_prior_s_unless_others_are_given():
    prior = LogUniform(low=2, high=5)
    assert Tuned(path="a", prior=prior).limits == (2, 5)
    assert Tuned(path="a", prior=prior, high=9).limits == (2, 9)
    assert Tuned(path="a", prior=prior, low=1, high=9).limits == (1, 9)
    assert Tuned(path="a", prior=prior, bounded=False).limits == (-math.inf, math.inf)
    assert Tuned(path="a", prior=prior, low=1, bounded=False).limits == (1, math.inf)


def test_whole_fields_have_whole_bounds_and_do_not_fall_under_one():
    prior = Integers(low=2, high=5)
    assert Tuned(path="a", prior=prior, low=1.5, high=7.9).limits == (2, 7)
    assert Tuned(path="a", prior=prior, bounded=False).limits == (1, math.inf)
    assert Tuned(path="a", prior=prior, low=0).limits == (1, 5)
    assert Tuned(path="a", prior=Integers(low=0, high=5)).limits == (0, 5)
    assert Tuned(path="a", prior=Integers(low=-4, high=5), bounded=False).limits[0] == -math.inf


@pytest.mark.parametrize(
    ("value", "rounding", "expected"),
    [
        *[(8.4, "nearest", 8), (8.4, "up", 9), (8.5, "nearest", 9), (9.5, "nearest", 10)],
        *[(9.0, "up", 9), (3.0, "nearest", 8), (1e9, "up", 100), (99.01, "up", 100)],
    ],
)
def test_whole_numbers_are_rounded_then_clipped(value, rounding, expected):
    fitted = SIZE.fit(value, rounding)
    assert fitted == expected
    assert type(fitted) is int


def test_other_numbers_are_clipped_alone():
    assert RATE.fit(0.012, "up") == 0.012
    assert RATE.fit(0.3) == 0.1
    assert RATE.fit(1e-9) == 1e-5
    assert type(Tuned(path="a", prior=Uniform(low=0, high=3)).fit(2)) is float


@given(st.floats(-1e12, 1e12), st.sampled_from(["nearest", "up"]))
def test_what_fits_stays(value, rounding):
    for field in (RATE, SIZE, *published_tuned()):
        fitted = field.fit(value, rounding)
        assert field.limits[0] <= fitted <= field.limits[1]
        assert field.fit(fitted, rounding) == fitted


def test_first_values_are_draws_of_the_priors():
    fields = published_tuned()
    for member in range(30):
        hyper = initial(fields, 4, member)
        assert list(hyper) == ["batch_size", "optimizer.lr", "objective.beta"]
        for field in fields:
            assert hyper[field.path] in field.prior.values


def test_a_further_field_changes_no_draw():
    few = initial((SIZE, RATE), 1, 2)
    more = initial((RATE, Tuned(path="objective.beta", prior=RATE.prior), SIZE), 1, 2)
    assert few == {path: more[path] for path in few}
    assert more["objective.beta"] != more["optimizer.lr"]


def test_first_values_are_those_of_seed_member_and_round():
    assert initial((RATE,), 1, 2) == initial((RATE,), 1, 2, round=1)
    others = [initial((RATE,), *key) for key in ((1, 2), (2, 2), (1, 3), (1, 2, 5))]
    assert len({hyper["optimizer.lr"] for hyper in others}) == 4


def test_the_usual_fields():
    assert [field.path for field in usual(())] == ["optimizer.lr"]
    both = usual(("gamma", "capacity", "beta"), batch_size=True)
    assert [field.path for field in both] == [
        *("optimizer.lr", "objective.beta", "objective.gamma", "batch_size")
    ]
    assert both[0].limits == (1e-5, 0.1)
    assert both[1].limits == (1, 100)
    assert both[3].prior.choices == (16, 32, 64, 128, 256, 512, 1024)
    check_tuned(both)


def test_fields_are_read_back():
    fields = (RATE, SIZE, *published_tuned(), *usual(("beta",), batch_size=True))
    for field in fields:
        assert parse(str(field), Tuned) == field
        assert from_dict(json.loads(json.dumps(to_dict(field))), Tuned) == field
    assert str(RATE) == "tuned(path='optimizer.lr', prior=log_uniform(low=1e-05, high=0.1))"
    assert str(SIZE) == "tuned(path=batch_size, prior=log_integers(low=8, high=100))"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"path": "optimizer..lr"}, "path takes names with dots"),
        ({"path": ""}, "path takes names with dots"),
        ({"low": 1e-4}, "low=0.0001 of a must not be above what log_uniform"),
        ({"high": 1e-4}, "narrow the prior, or raise the bound"),
        ({"prior": Choice(values=("a", "b")), "low": 1}, "leave out low and high"),
        ({"prior": 3}, "tuned: prior takes a prior"),
    ],
)
def test_bad_fields_are_refused(fields, message):
    with pytest.raises(SpecError, match=message):
        Tuned(**({"path": "a", "prior": RATE.prior} | fields))


def test_none_and_twice_are_refused():
    with pytest.raises(SpecError, match="at least one field"):
        check_tuned(())
    with pytest.raises(SpecError, match=r"optimizer\.lr is tuned twice"):
        check_tuned((RATE, SIZE, Tuned(path="optimizer.lr", prior=Grid(values=(1, 2)))))
