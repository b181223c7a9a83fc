"""Averages over the published steps, the comparison, and the script on a tiny run."""

from __future__ import annotations

import csv
import dataclasses

import first_epochs
import pytest
from first_epochs import PUBLISHED, Average, Row, averages, table

from unweave.errors import RunError
from unweave.jsonlines import read_lines
from unweave.objectives import parse_objective
from unweave.presets import preset
from unweave.rundir import read_json


def line(step, reconstruction, kl, discriminator):
    """A line of metrics.jsonl."""
    return {
        "event": "train",
        "step": step,
        "loss": {"model": -1.0, "discriminator": discriminator},
        "raw": {"reconstruction": reconstruction, "kl": 99.0},
        "kl": kl,
    }


def test_averages_are_over_the_steps_that_were_recorded():
    lines = [line(t, 1000 / t, [t, 2 * t], t**2) for t in range(1, 121)]
    lines.insert(7, {"event": "scores", "step": 7})
    found = averages(lines)
    recorded = [t for t in range(1, 121) if t % 50 == 1]
    assert recorded == [1, 51, 101]
    expected = (1000 + 1000 / 51 + 1000 / 101) / 3
    assert found["reconstruction"].recorded == pytest.approx(expected)
    assert found["reconstruction"].every == pytest.approx(
        sum(1000 / t for t in range(1, 121)) / 120
    )
    # The analytic KL of all latents, whatever the objective calls its own term.
    assert found["kl"] == Average(recorded=3 * 51.0, every=3 * 60.5)
    assert found["discriminator"].recorded == pytest.approx((1 + 51**2 + 101**2) / 3)
    assert "model" not in found


@pytest.mark.parametrize("steps", [(2, 3), (1, 3), (1, 1), (50, 100)])
def test_averages_need_a_line_for_every_step(steps):
    with pytest.raises(RunError, match="log_every=1"):
        averages([line(step, 1.0, [1.0], 1.0) for step in steps])


def test_the_table_says_what_deviates_and_what_is_missing():
    found = {
        "reconstruction": Average(recorded=71.011 * 1.0999, every=60.0),
        "kl": Average(recorded=33.670 * 0.8999, every=30.0),
    }
    parts = dict.fromkeys(PUBLISHED["btcvae"], Average(recorded=16.0, every=16.5))
    text = table([
        Row("VAE", 7, False, 11_520, 11_520, "bfloat16", 2600.4, found),
        Row("betaH", 7, False, 400, 11_520, "float32", 0.0, {}),
        Row("betaB", 7, False, 0, 11_520, "", 0.0, {}),
        Row("btcvae", 7, False, 11_520, 11_520, "float32", 1000.0, parts),
        Row("btcvae", 1, True, 11_520, 11_520, "float32", 1000.0, parts),
    ])  # fmt: skip
    start = "| VAE_dsprites | 7 | 11,520 | bfloat16 | 2600 |"
    assert f"{start} reconstruction | 71.011 | 78.105 | +10.0% | 60.000 | yes |" in text
    assert f"{start} kl | 33.670 | 30.300 | -10.0% | 30.000 | **no** |" in text
    assert "| betaH_dsprites | 7 | stopped at 400 of 11,520 |" in text
    assert "| betaB_dsprites | 7 | not started |" in text
    # What is relative to a negative number has the sign of the difference; it decides nothing.
    assert "| total_correlation | -32.884 | 16.000 | +148.7% | 16.500 |  |" in text
    # A seed that was added later decides nothing.
    assert text.count("yes") + text.count("**no**") == 4
    assert text.count("| btcvae_dsprites | 1 |") == len(PUBLISHED["btcvae"])
    widths = {row.count("|") for row in text.splitlines()}
    assert widths == {12}


def test_an_epoch_has_the_published_number_of_steps():
    steps = {name: first_epochs._steps(name) for name in PUBLISHED}
    assert steps == dict.fromkeys(PUBLISHED, 11_520) | {"factor": 5_760}


def test_published_averages_are_those_of_the_logs(reference):
    names = {
        "recon_loss": "reconstruction",
        "kl_loss": "kl",
        "mi_loss": "mutual_information",
        "tc_loss": "total_correlation",
        "dw_kl_loss": "dimension_kl",
    }
    for name in ("VAE", "btcvae"):
        path = reference / "disentangling-vae" / f"{name}_dsprites" / "train_losses.log"
        with path.open(newline="") as handle:
            first = {
                r["Loss"]: float(r["Value"]) for r in csv.DictReader(handle) if r["Epoch"] == "0"
            }
        found = {names[key]: value for key, value in first.items() if key in names}
        assert found == pytest.approx(PUBLISHED[name], abs=6e-4)


def test_the_script_trains_compares_and_does_not_train_twice(tmp_path, monkeypatch, mini, capsys):
    def small(name):
        return dataclasses.replace(preset(name), dataset=mini)

    monkeypatch.setattr(first_epochs, "preset", small)
    monkeypatch.setattr(first_epochs, "_steps", lambda name: 3)
    monkeypatch.setattr(first_epochs, "ROOT", tmp_path)
    arguments = ["--out", str(tmp_path / "runs"), "--only", "btcvae", "factor"]
    first_epochs.main(arguments)
    text = (tmp_path / "benchmarks" / "results" / "first_epochs.md").read_text()
    runs = [("btcvae", 1234), ("btcvae", 1), ("btcvae", 2), ("factor", 1234)]
    for name, seed in runs:
        folder = tmp_path / "runs" / (name if seed == 1234 else f"{name}-seed{seed}")
        config = read_json(folder / "config.json")
        chosen = preset(f"disvae/{name}_dsprites")
        assert (config["seed"], config["batch_size"], config["steps"]) == (seed, 64, 3)
        assert config["text"]["objective"] == str(parse_objective(chosen.objective))
        rows = read_lines(folder / "metrics.jsonl")
        assert [row["step"] for row in rows] == [1, 2, 3]
        # Of three steps the first alone is recorded.
        first = rows[0]["raw"]["reconstruction"]
        assert f"{PUBLISHED[name]['reconstruction']:.3f} | {first:.3f} |" in text
    assert text.count("not started") == 3
    assert str(tmp_path) not in text

    monkeypatch.setattr(first_epochs.unweave, "train", None)
    first_epochs.main(arguments)
    assert capsys.readouterr().out.count("| factor_dsprites | 1234 | 3 |") == 8


def test_no_time_trains_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(first_epochs, "ROOT", tmp_path)
    first_epochs.main(["--out", str(tmp_path / "runs"), "--max-minutes", "0"])
    text = (tmp_path / "benchmarks" / "results" / "first_epochs.md").read_text()
    # The five experiments, and two more seeds of one.
    assert text.count("not started") == 7
    assert not (tmp_path / "runs").exists()
