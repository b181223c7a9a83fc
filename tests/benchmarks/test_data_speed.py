"""The benchmark of datasets: its tables, its parts, and a run of the script."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from _data.loading import PictureFiles, PlainImages, loading, write_pictures
from _data.steps import step_times

import unweave

# By its path: the tests have a folder `data`, too.
_PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "data.py"
_SPEC = importlib.util.spec_from_file_location("benchmark_of_data", _PATH)
bench = importlib.util.module_from_spec(_SPEC)
sys.modules["benchmark_of_data"] = bench
_SPEC.loader.exec_module(bench)

MINI = "dsprites(grid=(3, 2, 2, 4, 4))"


def test_every_rendered_dataset_is_measured():
    assert {"dsprites", "shapes3d", "sprites"} <= set(bench.FULL.stored)
    assert set(bench.FULL.stored) < set(bench.FULL.all)
    assert {"circles", "noisy_dsprites", "xysquares"} <= set(bench.FULL.all)
    assert set(bench.LIMITS) <= set(bench.FULL.stored)


def test_the_table_of_preparation_says_what_was_asked():
    row = {"seconds": 29.96, "processor": 40.0, "megabytes": 1024.5, "stored": 377.49}
    lines = bench.ready_table({"dsprites": row, "sprites": {**row, "megabytes": 99.0}})
    assert lines[4] == (
        "| `dsprites` | 30.0 | at most 30: met | 40.0 | 1,024 | at most 1,024: missed | 377 |"
    )
    assert lines[5] == "| `sprites` | 30.0 |  | 40.0 | 99 | at most 1,024: met | 377 |"


BATCH = {
    "gather": 0.5, "tensor": 1.0, "memory": 5.0, "memory 2": 4.0, "files": 20.0, "files 2": 12.0,
}  # fmt: skip


def test_the_table_of_batches_has_ratios_and_shares():
    steps = {"circles": {"loaded": 20.0, "fixed": 19.1}}
    lines = bench.batch_table({"circles": BATCH}, steps)
    assert lines[6] == (
        "| `circles` | 0.50 | 1.00 | 5.00 | 4.00 | 20.00 | 12.00 | 10.0 | 40.0 | 5.0 "
        "| memory / gather at least 10: met |"
    )
    assert lines[-1] == "| `circles` | 20.0 | 19.1 | 4.5 % | at most 5 %: met | 5.0 % |"
    assert lines[4].count("|") == lines[5].count("|") == lines[6].count("|")


def test_the_table_says_what_is_missed():
    slower = {**BATCH, "gather": 0.51}
    steps = {text: {"loaded": 20.0, "fixed": 18.9} for text in ("circles", "xyobject")}
    lines = bench.batch_table({"circles": slower, "xyobject": slower}, steps)
    assert lines[6].endswith("memory / gather at least 10: missed |")
    # In colour the loader that is compared with reads files.
    assert lines[7].endswith("files / gather at least 10: met |")
    assert lines[-1].endswith("| 5.5 % | at most 5 %: missed | 5.0 % |")


@pytest.mark.parametrize("text", [MINI, "xyobject(palette=rgb, shades=2, largest=9, spacing=20)"])
def test_the_plain_loaders_have_the_same_images(text, tmp_path):
    data = unweave.load_dataset(text)
    flat = np.arange(0, len(data), 7)
    images, factors = data.images(flat), data.factors(flat)
    pixels, scale = data.gather(flat)
    expected = torch.from_numpy(pixels * np.float32(scale)).permute(0, 3, 1, 2)
    for plain in (
        PlainImages(images, factors),
        PictureFiles(write_pictures(images, tmp_path), factors),
    ):
        assert len(plain) == len(flat)
        assert torch.allclose(torch.stack([image for image, _ in plain]), expected, atol=1e-6)
        np.testing.assert_array_equal(np.stack([row for _, row in plain]), factors)


def test_each_way_is_timed():
    found = loading(MINI, images=128, rounds=1, batches=2)
    assert found.keys() == BATCH.keys()
    assert min(found.values()) > 0
    assert step_times(MINI, warm=1, steps=2).keys() == {"loaded", "fixed"}


def test_the_script_runs(capsys, monkeypatch):
    # One dataset that has a store is prepared, and batches are of one that has none.
    stored = "shapes3d(grid=(2, 2, 2, 2, 4, 2))"
    assert stored in bench.QUICK.stored
    assert {stored, "circles"} < set(bench.QUICK.all)
    few = dataclasses.replace(bench.QUICK, stored=(stored,), all=("circles",))
    monkeypatch.setattr(bench, "QUICK", few)
    home = os.environ["UNWEAVE_HOME"]
    bench.main([])
    said = capsys.readouterr().out
    assert "Tiny sizes" in said
    assert said.count(f"| `{stored}` |") == 1
    assert said.count("| `circles` |") == 2
    assert os.environ["UNWEAVE_HOME"] == home
