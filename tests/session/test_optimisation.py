"""Learning rates, clipping and running means in whole trainings, logged, resumed and used."""

from __future__ import annotations

import signal

import numpy as np
import pytest
import safetensors.torch
import torch

from session.runs import (
    MINI,
    RICH,
    Watcher,
    assert_same_state,
    cli,
    document,
    lines,
    listing,
    paragraph,
    resume,
    tensors,
    timeless,
    train,
)
from unweave import metrics
from unweave.run import load_run

STEPS = 12
OBJECTIVE = "factor_vae(width=50)"
SETTINGS = {
    "mean": {"ema": 0.8, "clip_norm": 5, "clip_value": 0.5, "snapshot_every": 4},
    "term": {
        "optimizer": "sgd(lr=plateau(start=1e-5, monitor='raw/reconstruction', patience=0, "
        "threshold=0.5, every=2, unit=steps), momentum=0.5)"
    },
    "score": {
        "optimizer": "adam(lr=plateau(start=0.001, monitor='scores/mig', mode=max, patience=0, "
        "threshold=0.9, threshold_mode=abs, every=2, unit=steps))",
        "evaluate_every": 3,
        "latents": 3,
    },
    "cycle": {"optimizer": "adam(lr=one_cycle_lr(max_lr=0.001, total_steps=12))"},
    "epochs": {"optimizer": "adamw(lr=exponential_lr(start=0.001, gamma=0.5, unit=epochs))"},
}


@pytest.fixture
def watch(monkeypatch):
    """The watch of the commands in this test."""
    watcher = Watcher()
    monkeypatch.setattr("unweave.cli.watch.make_watch", lambda: watcher)
    return watcher


@pytest.mark.parametrize("name", SETTINGS)
def test_resume_equals_uninterrupted(tmp_path, watch, name):
    settings = {"steps": STEPS, "log_every": 3, "checkpoint_every": 5, **SETTINGS[name]}
    if name == "epochs":
        # An epoch of the 24 images that are left to train on has three steps.
        settings |= {"batch_size": 8, "holdout": 0.9375}
    settings["dataset"] = RICH
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert train(whole, OBJECTIVE, **settings).json["state"] == "finished"
    watch.at = {7: lambda: signal.raise_signal(signal.SIGINT)}
    assert train(broken, OBJECTIVE, **settings).json["state"] == "stopped"
    watch.at = {}
    assert resume(broken).json["state"] == "finished"
    assert_same_state(whole, broken)
    assert timeless(lines(broken)) == timeless(lines(whole))
    logged = [row.get("lr") for row in lines(whole, "train")]
    if name == "mean":
        assert logged == [None] * 4
    else:
        assert len(set(logged)) > 1, logged
    if name == "epochs":
        assert logged == [0.001, 0.0005, 0.00025, 0.000125]


def test_scores_are_compared_where_there_is_a_new_one(tmp_path):
    """MIG is below 0.9 always: each further score is no better, and divides the rate by 10."""
    run = tmp_path / "run"
    settings = {"steps": 13, "log_every": 1, **SETTINGS["score"]}
    assert train(run, "vae", dataset=RICH, **settings).code == 0
    assert all(row["scores"]["mig"] < 0.9 for row in lines(run, "scores"))
    # Scores after steps 3, 6, 9 and 12; compared after steps 4, 8, 10 (and 14).
    rates = [row["lr"] for row in lines(run, "train")]
    assert rates == pytest.approx([1e-3] * 8 + [1e-4] * 2 + [1e-5] * 3)


def test_what_a_plateau_monitors_must_be_logged(tmp_path):
    for text, words in (
        ("monitor='raw/kld'", ("'raw/kld' is not logged", "raw/kl")),
        ("monitor='scores/mig'", ("'scores/mig' is not logged",)),
        ("monitor=loss", ("'loss' is not logged", "loss/model")),
    ):
        optimizer = f"adam(lr=plateau(start=0.1, {text}))"
        paragraph(train(tmp_path / "run", steps=3, optimizer=optimizer), *words)
    cycle = "adam(lr=one_cycle_lr(max_lr=0.1, total_steps=5))"
    paragraph(train(tmp_path / "run", steps=6, optimizer=cycle), "total_steps is 5", "6 times")
    assert listing(tmp_path) == {}


def test_a_cycle_that_is_over_cannot_be_made_longer(tmp_path):
    run = tmp_path / "run"
    cycle = "adam(lr=one_cycle_lr(max_lr=0.001, total_steps=4))"
    assert train(run, steps=4, optimizer=cycle).json["state"] == "finished"
    before = listing(run)
    paragraph(resume(run, steps=6), "total_steps is 4")
    assert listing(run) == before


def test_a_dry_run_of_a_cycle_shorter_than_what_is_measured(tmp_path):
    cycle = "adam(lr=one_cycle_lr(max_lr=0.001, total_steps=2))"
    settings = ("--steps", 2, "--batch-size", 8, "--threads", 1, "--optimizer", cycle)
    result = cli("train", MINI, "vae", *settings, "--dry-run", "--json")
    assert result.code == 0, result.err


@pytest.fixture(scope="module")
def averaged(tmp_path_factory):
    """A run with a running mean of its weights."""
    run = tmp_path_factory.mktemp("averaged") / "run"
    settings = {"steps": 6, "ema": 0.8, "lr": 0.01, "latents": 3, "snapshot_every": 6}
    assert train(run, OBJECTIVE, dataset=RICH, evaluate_every=6, **settings).code == 0
    return run


def test_the_mean_is_what_is_scored_and_decoded_with(averaged):
    state = tensors(averaged)
    run = load_run(averaged)
    for name, value in run.model.state_dict().items():
        assert torch.equal(value, state[f"average/model/{name}"]), name
    part = run.parts["discriminator"].state_dict()
    for name, value in part.items():
        assert torch.equal(value, state[f"average/part/discriminator/{name}"]), name
    assert not torch.equal(run.model.head.bias, state["model/head.bias"])
    snapshot = safetensors.torch.load_file(averaged / "snapshots" / "step-0000006.safetensors")
    for name, value in snapshot.items():
        assert torch.equal(value, state[f"average/{name}"]), name
    # All 384 images are scored while it trains, of the same weights.
    score = metrics.evaluate(run.representation(part="all"), metrics=("mig",))["mig"].value
    assert lines(averaged, "scores")[-1]["scores"]["mig"] == pytest.approx(score, abs=1e-6)


def test_another_training_begins_with_the_mean(averaged, tmp_path):
    settings = {"steps": 1, "latents": 3, "init_from": averaged, "lr": 1e-12, "ema": 0.5}
    assert train(tmp_path / "run", OBJECTIVE, dataset=RICH, **settings).code == 0
    before, after = tensors(averaged), tensors(tmp_path / "run")
    mean, trained = before["average/model/head.weight"], before["model/head.weight"]
    assert not torch.allclose(mean, trained, rtol=0, atol=1e-3)
    for name in ("model/head.weight", "average/model/head.weight"):
        torch.testing.assert_close(after[name], mean, rtol=0, atol=1e-9)


def test_settings_are_in_the_runs_configuration_and_its_command(averaged):
    config = document(averaged / "config.json")
    assert (config["ema"], config["clip_norm"], config["clip_value"]) == (0.8, None, None)
    assert "--ema 0.8" in config["command"]
    assert load_run(averaged).config.ema == 0.8


def test_settings_that_are_refused(tmp_path):
    for flag, value, words in (
        ("ema", 1, "ema must be less than 1"),
        ("ema", -0.1, "ema must be at least 0"),
        ("clip_norm", 0, "clip_norm must be more than 0"),
        ("clip_value", "much", "--clip-value takes a number"),
    ):
        paragraph(train(tmp_path / "run", steps=1, **{flag: value}), words)
    assert not np.any([*tmp_path.iterdir()])
