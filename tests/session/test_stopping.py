"""Ctrl-C, a termination and a time limit stop at a checkpoint; a second Ctrl-C ends at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from session.runs import (
    MINI,
    TINY,
    Watcher,
    assert_same_state,
    checkpoint_step,
    document,
    flags,
    resume,
    train,
)


@pytest.fixture
def watch(monkeypatch):
    watcher = Watcher()
    monkeypatch.setattr("unweave.cli.watch.make_watch", lambda: watcher)
    return watcher


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_at_a_checkpoint(tmp_path, watch, number):
    watch.at = {3: lambda: signal.raise_signal(number)}
    before = signal.getsignal(number)
    result = train(tmp_path / "run", steps=50, checkpoint_every=1000)
    assert result.code == 0
    assert result.json["state"] == "stopped"
    assert "Stopping at a checkpoint" in result.err
    assert "Traceback" not in result.err
    step = result.json["steps"]
    assert 3 <= step <= 4
    assert checkpoint_step(tmp_path / "run") == step
    status = document(tmp_path / "run" / "status.json")
    assert status["state"] == "stopped"
    assert status["step"] == step
    assert signal.Signals(number).name in status["message"]
    assert watch.closed == 1
    assert signal.getsignal(number) is before


def test_two_signals_end_at_once(tmp_path, watch):
    def twice():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    watch.at = {3: twice}
    settings = {"steps": 6, "checkpoint_every": 2}
    result = train(tmp_path / "run", **settings)
    assert result.code == 130
    assert result.out == ""
    assert "Traceback" not in result.err
    assert result.err.splitlines()[-1] == "Interrupted."
    assert watch.steps[-1] == 3
    assert watch.closed == 1
    assert checkpoint_step(tmp_path / "run") == 2
    watch.at = {}
    assert resume(tmp_path / "run").json["state"] == "finished"
    train(tmp_path / "whole", **settings)
    assert_same_state(tmp_path / "whole", tmp_path / "run")


def test_a_termination_right_after_ctrl_c_is_the_same_request(tmp_path, watch):
    def both():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)

    watch.at = {3: both}
    result = train(tmp_path / "run", steps=6)
    assert (result.code, result.json["state"]) == (0, "stopped")
    assert checkpoint_step(tmp_path / "run") == result.json["steps"]


def test_a_time_limit_stops_at_a_checkpoint(tmp_path, watch):
    watch.at = {step: lambda: time.sleep(0.05) for step in range(1, 200)}
    result = train(tmp_path / "run", steps=200, checkpoint_every=1000, max_minutes=0.3 / 60)
    assert result.code == 0
    assert result.json["state"] == "stopped"
    step = result.json["steps"]
    assert 1 <= step <= 8  # 0.3 s at 0.05 s or more a step, and the step that was begun
    assert checkpoint_step(tmp_path / "run") == step


def test_a_limit_that_is_not_reached_changes_nothing(tmp_path):
    train(tmp_path / "one", steps=2)
    assert train(tmp_path / "two", steps=2, max_minutes=60).json["state"] == "finished"
    assert_same_state(tmp_path / "one", tmp_path / "two")


def test_training_outside_the_main_thread_leaves_signals_alone(tmp_path):
    import threading

    import unweave

    before = signal.getsignal(signal.SIGINT)
    found = []

    def work():
        run = unweave.train(MINI, "vae", steps=2, out=tmp_path / "run", batch_size=8)
        found.append(run.status["state"])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == ["finished"]
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_on_a_real_process(tmp_path):
    """The whole way: a process, a signal from outside, exit code 0, a resume."""
    command = [sys.executable, "-m", "unweave", "train", MINI, "beta_vae", "--out", "run"]
    command += flags(**TINY, steps=100_000, log_every=1, checkpoint_every=100_000)
    process = subprocess.Popen(
        [*command, "--json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        lines = tmp_path / "run" / "metrics.jsonl"
        limit = time.monotonic() + 240
        while not (lines.is_file() and lines.stat().st_size) and time.monotonic() < limit:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, err
    assert '"state": "stopped"' in out
    assert "Traceback" not in err
    step = checkpoint_step(tmp_path / "run")
    assert 1 <= step < 100_000
    assert document(tmp_path / "run" / "status.json")["step"] == step
    longer = resume(tmp_path / "run", max_minutes=1e-9)
    assert longer.json["steps"] == step + 1
