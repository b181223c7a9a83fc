"""What the page shows of a run is what its files say, also while they are written."""

from __future__ import annotations

import json

import numpy as np
import pytest

from session.runs import MINI, TINY, lines
from unweave import train
from unweave.errors import RunError
from unweave.live import RunView, find_views, summary
from unweave.rundir import LOCK, alone, write_json


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Eight steps, of which two are scored."""
    out = tmp_path_factory.mktemp("runs") / "mine"
    train(
        MINI, "factor_vae(gamma=4)", steps=8, out=out, log_every=2, evaluate_every=4, **TINY
    )  # fmt: skip
    return out


def written(folder, count, first=1, speed=2.0):
    """A run with so many records, a step each, of which the reader knows nothing yet."""
    folder.mkdir(exist_ok=True)
    write_json(
        folder / "config.json",
        {"steps": 10_000, "seed": 3, "text": {"dataset": "d", "objective": "o"}},
    )
    write_json(folder / "status.json", {"state": "running", "step": 0})
    with (folder / "metrics.jsonl").open("a", encoding="utf-8") as handle:
        for step in range(first, first + count):
            row = {
                "event": "train", "step": step, "seconds": step / speed, "loss": {"model": step},
                "raw": {"kl": 2.0 * step}, "kl": [1.0, step % 2], "images_per_second": 64.0,
            }  # fmt: skip
            handle.write(json.dumps(row) + "\n")


def test_curves_are_those_of_the_file(run):
    told = RunView(run).state()
    rows = [row for row in lines(run) if row["event"] == "train"]
    for group in ("loss", "raw", "weighted"):
        assert told["curves"][group].keys() == rows[0][group].keys()
        for name, points in told["curves"][group].items():
            assert [step for step, _ in points] == [2, 4, 6, 8]
            expected = [row[group][name] for row in rows]
            np.testing.assert_allclose([value for _, value in points], expected, rtol=1e-5)
    assert list(told["curves"]["kl"]) == [f"z{j}" for j in range(10)]
    mig = [row["scores"]["mig"] for row in lines(run) if row["event"] == "scores"]
    assert [step for step, _ in told["curves"]["scores"]["mig"]] == [4, 8]
    np.testing.assert_allclose([v for _, v in told["curves"]["scores"]["mig"]], mig, rtol=1e-5)
    assert (told["state"], told["step"], told["steps"]) == ("finished", 8, 8)
    assert told["left"] is None
    assert told["units"]["reconstruction"] == "nats an image"
    assert told["objective"] == "factor_vae(gamma=4)"


def test_only_what_is_new_is_read_and_half_a_line_waits(tmp_path):
    written(tmp_path, 5)
    view = RunView(tmp_path)
    path = tmp_path / "metrics.jsonl"
    with path.open("a") as handle:
        handle.write('{"event": "train", "step": 6, "seconds": 3.0, "loss": {"mod')
    assert view.state()["step"] == 5
    with path.open("a") as handle:
        handle.write('el": 6}}\n')
    assert view.state()["curves"]["loss"]["model"][-1] == [6, 6.0]
    written(tmp_path, 4, first=7)
    assert [step for step, _ in view.state()["curves"]["loss"]["model"]] == list(range(1, 11))


def test_a_file_that_a_resume_has_trimmed_is_read_anew(tmp_path):
    written(tmp_path, 10)
    view = RunView(tmp_path)
    assert view.state()["step"] == 10
    path = tmp_path / "metrics.jsonl"
    kept = path.read_text().splitlines(keepends=True)[:6]
    path.write_text("".join(kept))
    assert view.state()["step"] == 6
    # Also when it is longer again by the time it is looked at.
    path.write_text("".join(kept[:2]))
    written(tmp_path, 30, first=3, speed=3.0)
    told = view.state()["curves"]["loss"]["model"]
    assert [step for step, _ in told] == list(range(1, 33))


def test_long_curves_are_thinned_with_both_ends_and_no_point_made_up(tmp_path):
    written(tmp_path, 6000)
    points = RunView(tmp_path).state()["curves"]["loss"]["model"]
    assert 500 < len(points) <= 600
    assert all(step == value for step, value in points)
    assert (points[0], points[-1]) == ([1, 1.0], [6000, 6000.0])


def test_time_left_is_that_of_the_last_records(tmp_path):
    written(tmp_path, 100, speed=2.0)
    with alone(tmp_path / LOCK, "busy"):
        told = RunView(tmp_path).state()
        assert told["state"] == "running"
        assert told["left"] == pytest.approx((10_000 - 100) / 2.0)
    # Nobody trains it: it was killed.
    told = RunView(tmp_path).state()
    assert (told["state"], told["left"]) == ("interrupted", None)


def test_runs_of_a_folder_are_found_by_name_and_told_in_a_line(tmp_path, run):
    written(tmp_path / "a", 3)
    written(tmp_path / "deep", 0)
    (tmp_path / "deep" / "config.json").rename(tmp_path / "deep" / "not.json")
    written(tmp_path / "deep" / "b", 4)
    found = find_views(tmp_path, {})
    assert list(found) == ["a", "deep/b"]
    written(tmp_path / "c", 1)
    again = find_views(tmp_path, found)
    assert list(again) == ["a", "c", "deep/b"]
    assert again["a"] is found["a"]
    assert list(find_views(run, {})) == [""]
    told = summary(tmp_path / "a")
    assert (told["name"], told["step"], told["steps"], told["loss"]) == ("a", 3, 10_000, 3)
    assert (told["dataset"], told["objective"], told["seed"]) == ("d", "o", 3)
    # Its last line is one of scores.
    last = [row for row in lines(run) if row["event"] == "train"][-1]
    assert (summary(run)["step"], summary(run)["loss"]) == (8, last["loss"]["model"])
    (tmp_path / "a" / "config.json").write_text("{")
    assert summary(tmp_path / "a")["state"] == "damaged"
    with pytest.raises(RunError, match="not a folder"):
        find_views(tmp_path / "none", {})
