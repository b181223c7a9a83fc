"""Trackers are told what metrics.jsonl says; none of them stops, slows or changes a training."""

from __future__ import annotations

import json
import logging
import os
import signal
import time

import pytest

from session.runs import MINI, TINY, assert_same_state, lines
from tracking.stand_ins import Dies, Hangs, Lines, NoOpen, Raises
from unweave import train
from unweave.errors import TrainingDivergedError
from unweave.rundir import read_json
from unweave.studies.task import Beating
from unweave.tracking import TrackedRun, channel
from unweave.tracking.channel import Channel

SETTINGS = {**TINY, "log_every": 2, "checkpoint_every": 4}


def told(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def of_kind(path, kind):
    return [row for row in told(path) if row["kind"] == kind]


def run_of(tmp_path):
    return TrackedRun(folder=str(tmp_path), name="a", group="", settings={}, notes={}, done=0)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A training that nothing tracks."""
    out = tmp_path_factory.mktemp("plain") / "run"
    train(MINI, "beta_vae(beta=4)", steps=8, out=out, **SETTINGS)
    return out


def test_failing_trackers_leave_the_training_and_the_others_as_they_are(tmp_path, plain, caplog):
    out, path = tmp_path / "run", tmp_path / "lines"
    trackers = (
        Lines(path=str(path)),
        Raises(path=str(tmp_path / "raises")),
        Dies(path=str(tmp_path / "dies")),
        Hangs(path=str(tmp_path / "hangs"), patience=1.5),
        NoOpen(),
    )
    pictures = {"evaluate_every": 4, "picture_every": 8}
    begun = time.monotonic()
    train(
        MINI, "beta_vae(beta=4)", steps=8, out=out, track=trackers, **SETTINGS, **pictures
    )  # fmt: skip
    assert time.monotonic() - begun < 60
    assert_same_state(out, plain)
    assert read_json(out / "status.json")["state"] == "finished"

    log = (out / "log.txt").read_text(encoding="utf-8")
    assert log.count("The tracker raises is left out") == 1
    assert "ConnectionError: no answer at step 2" in log
    assert log.count("The tracker dies is left out") == 1
    assert "its process ended with -9" in log
    assert log.count("The tracker hangs is left out") == 1
    assert "s after the end of the training" in log
    assert log.count("The tracker no_open is left out") == 1
    assert "PermissionError: not logged in" in log
    assert "The tracker lines" not in log

    first, *_, last = told(path)
    assert first["kind"] == "open"
    assert (first["run"], first["done"]) == ("run", 0)
    assert first["settings"]["objective"] == "beta_vae"
    assert first["settings"]["objective.beta"] == 4.0
    assert first["notes"]["folder"] == str(out)
    assert first["notes"]["command"].startswith("unweave train")
    assert last == {"kind": "close", "state": "finished"}
    (picture,) = of_kind(path, "picture")
    file = out / "figures" / "training" / "step-0000008.png"
    assert (picture["step"], picture["name"]) == (8, "reconstructions")
    assert picture["size"] == file.stat().st_size

    scalars = [row["values"] for row in of_kind(path, "scalars")]
    scores = [row for row in scalars if "scores/mig" in row]
    written = [row for row in lines(out) if row["event"] == "scores"]
    assert [row["scores/mig"] for row in scores] == [row["scores"]["mig"] for row in written]
    records = [row for row in scalars if "loss/model" in row]
    written = [row for row in lines(out) if row["event"] == "train"]
    assert len(records) == len(written) == 4
    for record, row in zip(records, written, strict=True):
        expected = {
            f"{group}/{name}": value
            for group in ("loss", "raw", "weighted")
            for name, value in row[group].items()
        }
        expected |= {f"kl/z{j}": value for j, value in enumerate(row["kl"])}
        assert record.pop("lr") == 0.0005
        assert record.pop("images_per_second") > 0
        assert record == expected
    assert [row["step"] for row in of_kind(path, "scalars") if "lr" in row["values"]] == [
        2,
        4,
        6,
        8,
    ]


def test_a_training_that_goes_on_is_tracked_as_the_same_run(tmp_path, plain, monkeypatch):
    out, path = tmp_path / "run", tmp_path / "lines"
    monkeypatch.setenv("UNWEAVE_TRACK", str(Lines(path=str(path))))
    train(MINI, "beta_vae(beta=4)", steps=4, out=out, **SETTINGS)
    train(MINI, "beta_vae(beta=4)", steps=8, out=out, resume=True, **SETTINGS)
    assert_same_state(out, plain)
    begins = of_kind(path, "open")
    assert [(row["done"], row["piece"]) for row in begins] == [(0, "1"), (4, "2")]
    assert [row["step"] for row in of_kind(path, "scalars")] == [2, 4, 6, 8]
    assert read_json(out / "tracking" / "ids.json") == {"lines": {"pieces": "2"}}
    # A new run in the folder is another one.
    train(MINI, "beta_vae(beta=4)", steps=4, out=out, overwrite=True, **SETTINGS)
    assert of_kind(path, "open")[-1]["piece"] == "1"


def test_trackers_are_told_how_a_training_ends(tmp_path):
    diverged, stopped = tmp_path / "diverged", tmp_path / "stopped"
    with pytest.raises(TrainingDivergedError):
        train(
            MINI, "beta_vae(beta=4)", steps=40, lr=1e30, out=tmp_path / "a",
            track=Lines(path=str(diverged)), **SETTINGS,
        )  # fmt: skip
    assert told(diverged)[-1] == {"kind": "close", "state": "diverged"}

    class Stopper:
        def start(self, config, done):
            pass

        def step(self, step, images):
            if step == 3:
                signal.raise_signal(signal.SIGTERM)

        def record(self, step, record):
            pass

        def close(self):
            pass

    train(
        MINI, "beta_vae(beta=4)", steps=40, out=tmp_path / "b", watch=Stopper(),
        track=Lines(path=str(stopped)), **SETTINGS,
    )  # fmt: skip
    assert told(stopped)[-1] == {"kind": "close", "state": "stopped"}


def test_a_queue_that_is_full_drops_the_oldest_and_never_waits(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(channel, "CAPACITY", 20)
    hanging = Channel(Hangs(path=str(tmp_path / "a")), run_of(tmp_path), {}, print)
    values = {f"raw/{j}": 0.5 for j in range(200)}
    longest = 0.0
    for step in range(5000):
        begun = time.perf_counter()
        hanging.put({"kind": "scalars", "step": step, "values": values})
        longest = max(longest, time.perf_counter() - begun)
    assert longest < 1.0
    assert hanging.dropped > 3000
    hanging.finish("finished")
    begun = time.monotonic()
    with caplog.at_level(logging.INFO, "unweave"):
        hanging.wait(0.5)
    assert time.monotonic() - begun < 5
    assert f"it was not told of {hanging.dropped} of" in caplog.text


def test_what_is_put_before_the_tracker_is_open_comes_to_it(tmp_path):
    path = tmp_path / "lines"
    remembered = []
    lines_of = Channel(Lines(path=str(path)), run_of(tmp_path), {}, remembered.append)
    for step in range(300):
        lines_of.put({"kind": "scalars", "step": step, "values": {"a": step / 3}})
    lines_of.finish("finished")
    lines_of.wait(60)
    rows = of_kind(path, "scalars")
    assert [row["step"] for row in rows] == list(range(300))
    assert [row["values"]["a"] for row in rows] == [step / 3 for step in range(300)]
    assert abs(rows[0]["time"] - time.time()) < 300
    assert remembered == [{"pieces": "1"}]
    # Once it is closed, nothing more is taken.
    lines_of.put({"kind": "scalars", "step": 300, "values": {}})
    assert of_kind(path, "close") == [{"kind": "close", "state": "finished"}]


def test_what_trackers_write_is_stored_only_once_they_have_ended(tmp_path):
    """A storage takes files by their digests, and trackers write while a training goes on."""
    puts = []

    class Stored:
        def put(self, folder, *, done=False, without=(), sparing=False):
            puts.append((without, sparing))
            return True

    checkpoint = tmp_path / "checkpoint" / "state.safetensors"
    beating = Beating(lambda: None, tmp_path, Stored())
    beating.step(1, 4)
    assert puts == []
    checkpoint.parent.mkdir()
    checkpoint.write_bytes(b"one")
    beating.step(2, 4)
    os.utime(checkpoint, ns=(0, 0))
    beating.keep(sparing=False)
    assert puts == [(("cache", "tracking"), True), (("cache",), False)]
