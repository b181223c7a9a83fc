"""Presets hold the published settings, by name."""

from __future__ import annotations

import pytest

from unweave.errors import SpecError
from unweave.run import make_config
from unweave.schedules import Linear
from unweave.spec import to_dict
from unweave.studies import PRESETS, preset

WARM = {"type": "linear", "start": 0.0, "steps": 10_000}
# The experiments of disentangling-vae on dSprites: objective with its fields, learning rate.
# The warm-up of 10,000 steps is on the regulariser: the KL of the VAE and beta-VAE, gamma of the
# annealed VAE's capacity (100,000 steps), the total correlation of FactorVAE, and, in the
# published code, the dimension-wise KL of beta-TCVAE.
PUBLISHED = {
    "VAE_dsprites": ("vae", {"kl": {**WARM, "stop": 1.0}}, 5e-4),
    "betaH_dsprites": ("beta_vae", {"beta": {**WARM, "stop": 4.0}}, 5e-4),
    "betaB_dsprites": (
        "annealed_vae",
        {"gamma": 100.0, "capacity": {**WARM, "stop": 25.0, "steps": 100_000}},
        1e-3,
    ),
    "factor_dsprites": ("factor_vae", {"gamma": {**WARM, "stop": 6.4}, "lr": 1e-4}, 1e-4),
    "btcvae_dsprites": (
        "beta_tcvae",
        {"alpha": 1.0, "beta": 6.4, "gamma": {**WARM, "stop": 1.0}, "compat": "disvae"},
        5e-4,
    ),
    "best_dsprites": (
        "beta_tcvae",
        {"alpha": -5.0, "beta": 10.0, "gamma": {**WARM, "stop": 1.0}, "compat": "disvae"},
        5e-4,
    ),
}


def config_of(name):
    chosen = preset(name)
    return make_config(chosen.dataset, chosen.objective, **chosen.settings)


@pytest.mark.parametrize("experiment", PUBLISHED)
def test_published_values(experiment):
    method, fields, lr = PUBLISHED[experiment]
    config = config_of(f"disvae/{experiment}")
    form = to_dict(config)["objective"]
    assert form["type"] == method
    assert {name: form[name] for name in fields} == fields
    assert form.get("kl", 1.0) == (fields.get("kl", 1.0))
    assert config.optimizer.lr == lr
    assert (config.optimizer.beta1, config.optimizer.beta2) == (0.9, 0.999)
    assert (config.batch_size, config.latents, config.seed) == (64, 10, 1234)
    assert (config.architecture.name, config.likelihood.name) == ("burgess", "bernoulli")
    assert str(config.dataset) == "dsprites"
    assert config.holdout == 0
    # 30 epochs of 737,280 images in batches of 64. FactorVAE counts 60 epochs of 128, of which
    # half are the second batch: as many steps.
    assert config.steps == 30 * 737_280 // 64 == 60 * 737_280 // 128


def test_there_are_no_others():
    assert set(PRESETS) == {"demo", *(f"disvae/{name}" for name in PUBLISHED)}
    for name, entry in PRESETS.items():
        assert entry.name == name
        assert entry.about.endswith(".")


def test_the_long_name_of_the_source():
    assert preset("disentangling-vae/VAE_dsprites") is preset("disvae/VAE_dsprites")


def test_the_demo_is_a_short_training_of_dsprites():
    config = config_of("demo")
    assert str(config.dataset) == "dsprites"
    assert config.objective.method_name == "beta_tcvae"
    assert config.steps <= 30_000


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("dmo", "demo"),
        ("disvae/btcvae_dsprite", "disvae/btcvae_dsprites"),
        ("btcvae_dsprites", "disvae/btcvae_dsprites"),
        ("", "Choose one of: demo"),
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
    assert Linear(start=0, stop=1, steps=10_000).at(10_000) == 1
