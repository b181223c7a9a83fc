"""A value that is not finite stops the training; it names the first step and term."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
import torch

import unweave
from session.runs import (
    MINI,
    TINY,
    checkpoint_step,
    cli,
    document,
    flags,
    lines,
    paragraph,
    tensors,
)
from session.runs import train as train_tiny
from unweave.errors import TrainingDivergedError
from unweave.objectives import Plan
from unweave.session.stopping import check_finite
from unweave.settings import make_config
from unweave.training.phases import Phase
from unweave.training.tracker import Record

# Large enough to break within a dozen steps, small enough not to break at once.
LR = 0.1
OBJECTIVE = "vae"


def train(folder, objective="beta_vae", **settings):
    """With batches for which the learning rate above is such a one."""
    return train_tiny(folder, objective, **{"batch_size": 8, **settings})


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """First step and term that are not finite, watched from outside at every step."""
    seen = []
    real = Plan.losses

    def losses(self, step):
        total, raw, weighted = real(self, step)
        bad = [name for name, value in raw.items() if not math.isfinite(float(value.detach()))]
        seen.append((step.global_step, bad))
        return total, raw, weighted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Plan, "losses", losses)
        folder = tmp_path_factory.mktemp("truth") / "run"
        result = train(folder, OBJECTIVE, steps=200, lr=LR, log_every=1, checkpoint_every=1)
    assert result.code == 1, result
    step, terms = next((step, bad) for step, bad in seen if bad)
    assert step > 3, "choose a smaller learning rate: this test needs good steps first"
    return folder, result, step, terms


def named(error: str) -> tuple[str, int]:
    """The term and the step in a message."""
    found = re.search(r"diverged: (.+) was not finite at step (\d+)\.", error)
    assert found, error
    return found[1], int(found[2])


def test_the_message_names_step_and_term(truth):
    folder, result, step, terms = truth
    error = paragraph(result, "--lr", "is kept", code=1)
    name, at = named(error)
    assert (name, at) == (terms[0], step)
    assert f"of step {checkpoint_step(folder)}, is kept" in error


@pytest.mark.parametrize(
    "settings",
    [
        {"log_every": 7, "checkpoint_every": 1000},
        {"log_every": 1000, "checkpoint_every": 1000, "steps": 30},
        {"log_every": 1000, "checkpoint_every": 1000, "evaluate_every": 25, "latents": 10},
        {"log_every": 1000, "checkpoint_every": 1000, "snapshot_every": 25},
    ],
)
def test_it_is_named_exactly_however_seldom_it_is_looked_for(truth, tmp_path, settings):
    _, _, step, terms = truth
    result = train(tmp_path / "run", OBJECTIVE, **{"steps": 200, "lr": LR, **settings})
    error = paragraph(result, "No checkpoint had been written yet", "--overwrite", code=1)
    assert named(error) == (terms[0], step)
    assert f"a smaller learning rate (--lr) than {LR:g}" in error
    # The training is in float32 already.
    assert "--precision" not in error
    assert not (tmp_path / "run" / "snapshots").exists()
    assert not (tmp_path / "run" / "checkpoint").exists()
    status = document(tmp_path / "run" / "status.json")
    assert status["state"] == "diverged"
    assert named(status["message"]) == (terms[0], step)


def test_the_learning_rate_that_is_named_is_that_of_the_step(tmp_path):
    later = Phase(start=3, changes=(("optimizer.lr", 0.25),))
    config = make_config(MINI, OBJECTIVE, steps=9, lr=0.5, phases=(later,), precision="float32")
    for step, lr in ((3, 0.5), (4, 0.25)):
        record = Record(steps=1, values={}, first_bad={"raw/reconstruction": step})
        with pytest.raises(TrainingDivergedError, match=rf"learning rate \(--lr\) than {lr:g} or"):
            check_finite(record, tmp_path / "checkpoint", config)


def test_without_a_checkpoint_it_is_said_how_to_train_anew(tmp_path):
    folder = tmp_path / "run"
    train(folder, OBJECTIVE, steps=200, lr=LR, log_every=1000)
    assert document(folder / "status.json")["state"] == "diverged"
    for command in (("evaluate", folder), ("report", folder), ("plot", folder, "traversals")):
        error = paragraph(cli(*command), "no weights there yet", "smaller learning rate")
        assert "--resume" not in error
    anew = error.rpartition("With the settings it had: ")[2].strip()
    assert anew.startswith("unweave train ")
    assert anew.endswith(f"--out {folder} --overwrite")
    shown = cli("runs", "show", folder)
    assert anew in shown.out
    assert "--resume" not in shown.out
    assert cli("runs", "show", folder, "--json").json["resume"] is None
    # The command can be given with another learning rate.
    words = [word.replace(f"lr={LR:g}", "lr=0.0001") for word in shlex.split(anew)[1:]]
    assert words != shlex.split(anew)[1:]
    assert cli(*words).code == 0
    assert unweave.load_run(folder).config.optimizer.lr == 1e-4


def test_the_last_good_checkpoint_is_kept_and_loads(truth):
    folder, _, step, _ = truth
    kept = checkpoint_step(folder)
    assert 1 <= kept < step
    for name, value in tensors(folder).items():
        assert bool(torch.isfinite(value).all()), name
    run = unweave.load_run(folder)
    assert run.status["state"] == "diverged"
    assert run.step == kept
    mean, _ = run.encode(np.zeros((2, 64, 64, 1), np.uint8))
    assert np.isfinite(mean).all()


def test_nothing_that_is_not_finite_is_written(truth):
    folder, _, step, _ = truth
    rows = lines(folder)  # refuses NaN and Infinity
    assert rows
    assert all(row["step"] < step for row in rows)
    for path in folder.rglob("*.json"):
        document(path)


def test_a_weight_that_breaks_is_caught_before_the_checkpoint(tmp_path, monkeypatch):
    """Terms are values before the update: an update may break weights while all terms are well."""
    from unweave.training import Learner

    real = Learner.update

    def update(self, batch, step):
        real(self, batch, step)
        if step == 3:
            with torch.no_grad():
                self.model.head.bias[0] = torch.nan

    monkeypatch.setattr(Learner, "update", update)
    result = train(tmp_path / "run", steps=6, checkpoint_every=1)
    error = paragraph(result, "of step 2, is kept", code=1)
    assert named(error) == ("weight head.bias", 3)
    assert checkpoint_step(tmp_path / "run") == 2


def test_a_weight_of_a_term_that_overflows_is_named(tmp_path):
    """The weighted value is infinite at step 1 while the raw value is finite."""
    result = train(tmp_path / "run", "beta_vae(beta=1e300)", steps=5)
    error = paragraph(result, code=1)
    name, step = named(error)
    assert (name, step) == ("kl times its weight", 1)


@pytest.mark.slow
def test_a_real_process_says_it_once_and_exits_with_1(tmp_path):
    command = [
        sys.executable,
        "-m",
        "unweave",
        "train",
        MINI,
        "vae",
        "--out",
        "run",
        "--lr",
        "1e6",
    ]
    done = subprocess.run(
        [*command, *flags(**TINY, steps=50)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.count("diverged") == 1
    log = (tmp_path / "run" / "log.txt").read_text()
    assert "Stopped at step" in log
    assert "diverged" in log
    json.loads((tmp_path / "run" / "status.json").read_text())
