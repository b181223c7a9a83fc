"""The benchmark of result tables: its folders are runs, its table says what was asked."""

from __future__ import annotations

import results_table as bench
from _results.folders import make_runs

from unweave.results import collect
from unweave.rundir import read_json
from unweave.session import read_config


def test_the_folders_are_those_of_runs(tmp_path):
    assert make_runs(tmp_path, 8) == 8
    results = collect([tmp_path])
    assert set(results.runs["state"]) == {"finished"}
    assert set(results.runs["dataset"]) == {"dsprites", "shapes3d", "xysquares", "xyobject"}
    assert sorted(results.runs["seed"]) == [0] * 4 + [1] * 4
    folder = tmp_path / "dsprites" / "00-001"
    config = read_config(folder)
    assert (config.seed, str(config.objective)) == (1, "beta_vae(beta=1)")
    # As large as those of a run: all default scores, with their tables.
    rows = read_json(folder / "scores.json")["scores"]
    assert len(rows) == len(results.cases) / 4 > 15
    assert sum(row["matrix"] is not None for row in rows) > 10


def test_the_table_says_what_was_asked():
    names = list(bench.COMMANDS)
    fast = {"seconds": 19.96, "processor": 7.04, "megabytes": 300.4, "lines": 1, "torch": False}
    slow = fast | {"seconds": 20.1, "megabytes": 1025.0, "lines": 1234, "torch": True}
    lines = bench.table({names[0]: fast, names[1]: slow, names[-1]: slow})
    assert [
        line.removeprefix(f"| {names[k]} ") for k, line in zip((0, 1, -1), lines[2:], strict=True)
    ] == [
        "| 20.0 | at most 20: met | 7.0 | 300 | at most 1,024: met | 1 | no |",
        "| 20.1 | at most 20: missed | 7.0 | 1,025 | at most 1,024: missed | 1,234 | yes |",
        "| 20.1 |  | 7.0 | 1,025 |  | 1,234 | yes |",
    ]


def test_the_script_runs(monkeypatch, capsys):
    monkeypatch.setattr(bench, "COMMANDS", dict(list(bench.COMMANDS.items())[:1]))
    bench.main([])
    printed = capsys.readouterr().out
    assert "8 run folders" in printed
    assert "| means of two metrics by objective, JSON |" in printed
    assert "| no |" in printed
