"""Presets that go on from others: what is said without weights, and the whole way with them."""

from __future__ import annotations

import pytest

from session.runs import MINI, cli, listing, paragraph, tensors
from unweave.errors import SpecError
from unweave.presets import PRESETS
from unweave.settings import make_config

CHAINED = [name for name, entry in PRESETS.items() if entry.after]
DPT = [name for name in PRESETS if name.startswith("dpt/")]
# The networks and the objective of these are those of `dpt/table1_real`.
ALIKE = ("dpt/aicrowd_challenge", "dpt/table1_toy", "dpt/table1_realistic")
# Another grid of the same images, and other factors.
FIRST = "dsprites(grid=(3, 2, 4, 4, 4))"
SECOND = "dsprites(grid=(3, 2, 4, 4, 8))"
SMALL = ("--batch-size", 4, "--threads", 1, "--precision", "float32", "--log-every", 10)


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
    return tmp_path


@pytest.mark.parametrize("name", CHAINED)
@pytest.mark.parametrize("more", [(), ("--dry-run",), ("--steps", 5), ("--resume",)])
def test_without_first_weights_it_says_what_to_train(place, name, more):
    first = PRESETS[name].after
    words = (f"unweave train --preset {first} --out runs/", "--init-from runs/")
    paragraph(cli("train", "--preset", name, *more), name, *words, "--init-from none")
    assert listing(place) == {}
    shown = cli("presets", name).out
    assert f"Goes on from the weights of {first}" in shown
    assert "--init-from" in shown


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name in ALIKE)) for name in DPT],
)
def test_each_is_estimated(place, monkeypatch, name):
    monkeypatch.setattr("unweave.estimate._MEASURED_STEPS", 1)
    anew = ("--init-from", "none") if PRESETS[name].after else ()
    result = cli("train", "--preset", name, *anew, *SMALL, "--dry-run", "--json")
    assert result.code == 0, result.err
    config = result.json["config"]
    assert config["steps"] == PRESETS[name].settings["steps"]
    assert config["latents"] == PRESETS[name].settings["latents"]
    assert config["init_from"] is None
    assert result.json["seconds_per_step"] > 0
    assert listing(place) == {}


def test_none_is_no_run():
    assert make_config(MINI, "vae", steps=1, init_from="none").init_from is None
    assert make_config(MINI, "vae", steps=1, init_from="./none").init_from == "./none"
    with pytest.raises(SpecError, match="init_from"):
        make_config(MINI, "vae", steps=1, init_from=3)


def test_a_preset_says_how_its_models_are_scored():
    (row,) = cli("presets", "dpt/table1_real", "--json").json["presets"]
    assert row["after"] == "dpt/table1_toy"
    (asked,) = row["scoring"]
    assert (asked["protocol"], asked["data"]) == ("dlib2019", None)
    assert asked["command"] in cli("presets", "dpt/table1_real").out
    (row,) = cli("presets", "demo", "--json").json["presets"]
    assert (row["after"], row["scoring"]) == (None, [])


def test_the_whole_way(place):
    """Train on one dataset, go on from it on another, score on both."""
    first, second = place / "first", place / "second"
    result = cli(
        *("train", FIRST, "--preset", "dpt/table1_toy", "--steps", 6, *SMALL, "--out", first)
    )
    assert result.code == 0, result.err
    given = ("train", SECOND, "--preset", "dpt/table1_real", *SMALL, "--out", second)
    result = cli(*given, "--steps", 5, "--init-from", first, "--json")
    assert result.code == 0, result.err
    assert result.json["steps"] == 5
    # It can be gone on with without naming the first run again; what it was cannot be denied.
    assert cli(*given, "--steps", 6, "--resume").code == 0
    paragraph(cli(*given, "--steps", 6, "--resume", "--init-from", "none"), "init_from")
    own = {name: value for name, value in tensors(second).items() if name.startswith("model/")}
    start = tensors(first)
    moved = max(float((value - start[name]).abs().max()) for name, value in own.items())
    # Adam with a rate of 0.001 moves a weight by little more than that in a step.
    assert 0 < moved < 6 * 0.002

    asked = (
        "evaluate",
        second,
        "--protocol",
        "dlib2019",
        "--metrics",
        "mig,unsupervised_metrics",
        "--json",
    )
    here = cli(*asked).json["scores"]
    before = cli("runs", "show", second, "--json").json["scores"]
    there = cli(*asked, "--data", FIRST).json["scores"]
    assert {here["mig"]["data"], there["mig"]["data"]} == {SECOND, FIRST}
    assert (here["mig"]["samples"], there["mig"]["samples"]) == (768, 384)
    rows = cli("runs", "show", second, "--json").json["scores"]
    # Scores on the run's own data stay as they are, and the others stand beside them.
    assert rows[: len(before)] == before
    assert [row["data"] for row in rows] == [SECOND, SECOND, FIRST, FIRST]
    table = cli("results", second, "--metrics", "mig", "--json").json
    assert FIRST in str(table)
    assert SECOND in str(table)

    kept = listing(second)
    refused = cli(*asked, "--data", "shapes3d(grid=(2, 2, 2, 2, 2, 2))")
    paragraph(refused, "(64, 64, 3)", "(64, 64, 1)", "shapes3d")
    paragraph(cli(*asked, "--data", FIRST, "--part", "train"), "--data", "--part")
    assert listing(second) == kept
