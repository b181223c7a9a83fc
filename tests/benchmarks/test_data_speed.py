"""The benchmark of datasets: its tables, its parts, and a run of the script."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import torch
from _data.loading import PlainImages, loading
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


def test_the_table_of_batches_has_ratios_and_shares():
    batches = {"a": {"gather": 0.5, "ours": 1.0, "plain": 5.0, "workers": 4.0}}
    lines = bench.batch_table(batches, {"a": {"loaded": 20.0, "fixed": 19.1}})
    assert lines[4] == (
        "| `a` | 0.50 | 1.00 | 5.00 | 4.00 | 10.0 | at least 10: met | 5.0 | 20.0 | 19.1 "
        "| 4.5 % | at most 5 %: met |"
    )
    lines = bench.batch_table(
        {"a": {**batches["a"], "gather": 0.51}}, {"a": {"loaded": 20.0, "fixed": 18.9}}
    )
    assert lines[4].count("missed") == 2


def test_the_plain_loader_has_the_same_images():
    data = unweave.load_dataset(MINI)
    flat = np.arange(0, len(data), 7)
    plain = PlainImages(data.images(flat), data.factors(flat))
    pixels, scale = data.gather(flat)
    expected = torch.from_numpy(pixels * np.float32(scale)).permute(0, 3, 1, 2)
    assert len(plain) == len(flat)
    assert torch.equal(torch.stack([image for image, _ in plain]), expected)
    np.testing.assert_array_equal(np.stack([row for _, row in plain]), data.factors(flat))


def test_each_way_is_timed():
    found = loading(MINI, images=128, rounds=1, batches=2)
    assert found.keys() == {"gather", "ours", "plain", "workers"}
    assert min(found.values()) > 0
    assert step_times(MINI, warm=1, steps=2).keys() == {"loaded", "fixed"}


def test_the_script_runs(capsys):
    home = os.environ["UNWEAVE_HOME"]
    bench.main([])
    said = capsys.readouterr().out
    assert "Tiny sizes" in said
    for text in bench.QUICK.stored:
        assert said.count(f"| `{text}` |") == 2
    assert said.count("| `circles` |") == 1
    assert os.environ["UNWEAVE_HOME"] == home
