"""The script at its smallest: it trains, measures, prints, and does not measure twice."""

from __future__ import annotations

import estimators
import pytest
import torch
from _estimators.groups import Sizes
from _estimators.measure import Study
from _estimators.models import load

import unweave
from unweave.errors import RunError
from unweave.jsonlines import read_lines


def test_it_measures_a_model_of_its_own_and_does_not_repeat_cells(tmp_path, capsys, monkeypatch):
    sizes = Sizes(groups={32: 2, 64: 2}, batches=(4, 8), most=16)
    monkeypatch.setattr(estimators, "QUICK", sizes)
    estimators.main(["--quick", "--out", str(tmp_path)])
    table = capsys.readouterr().out
    lines = read_lines(tmp_path / "cells.jsonl")
    assert [(line["key"]["images"], line["key"]["batch"]) for line in lines] == [
        (32, 4), (32, 8), (32, None), (64, 4), (64, 8),
    ]  # fmt: skip
    for line in lines:
        for row in line.get("rows", []):
            if row["estimator"] == "exact":
                assert row["bias"] == 0
                assert row["paired"] == pytest.approx(1, abs=1e-3)

    def refuse(*_):
        raise AssertionError("measured twice")

    monkeypatch.setattr(Study, "cell", refuse)
    monkeypatch.setattr(Study, "check", refuse)
    estimators.main(["--quick", "--out", str(tmp_path)])
    assert capsys.readouterr().out == table


def test_the_full_table_names_its_models_and_comes_with_a_figure(tmp_path, monkeypatch):
    sizes = Sizes(groups={16: 2, 32: 2}, batches=(8,), most=8)
    monkeypatch.setattr(estimators, "FULL", sizes)
    monkeypatch.setattr(estimators, "FULL_DATA", estimators.QUICK_DATA)
    monkeypatch.setattr(estimators, "ROOT", tmp_path)
    objective = "beta_tcvae(beta=2)"
    given = {"steps": 4, "snapshot_every": 2, "batch_size": 8}
    run = unweave.train(estimators.QUICK_DATA, objective, out=tmp_path / "run", **given)
    names = [
        f"early={run.folder / 'snapshots' / 'step-0000002.safetensors'}",
        f"late={run.folder}",
    ]
    estimators.main([*names, "--out", str(tmp_path / "cells")])
    text = (tmp_path / "benchmarks" / "results" / "estimators.md").read_text()
    assert f"- early: {objective}, step 2\n- late: {objective}, step 4" in text
    assert str(tmp_path) not in text
    assert "By the protocol the default is" in text
    keys = [line["key"] for line in read_lines(tmp_path / "cells" / "cells.jsonl")]
    assert len({key["weights"] for key in keys}) == 2
    picture = tmp_path / "docs" / "images" / "estimators.png"
    assert 10_000 < picture.stat().st_size < 200_000


def test_weights_that_are_not_there_end_it_in_a_paragraph(tmp_path):
    with pytest.raises(SystemExit, match="no-run does not exist"):
        estimators.main([f"early={tmp_path / 'no-run'}"])
    with pytest.raises(SystemExit, match="is not NAME=PATH"):
        estimators.main([str(tmp_path)])
    with pytest.raises(RunError):
        load("early", tmp_path)


def test_published_weights_are_read_with_means_and_variances_apart(reference):
    folder = reference / "disentangling-vae" / "btcvae_dsprites"
    weights = load("late", folder / "model.pt")
    # Literal values of the published encoder for a constant image of 0.5.
    posterior = weights.model.encode(torch.full((1, 1, 64, 64), 0.5))
    assert posterior.mean[0, :3].tolist() == pytest.approx([0.1442, -0.1011, -11.9940], abs=1e-3)
    assert posterior.logvar[0, :3].tolist() == pytest.approx([0.0319, -0.4213, 6.1195], abs=1e-3)
