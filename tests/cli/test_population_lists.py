"""`unweave presets` of populations and recursions: all by name, some with what they set."""

from __future__ import annotations

import pytest

from session.runs import cli
from unweave.population.presets import POPULATION_PRESETS
from unweave.population.recursion.presets import RECURSION_PRESETS


def rows(*names):
    result = cli("presets", *names, "--json")
    assert result.code == 0, result.err
    return result.json


def test_all_are_listed_without_their_settings():
    found = rows()
    assert [row["name"] for row in found["populations"]] == list(POPULATION_PRESETS)
    assert [row["name"] for row in found["recursions"]] == list(RECURSION_PRESETS)
    assert not any("settings" in row for row in found["populations"] + found["recursions"])
    assert found["presets"]


def test_one_that_is_named_says_what_it_sets():
    found = rows("rpu/reference(labels=1000)")
    assert found["presets"] == found["numbered"] == found["recursions"] == []
    (row,) = found["populations"]
    assert row["settings"]["fitness"] == "mig(protocol=rpu, labels=1000)"
    assert (row["settings"]["members"], row["settings"]["shrink"]) == (56, 2)
    assert [text.partition(",")[0] for text in row["settings"]["tune"]] == [
        "tuned(path=batch_size",
        "tuned(path='optimizer.lr'",
        "tuned(path='objective.beta'",
    ]
    text = cli("presets", "rpu/reference(labels=1000)").out
    assert text.startswith("POPULATIONS: unweave population run --preset NAME\n\nrpu/reference")
    assert "  exploit=truncation\n" in text


def test_a_recursion_says_what_its_populations_are():
    (row,) = rows("rpu/published")["recursions"]
    assert row["settings"]["first"].endswith("ranked by udr(compat=rpu)")
    assert (row["settings"]["leaf_runs"], row["settings"]["reduction"]) == (3, "rpu")


def test_a_source_is_all_of_its_presets_and_may_stand_beside_trainings():
    found = rows("rpu", "rpu/tiny", "dpt/dsprite_VAE")
    assert [row["name"] for row in found["populations"]] == list(POPULATION_PRESETS)
    assert [row["name"] for row in found["recursions"]] == list(RECURSION_PRESETS)
    assert [row["name"] for row in found["presets"]] == ["dpt/dsprite_VAE"]


@pytest.mark.parametrize("name", ["rpu/x_run(labels=2)", "rpu/x_rum", "rp"])
def test_others_are_refused(name):
    result = cli("presets", name)
    assert result.code == 2
    assert "Unknown preset" in result.err
