"""Curves are what the lines of a log say, by group and name."""

from __future__ import annotations

import math

from unweave.curves import GROUPS, SCRIPTS, STYLE, asset, collect, unfinite
from unweave.plots import INACTIVE_KL

ROWS = [
    {"event": "train", "step": 2, "images_per_second": 64.0, "loss": {"model": 9.5, "other": 1},
     "raw": {"kl": 2.123456789}, "weighted": {"kl": 8.5}, "kl": [1.5, 0.25], "lr": 0.001,
     "watched": {"accuracy": 0.5}},
    {"event": "scores", "step": 2, "scores": {"mig": 0.25}, "samples": 100},
    {"event": "train", "step": 4, "images_per_second": 65.0, "loss": {"model": None, "other": 2},
     "raw": {"kl": math.nan}, "weighted": {"kl": math.inf}, "kl": [1.0, True], "lr": 0.0005,
     "watched": {"accuracy": 0.75}},
    {"event": "scores", "step": 4, "scores": {"mig": 0.5, "dci": 0.75}, "samples": 100},
    {"event": "train", "loss": {"model": 3.0}},
]  # fmt: skip


def test_curves_by_group_and_name():
    assert collect(ROWS) == {
        "loss": {"model": [[2, 9.5]], "other": [[2, 1.0], [4, 2.0]]},
        "raw": {"kl": [[2, 2.12346]]},
        "weighted": {"kl": [[2, 8.5]]},
        "watched": {"accuracy": [[2, 0.5], [4, 0.75]]},
        "kl": {"z0": [[2, 1.5], [4, 1.0]], "z1": [[2, 0.25]]},
        "lr": {"lr": [[2, 0.001], [4, 0.0005]]},
        "speed": {"images_per_second": [[2, 64.0], [4, 65.0]]},
        "scores": {"mig": [[2, 0.25], [4, 0.5]], "dci": [[4, 0.75]]},
    }
    assert set(collect(ROWS)) == set(GROUPS)


def test_what_is_not_finite_is_counted():
    # None, NaN, infinity and a truth; the line without a step says nothing.
    assert unfinite(ROWS) == 4
    assert unfinite(ROWS[:2]) == 0


def test_long_curves_are_thinned_to_what_is_asked_for():
    rows = [{"event": "train", "step": step, "kl": [step % 7, step]} for step in range(1, 2001)]
    found = collect(rows, 100)["kl"]
    assert all(len(points) <= 100 for points in found.values())
    assert found["z1"][-1] == [2000, 2000]
    assert {value for _, value in found["z0"]} >= {0, 6}


def test_scripts_and_style_are_there_and_in_order():
    assert [name.removesuffix(".js") for name in SCRIPTS][-1] == "board"
    for name in SCRIPTS:
        assert "unweaveCurves ??= {}" in asset(name)
        assert "</script" not in asset(name)
    assert "prefers-color-scheme: dark" in asset(STYLE)


def test_latents_are_grey_where_figures_have_them_grey():
    assert f"const ACTIVE = {INACTIVE_KL};" in asset("layout.js")
