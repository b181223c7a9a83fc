"""A small version of the study on every engine, and what is refused of one."""

import json

import pytest
from _studies.measure import Measured, check_once

import studies
from unweave.errors import RunError
from unweave.studies import StudyFolder


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_study_that_is_killed_twice_is_the_same_on_every_engine(tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="needs Ray")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path))
    found = studies.measured(24, tmp_path, studies.NAMES, ["killed"])
    assert [place.name for place, _, _ in found] == list(studies.NAMES)
    assert len({got.table for _, _, got in found}) == 1
    assert len({digest for _, digest, _ in found[0][2].table}) == 24
    for place, _, got in found:
        assert got.drivers == 2
        assert got.lost >= (0 if place.name == "serial" else 1)
    assert studies.table(found).count("\n") == 2 + len(studies.NAMES)


def folder_of(tmp_path, events, log):
    folder = StudyFolder(tmp_path / "study")
    place = folder.run_folder("k")
    place.mkdir(parents=True)
    run = {"key": "k", "varied": {}, "steps": 5, "command": "unweave train"}
    form = {"format": 1, "study": {"name": "study"}, "runs": [run]}
    (folder.path / "study.json").write_text(json.dumps(form))
    (place / "log.txt").write_text(log)
    fields = {"finished": {"result": {}}, "lost": {"message": "It is gone.", "final": False}}
    for event in events:
        folder.events.add(event, key="k", **fields.get(event, {}))
    return folder


BEGUN, DONE = "Training x, from step 0.\n", "finished at step 5 of 5\n"


def test_a_run_that_was_lost_and_done_again_is_right(tmp_path):
    check_once(folder_of(tmp_path, ["started", "lost", "started", "finished"], BEGUN * 2 + DONE))


@pytest.mark.parametrize(
    ("events", "log"),
    [
        (["started"], BEGUN),
        (["started", "finished", "started", "finished"], BEGUN + DONE),
        (["started", "finished", "started"], BEGUN + DONE),
        (["started", "finished"], BEGUN + DONE + BEGUN + DONE),
        (["started", "finished"], BEGUN * 2 + DONE),
    ],
)
def test_a_run_that_was_not_done_once_is_named(events, log, tmp_path):
    with pytest.raises(RunError, match="k"):
        check_once(folder_of(tmp_path, events, log))


def test_overhead_is_what_workers_did_besides(tmp_path):
    rows = tuple((str(n), "", ()) for n in range(10))
    found = Measured(StudyFolder(tmp_path), 6.0, rows, 11.0, 5.0, 0.0, 0, 1)
    assert found.overhead(2) == pytest.approx(0.1)
