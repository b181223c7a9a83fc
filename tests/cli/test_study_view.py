"""How a study is shown: a live table on a terminal, lines elsewhere, durations for people."""

from __future__ import annotations

import io
import logging
import sys

import pytest

from unweave.cli.study_view import rows, view
from unweave.cli.words import duration, table
from unweave.execution import EventLog
from unweave.jsonlines import append_line
from unweave.rundir import write_json
from unweave.studies import StudyFolder, survey


class Terminal(io.StringIO):
    """A text that says that it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def folder(tmp_path):
    """A study of three runs, of which none has begun."""
    runs = [
        {"key": key, "varied": {"lr": lr}, "steps": 200, "command": "unweave train"}
        for key, lr in (("a", 0.1), ("b", 0.2), ("c", 0.3))
    ]
    write_json(tmp_path / "study.json", {"format": 1, "study": {"name": "rates"}, "runs": runs})
    return StudyFolder(tmp_path)


def work_on(folder, listener):
    """What a driver would write down, up to a point where one run is under way."""
    log = EventLog(folder.events.path, [listener])
    log.add("begun", engine="processes", items=3, slots=2)
    log.add("started", key="a")
    log.add("started", key="b")
    (folder.run_folder("b")).mkdir(parents=True)
    append_line(folder.run_folder("b") / "metrics.jsonl", {"step": 50, "seconds": 5.0})
    log.add("finished", key="a", result={"state": "finished", "step": 200, "seconds": 20.0})
    log.add("failed", key="c", message="out of luck", final=False)
    log.add("failed", key="c", message="out of luck again", final=True)


def test_lines(folder, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with view(folder) as listener:
        work_on(folder, listener)
        said = sys.stderr.getvalue().splitlines()
    assert said == [
        f"rates in {folder.path}: 0 of 3 runs finished, 3 waiting, 0 s so far",
        "[0/3] started: lr=0.1",
        "[0/3] started: lr=0.2",
        # 0.1 s a step: 150 and 200 of them are left, for two workers.
        "[1/3] finished after 20 s: lr=0.1, about 20 s left",
        "[2/3] failed after 0 s: lr=0.3, about 15 s left",
    ]


def test_a_live_table_is_drawn_and_gone_at_the_end(folder, monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "150")
    handler = logging.StreamHandler(terminal)
    logging.getLogger().addHandler(handler)
    try:
        with view(folder) as listener:
            work_on(folder, listener)
            logging.getLogger("unweave").warning("beside the table")
            listener.draw()
            drawn = terminal.getvalue()
            assert handler.stream is not terminal
        assert handler.stream is terminal
    finally:
        logging.getLogger().removeHandler(handler)
    for words in (
        "rates: 1 of 3 runs finished, 1 running, 1 failed",
        "about 15 s left with 2 workers",
        "lr=0.2",
        "step 50/200",
        "failed: lr=0.3: out of luck again",
        "beside the table\n",
    ):
        assert words in drawn
    assert "[0/3]" not in drawn
    # The cursor goes back over the table, and each of its lines is wiped out.
    assert terminal.getvalue()[len(drawn) :].count("\x1b[2K") >= 3
    assert capsys.readouterr().out == ""


def test_the_table_of_status(folder):
    work_on(folder, lambda row: None)
    shown = rows(survey(folder)).splitlines()
    assert shown[0].split() == ["lr", "state", "step", "time", "run"]
    assert shown[1].split() == ["0.1", "finished", "200/200", "20", "s", "a"]
    # No driver is at work any more.
    assert shown[2].split()[:3] == ["0.2", "waiting", "50/200"]
    assert shown[3].split()[:2] == ["0.3", "failed"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"), (59.4, "59 s"), (60, "1:00 min"), (187, "3:07 min"), (3600, "1:00 h"),
        (8100, "2:15 h"), (200_000, "2.3 days"),
    ],
)  # fmt: skip
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_columns_stand_under_their_heads():
    assert table(["a", "long"], [["wide one", "x"], ["", "y"]]) == (
        "a         long\nwide one  x\n          y"
    )
