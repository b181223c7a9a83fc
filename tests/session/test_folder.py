"""A run folder is never overwritten unasked, and a full disk leaves what was good."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import filelock
import numpy as np
import pytest

import unweave
from session.runs import (
    MINI,
    RICH,
    Watcher,
    checkpoint_step,
    cli,
    copy_of,
    document,
    full_disk,
    lines,
    listing,
    paragraph,
    resume,
    rich,
    tensors,
    train,
)

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="names of open files are read from /proc"
)
needs_full = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no /dev/full"
)


@pytest.fixture
def watch(monkeypatch):
    watcher = Watcher()
    monkeypatch.setattr("unweave.cli.watch.make_watch", lambda: watcher)
    return watcher


def test_an_existing_run_is_not_overwritten(tmp_path):
    run = copy_of(rich(), tmp_path)
    before = listing(tmp_path)
    paragraph(train(run, steps=2), str(run), "exists", "--resume", "--overwrite", "--out")
    assert listing(tmp_path) == before


def test_overwrite_replaces_a_run_and_all_its_files(tmp_path):
    run = copy_of(rich(), tmp_path)
    (run / "report.html").write_text("old")
    result = train(run, "vae", steps=2, overwrite=True)
    assert result.code == 0, result.err
    assert checkpoint_step(run) == 2
    assert {path.name for path in run.iterdir()} == {
        "checkpoint",
        "config.json",
        "environment.json",
        "log.txt",
        "metrics.jsonl",
        "status.json",
    }
    assert [row["step"] for row in lines(run)] == [2]
    assert {path.name for path in tmp_path.iterdir()} == {"copy"}


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_is_not_a_run_is_never_touched(tmp_path, overwrite):
    folder = tmp_path / "thesis"
    folder.mkdir()
    (folder / "chapter.tex").write_text("years of work")
    before = listing(tmp_path)
    extra = {"overwrite": True} if overwrite else {}
    paragraph(train(folder, steps=2, **extra), str(folder), "not a run folder", "--out")
    assert listing(tmp_path) == before


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_in_the_way_is_never_touched(tmp_path, overwrite):
    path = tmp_path / "file"
    path.write_text("mine")
    extra = {"overwrite": True} if overwrite else {}
    paragraph(train(path, steps=2, **extra), str(path), "not a run folder")
    assert path.read_text() == "mine"


def test_a_name_that_no_folder_can_have(tmp_path):
    paragraph(train(tmp_path / "a\0b", steps=2), "a null character is in its name")
    assert listing(tmp_path) == {}


def test_an_empty_folder_is_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert train(Path(), steps=2).code == 0
    assert checkpoint_step(tmp_path) == 2


def test_a_run_does_not_replace_the_run_it_starts_from(tmp_path):
    run = copy_of(rich(), tmp_path)
    before = listing(run)
    result = train(run, steps=2, latents=4, overwrite=True, init_from=run)
    paragraph(result, "--init-from", str(run))
    assert listing(run) == before


def test_the_files_of_a_run(tmp_path):
    """What the architecture page says of a run folder."""
    run = rich()
    config = document(run / "config.json")
    assert config["format"] == 1
    assert config["unweave"] == unweave.__version__
    assert len(config["address"]) == 64
    assert config["text"]["dataset"] == RICH
    assert config["text"]["objective"] == "beta_tcvae(beta=2)"
    assert config["text"]["optimizer"] == "adam(lr=0.001)"
    assert config["objective"]["type"] == "beta_tcvae"
    assert config["objective"]["gamma"] == 1.0
    assert (config["threads"], config["device"], config["precision"]) == (1, "cpu", "float32")
    environment = document(run / "environment.json")
    assert {"python", "platform", "processor", "torch", "numpy"} <= environment.keys()
    status = document(run / "status.json")
    assert (status["state"], status["step"], status["steps"]) == ("finished", 24, 24)
    assert status["seconds"] > 0
    assert status["images_per_second"] > 0
    assert "Training beta_tcvae(beta=2)" in (run / "log.txt").read_text()
    rows = lines(run, "train")
    assert [row["step"] for row in rows] == [4, 8, 12, 16, 20, 24]
    for row in rows:
        terms = {"reconstruction", "mutual_information", "total_correlation", "dimension_kl"}
        assert row["raw"].keys() == row["weighted"].keys() == terms
        assert len(row["kl"]) == 4
        assert row["weighted"]["total_correlation"] == pytest.approx(
            2 * row["raw"]["total_correlation"], rel=1e-5
        )
        assert sum(row["weighted"].values()) == pytest.approx(row["loss"]["model"], rel=1e-5)


@needs_proc
def test_a_disk_that_is_nearly_full_is_seen_before_anything_is_written(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=5_000_000))
    result = cli("train", MINI, "vae", "--steps", "1", "--out", tmp_path / "new" / "run")
    paragraph(result, "needs at least 13 MB", "5 MB are free", "--out")
    assert listing(tmp_path) == {}


@pytest.mark.parametrize("name", ["environment.json", "status.json", "config.json"])
def test_full_disk_at_the_start_leaves_nothing(tmp_path, monkeypatch, name):
    with full_disk(monkeypatch, name) as refused:
        result = train(tmp_path / "new" / "run", steps=2)
    assert refused
    paragraph(result, "disk is full", str(tmp_path / "new" / "run"), "--out")
    assert listing(tmp_path) == {}


@needs_proc
@pytest.mark.parametrize("name", ["environment.json", "status.json", "config.json"])
def test_full_disk_at_the_start_keeps_the_run_that_would_be_replaced(tmp_path, monkeypatch, name):
    run = copy_of(rich(), tmp_path)
    before = listing(tmp_path)
    with full_disk(monkeypatch, name):
        result = train(run, steps=2, overwrite=True)
    paragraph(result, "disk is full", str(run))
    assert listing(tmp_path) == before


@needs_proc
def test_full_disk_at_a_checkpoint_keeps_the_last_one(tmp_path, monkeypatch, watch):
    run = tmp_path / "run"
    patches = []

    def fill():
        patch = full_disk(monkeypatch, "state.safetensors")
        patches.append((patch, patch.__enter__()))

    watch.at = {3: fill}
    try:
        result = train(run, steps=6, log_every=1, checkpoint_every=2)
    finally:
        patches[0][0].__exit__(None, None, None)
    assert patches[0][1]
    paragraph(result, "disk is full", "state.safetensors")
    assert checkpoint_step(run) == 2
    assert {path.name for path in (run / "checkpoint").iterdir()} == {"state.safetensors"}
    status = document(run / "status.json")
    assert status["state"] == "stopped"
    assert "disk is full" in status["message"]
    watch.at = {}
    assert resume(run).json["state"] == "finished"
    train(tmp_path / "whole", steps=6, log_every=1, checkpoint_every=2)
    for name, value in tensors(tmp_path / "whole").items():
        assert value.equal(tensors(run)[name])


@needs_full
@pytest.mark.parametrize("observer", [{}, {"evaluate_every": 2, "log_every": 100, "latents": 2}])
def test_full_disk_at_the_metrics_keeps_the_checkpoint(tmp_path, watch, observer):
    run = tmp_path / "run"
    watch.at = {1: lambda: (run / "metrics.jsonl").symlink_to("/dev/full")}
    settings = {"dataset": RICH, "steps": 4, "log_every": 2, "checkpoint_every": 1, **observer}
    result = train(run, **settings)
    paragraph(result, "disk is full", "metrics.jsonl")
    assert document(run / "status.json")["state"] == "stopped"
    assert checkpoint_step(run) <= 2
    (run / "metrics.jsonl").unlink()
    watch.at = {}
    assert resume(run).json["state"] == "finished"
    train(tmp_path / "whole", **settings)
    for name, value in tensors(tmp_path / "whole").items():
        assert value.equal(tensors(run)[name])


@needs_full
def test_a_log_that_cannot_be_written_stops_nothing(tmp_path, capfd):
    run = tmp_path / "run"
    train(run, steps=2)
    (run / "log.txt").unlink()
    (run / "log.txt").symlink_to("/dev/full")
    result = resume(run, steps=4)
    assert result.code == 0
    assert result.json["state"] == "finished"
    captured = capfd.readouterr()
    assert "Traceback" not in result.err + captured.err
    assert "Logging error" not in result.err + captured.err


@needs_proc
@pytest.mark.parametrize(
    ("setting", "name"), [("snapshot_every", "step-0000002"), ("picture_every", "step-0000002")]
)
def test_full_disk_at_a_snapshot_or_picture(tmp_path, monkeypatch, setting, name):
    run = tmp_path / "run"
    settings = {"steps": 4, "checkpoint_every": 1, setting: 2}
    with full_disk(monkeypatch, name):
        paragraph(train(run, **settings), "disk is full", name)
    assert checkpoint_step(run) == 1
    assert not list(run.rglob("*.tmp"))
    assert resume(run).json["state"] == "finished"
    assert [path.name for path in run.rglob("step-*2.*")]


@needs_proc
def test_full_disk_at_the_scores_keeps_the_old_scores(tmp_path, monkeypatch):
    run = copy_of(rich(), tmp_path)
    given = ("evaluate", run, "--metrics", "mig")
    assert cli(*given).code == 0
    before = listing(run)
    with full_disk(monkeypatch, "scores.json"):
        paragraph(cli(*given, "--seed", 1), "disk is full", "scores.json")
    assert listing(run) == before


def test_full_disk_at_the_cache_of_codes(tmp_path, monkeypatch):
    run = copy_of(rich(), tmp_path)

    def save(*arguments, **keywords):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", save)
        paragraph(cli("evaluate", run), "disk is full", "cache")
    assert not list((run / "cache").iterdir())
    assert not (run / "scores.json").exists()


@needs_proc
@pytest.mark.usefixtures("one_figure")
@pytest.mark.parametrize("name", ["report.html", "kl.png"])
def test_full_disk_at_the_report(tmp_path, monkeypatch, name):
    run = copy_of(rich(), tmp_path)
    assert cli("evaluate", run, "--metrics", "mig").code == 0
    with full_disk(monkeypatch, name):
        paragraph(cli("report", run), "disk is full", name)
    assert not (run / "report.html").exists()
    assert not list(run.rglob("*.tmp"))


@needs_proc
def test_full_disk_while_a_dataset_is_prepared(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "home"))
    with full_disk(monkeypatch, "images.bin") as refused:
        result = train(tmp_path / "run", steps=2)
    assert refused
    paragraph(result, "disk is full", "UNWEAVE_HOME")
    assert listing(tmp_path) == {}
    assert train(tmp_path / "run", steps=2).code == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for the superuser")
def test_a_folder_that_cannot_be_written(tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    paragraph(train(locked / "run", steps=2), "cannot be written", "Choose another folder")


def test_a_run_of_another_format_is_refused(tmp_path):
    run = copy_of(rich(), tmp_path)
    text = (run / "config.json").read_text()
    (run / "config.json").write_text(text.replace('"format": 1', '"format": 99', 1))
    for result in (cli("evaluate", run), resume(run), cli("plot", run)):
        paragraph(result, "format 99", "reads 1")


@pytest.mark.parametrize("content", ["", "[]", '{"format": 1}', '{"format": 1, "stepz": 3}'])
def test_a_damaged_configuration_is_refused(tmp_path, content):
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text(content)
    before = listing(run)
    for result in (cli("evaluate", run), resume(run), cli("report", run)):
        paragraph(result, str(run / "config.json"))
    assert listing(run) == before


def test_a_second_training_of_a_run_is_refused(tmp_path):
    run = copy_of(rich(), tmp_path)
    with filelock.FileLock(run / ".lock"):
        before = listing(tmp_path)
        paragraph(resume(run, steps=1000), str(run), "another process")
        paragraph(train(run, steps=2, overwrite=True), str(run), "another process")
        assert listing(tmp_path) == before


def test_what_a_kill_left_half_written_goes_with_the_next_training(tmp_path):
    run = tmp_path / "run"
    assert train(run, steps=2).code == 0
    torn = run / "checkpoint" / ".state.safetensors-0a0b0c0d.tmp"
    torn.write_bytes(b"half")
    (run / "cache" / ".encoding-x").mkdir(parents=True)
    assert resume(run, steps=3).code == 0
    assert not torn.exists()
    assert not (run / "cache" / ".encoding-x").exists()
    assert not (run / ".lock").exists()


def test_the_status_follows_the_checkpoints(tmp_path):
    run = tmp_path / "run"
    seen = {}
    watcher = Watcher(at={3: lambda: seen.update(document(run / "status.json"))})
    unweave.train(MINI, "vae", steps=4, batch_size=8, checkpoint_every=2, out=run, watch=watcher)
    assert (seen["state"], seen["step"]) == ("running", 2)
    assert document(run / "status.json")["state"] == "finished"
