"""Scores while a training goes on: by which metrics, of which codes, and what is refused."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np
import pytest

from session.runs import MINI, RICH, Watcher, cli, document, lines, resume, train
from unweave.errors import DataError, SpecError
from unweave.metrics import SAP
from unweave.metrics.threads import cores
from unweave.objectives import parse_objective
from unweave.run import load_run
from unweave.session import begin
from unweave.settings import make_config
from unweave.training import TrainConfig

METRICS = ("sap", "dci_lasso", "factor_vae", "irs", "modularity")
SETTINGS = {"latents": 3, "precision": "float32", "evaluate_every": 4, "dataset": RICH}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that was scored by several metrics, one of them named by its alias."""
    folder = tmp_path_factory.mktemp("scored") / "run"
    named = ",".join(("sap_score", *METRICS[1:]))
    assert train(folder, "vae", steps=8, evaluate_metrics=named, **SETTINGS).code == 0
    return folder


def test_they_are_those_of_the_same_codes_afterwards(run):
    one, last = lines(run, "scores")
    assert (one["step"], last["step"], last["samples"]) == (4, 8, 384)
    assert tuple(one["scores"]) == tuple(last["scores"]) == METRICS
    # All 384 images are scored on the way.
    later = load_run(run).evaluate(METRICS)
    for name in METRICS:
        assert last["scores"][name] == pytest.approx(later[name].value, abs=1e-6), name
    assert one["scores"] != last["scores"]


def test_the_command_says_them(run):
    assert (
        "--evaluate-metrics sap,dci_lasso,factor_vae,irs,modularity"
        in document(run / "config.json")["command"]
    )


def test_a_resume_keeps_them(run):
    said = cli("train", "--out", run, "--resume", "--evaluate-metrics", "mig")
    assert said.code == 2
    assert "a resume keeps it" in said.err
    assert resume(run).json["state"] == "finished"


def test_an_earlier_run_was_scored_by_mig(run, tmp_path):
    form = document(run / "config.json")
    assert form["evaluate_metrics"] == list(METRICS)
    config = TrainConfig.from_dict(
        {name: value for name, value in form.items() if name in _FIELDS}
        | {"evaluate_metrics": ["mig"]}
    )
    early = TrainConfig.from_dict(
        {name: value for name, value in form.items() if name in _FIELDS - {"evaluate_metrics"}}
    )
    assert early == config
    assert early.scored_metrics == ("mig",)


_FIELDS = set(TrainConfig.__dataclass_fields__)


def test_a_learning_rate_can_go_by_them():
    def config(monitor, **settings):
        rate = f"plateau(start=0.001, monitor='{monitor}', mode=max, every=2, unit=steps)"
        return make_config(MINI, "vae", steps=9, optimizer=f"adam(lr={rate})", **settings)

    asked = {"evaluate_every": 2, "evaluate_metrics": ["dci_lasso", "sap"]}
    assert config("scores/sap", **asked).scored_metrics == ("dci_lasso", "sap")
    with pytest.raises(SpecError, match="scores/mig"):
        config("scores/mig", **asked)


def test_a_score_that_cannot_be_had_is_left_out(tmp_path, monkeypatch, caplog):
    def score(metric, table, draws):
        raise DataError("sap has nothing to say of these codes.")

    monkeypatch.setattr(SAP, "score", score)
    with caplog.at_level(logging.WARNING):
        result = train(tmp_path / "run", "vae", steps=4, evaluate_metrics="sap,mig", **SETTINGS)
    assert result.json["state"] == "finished"
    assert list(lines(tmp_path / "run", "scores")[-1]["scores"]) == ["mig"]
    assert "Step 4 has no score by sap. sap has nothing to say" in caplog.text
    # Without any score there are no curves.
    result = train(tmp_path / "none", "vae", steps=4, evaluate_metrics="sap", **SETTINGS)
    assert [row["scores"] for row in lines(tmp_path / "none", "scores")] == [{}]
    assert load_run(tmp_path / "none").picture("score_curves") is None
    assert load_run(tmp_path / "run").picture("score_curves") is not None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("migg", "Unknown metric 'migg'. Did you mean mig"),
        (("mig", "mig"), "named twice"),
        (("sap", "sap_score"), "named twice"),
        ((), "metrics is empty"),
        ("mig(bins=3)", "named without settings"),
        (3, "metrics takes names"),
        ([3], "metrics takes names"),
    ],
)
def test_wrong_names(given, words):
    with pytest.raises(SpecError, match=words.replace("(", r"\(")):
        make_config(MINI, "vae", steps=9, evaluate_every=3, evaluate_metrics=given)


def test_none_are_the_usual_ones():
    config = make_config(MINI, "vae", steps=9, evaluate_every=3, evaluate_metrics=None)
    assert config.scored_metrics == ("mig",)
    assert make_config(MINI, "vae", steps=9).scored_metrics == ()


def test_posteriors_are_drawn_from_where_there_are_some(tmp_path):
    asked = {"evaluate_metrics": "wsepin", **SETTINGS}
    assert train(tmp_path / "a", "vae", steps=4, **asked).code == 0
    assert list(lines(tmp_path / "a", "scores")[-1]["scores"]) == ["wsepin"]
    refused = train(tmp_path / "b", "autoencoder", steps=4, **asked)
    assert refused.code == 2
    assert "wsepin draws from posteriors, and codes of autoencoder have no noise" in refused.err
    assert not (tmp_path / "b").exists()
    # What needs none scores such codes.
    given = asked | {"evaluate_metrics": "sap"}
    assert train(tmp_path / "c", "autoencoder", steps=4, **given).code == 0
    later = load_run(tmp_path / "c").evaluate(("sap",))["sap"].value
    assert lines(tmp_path / "c", "scores")[-1]["scores"]["sap"] == pytest.approx(later, abs=1e-6)


def test_metrics_without_an_interval():
    with pytest.raises(SpecError, match="Give evaluate_every, too"):
        make_config(MINI, "vae", steps=9, evaluate_metrics="sap")


def test_what_no_codes_of_a_run_could_have_is_refused_before_it(tmp_path):
    config = TrainConfig(
        dataset=make_config(RICH, "vae", steps=1).dataset,
        objective=parse_objective("vae"),
        steps=4,
        batch_size=8,
        latents=1,
        evaluate_every=2,
        evaluate_metrics=("sap",),
    )
    with pytest.raises(DataError, match="sap compares two latents"):
        begin(config, tmp_path / "run")
    unknown = dataclasses.replace(config, latents=2, evaluate_metrics=("migg",))
    with pytest.raises(SpecError, match="Unknown metric 'migg'"):
        begin(unknown, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_a_sample_cannot_say_is_refused_where_a_sample_is_scored(tmp_path, monkeypatch):
    asked = {**SETTINGS, "evaluate_metrics": "downstream_pairs"}
    assert train(tmp_path / "all", "vae", steps=4, **asked).code == 0
    later = load_run(tmp_path / "all").evaluate(("downstream_pairs",))["downstream_pairs"]
    found = lines(tmp_path / "all", "scores")[-1]["scores"]["downstream_pairs"]
    assert found == pytest.approx(later.value, abs=1e-6)
    monkeypatch.setattr("unweave.observers.SCORED_IMAGES", 383)
    refused = train(tmp_path / "some", "vae", steps=4, **asked)
    assert refused.code == 2
    words = "scores on the way are of 383 images, and downstream_pairs wants all 384."
    assert words in refused.err.replace("\n", " ")
    assert not (tmp_path / "some").exists()


def test_whoever_waits_for_signs_of_life_has_them(tmp_path):
    class Watch(Watcher):
        signs = 0

        def step(self, step, images):
            self.signs += images == 0
            super().step(step, images)

    watch = Watch()
    config = make_config(
        RICH, "vae", steps=4, batch_size=8, evaluate_every=4, evaluate_metrics=("irs", "sap")
    )
    begin(config, tmp_path / "run", watch=watch)
    assert watch.signs >= 2


def test_they_may_use_all_cores(tmp_path, monkeypatch):
    seen, score = [], SAP.score

    def watched(metric, table, draws):
        seen.append(cores())
        return score(metric, table, draws)

    monkeypatch.setattr(SAP, "score", watched)
    before = cores()
    config = make_config(
        RICH, "vae", steps=4, batch_size=8, threads=before, evaluate_every=4,
        evaluate_metrics=("sap",),
    )  # fmt: skip
    begin(config, tmp_path / "run")
    assert seen == [before]
    assert cores() == before


def test_images_without_factors_have_scores_that_need_none(tmp_path):
    images = np.random.default_rng(0).random((40, 64, 64, 1), np.float32)
    np.save(tmp_path / "images.npy", images)
    data = f"arrays(path='{tmp_path / 'images.npy'}')"
    settings = SETTINGS | {"dataset": data, "batch_size": 8, "evaluate_every": 2}
    done = train(tmp_path / "a", "vae", steps=2, evaluate_metrics="unsupervised", **settings)
    assert done.code == 0, done.err
    assert list(lines(tmp_path / "a", "scores")[-1]["scores"]) == ["unsupervised"]
    refused = train(tmp_path / "b", "vae", steps=2, evaluate_metrics="sap", **settings)
    assert refused.code == 2
    assert "sap needs factors" in refused.err
    assert not (tmp_path / "b").exists()
