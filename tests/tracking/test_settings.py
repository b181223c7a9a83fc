"""Which trackers there are to be, by texts and the environment; settings as trackers show them."""

from __future__ import annotations

import json

import pytest

from session.runs import MINI, cli
from tracking.stand_ins import Lines, Missing
from unweave import spec
from unweave.errors import SpecError
from unweave.settings import make_config
from unweave.studies import Study, run_study
from unweave.tracking import (
    MLflow,
    TensorBoard,
    WandB,
    flat_settings,
    group_of,
    read_trackers,
)


@pytest.fixture(autouse=True)
def _installed(monkeypatch):
    """As if all were installed: what is read here is never opened."""
    monkeypatch.setattr("unweave.tracking.base.is_there", lambda name: not name.startswith("no_"))


def test_trackers_are_read_from_texts_with_their_settings():
    found = read_trackers(("tensorboard", "wandb(project=mine, mode=offline), mlflow"))
    assert found == (TensorBoard(), WandB(project="mine", mode="offline"), MLflow())
    assert read_trackers("tensorboard, mlflow(experiment=a)") == (
        TensorBoard(),
        MLflow(experiment="a"),
    )
    assert read_trackers(WandB(tags=("a", "b"))) == (WandB(tags=("a", "b")),)


def test_the_environment_names_them_where_nothing_else_does(monkeypatch):
    assert read_trackers(None) == ()
    monkeypatch.setenv("UNWEAVE_TRACK", "tensorboard, wandb(project=mine)")
    assert read_trackers(None) == (TensorBoard(), WandB(project="mine"))
    assert read_trackers(()) == ()
    monkeypatch.setenv("UNWEAVE_TRACK", " ")
    assert read_trackers(None) == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("wandb", "wandb(project=a)"), "wandb is named twice"),
        ("tensorbord", "tensorboard"),
        ("wandb(mode=later)", "mode"),
        ((3,), "A tracker is a text, such as 'tensorboard', not 3"),
        (Missing(), r'no_such_module_anywhere, not installed here: pip install "unweave\[missing'),
    ],
)
def test_what_is_wrong_is_said_before_any_work(given, message):
    with pytest.raises(SpecError, match=message):
        read_trackers(given)


def test_a_command_with_a_tracker_that_is_not_installed_makes_no_folder(tmp_path):
    out = tmp_path / "run"
    result = cli("train", MINI, "vae", "--steps", 2, "--out", out, "--track", "missing")
    assert result.code == 2
    assert 'pip install "unweave[missing]"' in result.err
    assert not out.exists()


def test_a_database_of_mlflow_names_what_it_needs(monkeypatch):
    monkeypatch.setattr("unweave.tracking.in_mlflow.is_there", lambda name: name != "alembic")
    with pytest.raises(SpecError, match="pip install mlflow"):
        read_trackers(MLflow(uri="sqlite:///mlflow.db"))


def test_settings_are_flat_with_a_name_for_each():
    objective = "beta_vae(beta=linear(start=0, stop=4, steps=100)) + mmd(weight=3)"
    phases = "(phase(start=5, changes=((seed, 1),)), phase(start=7, changes=((seed, 2),)))"
    config = make_config(MINI, objective, steps=10, phases=phases)
    form = spec.to_dict(config)
    flat = flat_settings(form)
    assert flat["objective.beta_vae.beta"] == "linear"
    assert flat["objective.beta_vae.beta.stop"] == 4.0
    assert flat["objective.mmd.weight"] == 3.0
    assert flat["optimizer"] == "adam"
    assert flat["optimizer.lr"] == 0.0005
    assert flat["clip_norm"] == "none"
    assert (flat["phases.0.start"], flat["phases.1.start"]) == (5, 7)
    # Nothing is lost: as many values as the nested form has leaves.
    assert all(isinstance(value, int | float | bool | str) for value in flat.values())

    def leaves(value):
        if isinstance(value, dict):
            return sum(map(leaves, value.values()))
        if isinstance(value, list | tuple) and any(isinstance(v, dict) for v in value):
            return sum(map(leaves, value))
        return 1

    # The types of members of lists stand in the names of their fields.
    types = 1 + 2
    assert len(flat) == leaves(form) - types


def test_runs_of_a_study_are_of_its_group(tmp_path):
    alone = tmp_path / "runs" / "mine"
    assert group_of(alone) == ("", "mine")
    study = tmp_path / "sweep"
    study.mkdir()
    (study / "study.json").write_text(json.dumps({}))
    assert group_of(study / "runs" / "0123abcd") == ("sweep", "0123abcd")
    population = tmp_path / "pbt"
    population.mkdir()
    (population / "population.json").write_text(json.dumps({}))
    member = population / "rounds" / "002" / "m7" / "models" / "0"
    assert group_of(member) == ("pbt", "002/m7/0")


def test_trackers_are_listed_with_their_settings():
    rows = cli("trackers", "--json").json["trackers"]
    names = {row["name"]: row for row in rows}
    assert names.keys() >= {"tensorboard", "wandb", "mlflow"}
    assert names["wandb"]["install"] == 'pip install "unweave[wandb]"'
    assert "project" in [field["name"] for field in names["wandb"]["fields"]]
    text = cli("trackers", "wandb").out
    assert "project=unweave" in text
    assert "tensorboard" not in text


def test_own_trackers_are_members():
    assert read_trackers("lines(path='a')") == (Lines(path="a"),)


def test_a_study_with_a_tracker_that_is_not_installed_does_not_begin(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_TRACK", "missing")
    study = Study(name="some", settings={"dataset": MINI, "objective": "vae", "steps": 2})
    with pytest.raises(SpecError, match="not installed here"):
        run_study(study, out=tmp_path / "study", executor="serial")
    assert not (tmp_path / "study").exists()
