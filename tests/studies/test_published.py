"""Published studies have the runs and settings of their sources, and scale by one law."""

import math
from dataclasses import replace

import pytest
import torch

from reference.published_runs import ALL, SCRIPTS, runs_of
from unweave.analysis import choose
from unweave.data import DatasetSpec
from unweave.errors import SpecError
from unweave.metrics.protocols import protocol
from unweave.nn import Architecture
from unweave.objectives import Method, Term
from unweave.presets import preset
from unweave.scores import load_scores
from unweave.spec import members
from unweave.studies import Study, plan, run_study
from unweave.studies.fields import config_of
from unweave.studies.published import published, ready, scaled
from unweave.studies.published.scaling import scaled_text

# From the specifications of the sources: how many trainings each script or table has.
RUNS = {
    "disvae/train_all": 5 * 4 + 2,
    "disvae/train_mutual_info": 5 * 2,
    "disvae/metrics_all": 5,
    "dlib/unsupervised": 12_600,
    "dlib/fairness": 12_600,
    "dlib/abstract_reasoning": 360,
    "dag/dsprites": 3 * 6,
    "dag/shapes3d": 4 * 6,
    "dag/mpi3d": 30,
    "dag/dsprites_decoders": 3 + 3 + 2,
    "dag/shapes3d_decoders": 5 * 3,
    "dag/mpi3d_decoders": 5,
    "dag/composition": 6,
    "dag/composition_parts": 2,
    "clg/dsprites": 10,
    "clg/shapes3d": 10,
    "clg/components": 30,
    "clg/group_size": 60,
    "clg/commutator": 60,
    "clg/hessian": 60,
    "clg/beta_vae": 30,
    **dict.fromkeys(SCRIPTS, 1),
}
# What may be waited for: a name that is misspelt is none of these.
TO_COME = {
    "dataset abstract_dsprites",
    "adam(lr=plateau)",
    *(f"method or term {name}" for name in ("autoencoder", "composer", "cvae", "ifcvae")),
    *(f"method or term {name}" for name in ("dip_vae_i", "dip_vae_ii", "lie_group_vae")),
    "method or term ground_truth_decoder",
    *(f"architecture {name}" for name in ("locatello", "burgess_v2", "higgins", "kim")),
    *(f"architecture {name}" for name in ("lie_group", "simple_conv64", "padless_conv64")),
    *(f"architecture decoder_{name}" for name in ("higgins", "burgess", "deep")),
    *(f"architecture decoder_{name}" for name in ("kim_bn", "deep_bn")),
}
every_study = pytest.mark.parametrize("name", ALL)


@pytest.fixture(autouse=True)
def _nothing_is_here(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))


def test_there_are_as_many_runs_as_published():
    assert {name: study.runs for name, study in ALL.items()} == RUNS
    assert len(SCRIPTS) == 14


@every_study
def test_every_study_is_whole_and_says_what_it_waits_for(name):
    entry = ALL[name]
    study = published(name)
    assert len(study.combinations()) == entry.runs
    assert entry.about.endswith(".")
    assert entry.source in study.about
    assert not entry.source.endswith(".")
    assert study.name == name.replace("/", "-")
    assert Study.from_dict(study.to_dict()) == study
    assert set(entry.waits_for()) <= TO_COME
    part, counts = ready(study)
    waiting = {what: n for what, n in counts.items() if not what.startswith("files of ")}
    assert set(waiting) == set(entry.waits_for())
    assert all(0 < n <= entry.runs for n in counts.values())
    assert (len(part.combinations()) < entry.runs) == bool(counts)


@every_study
def test_no_two_runs_of_a_study_are_the_same_and_every_text_is_read(name):
    runs = runs_of(name)
    assert len({repr(sorted(run.items())) for run in runs}) == len(runs)
    for run in runs[:: max(1, len(runs) // 40)]:
        # What is not there yet is told from what is wrong.
        assert ("preset" in run) or {"dataset", "objective"} <= set(run)
        if not any(ready(Study(name="one", settings=run))[1]):
            assert config_of(run).steps >= 1


@every_study
def test_scores_are_defined_by_their_protocols(name):
    for request in ALL[name].scores:
        metrics, analyses = choose(protocol(request.protocol), request.metrics)
        assert len(metrics) + len(analyses) >= 1
    empty = replace(published(name), settings={}, axes=((),))
    assert plan(empty) == ()


@pytest.mark.parametrize("scale", [0.01, 0.5, 3])
@every_study
def test_a_scale_multiplies_lengths_and_nothing_else(name, scale):
    whole, short = runs_of(name), runs_of(name, scale)
    assert published(name, scale).name == f"{name.replace('/', '-')}-x{scale:g}"
    assert published(name, scale).scores == published(name).scores
    assert len(whole) == len(short)
    for before, after in list(zip(whole, short, strict=True))[:: max(1, len(whole) // 40)]:
        if "preset" in before:
            entry = preset(before["preset"])
            own = {"objective": entry.objective, **entry.settings}
            lengths = ("steps", "epochs", "objective", "optimizer")
            before = before | {field: own[field] for field in lengths if field in own}
        if "steps" in before:
            assert after["steps"] == max(1, math.ceil(before["steps"] * scale - 1e-9))
        else:
            assert after["epochs"] == pytest.approx(before["epochs"] * scale, rel=1e-12)
        assert scaled_text(before["objective"], scale) == after["objective"]
        changed = {n for n in before if before[n] != after[n]}
        assert changed <= {"steps", "epochs", "objective", "optimizer"}
        if "optimizer" in before:
            assert scaled_text(before["optimizer"], scale) == after["optimizer"]
        assert set(before) == set(after)


def test_a_scaled_ramp_has_the_shape_of_the_whole_one():
    for experiment in ("betaB_dsprites", "factor_dsprites", "btcvae_dsprites"):
        run = {"preset": f"disvae/{experiment}"}
        whole, short = config_of(run), config_of(scaled(run, 0.01))
        assert short.steps == math.ceil(whole.steps / 100)
        same = ("dataset", "optimizer", "architecture", "batch_size", "seed", "latents")
        assert all(getattr(short, field) == getattr(whole, field) for field in same)
        terms, shorter = whole.objective.expand().terms, short.objective.expand().terms
        raw = torch.tensor(7.25, dtype=torch.float64)
        for step in (1, 50, 100, 500, 1000, 3000):
            for term in terms:
                values = (terms[term].weigh(raw, 100 * step), shorter[term].weigh(raw, step))
                assert float(values[0]) == pytest.approx(float(values[1]), rel=1e-12)


@pytest.mark.parametrize(
    ("text", "scale", "after"),
    [
        ("vae", 0.01, "vae"),
        ("beta_vae(beta=linear(start=0, stop=4, steps=0))", 0.01, None),
        (
            "to_come(steps=100, a=linear(steps=7, start=0, stop=1)) + vae(kl=linear(start=1, "
            "stop=0, steps=1000))",
            0.1,
            "to_come(steps=100, a=linear(steps=1, start=0, stop=1)) + vae(kl=linear(start=1, "
            "stop=0, steps=100))",
        ),
        ("kl(weight=linear(start=0, stop=1, steps=100))", 0.07, "7"),
        ("adam(lr=to_come(steps=100))", 0.5, None),
        (
            "vae(kl=delayed(schedule=piecewise(values=(0, 1, 9), steps=(40, 100)), steps=10))",
            0.5,
            "vae(kl=delayed(schedule=piecewise(values=(0, 1, 9), steps=(20, 50)), steps=5))",
        ),
    ],
)
def test_only_lengths_of_schedules_change_in_a_text(text, scale, after):
    if after == "7":  # not 8: 0.07 is meant as it is written
        after = text.replace("100", "7")
    assert scaled_text(text, scale) == (text if after is None else after)


@pytest.mark.parametrize("scale", [0, -1, math.inf, math.nan, "much"])
def test_other_scales_are_refused(scale):
    with pytest.raises(SpecError, match="scale takes a number above 0"):
        published("disvae/train_all", scale)


@pytest.mark.parametrize(
    ("name", "near"),
    [("dlib/unsupervized", "dlib/unsupervised"), ("disvae/trainall", "disvae/train_all")],
)
def test_unknown_names(name, near):
    with pytest.raises(SpecError, match=f"Did you mean .*{near}"):
        published(name)


def test_a_study_changes_nothing_of_another():
    published("dag/dsprites").axes[0][0]["preset"] = "demo"
    published("dlib/unsupervised").settings["steps"] = 7
    assert published("dag/dsprites").axes[0][0]["preset"] == "dag/vae_dsprites_blank_side"
    assert published("dlib/unsupervised").settings["steps"] == 300_000


# disentangling-vae


def test_disvae_trains_its_experiments():
    losses, datasets = ("VAE", "betaH", "betaB", "factor", "btcvae"), ("dsprites", "celeba")
    grid = {f"{x}_{d}" for x in losses for d in (*datasets, "chairs", "mnist")}
    found = {run["preset"].removeprefix("disvae/") for run in runs_of("disvae/train_all")}
    assert found == grid | {"best_celeba", "best_dsprites"}
    found = {run["preset"] for run in runs_of("disvae/train_mutual_info")}
    assert found == {f"disvae/btcvae_{d}_a{a}" for d in datasets for a in (-5, -1, 0, 1, 5)}
    found = {run["preset"] for run in runs_of("disvae/metrics_all")}
    assert found == {f"disvae/{x}_dsprites" for x in losses}


def test_what_is_ready_of_disvae_is_planned():
    part, counts = ready(published("disvae/train_all"))
    assert counts == {"files of celeba": 6}
    runs = plan(part)
    assert len(runs) == 16
    steps = {str(run.varied["preset"]): run.config.steps for run in runs}
    assert steps["disvae/VAE_dsprites"] == 345_600
    assert steps["disvae/factor_mnist"] == 375_000
    short = {
        run.varied["preset"]: run.config
        for run in plan(ready(published("disvae/train_all", 0.01))[0])
    }
    assert short["disvae/VAE_dsprites"].steps == 3456
    assert short["disvae/VAE_dsprites"].optimizer.lr == 5e-4


def test_metrics_all_shares_its_runs_with_train_all():
    trained = {run.key for run in plan(ready(published("disvae/train_all"))[0])}
    scored = {run.key for run in plan(published("disvae/metrics_all"))}
    assert len(scored) == 5
    assert scored < trained


def test_a_scaled_study_is_carried_out(tmp_path):
    study = published("disvae/train_all", scale=1e-5)
    mini = {"dataset": "dsprites(grid=(3, 2, 4, 8, 8))", "steps": 2}
    axis = tuple(
        {name: value for name, value in entry.items() if name != "epochs"} | mini
        for entry in study.axes[0]
        if entry["preset"] in ("disvae/factor_dsprites", "disvae/betaB_dsprites")
    )
    folder, states = run_study(
        replace(study, axes=(axis,)), out=tmp_path / "study", executor="serial"
    )
    assert [state.state for state in states.values()] == ["finished"] * 2
    assert folder.study().name == "disvae-train_all-x1e-05"
    for key in states:
        rows = load_scores(folder.run_folder(key))
        assert {row["protocol"] for row in rows} == {"disvae/1"}
        assert "test_losses" in {row["metric"].partition(".")[0] for row in rows}


def test_what_is_there_is_not_waited_for():
    there = {*members(Architecture), *members(Method), *members(Term), *members(DatasetSpec)}
    for study in ALL.values():
        assert there.isdisjoint(what.split()[-1] for what in study.waits_for())
