"""`unweave runs list|show|rm`, and what is said of runs on disk."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from session.runs import RICH, cli, copy_of, document, listing, paragraph, resume, rich, train
from unweave.errors import RunError
from unweave.inventory import describe, find_runs, remove, size_of
from unweave.rundir import alone, work_lock, write_json


@pytest.fixture
def place(tmp_path):
    """A folder with a run, and one in a study; the two have a file in common."""
    run = copy_of(rich(), tmp_path)
    inner = tmp_path / "sweep" / "runs" / "0123456789abcdef"
    shutil.copytree(run, inner, copy_function=os.link)
    write_json(tmp_path / "sweep" / "study.json", {"format": 1})
    (tmp_path / ".hidden").mkdir()
    shutil.copytree(run, tmp_path / ".hidden" / "run")
    return tmp_path


def test_list(place, monkeypatch):
    value = cli("runs", "list", place, "--json").json
    assert [row["run"] for row in value["runs"]] == [
        str(place / "copy"),
        str(place / "sweep" / "runs" / "0123456789abcdef"),
    ]
    for row in value["runs"]:
        assert (row["dataset"], row["objective"]) == (RICH, "beta_tcvae(beta=2)")
        assert (row["state"], row["step"], row["steps"], row["scores"]) == ("finished", 24, 24, 0)
        assert row["bytes"] == sum(
            path.stat().st_size for path in (place / "copy").rglob("*") if path.is_file()
        )
        assert row["changed"] > 1.7e9
    # What lies in both places is counted once.
    assert value["bytes"] == row["bytes"]
    monkeypatch.setenv("UNWEAVE_RUNS", str(place))
    spoken = cli("runs", "list")
    heads = ["run", "dataset", "objective", "steps", "state", "scores", "size", "changed"]
    assert spoken.out.splitlines()[0].split() == heads
    assert "sweep/runs/0123456789abcdef" in spoken.out
    assert "2 runs" in spoken.out
    monkeypatch.setenv("UNWEAVE_RUNS", str(place / "none"))
    assert cli("runs", "list", "--json").json["runs"] == []
    paragraph(cli("runs", "list", place / "none"), "is not a folder")


def test_states(tmp_path):
    run = tmp_path / "run"
    train(run, steps=4, log_every=1)
    assert describe(run)["state"] == "finished"
    status = document(run / "status.json")
    write_json(run / "status.json", status | {"state": "running", "step": 2})
    found = describe(run)
    # Nobody trains it: it was killed. Its last line says how far it came.
    assert (found["state"], found["step"]) == ("interrupted", 4)
    with alone(run / ".lock", "never said"):
        assert describe(run)["state"] == "running"
    (run / "status.json").write_text("{")
    found = describe(run)
    assert (found["state"], found["steps"]) == ("damaged", 4)
    assert "status.json" in found["message"]
    for wrong in ({"step": "7"}, {"step": 1e400}, {"state": ["x"]}):
        (run / "status.json").write_text(json.dumps(status | wrong))
        assert describe(run)["state"] == "damaged", wrong
        paragraph(cli("runs", "show", run), "status.json is damaged", "Resume the run")
    # All steps were taken: nothing but the file is written.
    assert resume(run).json["state"] == "finished"
    assert describe(run)["state"] == "finished"
    (run / "config.json").write_text('{"format": 1}')
    assert describe(run)["dataset"] is None
    assert cli("runs", "list", tmp_path).code == 0
    paragraph(cli("runs", "show", run), "is damaged", "'text'")


def test_show(place, tmp_path):
    run = place / "copy"
    assert cli("evaluate", run, "--metrics", "mig").code == 0
    value = cli("runs", "show", run, "--json").json
    assert value["config"] == document(run / "config.json")
    assert value["scores"] == document(run / "scores.json")["scores"]
    assert value["files"]["snapshots"] == size_of(run / "snapshots").bytes
    assert value["files"].keys() == {path.name for path in run.iterdir()}
    assert (value["study"], value["resume"]) == (None, None)
    spoken = cli("runs", "show", run).out
    for words in ("finished at step 24/24", value["config"]["command"], "mig", "unweave/1"):
        assert words in spoken
    unfinished = tmp_path / "a b"
    train(unfinished, steps=50, max_minutes=1e-9)
    value = cli("runs", "show", unfinished, "--json").json
    assert (value["state"], value["step"]) == ("stopped", 1)
    assert value["resume"] == f"unweave train --out '{unfinished}' --resume"
    assert value["resume"] in cli("runs", "show", unfinished).out
    inner = place / "sweep" / "runs" / "0123456789abcdef"
    assert cli("runs", "show", inner, "--json").json["study"] == str(place / "sweep")
    paragraph(cli("runs", "show", place), "not a run folder", "unweave runs list")
    paragraph(cli("runs", "show", place / "none"), "is not there")


def test_rm(place):
    inner = place / "sweep" / "runs" / "0123456789abcdef"
    before = listing(place)
    shown = cli("runs", "rm", place / "copy", inner)
    assert "Nothing was removed" in shown.out
    assert f"part of {place / 'sweep'}" in shown.out
    assert "24/24" in shown.out
    for lock in (inner / ".lock", work_lock(inner)):
        with alone(lock, "never said", remove=True):
            # One is refused, so that none goes.
            paragraph(cli("runs", "rm", place / "copy", inner, "--yes"), "is being trained")
    paragraph(cli("runs", "rm", place / "copy", place / "sweep", "--yes"), "not a run folder")
    (place / "link").symlink_to(place / "copy")
    paragraph(cli("runs", "rm", place / "link", "--yes"), "is a link", str(place / "copy"))
    (place / "link").unlink()
    assert listing(place) == before
    value = cli("runs", "rm", place / "copy", "--yes", "--json").json
    assert (value["removed"], len(value["runs"])) == (True, 1)
    # The study keeps its links.
    assert list(find_runs(place)) == [inner]
    assert cli("evaluate", inner, "--metrics", "mig").code == 0
    assert {path.name for path in place.iterdir()} == {"sweep", ".hidden"}


def test_rm_takes_a_run_by_two_names(place, monkeypatch):
    monkeypatch.chdir(place)
    value = cli("runs", "rm", "copy", place / "copy", "--yes", "--json").json
    assert [row["run"] for row in value["runs"]] == ["copy"]
    assert not (place / "copy").exists()


@pytest.mark.parametrize("change", [{"step": "many"}, {"step": None}, {"seconds": []}])
def test_a_status_that_says_nonsense_is_damage(place, change):
    path = place / "copy" / "status.json"
    write_json(path, document(path) | change)
    assert describe(place / "copy")["state"] == "damaged"
    assert "damaged" in cli("runs", "list", place).out
    paragraph(cli("runs", "show", place / "copy"), "damaged")


def test_a_diverged_run_of_a_study_is_not_gone_on_with(place):
    inner = place / "sweep" / "runs" / "0123456789abcdef"
    status = document(inner / "status.json") | {"state": "diverged"}
    write_json(inner / "status.json", status)
    assert cli("runs", "show", inner, "--json").json["resume"] is None
    write_json(inner / "status.json", status | {"state": "stopped"})
    assert "study resume" in cli("runs", "show", inner, "--json").json["resume"]


def test_a_worker_that_comes_while_a_run_is_removed_is_seen(place, monkeypatch):
    inner = place / "sweep" / "runs" / "0123456789abcdef"
    monkeypatch.setattr("unweave.inventory.check_removable", lambda folder: None)
    with alone(work_lock(inner), "never said"), pytest.raises(RunError, match="being trained"):
        remove(inner)
    assert (inner / "config.json").is_file()
    remove(inner)
    assert not inner.exists()


def test_the_mere_name_of_a_run_is_told_its_path(place, monkeypatch, tmp_path):
    monkeypatch.setenv("UNWEAVE_RUNS", str(place))
    monkeypatch.chdir(tmp_path.parent)
    for command in ("evaluate", "report", "plot"):
        paragraph(cli(command, "copy"), "copy does not exist", f"Did you mean {place / 'copy'}?")
        error = paragraph(cli(command, "nothing"), "nothing does not exist")
        assert "Did you mean" not in error


def test_what_can_be_done_next_is_said(place):
    shown = cli("runs", "show", place / "copy").out
    assert f"Look at it with: unweave report {place / 'copy'}" in shown
    assert ("Score it with" in shown) == (describe(place / "copy")["scores"] == 0)
