"""The table of the bias of sampled MIG: its figures, and a run of the script."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import sampled_mig
from sampled_mig import Measured

import unweave
from unweave.metrics import MIGSampled, Score
from unweave.metrics.posterior.entropies import Entropies


def measured(shift: float, mig: float, seconds: float = 2.0) -> Measured:
    entropies = Entropies(
        marginal=np.array([1.0 + shift, 2.0]),
        conditional=np.array([[0.5, 1.0], [2.0, 1.75 + shift]]),
    )
    return Measured(
        entropies,
        Score(value=mig, parts={"a": mig, "b": mig + 0.1}),
        Score(value=0.5, parts={"a": 0.25, "b": 0.75}),
        seconds,
    )


def test_the_bias_is_the_difference_on_the_same_draws():
    default = [measured(0.01, 0.30), measured(0.0, 0.34)]
    text = sampled_mig.table(("a", "b"), MIGSampled(), default, [measured(0.0, 0.29, 90.0)])
    lines = text.splitlines()
    # The second seed has no full sum, and counts for the mean and the spread alone.
    spread = np.std([0.30, 0.34], ddof=1)
    assert f"| MIG | mean | 0.2900 | 0.3200 | {spread:.4f} | +0.01000 |" in lines
    assert "| AAM | b | 0.7500 | 0.7500 | 0.0000 | +0.00000 |" in lines
    assert "| I | a | 0.5000 | 0.5050 | 0.0071 | +0.01000 |" in lines
    assert "| z0 | +0.01000 | +0.00000 | +0.00000 |" in lines
    assert "| z1 | +0.00000 | +0.00000 | +0.01000 |" in lines
    assert "Time: default 2.0 s, 2.0 s; full sum 90.0 s." in lines
    assert lines[-1] == "Largest bias: of an entropy 0.01000, of an information 0.01000 nats."


def test_without_a_run_it_shows_that_everything_runs(capsys, tmp_path):
    out = tmp_path / "table.md"
    sampled_mig.main(["--seeds", "2", "--out", str(out)])
    captured = capsys.readouterr()
    assert "| MIG | mean |" in captured.out
    assert "densities to evaluate" in captured.err
    assert not out.exists()


def test_what_takes_long_shows_how_far_it_is(tmp_path, mini, monkeypatch):
    run = unweave.train(
        mini, "vae", steps=2, latents=3, batch_size=8, out=tmp_path / "run", threads=1
    )
    told = []

    @contextlib.contextmanager
    def bar():
        yield lambda what, done, total: told.append((what, done >= total))

    monkeypatch.setattr(sampled_mig, "bar", bar)
    sampled_mig.main([str(run.folder), "--seeds", "1", "--out", str(tmp_path / "table.md")])
    assert [what for what, ended in told if ended] == ["encoding", "densities", "densities"]


def test_a_run_is_measured_into_a_file(tmp_path, mini):
    run = unweave.train(
        mini, "vae", steps=2, latents=3, batch_size=8, out=tmp_path / "run", threads=1
    )
    out = tmp_path / "results" / "table.md"
    sampled_mig.main([str(run.folder), "--seeds", "1", "--out", str(out)])
    text = out.read_text(encoding="utf-8")
    assert text.startswith("# Bias and time of MIG by sampling\n")
    assert "all 1,536 images, 3 latents" in text
    assert str(tmp_path) not in text
    # As many components as images: no bias at all.
    assert "Largest bias: of an entropy 0.00000" in text


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="not a run folder"):
        sampled_mig.main([str(tmp_path)])
