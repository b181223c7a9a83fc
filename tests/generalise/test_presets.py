"""Studies of generalisation by name: whole, comparable, and asked all that tells how models do."""

from __future__ import annotations

import json

import pytest

from session.runs import cli
from unweave.conditions import split_of
from unweave.errors import SpecError
from unweave.generalise import HOLDOUT, generalisation_study, kind_of, requests_of
from unweave.generalise.presets import SCALES, STUDIES
from unweave.studies import Study, plan

# A VAE, a beta-VAE and FactorVAE with two decoders, under three or four conditions; or composers.
RUNS = {
    "generalise/dsprites": 3 * 5,
    "generalise/shapes3d": 4 * 5,
    "generalise/mpi3d": 3 * 5,
    "generalise/composition": 3 * 4,
}
every_study = pytest.mark.parametrize("name", STUDIES)
every_scale = pytest.mark.parametrize("scale", [*SCALES, 0.001])


@pytest.fixture(autouse=True)
def _nothing_is_here(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))


def test_there_are_as_many_runs_as_models_under_conditions_with_seeds():
    assert {name: study.runs for name, study in STUDIES.items()} == {
        name: 5 * runs for name, runs in RUNS.items()
    }
    for name, runs in RUNS.items():
        found = {scale: len(STUDIES[name].study(scale).combinations()) for scale in SCALES}
        assert found == {"full": 5 * runs, "small": 3 * runs, "tiny": runs}


@every_scale
@every_study
def test_every_run_can_be_planned_and_is_asked_what_is_asked_of_it_alone(name, scale):
    study = STUDIES[name].study(scale)
    runs = plan(study)
    assert len(runs) == RUNS[name] * {"small": 3, "tiny": 1}.get(scale, 5)
    for run in runs:
        asked = study.asked_of(run.config)
        assert asked == requests_of(run.config, probe=scale != "tiny")
        regions = {(request.part, request.data) for request in asked}
        assert {("holdout", None), ("all", "held_out")} <= regions
        payload = json.loads(json.dumps(run.item(study, "place").payload))
        assert len(payload["scores"]) == len(asked)
    assert Study.from_dict(json.loads(json.dumps(study.to_dict()))) == study


@every_scale
@every_study
def test_models_differ_in_nothing_else_than_what_they_are(name, scale):
    configs = [run.config for run in plan(STUDIES[name].study(scale))]
    lengths = {"full": 300_000, "small": 5_000, "tiny": 20, 0.001: 300}
    assert {config.steps for config in configs} == {lengths[scale]}
    assert {config.batch_size for config in configs} == {64}
    assert {config.holdout for config in configs} == {HOLDOUT}
    # Every model has every seed under every condition.
    models = {str(config.objective) for config in configs}
    places = {(str(config.dataset), config.seed) for config in configs}
    assert len(configs) == len(models) * len(places)
    # Published deviations are left to the published studies.
    assert not any("compat" in str(config.objective) for config in configs)


def test_models_with_an_encoder_stand_beside_decoders_of_true_factors():
    for name in ("dsprites", "shapes3d", "mpi3d"):
        study = STUDIES[f"generalise/{name}"]
        assert study.kinds == ("autoencoder", "decoder")
        configs = [run.config for run in plan(study.study("tiny"))]
        found = {str(c.objective): kind_of(c.objective.expand()) for c in configs}
        assert found == {
            "vae": "autoencoder",
            "beta_vae(beta=8)": "autoencoder",
            "factor_vae(gamma=50)": "autoencoder",
            "ground_truth_decoder(inputs=raw)": "decoder",
            "ground_truth_decoder": "decoder",
        }
    assert STUDIES["generalise/composition"].kinds == ("composer",)


@pytest.mark.parametrize("scale", ["full", "tiny"])
@every_study
def test_conditions_are_of_the_kinds_that_they_are_said_to_be(name, scale):
    entry = STUDIES[name]
    whole = entry.dataset if scale == "full" else entry.tiny
    texts = [settings["dataset"] for settings in entry.study(scale).axes[0]]
    splits = [split_of(condition, whole) for condition in entry.conditions]
    assert texts == [split.train_text for split in splits]
    kinds = [split.finding.kind for split in splits]
    assert kinds == [split.kind for split in splits]
    assert kinds[-3:] == ["recombination_to_element", "recombination_to_range", "extrapolation"]
    assert kinds[:-3] == (["interpolation"] if name == "generalise/shapes3d" else [])
    told = entry.about.rpartition(": ")[2].rstrip(".").replace(" and ", ", ").split(", ")
    assert told == [kind.rpartition("_to_")[2] for kind in kinds]


def test_scales_are_part_of_the_name_and_whole_ones_are_full():
    entry = generalisation_study("generalise/dsprites")
    names = {scale: entry.study(scale).name for scale in (*SCALES, 1, 0.01)}
    assert names == {
        "full": "generalise-dsprites",
        "small": "generalise-dsprites-small",
        "tiny": "generalise-dsprites-tiny",
        1: "generalise-dsprites",
        0.01: "generalise-dsprites-x0.01",
    }
    assert entry.study(1) == entry.study("full") == entry.study()


@pytest.mark.parametrize(
    ("scale", "message"),
    [("smal", "Did you mean small"), (0, "number above 0"), (float("nan"), "number above 0")],
)
def test_other_scales_are_refused(scale, message):
    with pytest.raises(SpecError, match=message):
        generalisation_study("generalise/dsprites").study(scale)


def test_unknown_names():
    with pytest.raises(SpecError, match=r"Did you mean .*generalise/dsprites"):
        generalisation_study("generalise/dsprite")


@pytest.mark.slow
def test_the_smallest_runs_to_its_end_and_makes_one_page(tmp_path):
    done = cli(
        "study", "run", "--preset", "generalise/dsprites", "--scale", "tiny", "--json",
        "--executor", "serial",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert done.json["counts"]["finished"] == 15
    page = tmp_path / "page.html"
    said = cli("generalise", "report", done.json["folder"], "--out", page, "--json")
    assert said.code == 0, said.err
    assert said.json["notes"] == []
    groups = {(g["condition"], g["model"]): g["numbers"] for g in said.json["groups"]}
    models = {model for _, model in groups}
    assert len(groups) == 15
    assert len(models) == 5
    for (_, model), numbers in groups.items():
        assert numbers["excess_gap"] is not None
        assert numbers["disentanglement"] is not None
        assert (numbers["r2_held_out"] is None) == model.startswith("ground_truth_decoder")
        assert numbers["factor_errors"] is None
    text = page.read_text()
    headings = ("Reconstructions", "Which latent tells which factor", "Errors and gaps")
    for words in (*models, *headings, "leave1out", "shape2tx", "blank_side"):
        assert words in text
    # What it has is kept: the same command has nothing to do.
    again = cli(
        "study", "run", "--preset", "generalise/dsprites", "--scale", "tiny", "--dry-run", "--json"
    )
    assert (again.json["runs"], again.json["finished"]) == (15, 15)
