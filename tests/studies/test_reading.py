"""Studies are read from TOML and Python, and what is wrong with them is said before any work."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from unweave import train
from unweave.errors import DataError, RunError, SpecError
from unweave.studies import Study, plan, read_study, study_of
from unweave.studies.axes import axis_of, combined
from unweave.studies.fields import config_of

MINI = "dsprites(grid=(3, 2, 4, 8, 8))"
TRAIN = {"dataset": MINI, "objective": "beta_vae(beta=4)", "steps": 10}

TOML = """
about = "Two methods, two rates."
seeds = 2
keep = "codes"
plots = ["reconstructions"]

[train]
dataset = "dsprites(grid=(3, 2, 4, 8, 8))"
steps = 10
optimizer.beta1 = 0.5

[[sweep]]
zip.objective = ["beta_vae", "beta_tcvae"]
zip."objective.beta" = [2, 6]

[[sweep]]
grid.batch_size = [8, 16]

[evaluate]
metrics = ["mig"]
protocol = "fast"

[limits]
minutes = 5
"""


def test_a_toml_file_becomes_the_runs_it_says(tmp_path):
    path = tmp_path / "rates.toml"
    path.write_text(TOML)
    study = read_study(path)
    assert (study.name, study.keep, study.plots) == ("rates", "codes", ("reconstructions",))
    assert study.limits.seconds == 300
    assert study.scores[0].metrics == ("mig",)
    runs = plan(study)
    found = [(str(r.config.objective), r.config.batch_size, r.config.seed) for r in runs]
    assert found == [
        (objective, size, seed)
        for objective in ("beta_vae(beta=2)", "beta_tcvae")
        for size in (8, 16)
        for seed in (0, 1)
    ]
    assert {r.config.optimizer.beta1 for r in runs} == {0.5}
    assert {r.config.threads for r in runs} == {1}
    assert len({r.key for r in runs}) == 8
    assert Study.from_dict(study.to_dict()) == study


def test_a_function_makes_the_same_study(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        f"def make():\n    return {{'train': {TRAIN!r}, 'seeds': [3, 5]}}\n\n"
        "def broken():\n    return 1 / 0\n"
    )
    assert [run.config.seed for run in plan(read_study(f"{path}:make"))] == [3, 5]
    for text, message in (
        (f"{path}:absent", "has no function 'absent'"),
        (f"{path}:broken", "ZeroDivisionError"),
        (str(path), "Say which function"),
        (f"{tmp_path}/none.py:make", "cannot be (read|run)"),
    ):
        with pytest.raises(SpecError, match=message):
            read_study(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trian": {}}, "no 'trian'. .*train"),
        ({"train": TRAIN | {"step": 3}}, "no setting 'step'. .*steps"),
        ({"train": {"objective": {"betta": 3}, **{"dataset": MINI}}}, "A run has no objective"),
        ({"sweep": [{"grid": {}}]}, "is empty"),
        ({"sweep": [{"grid": {"seed": []}}]}, "seed has no values"),
        ({"sweep": [{"grid": {"seed": [1, 1]}}]}, "twice"),
        ({"sweep": [{"grid": {"seed": 1}}]}, "takes a list of values"),
        ({"sweep": [{}]}, "takes one of grid, zip, list, random, and has none"),
        ({"sweep": [{"zip": {"seed": [1, 2], "lr": [0.1]}}]}, "equally many values"),
        ({"sweep": [{"random": {"samples": 0, "lr": {"log": [0.1, 1]}}}]}, "at least 1, not 0"),
        ({"sweep": [{"random": {"samples": 2, "lr": {"log": [0, 1]}}}]}, "ends above 0"),
        ({"sweep": [{"random": {"samples": 2, "lr": [0.1]}}]}, "takes one of choice"),
        ({"sweep": [{"grid": {"seed": [1]}}], "seeds": 2}, "more than one part"),
        ({"sweep": [{"grid": {"steps": [20]}}]}, "set by train and by the sweep"),
        ({"seeds": 0}, "seeds is empty"),
        ({"seeds": "three"}, "seeds takes a number"),
        ({"name": ""}, "name is that of the study's folder"),
        ({"name": "../elsewhere"}, "cannot be '../elsewhere'"),
        ({"name": "/tmp"}, "cannot be '/tmp'"),
        ({"name": 3}, "name takes text"),
        ({"keep": "nothing"}, "keep takes one of scores, codes, all"),
        ({"plots": ["reconstruction"]}, "unknown figure 'reconstruction'. .*reconstructions"),
        ({"evaluate": {"metrics": []}}, "takes a list of names"),
        ({"evaluate": {"metrics": ["migg"]}}, "migg"),
        ({"evaluate": {"protocol": "unweav"}}, "unweav"),
        ({"evaluate": {"data": 3}}, "evaluate: data takes text, not 3"),
        ({"evaluate": {"data": "dsprits"}}, "data=dsprits: .* Did you mean dsprites"),
        (
            {"evaluate": {"data": "held_out"}},
            "with data=held_out: Nothing is held out of dsprites",
        ),
        ({"evaluate": {"data": "held_out", "part": "train"}}, "part=train is of the data that a"),
        ({"limits": {"minutes": -1}}, "above 0"),
        ({"train": TRAIN | {"objective": {"x": 1}}}, "A run has no objective"),
        ({"sweep": [{"grid": {"objective.gama": [1]}}]}, "no field 'gama'"),
        ({"sweep": [{"grid": {"objective.beta": ["much"]}}]}, "beta"),
        ({"sweep": [{"grid": {"dataset.images.x": [1]}}]}, "no field 'images'"),
        ({"sweep": ["grid"]}, "sweep takes tables"),
        ({"plots": [["kl"]]}, "unknown figure"),
        ({"name": "x" * 300}, "cannot be"),
        ({"train": {"preset": 5}}, "preset takes the name"),
        ({"limits": {"minutes": float("inf")}}, "minutes takes a number above 0"),
        ({"limits": {"silence_minutes": 10**400}}, "silence_minutes takes a number above 0"),
        ({"seeds": 10**9}, "seeds stands for 1,000,000,000 runs"),
        ({"sweep": [{"grid": {"seed": list(range(400)), "lr": [0.1] * 400}}]}, "160,000 runs"),
        (
            {"sweep": [{"grid": {"seed": list(range(400))}}, {"grid": {"lr": [*range(1, 401)]}}]},
            "The study stands for 160,000 runs",
        ),
        ({"sweep": [{"random": {"samples": 10**9, "lr": {"log": [0.1, 1]}}}]}, "a study has at"),
        ({"sweep": [{"random": {"samples": 2, "seed": {"integers": [0, 2**70]}}}]}, "seed takes"),
        ({"sweep": [{"random": {"samples": 2, "latents": {"integers": [0, 2**70]}}}]}, "2..53"),
        ({"sweep": [{"random": {"samples": 2, "latents": {"integers": [1.5, 3]}}}]}, "whole"),
        ({"sweep": [{"random": {"samples": 2, "lr": {"log": [1, 10**400]}}}]}, "lower and the"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(change, message):
    with pytest.raises(SpecError, match=message):
        plan(study_of({"train": TRAIN} | change, "bad"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import math\nmath.no_such_name\ndef make(): pass\n", "AttributeError: .*no_such_name"),
        ("def other(): pass\n", "has no function 'make'"),
        ("make = 3\n", "has no function 'make'"),
        ("def make(): return 3\n", "A study is a table, not 3"),
        ("def make(): return [][1]\n", "failed: IndexError"),
        ("def make(): raise SystemExit(3)\n", "failed: SystemExit: 3"),
    ],
)
def test_functions_that_make_no_study_are_told(tmp_path, text, message):
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(SpecError, match=message):
        read_study(f"{tmp_path / 'mine.py'}:make")


def test_a_file_with_a_function_may_have_classes_of_data(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "@dataclass\nclass Rate:\n    value: float = 0.1\n"
        f"def make(): return {{'train': {TRAIN!r} | {{'lr': Rate().value}}}}\n"
    )
    study = read_study(f"{tmp_path / 'mine.py'}:make")
    assert (study.name, study.settings["lr"]) == ("mine", 0.1)


@pytest.mark.parametrize("text", ["a = 1" + 5000 * "0", "a = " + 5000 * "[", b"name = '\xe9'"])
def test_files_that_are_no_toml_are_told(tmp_path, text):
    file = tmp_path / "odd.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SpecError, match="is not TOML"):
        read_study(file)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"keep": "none"}, "keep takes one of"), ({"plots": ("klx",)}, "unknown figure 'klx'")],
)
def test_studies_made_in_python_are_checked_before_they_are_trained(change, message):
    with pytest.raises(SpecError, match=message):
        plan(Study(name="made", settings=TRAIN, **change))


PART, REST = (f"{view}(data={MINI}, where='shape == 3')" for view in ("without", "only"))


@pytest.mark.parametrize(
    ("train", "asked", "message"),
    [
        ({}, {"data": "shapes3d"}, "images of shape"),
        ({}, {"data": "celeba"}, "celeba"),
        ({"objective": "cvae(labels=(shape,))", "dataset": PART},
         {"data": "held_out", "metrics": ["test_losses"]}, "cannot be told shape heart"),
        ({"objective": "ground_truth_decoder", "dataset": MINI},
         {"data": "circles", "metrics": ["test_losses"]}, "The decoder is given shape"),
    ],
)  # fmt: skip
def test_data_that_do_not_fit_are_told_before_any_work(train, asked, message, monkeypatch):
    def opened(*arguments):
        raise AssertionError("a dataset was opened")

    monkeypatch.setattr("unweave.data.kinds.stored.StoredSpec.open", opened)
    with pytest.raises(
        DataError, match=f"evaluate with data={re.escape(asked['data'])}.*{message}"
    ):
        plan(study_of({"train": TRAIN | train, "evaluate": asked}, "bad"))


@pytest.mark.parametrize("objective", ["beta_vae", "ground_truth_decoder(inputs=one_hot)"])
def test_what_is_held_out_is_asked_of_each_run(objective):
    form = {
        "train": {"objective": objective, "steps": 10},
        "sweep": [{"grid": {"dataset": [PART, f"without(data={MINI}, where='pos_x > 0.5')"]}}],
        "evaluate": [{"metrics": ["test_losses"]},
                     {"metrics": ["test_losses"], "data": "held_out"},
                     {"metrics": ["test_losses"], "data": REST}],
    }  # fmt: skip
    study = study_of(form, "parts")
    assert [request.data for request in study.scores] == [None, "held_out", REST]
    assert len(plan(study)) == 2
    assert Study.from_dict(study.to_dict()) == study
    # A run of the whole has nothing that was held out.
    form["sweep"][0]["grid"]["dataset"].append(MINI)
    with pytest.raises(SpecError, match=r"The run with dataset=dsprites\(.* Nothing is held out"):
        plan(study_of(form, "parts"))


def test_what_earlier_versions_have_stored_of_a_study_is_read_and_written_as_ever():
    study = study_of({"train": TRAIN, "evaluate": {"metrics": ["mig"], "seed": 3}}, "old")
    stored = {
        "metrics": ["mig"], "protocol": "unweave", "part": "all", "codes": "mean", "seed": 3,
        "repeats": 1,
    }  # fmt: skip
    form = json.loads(json.dumps(study.to_dict()))
    assert form["scores"] == [stored]
    assert Study.from_dict(form | {"scores": [stored]}) == study
    (run,) = plan(study)
    assert json.loads(json.dumps(run.item(study, "place").payload["scores"])) == [stored]


def test_the_run_whose_weights_come_first_is_the_same_from_everywhere(tmp_path, monkeypatch):
    form = {"train": TRAIN | {"init_from": "first"}}
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="first"):
        plan(study_of(form, "second"))
    keys = []
    for place in ("here", "there"):
        run = tmp_path / place / "first"
        train(MINI, "beta_vae(beta=4)", steps=1, out=run, batch_size=8)
        monkeypatch.chdir(run.parent)
        (planned,) = plan(study_of(form, "second"))
        assert planned.config.init_from == str(run)
        keys.append(planned.key)
    assert keys[0] != keys[1]
    (run / "checkpoint" / "state.safetensors").unlink()
    with pytest.raises(RunError, match="has no weights"):
        plan(study_of(form, "second"))


def test_two_equal_trainings_are_refused():
    form = {"train": TRAIN, "sweep": [{"list": [{"batch_size": 64}, {"latents": 10}]}]}
    with pytest.raises(SpecError, match="batch_size=64 and with latents=10 are the same"):
        plan(study_of(form, "twice"))


def test_a_dataset_that_cannot_be_had_is_named():
    with pytest.raises(DataError, match="celeba"):
        plan(study_of({"train": TRAIN | {"dataset": "celeba"}}, "faces"))


def test_random_settings_keep_to_their_laws_and_stay_when_more_are_drawn():
    fields = {
        "lr": {"log": [1e-4, 1e-2]},
        "batch_size": {"integers": [8, 12]},
        "holdout": {"uniform": [0, 0.5]},
        "latents": {"choice": [5, 10]},
    }
    few = axis_of({"random": {"samples": 20, "seed": 1, **fields}}, "sweep 1")
    many = axis_of({"random": {"samples": 400, "seed": 1, **fields}}, "sweep 1")
    assert many[:20] == few
    assert all(1e-4 <= s["lr"] <= 1e-2 for s in many)
    # As many below the middle of the logarithm as above.
    assert 160 < sum(s["lr"] < 1e-3 for s in many) < 240
    assert {s["batch_size"] for s in many} == set(range(8, 13))
    assert {s["latents"] for s in many} == {5, 10}
    assert len({s["holdout"] for s in many}) == 400


@pytest.mark.parametrize(
    "sweep",
    [
        "grid.{path} = [1, 2]",
        "zip.{path} = [1, 2]",
        "list = [{{ {path} = 1 }}, {{ {path} = 2 }}]",
        "random = {{ samples = 9, {path}.integers = [1, 2] }}",
    ],
)
def test_paths_of_sweeps_need_no_quotes(sweep):
    text = "[[sweep]]\n" + sweep
    plain, quoted = (
        study_of(tomllib.loads(text.format(path=path)), "s").axes[0]
        for path in ("objective.beta", '"objective.beta"')
    )
    assert plain == quoted
    assert sorted(s["objective.beta"] for s in plain) == [1, 2]


def test_studies_of_the_guide_and_of_the_examples_can_be_run():
    root = Path(__file__).parents[2]
    page = (root / "docs/how-to/run-a-study.md").read_text("utf-8")
    whole, axes, parts, kinds = (
        tomllib.loads(text) for text in re.findall(r"^```toml\n(.*?)^```$", page, re.S | re.M)
    )
    assert len(plan(study_of(whole, "guide"))) == 6
    assert len(plan(study_of({"train": {"objective": "vae", "steps": 9}} | parts, "guide"))) == 2
    models = study_of({"train": {"dataset": MINI, "steps": 9}} | kinds, "guide")
    asked = [[r.metrics for r in models.asked_of(run.config)] for run in plan(models)]
    everything = [("reconstruction_nll",), ("mig", "dci")]
    assert asked == [everything, everything, everything[:1]]
    train = {"dataset": MINI, "objective": "factor_vae"}
    settings = study_of({"train": train} | axes, "guide").combinations()
    # Each axis by itself, since not all of them fit one method.
    assert len(settings) == 6 * 2 * 2 * 20
    for path in sorted((root / "examples").glob("*.toml")):
        assert plan(read_study(path)), path
    assert len(plan(read_study(root / "examples/six-runs.toml"))) == 6


def test_axes_combine_with_the_first_slowest():
    axes = [[{"a": 1}, {"a": 2}], [{"b": 3}, {"b": 4}]]
    assert list(combined(axes)) == [
        {"a": 1, "b": 3},
        {"a": 1, "b": 4},
        {"a": 2, "b": 3},
        {"a": 2, "b": 4},
    ]


def test_paths_reach_into_components():
    config = config_of(
        TRAIN
        | {
            "objective": "beta_tcvae + density_ratio_tc(weight=1)",
            "objective.gamma": "linear(start=0, stop=1, steps=5)",
            "objective.density_ratio_tc.weight": 3,
            "optimizer.lr": 0.01,
            "dataset.grid": [3, 2, 2, 8, 8],
        }
    )
    assert str(config.objective) == (
        "beta_tcvae(gamma=linear(start=0, stop=1, steps=5)) + density_ratio_tc(weight=3)"
    )
    assert config.optimizer.lr == 0.01
    assert config.dataset.grid == (3, 2, 2, 8, 8)


def test_a_preset_gives_way_to_what_is_set():
    config = config_of({"preset": "demo", "steps": 5, "seed": 2})
    assert (str(config.objective), config.steps, config.seed) == ("beta_tcvae(beta=4)", 5, 2)
