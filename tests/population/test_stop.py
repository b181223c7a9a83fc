"""Stop rules: plateaus, hopeless rounds, and scores that are reached."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.evolution_reference import first_plateau
from unweave.errors import SpecError
from unweave.population.published import STOP
from unweave.population.stop import Hopeless, Plateau, Reached, StopRule, why_ended
from unweave.spec import members, parse


def first_end(rule, best):
    """The first round, from 1, after which a rule ends a population."""
    return next((k for k in range(1, len(best) + 1) if rule.ends(best[:k])), None)


def test_no_plateau_before_round_seven():
    assert first_end(Plateau(), [0.5] * 20) == 7
    assert Plateau().ends([0.5] * 6) == ""
    assert Plateau().ends([0.5] * 7) == (
        "the best score changed by less than 0.005 in each of the last 6 rounds"
    )
    assert first_end(Plateau(patience=1), [0.1, 0.2, 0.201]) == 3


@given(
    st.lists(st.sampled_from([-0.01, -0.004, 0.0, 0.002, 0.0049, 0.006]), max_size=40),
    st.integers(1, 6),
    st.sampled_from([0.003, 0.005, 0.007]),
)
def test_plateaus_are_those_of_the_slow_way(steps, patience, change):
    best = [0.5]
    for step in steps:
        best.append(best[-1] + step)
    rule = Plateau(patience=patience, change=change)
    assert first_end(rule, best) == first_plateau(best, patience, change)


def test_one_change_within_the_last_rounds_is_none():
    best = [0.5] * 6 + [0.51] + [0.51] * 5
    assert Plateau().ends(best) == ""
    assert Plateau().ends([*best, 0.51]) != ""
    # Falling is a change, too; and so is to have no score.
    assert Plateau().ends([0.5, 0.4, *[0.4] * 5]) == ""
    assert Plateau().ends([0.5, None, *[0.5] * 5]) == ""
    assert Plateau().ends([None] * 9) == ""


def test_slow_growth_is_a_plateau():
    assert first_end(Plateau(), [0.004 * k for k in range(9)]) == 7


def test_hopeless_rounds():
    rule = Hopeless()
    assert rule.ends([]) == ""
    assert rule.ends([0.1]) == ""
    assert rule.ends([0.05, 0.2]) == ""
    assert rule.ends([0.2, 0.05]) == "the best score, 0.05, is below 0.1"
    assert rule.ends([0.2, None]) == "no member has a score"


def test_reached_scores():
    rule = Reached(score=0.9)
    assert rule.ends([]) == rule.ends([0.95, 0.89]) == rule.ends([None]) == ""
    assert rule.ends([0.2, 0.9]) == "the best score, 0.9, has reached 0.9"


def test_the_first_reason_counts():
    assert why_ended(STOP, [0.5] * 6) == ""
    assert why_ended(STOP, [0.5] * 7).startswith("the best score changed by less")
    assert why_ended(STOP, [0.05] * 7) == "the best score, 0.05, is below 0.1"
    assert why_ended((), [0.0]) == ""


def test_texts():
    assert set(members(StopRule)) == {"hopeless", "plateau", "reached"}
    for text in ("plateau", "plateau(patience=3, change=0.01)", "hopeless", "reached(score=0.5)"):
        assert str(parse(text, StopRule)) == text
    with pytest.raises(SpecError, match="plateau: patience must be at least 1"):
        Plateau(patience=0)
    with pytest.raises(SpecError, match="reached needs score"):
        parse("reached", StopRule)
