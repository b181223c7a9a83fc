"""`unweave study run|status|resume|clean`: what scripts get, what people read, what is refused."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from session.runs import (
    assert_same_state,
    checkpoint_step,
    cli,
    document,
    folder_for_runs,
    full_disk,
    listing,
    paragraph,
)
from unweave.execution import EventLog
from unweave.rundir import alone
from unweave.studies.task import Beating

STUDY = """
seeds = 2

[train]
dataset = "dsprites(grid=(3, 2, 4, 4, 4))"
objective = "beta_vae"
steps = 6
batch_size = 8
log_every = 1

[evaluate]
metrics = ["mig"]
"""


def file_of(place, text=STUDY, name="tiny.toml", **changes):
    """A study file; each change is a line of the table `train` in the place of another."""
    for field, value in changes.items():
        lines = [
            f"{field} = {value}" if x.startswith(f"{field} = ") else x for x in text.split("\n")
        ]
        text = "\n".join(lines)
    path = place / name
    path.write_text(text)
    return path


def run(file, folder, *more):
    return cli("study", "run", file, "--out", folder, "--executor", "serial", "--json", *more)


@functools.cache
def finished():
    """A finished study, and what the command printed; copy it before you change it."""
    place = folder_for_runs()
    return place / "study", run(file_of(place), place / "study")


def copy_of_study(place):
    return Path(shutil.copytree(finished()[0], place / "study"))


def started(folder):
    return [r["key"] for r in EventLog(folder / "state.jsonl").read() if r["event"] == "started"]


def test_run(monkeypatch):
    folder, result = finished()
    assert result.code == 0, result.err
    value = result.json
    assert (value["name"], value["folder"], value["state"]) == ("tiny", str(folder), "finished")
    assert value["counts"] == {
        "finished": 2, "diverged": 0, "running": 0, "waiting": 0, "failed": 0,
    }  # fmt: skip
    assert (value["executor"], value["workers"], value["stopped_by"]) == ("serial", 1, None)
    for seed, row in enumerate(value["runs"]):
        assert (row["state"], row["step"], row["steps"]) == ("finished", 6, 6)
        assert row["varied"] == {"seed": seed}
        assert row["command"].startswith("unweave train ")
        assert 0 < row["seconds"] <= value["seconds"]
        assert [s["metric"] for s in document(Path(row["folder"]) / "scores.json")["scores"]] == [
            "mig"
        ]
    assert "[2/2] finished" in result.err


def test_status_reads_the_same_and_changes_nothing():
    folder, result = finished()
    before = listing(folder)
    value = cli("study", "status", folder, "--json").json
    assert value == {key: v for key, v in result.json.items() if key != "stopped_by"}
    spoken = cli("study", "status", folder)
    assert spoken.code == 0
    assert spoken.out.splitlines()[0].split() == ["seed", "state", "step", "time", "run"]
    assert "2 of 2 runs finished" in spoken.out
    assert spoken.out.endswith(f"\nScores in one table: unweave results {folder}\n")
    assert listing(folder) == before


def test_a_second_run_does_nothing_again_and_status_takes_names_and_files(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
    shutil.copytree(finished()[0], tmp_path / "runs" / "tiny")
    file = file_of(tmp_path)
    result = cli("study", "run", file, "--executor", "serial", "--json")
    assert (result.code, result.json["state"]) == (0, "finished")
    assert len(started(tmp_path / "runs" / "tiny")) == 2
    for text in ("tiny", file, tmp_path / "runs" / "tiny"):
        assert cli("study", "status", text, "--json").json["name"] == "tiny"
    assert cli("study", "resume", "tiny", "--json").json["state"] == "finished"
    paragraph(cli("study", "status", "tinny"), "There is no study in tinny or", "study run FILE")


def test_a_dry_run_says_what_there_is_and_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
    folder = copy_of_study(tmp_path)
    file = file_of(tmp_path, STUDY.replace("seeds = 2", "seeds = 5"))
    before = listing(tmp_path)
    value = cli("study", "run", file, "--out", folder, "--dry-run", "--workers", 2, "--json").json
    assert (value["runs"], value["finished"], value["shared"]) == (5, 2, 0)
    assert (value["workers"], value["kinds"][0]["runs"]) == (2, 3)
    # Three runs by two workers.
    assert value["seconds"] == pytest.approx(value["seconds_serial"] * 2 / 3)
    beside = cli("study", "run", file, "--out", tmp_path / "other", "--dry-run")
    assert "0 of them finished already, 2 in other studies, 3 to train" in beside.out
    assert "GB are free" in beside.out
    assert listing(tmp_path) == before


def test_runs_that_fail_or_diverge_are_told_with_their_logs(tmp_path):
    # MIG compares two latents, of which the first run has one.
    text = STUDY.replace("seeds = 2", "sweep = [{grid.latents = [1, 4]}]")
    file = file_of(tmp_path, text)
    result = run(file, tmp_path / "study")
    assert result.code == 1
    value = result.json
    assert [row["state"] for row in value["runs"]] == ["failed", "finished"]
    failed = value["runs"][0]
    assert "latent" in failed["message"]
    assert Path(failed["log"]).is_file()
    assert (
        f"unweave study resume {tmp_path / 'study'}"
        in cli("study", "status", tmp_path / "study").out
    )
    spoken = cli("study", "resume", tmp_path / "study", "--executor", "serial")
    assert spoken.code == 1
    for words in ("failed after 2 tries: latents=1", failed["message"], failed["log"], "1 failed"):
        assert words in spoken.out
    # The other one is not done again.
    assert len(started(tmp_path / "study")) == 3
    wild = file_of(tmp_path, STUDY, "wild.toml", batch_size='8\nlr = 1e30\nprecision = "float32"')
    result = run(wild, tmp_path / "wild")
    assert (result.code, result.json["counts"]["diverged"]) == (0, 2)
    assert "diverged: seed=0" in cli("study", "status", tmp_path / "wild").out


BAD = {
    "unknown field": (STUDY.replace("steps", "stepps"), ("no setting 'stepps'", "steps")),
    "unknown table": (STUDY + "\n[sweeep]\n", ("no 'sweeep'", "sweep")),
    "empty grid": (STUDY + "\n[[sweep]]\ngrid.lr = []\n", ("lr has no values",)),
    "no run": (STUDY.replace("seeds = 2", "seeds = []"), ("seeds is empty",)),
    "a name twice": (STUDY.replace("steps = 6", "steps = 6\nsteps = 7"), ("is not TOML",)),
    "a field twice": (STUDY + "\n[[sweep]]\ngrid.seed = [1]\n", ("seed is set by more than one",)),
    "a value twice": (STUDY + "\n[[sweep]]\ngrid.lr = [1, 1]\n", ("twice",)),
    "a run twice": (
        STUDY + "\n[[sweep]]\nlist = [{latents = 10}, {lr = 5e-4}]\n",
        ("the same training",),
    ),
    "unknown metric": (STUDY.replace("mig", "miig"), ("miig", "mig")),
    "a dataset that is not here": (
        STUDY.replace("dsprites(grid=(3, 2, 4, 4, 4))", "celeba"),
        ("celeba", "terms"),
    ),
    "no table": ("steps", ("is not TOML",)),
}


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_bad_studies_are_refused_before_anything_is_written(tmp_path, text, words):
    file = file_of(tmp_path, text)
    before = listing(tmp_path)
    paragraph(cli("study", "run", file, "--out", tmp_path / "study"), *words)
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ((), ("Give either the file of a study", "--preset")),
        (("no.toml",), ("no.toml cannot be read",)),
        (("{file}", "--preset", "disvae/train_all"), ("Give either",)),
        (("{file}", "--scale", "0.5"), ("--scale is of a --preset",)),
        (("{file}", "--workers", "0"), ("--workers must be at least 1",)),
        (("{file}", "--workers", "2", "--executor", "serial"), ("has one worker",)),
        (("{file}", "--max-minutes", "-1"), ("--max-minutes must be more than 0",)),
        (("{file}", "--cpus", "two"), ("--cpus takes a number",)),
        (("--preset", "disvae/train_al"), ("disvae/train_all",)),
    ],
)
def test_bad_flags_are_refused(tmp_path, monkeypatch, flags, words):
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
    file = file_of(tmp_path)
    before = listing(tmp_path)
    paragraph(cli("study", "run", *(flag.format(file=file) for flag in flags)), *words)
    assert listing(tmp_path) == before


def test_places_that_are_taken_are_left_as_they_are(tmp_path):
    folder, file = copy_of_study(tmp_path), file_of(tmp_path, steps="7")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = listing(tmp_path)
    paragraph(cli("study", "run", folder), f"unweave study resume {folder}")
    for out, words in (
        (folder, "a study of which no run is part of this one"),
        (tmp_path / "full", "exists and is no study"),
        (tmp_path / "file", "exists and is no study"),
        (tmp_path / "file" / "below", "written"),
        ("/proc/study", "written"),
    ):
        paragraph(run(file, out), words)
    with alone(folder / ".lock", "never said"):
        assert cli("study", "status", folder, "--json").json["state"] == "running"
        paragraph(cli("study", "resume", folder), "worked on by another process")
        paragraph(cli("study", "clean", folder, "--yes"), "worked on by another process")
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    "line", ["null", "3", '{"event": "finished", "time": 1, "key": "x"}', '{"time": 1}']
)
def test_a_line_that_is_no_event_is_told(tmp_path, line):
    folder = copy_of_study(tmp_path)
    log = folder / "state.jsonl"
    count = len(log.read_text().splitlines())
    with log.open("a") as handle:
        handle.write(f"{line}\n")
    for command in ("status", "resume"):
        paragraph(cli("study", command, folder), f"line {count + 1} is no event", "state.jsonl")


def test_a_damaged_study_can_be_mended_by_its_file(tmp_path):
    folder, file = copy_of_study(tmp_path), file_of(tmp_path)
    path = folder / "study.json"
    form = document(path)
    damaged = [
        "{", "[]", '{"format": 1}', json.dumps(form | {"runs": [{}]}),
        json.dumps(form | {"study": {"name": "x"}}),
    ]  # fmt: skip
    for place, text in enumerate(damaged):
        path.write_text(text)
        for command in ("resume", "clean"):
            paragraph(cli("study", command, folder), "study.json")
        if place < len(damaged) - 1:
            paragraph(cli("study", "status", folder), "study.json")
            paragraph(run(file, folder), "study.json")
    path.unlink()
    before = len(started(folder))
    assert run(file, folder).json["counts"]["finished"] == 2
    assert len(started(folder)) == before


def test_damaged_scores_are_told(tmp_path):
    folder = copy_of_study(tmp_path)
    key = document(folder / "study.json")["runs"][0]["key"]
    for text in ("[]", '{"scores": 3}', '{"scores": [3]}'):
        (folder / "runs" / key / "scores.json").write_text(text)
        paragraph(cli("study", "resume", folder), "scores.json is damaged")


def test_a_dry_run_refuses_what_a_run_would(tmp_path):
    folder, file = copy_of_study(tmp_path), file_of(tmp_path, steps="7")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    before = listing(tmp_path)
    for out, words in (
        (folder, "a study of which no run is part of this one"),
        (tmp_path / "full", "exists and is no study"),
        (tmp_path / ("x" * 300), "name too long"),
    ):
        paragraph(run(file, out, "--dry-run"), words)
    assert listing(tmp_path) == before


def test_a_disk_that_is_full_at_first_leaves_nothing_in_the_way(tmp_path, monkeypatch):
    file, folder = file_of(tmp_path), tmp_path / "study"
    with full_disk(monkeypatch, "study.json"):
        paragraph(run(file, folder), "The disk is full", "study.json")
    assert run(file, folder).json["counts"]["finished"] == 2


def test_a_full_disk_keeps_what_is_there(tmp_path, monkeypatch):
    folder = copy_of_study(tmp_path)
    file = file_of(tmp_path, STUDY.replace("seeds = 2", "seeds = 3"))
    with full_disk(monkeypatch, "state.safetensors"):
        result = run(file, folder)
    assert result.code == 1
    assert [row["state"] for row in result.json["runs"]] == ["finished", "finished", "failed"]
    assert "The disk is full" in result.json["runs"][2]["message"]
    with full_disk(monkeypatch, "state.jsonl"):
        paragraph(run(file, folder), "The disk is full", "state.jsonl")
    assert run(file, folder).json["counts"]["finished"] == 3


def test_a_time_limit_ends_in_pieces(tmp_path, monkeypatch):
    real, trained, asked = Beating.step, threading.Event(), []

    def step(self, step, images):
        real(self, step, images)
        trained.set()

    class Timer(threading.Timer):
        """Its time is over as soon as a step has been done, however long that takes."""

        def __init__(self, seconds, over):
            super().__init__(seconds, over)
            asked.append(seconds)
            trained.clear()

        def run(self):
            assert trained.wait(60)
            self.function()

    monkeypatch.setattr(Beating, "step", step)
    monkeypatch.setattr("unweave.cli.interruptible.threading.Timer", Timer)
    file = file_of(tmp_path, steps="100000")
    folder = tmp_path / "study"
    result = run(file, folder, "--max-minutes", 0.03)
    assert result.code == 0, result.err
    value = result.json
    assert (value["state"], value["stopped_by"]) == ("stopped", "time")
    first = value["runs"][0]
    before = checkpoint_step(Path(first["folder"]))
    assert 0 < before < 100_000
    spoken = cli("study", "resume", folder, "--executor", "serial", "--max-minutes", 0.03)
    assert (spoken.code, checkpoint_step(Path(first["folder"])) > before) == (0, True)
    assert f"The time is over. Go on with: unweave study resume {folder}" in spoken.out
    assert asked == [pytest.approx(60 * 0.03)] * 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_at_a_checkpoint(tmp_path, monkeypatch, number):
    steps = []

    def step(self, step, images):
        steps.append(step)
        if len(steps) == 3:
            signal.raise_signal(number)

    before = signal.getsignal(number)
    monkeypatch.setattr("unweave.studies.task.Beating.step", step)
    folder = tmp_path / "study"
    # Runs that no other study here has, from which they would be taken.
    result = run(file_of(tmp_path, batch_size=str(8 + number)), folder)
    assert result.code == 130
    value = result.json
    assert (value["state"], value["stopped_by"]) == ("stopped", "signal")
    assert [row["state"] for row in value["runs"]] == ["waiting", "waiting"]
    assert checkpoint_step(Path(value["runs"][0]["folder"])) == steps[-1] < 6
    assert signal.getsignal(number) is before
    assert cli("study", "resume", folder, "--executor", "serial", "--json").code == 0
    # The steps that were done are not done again.
    assert steps == [1, 2, 3, *range(steps[3], 7), *range(1, 7)]
    assert steps[3] == 4


def begin(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "unweave", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def until(condition, driver):
    end = time.monotonic() + 200
    while not condition():
        assert driver.poll() is None, driver.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_after_a_kill_and_a_termination_the_results_are_those_of_one_go(tmp_path):
    """Killed, terminated, and resumed: the weights are bit for bit the same."""
    file, folder = file_of(tmp_path, steps="400"), tmp_path / "study"
    given = ["--workers", 2, "--json"]
    driver = begin("study", "run", file, "--out", folder, *given)
    until(lambda: len(list(folder.glob("runs/*/metrics.jsonl"))) == 2, driver)
    running = cli("study", "status", folder, "--json").json
    assert (running["state"], running["counts"]["running"]) == ("running", 2)
    driver.kill()
    driver.communicate()
    time.sleep(1.5)  # workers look every half second whether it is still there
    dead = cli("study", "status", folder, "--json").json
    assert (dead["state"], dead["counts"]["waiting"]) == ("stopped", 2)

    assert max(row["step"] for row in dead["runs"]) < 400
    driver = begin("study", "resume", folder, *given)
    until(lambda: is_training_again(folder), driver)
    driver.send_signal(signal.SIGTERM)
    out, err = driver.communicate(timeout=60)
    assert driver.returncode == 130, err
    stopped = json.loads(out)
    assert (stopped["state"], stopped["stopped_by"]) == ("stopped", "signal")
    assert "Traceback" not in err
    for row in stopped["runs"]:
        # Each training has stopped at a checkpoint of its own.
        assert checkpoint_step(Path(row["folder"])) == row["step"] > 0

    assert cli("study", "resume", folder, "--executor", "serial", "--json").code == 0
    whole = run(file, tmp_path / "whole" / "study").json
    for row in whole["runs"]:
        assert_same_state(Path(row["folder"]), folder / "runs" / row["key"])


def is_training_again(folder):
    """Whether both runs were begun twice, and have done a step since."""
    logs = [path.read_text() for path in folder.glob("runs/*/log.txt")]
    steps = [path.stat().st_size for path in folder.glob("runs/*/metrics.jsonl")]
    return [log.count("Training ") for log in logs] == [2, 2] and all(steps)


class TestClean:
    def test_runs_that_are_out_go_and_those_of_other_studies_stay(self, tmp_path):
        folder = copy_of_study(tmp_path)
        other = tmp_path / "other"
        assert run(file_of(tmp_path, name="other.toml"), other).code == 0
        assert len(started(other)) == 2
        file = file_of(tmp_path, STUDY.replace("seeds = 2", "seeds = [1]"))
        assert run(file, folder, "--log-level", "error").code == 0
        assert len(list((folder / "runs").glob("[0-9a-f]*"))) == 2
        before, beside = listing(folder), listing(other)
        shown = cli("study", "clean", folder)
        assert "runs that are no longer part of the study" in shown.out
        assert "Nothing was removed. Remove " in shown.out
        assert listing(folder) == before
        value = cli("study", "clean", folder, "--yes", "--json").json
        [group] = value["groups"]
        assert value["removed"]
        assert len(group["paths"]) == 1
        assert value["bytes"] == group["bytes"] > 1_000_000
        assert not Path(group["paths"][0]).exists()
        assert len(list((folder / "runs").glob("[0-9a-f]*"))) == 1
        assert listing(other) == beside
        assert "has nothing that could go" in cli("study", "clean", folder).out

    def test_what_is_not_kept_any_more_and_what_a_kill_left(self, tmp_path):
        folder = copy_of_study(tmp_path)
        assert "nothing that could go" in cli("study", "clean", folder).out
        place = folder / "runs"
        torn = place / ".0123456789abcdef.taken"
        torn.mkdir()
        (torn / "config.json").write_text("{}")
        value = cli("study", "clean", folder, "--codes", "--json").json
        codes = sorted(str(path) for path in place.glob("*/cache"))
        assert {path for group in value["groups"] for path in group["paths"]} == {
            str(torn), *codes,
        }  # fmt: skip
        assert run(file_of(tmp_path, 'keep = "scores"\n' + STUDY), folder).code == 0
        assert len(started(folder)) == 2
        value = cli("study", "clean", folder, "--yes", "--json").json
        assert len(value["groups"]) == 2
        assert not list(place.glob("*/cache")) + list(place.glob("*/checkpoint"))
        assert not torn.exists()
        assert run(file_of(tmp_path, 'keep = "scores"\n' + STUDY), folder).code == 0
        assert len(started(folder)) == 2

    def test_weights_that_scores_wait_for_stay(self, tmp_path):
        folder = copy_of_study(tmp_path)
        form = document(folder / "study.json")
        form["study"]["keep"] = "scores"
        (folder / "study.json").write_text(json.dumps(form))
        one, other = sorted((folder / "runs").glob("[0-9a-f]*"))
        # Killed after its training, before it was scored.
        (one / "scores.json").unlink()
        assert cli("study", "clean", folder, "--yes").code == 0
        assert (one / "checkpoint" / "state.safetensors").is_file()
        assert not (other / "checkpoint").exists()

    def test_nothing_goes_that_is_somebody_elses(self, tmp_path):
        folder = copy_of_study(tmp_path)
        form = document(folder / "study.json")
        form["study"]["keep"] = "scores"
        (folder / "study.json").write_text(json.dumps(form))
        one, other = sorted((folder / "runs").glob("[0-9a-f]*"))
        one.rename(tmp_path / "mine")
        one.symlink_to(tmp_path / "mine")
        (other / "cache").rename(tmp_path / "cache")
        (other / "cache").symlink_to(tmp_path / "cache")
        (folder / "runs" / "elsewhere").symlink_to(tmp_path / "mine")
        (folder / "runs" / ".notes").mkdir()
        (folder / "runs" / ".gone.old").symlink_to(tmp_path / "mine")
        before = [listing(tmp_path / name) for name in ("mine", "cache")]
        result = cli("study", "clean", folder, "--yes")
        assert result.code == 0, result.err
        assert [listing(tmp_path / name) for name in ("mine", "cache")] == before
        assert (folder / "runs" / ".notes").is_dir()
        assert not (other / "checkpoint").exists()


def test_published_studies_say_what_they_wait_for(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
    result = cli(
        "study", "run", "--preset", "disvae/train_mutual_info", "--scale", 0.001, "--dry-run",
        "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert result.json["folder"] == str(tmp_path / "runs" / result.json["study"])
    assert result.json["runs"] == 5
    assert "5 runs wait for files of celeba, and are left out." in result.err
    assert listing(tmp_path) == {}
