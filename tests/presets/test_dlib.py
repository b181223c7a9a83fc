"""Presets by model number of disentanglement_lib, against its study's grid and losses."""

from __future__ import annotations

import itertools

import pytest
import torch

from session.runs import cli, paragraph
from unweave.errors import SpecError
from unweave.presets import NUMBERED, PRESETS, preset
from unweave.settings import make_config
from unweave.spec import to_dict
from unweave.studies.fields import config_of
from unweave.studies.published import published

# The library's names, in its order: ours, number of images, channels.
DATASETS = {
    "dsprites_full": ("dsprites", 737_280, 1),
    "color_dsprites": ("color_dsprites", 737_280, 3),
    "noisy_dsprites": ("noisy_dsprites", 737_280, 3),
    "scream_dsprites": ("scream_dsprites", 737_280, 3),
    # Category, elevation, azimuth and lighting.
    "smallnorb": ("smallnorb(instance=drawn)", 5 * 9 * 18 * 6, 1),
    "cars3d": ("cars3d", 4 * 24 * 183, 3),
    "shapes3d": ("shapes3d", 480_000, 3),
}
GRID = {
    "beta_vae": (1, 2, 4, 6, 8, 16),
    "factor_vae": (10, 20, 30, 40, 50, 100),
    "dip_vae_i": (1, 2, 5, 10, 20, 50),
    "dip_vae_ii": (1, 2, 5, 10, 20, 50),
    "beta_tc_vae": (1, 2, 4, 6, 8, 10),
    "annealed_vae": (5, 10, 25, 50, 75, 100),
}
MODELS = [(method, strength) for method, values in GRID.items() for strength in values]


def made(number):
    chosen = preset(f"dlib/{number}")
    return make_config(chosen.dataset, chosen.objective, **chosen.settings)


def regulariser(method, strength, values, step):
    """What the library adds to the reconstruction in a step."""
    kl, off, on = values["kl"], values["off"], values["on"]
    return {
        "beta_vae": strength * kl,
        "factor_vae": kl + strength * values["tc"],
        "dip_vae_i": kl + strength * off + 10 * strength * on,
        "dip_vae_ii": kl + strength * off + strength * on,
        "beta_tc_vae": kl + (strength - 1) * values["tc"],
        "annealed_vae": 1000 * abs(kl - min(strength, strength * step / 100_000)),
    }[method]


def test_every_dataset_with_every_model():
    for place, (dataset, model) in enumerate(itertools.product(DATASETS, MODELS)):
        seed = place % 50
        number = 50 * place + seed
        config, (method, strength) = made(number), model
        text, images, channels = DATASETS[dataset]
        assert str(config.dataset) == text
        assert (config.dataset.count, config.dataset.image_shape) == (images, (64, 64, channels))
        assert (config.steps, config.batch_size, config.latents) == (300_000, 64, 10)
        assert (config.seed, config.holdout) == (seed, 0)
        assert (str(config.architecture), str(config.likelihood)) == ("locatello", "bernoulli")
        adam = to_dict(config.optimizer)
        assert [adam[name] for name in ("lr", "beta1", "beta2", "eps")] == [1e-4, 0.9, 0.999, 1e-8]
        about = preset(f"dlib/{number}").about
        assert f"{method} on {dataset}," in about
        assert f" {strength}, seed {seed}." in about
    assert place == 7 * 36 - 1


@pytest.mark.parametrize("step", [1, 37_000, 100_000, 300_000])
@pytest.mark.parametrize("kl", [4.0, 70.0])
@pytest.mark.parametrize(("method", "strength"), MODELS)
def test_the_loss_is_the_published_one_at_every_step(method, strength, kl, step):
    config = made(50 * MODELS.index((method, strength)))
    terms = dict(config.objective.expand().terms)
    assert terms.pop("reconstruction").weigh(torch.tensor(3.0), step) == 3.0
    values = {"kl": kl, "tc": 1.25, "off": 0.5, "on": 2.5}
    given = {"kl": kl, "density_ratio_tc": 1.25, "total_correlation": 1.25}
    for name in {"dip_i", "dip_ii"} & set(terms):
        # These have their weights in their value.
        term = terms[name]
        given[name] = term.off_diagonal * values["off"] + term.diagonal * values["on"]
    ours = sum(
        float(term.weigh(torch.tensor(given[name], dtype=torch.float64), step))
        for name, term in terms.items()
    )
    assert ours == pytest.approx(regulariser(method, strength, values, step), rel=1e-12)


def test_factor_vae_is_the_published_one():
    plan = made(300).objective.expand()
    # Samples of the same batch are permuted, and probabilities clipped.
    assert plan.terms["density_ratio_tc"].compat == "dlib"
    assert not plan.needs.second
    (player,) = plan.players
    adam = player.optimizer
    assert (adam.lr, adam.beta1, adam.beta2) == (1e-4, 0.5, 0.9)
    network = plan.terms["density_ratio_tc"].parts(made(300).setup)["discriminator"]
    assert sum(p.numel() for p in network.parameters()) == 5_018_002
    slopes = {e.negative_slope for e in network.modules() if isinstance(e, torch.nn.LeakyReLU)}
    assert slopes == {0.2}


def test_beta_tcvae_is_the_published_one():
    terms = made(1250).objective.expand().terms
    assert (terms["total_correlation"].compat, terms["total_correlation"].estimator) == (
        "dlib",
        "batch",
    )


@pytest.mark.parametrize("number", [0, 49, 2207, 5555, 8000, 10_799, 10_800, 12_599])
def test_a_number_is_a_run_of_the_study(number):
    run = published("dlib/unsupervised").combinations()[number]
    assert config_of(run) == config_of({"preset": f"dlib/{number}"}) == made(number)


def test_scores_are_those_of_the_study():
    (scoring,) = preset("dlib/7").scoring
    asked = {request.metrics[0] for request in published("dlib/unsupervised").scores}
    assert (scoring.protocol, set(scoring.metrics)) == ("dlib2019", asked)
    assert len(asked) == 9


def test_they_are_made_when_they_are_asked_for():
    assert not any(name.startswith("dlib/") for name in PRESETS)
    assert NUMBERED["dlib"].count == 12_600
    for long in ("disentanglement-lib", "disentanglement_lib"):
        assert preset(f"{long}/2207") == preset("dlib/2207")
    assert preset("dlib/2207").name == "dlib/2207"


@pytest.mark.parametrize(
    "name",
    [
        "12600",
        "99999",
        "abc",
        "-1",
        "+1",
        "1.0",
        "007",
        "",
        " 1",
        "1_0",
        "٣",
        "NUMBER",
        "9" * 6000,
    ],
)
def test_other_names_are_refused_with_the_range(name):
    with pytest.raises(SpecError) as caught:
        preset(f"dlib/{name}")
    assert "Those of dlib are dlib/0 to dlib/12599, by model number." in str(caught.value)
    assert len(str(caught.value)) < 250


def test_the_command_line(tmp_path):
    lists = cli("presets", "--json").json
    assert lists["numbered"] == [
        {"name": "dlib/NUMBER", "about": NUMBERED["dlib"].about, "first": 0, "last": 12_599}
    ]
    assert "NUMBER is 0 to 12599; name one to see all of it." in cli("presets").out
    (row,) = cli("presets", "dlib/2207", "--json").json["presets"]
    assert row["objective"] == "factor_vae(gamma=30, lr=0.0001, compat=dlib, depth=7)"
    assert row["settings"] == {
        "architecture": "locatello",
        "steps": 300_000,
        "batch_size": 64,
        "latents": 10,
        "lr": 1e-4,
        "seed": 7,
    }
    spoken = cli("presets", "dlib/2207").out
    assert "factor_vae on color_dsprites, gamma 30, seed 7." in spoken
    assert "NUMBER" not in spoken
    for words in (("presets",), ("train", "--out", tmp_path / "run", "--preset")):
        paragraph(cli(*words, "dlib/12600"), "'dlib/12600'", "dlib/0 to dlib/12599")
        paragraph(cli(*words, "dlib/abc"), "'dlib/abc'", "dlib/0 to dlib/12599")
    assert not (tmp_path / "run").exists()
