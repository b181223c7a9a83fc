"""The page on populations tells of every prior, rule and preset, in texts that can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unweave.population.exploit import Exploit
from unweave.population.explore import Explore
from unweave.population.fitness import parse_fitness
from unweave.population.making import parse_tuned
from unweave.population.presets import POPULATION_PRESETS
from unweave.population.priors import Prior
from unweave.population.recursion.presets import RECURSION_PRESETS
from unweave.population.recursion.reduction import Reduction, RobustReduction, RpuReduction
from unweave.population.stop import StopRule
from unweave.spec import members, parse, parse_tuple

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "train-a-population.md"
TEXT = PAGE.read_text(encoding="utf-8")


def first_cells(head):
    """The texts in the first column of a table."""
    table = TEXT[TEXT.index(f"| {head} |") :].split("\n\n")[0]
    return [row.split("|")[1].strip(" `") for row in table.splitlines()[2:]]


@pytest.mark.parametrize(("head", "family"), [("prior", Prior), ("stop rule", StopRule)])
def test_each_is_told(head, family):
    found = [parse(text, family) for text in first_cells(head)]
    assert sorted(each.name for each in found) == sorted(members(family))


def test_defaults_of_stop_rules_are_those_that_are_told():
    for name in ("plateau", "hopeless"):
        [text] = [text for text in first_cells("stop rule") if text.startswith(name)]
        assert parse(text, StopRule) == members(StopRule)[name]()
    assert len(parse_tuple("(hopeless, plateau)", StopRule)) == 2


def test_texts_that_are_given_can_be_read():
    for text in re.findall(r'`"?((?:mig|dci)\([^`]*\))"?`', TEXT):
        parse_fitness(text)
    for text in re.findall(r"tuned\(path='.*?high=\d+\)", TEXT):
        assert parse_tuned(text).path == "objective.beta"
    assert "tuned(path=" in TEXT
    for text, family in (
        ("truncation(fraction=0.2)", Exploit),
        ("perturb(factors=(0.8, 1.25))", Explore),
        ("pb2", Explore),
        ("robust(threshold=0.5)", Reduction),
    ):
        assert text in TEXT
        parse(text, family)
    assert {RobustReduction.name, RpuReduction.name} <= members(Reduction).keys()


def test_every_preset_is_named():
    for name in (*POPULATION_PRESETS, *RECURSION_PRESETS):
        assert f"`{name}`" in TEXT
