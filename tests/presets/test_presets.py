"""Presets are looked up by name, and each is a whole training."""

from __future__ import annotations

import pytest

from reference.disvae_experiments import EXPERIMENTS
from unweave.errors import SpecError
from unweave.presets import PRESETS, preset
from unweave.settings import make_config


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_whole_training(name):
    entry = preset(name)
    assert entry.name == name
    assert entry.about.endswith(".")
    config = make_config(entry.dataset, entry.objective, **entry.settings)
    assert str(config.dataset) == entry.dataset


def test_there_are_no_others():
    found = {name for name in PRESETS if name.startswith("disvae/")}
    assert found == {f"disvae/{name}" for name in EXPERIMENTS}
    sources = {"clg", "dag", "demo", "disvae", "dpt", "lls"}
    assert {name.partition("/")[0] for name in PRESETS} == sources


def test_the_long_name_of_the_source():
    assert preset("disentangling-vae/VAE_dsprites") is preset("disvae/VAE_dsprites")


def test_the_demo_is_a_short_training_of_dsprites():
    entry = preset("demo")
    config = make_config(entry.dataset, entry.objective, **entry.settings)
    assert str(config.dataset) == "dsprites"
    assert config.objective.method_name == "beta_tcvae"
    assert config.steps <= 30_000


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("dmo", "demo"),
        ("disvae/btcvae_dsprite", "disvae/btcvae_dsprites"),
        ("btcvae_dsprites", "disvae/btcvae_dsprites"),
        ("", "`unweave presets` lists them."),
        ("nothing/at_all", "`unweave presets` lists them."),
        ("disvae/nothing", "Did you mean disvae/"),
        ("lie-group-vae/dsprite", "Did you mean clg/dsprites"),
        ("dlib", "dlib/0 to dlib/12599"),
    ],
)
def test_unknown_names(name, near):
    with pytest.raises(SpecError) as caught:
        preset(name)
    assert repr(name) in str(caught.value)
    assert near in str(caught.value)


def test_a_preset_changes_nothing_of_another():
    with pytest.raises(TypeError):
        preset("demo").settings["steps"] = 1  # type: ignore[index]
