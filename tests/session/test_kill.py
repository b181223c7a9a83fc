"""Killed at ten random steps, a training ends with the weights of an uninterrupted one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from session.runs import MINI, assert_same_state, document, flags, lines, timeless

KILLS = 10


def start(folder, objective, **settings):
    """The same command every time: it begins, or goes on with what there is."""
    command = [sys.executable, "-m", "unweave", "train", MINI, objective, "--out", str(folder)]
    return subprocess.Popen(
        [*command, *flags(**settings), "--resume", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def progress(folder):
    """The last step that metrics.jsonl tells of; a line may be half written."""
    path = folder / "metrics.jsonl"
    if not path.is_file():
        return 0
    for line in reversed(path.read_text(encoding="utf-8").splitlines()):
        try:
            return json.loads(line)["step"]
        except ValueError:
            continue
    return 0


def finish(process):
    out, err = process.communicate(timeout=1200)
    assert process.returncode == 0, err
    assert json.loads(out)["state"] == "finished"


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("objective", "steps"), [("beta_tcvae(beta=4)", 500), ("factor_vae(gamma=4)", 200)]
)
def test_ten_kills_leave_no_trace(tmp_path, objective, steps):
    settings = {
        "steps": steps, "batch_size": 8, "threads": 1, "precision": "auto", "seed": 1,
        "log_every": 2, "checkpoint_every": 7, "snapshot_every": 14, "evaluate_every": 70,
    }  # fmt: skip
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finish(start(whole, objective, **settings))

    rng = np.random.default_rng(20)
    # Steps of at most four fifths of the way: on a fast machine, too, the tenth kill hits.
    targets = np.sort(rng.choice(np.arange(1, 4 * steps // 5), KILLS, replace=False))
    hits = []
    for target in targets.tolist():
        process = start(killed, objective, **settings)
        limit = time.monotonic() + 600
        while progress(killed) < target:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < limit
            time.sleep(0.005)
        # And at a random moment of a step.
        time.sleep(rng.uniform(0, 0.02))
        process.kill()
        process.communicate()
        hits.append(progress(killed))
        assert document(killed / "status.json")["state"] == "running"
    assert len(hits) == KILLS
    finish(start(killed, objective, **settings))

    assert_same_state(whole, killed)
    assert timeless(lines(killed)) == timeless(lines(whole))
    assert document(killed / "config.json") == document(whole / "config.json")
    assert document(killed / "status.json")["state"] == "finished"
    snapshots = {path.name for path in (whole / "snapshots").iterdir()}
    assert {path.name for path in (killed / "snapshots").iterdir()} >= snapshots
    for name in snapshots:
        one, other = (run / "snapshots" / name for run in (whole, killed))
        assert weights(one) == weights(other), name


def weights(path):
    """The bytes of a safetensors file after its header, which has the seconds in it."""
    data = path.read_bytes()
    return data[8 + int.from_bytes(data[:8], "little") :]
