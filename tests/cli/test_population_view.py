"""How a population is shown: a live table on a terminal, a line a round elsewhere, texts after."""

from __future__ import annotations

import dataclasses
import io
import shutil
import sys
from pathlib import Path

import pytest

from cli.test_study_view import Terminal
from reference.populations import population_of, whole
from unweave.cli.population_text import forecast_lines
from unweave.cli.population_view import forecast_text, headline, text_of, view
from unweave.execution import EventLog
from unweave.jsonlines import append_line
from unweave.population.costs import Measured, forecast
from unweave.population.folder import PopulationFolder
from unweave.population.overview import survey
from unweave.population.priors import Choice, Grid, LogUniform
from unweave.population.tuned import Tuned


@pytest.fixture
def folder(tmp_path):
    """The usual population, of which nothing is done."""
    shutil.copy(whole()[0] / "population.json", tmp_path)
    return PopulationFolder(tmp_path)


def events():
    return PopulationFolder(whole()[0]).events.read()


def place_of(kind, **fields):
    return next(
        k
        for k, event in enumerate(events())
        if event["event"] == kind and all(event.get(f) == v for f, v in fields.items())
    )


def work_on(folder, listener, rows):
    """What a driver writes down, with its times."""
    log = EventLog(folder.events.path)
    for row in rows:
        append_line(log.path, row)
        listener(row)


def test_a_line_a_round(folder, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    begun = events()[0]["time"]
    monkeypatch.setattr("time.time", lambda: begun)
    with view(folder) as listener:
        work_on(folder, listener, events())
        said = sys.stderr.getvalue().splitlines()
    _, outcome = whole()
    assert said[0].startswith(f"{folder.path}: round 1 of 3, 0 of 4 members done, 0 s so far")
    assert len(said) == 4
    for number, (line, rows) in enumerate(zip(said[1:], outcome.rounds, strict=True), 1):
        best = max(rows, key=lambda row: row.score)
        assert line.startswith(
            f"[{number}/3] best {best.score:.4g} by member {best.member} "
            f"(lr={best.task.hyper['optimizer.lr']:.4g}, "
            f"beta={best.task.hyper['objective.beta']:.4g}), median "
        )
    assert "about" in said[1]
    assert said[3].endswith("the last one: all 3 rounds are done")


def test_members_without_a_score_are_counted_in_the_line(folder, monkeypatch):
    rows = events()[: place_of("round", round=2) + 1]
    rows[-1]["rows"][0]["score"] = None
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with view(folder) as listener:
        work_on(folder, listener, rows)
        assert "1 of 4 without a score" in sys.stderr.getvalue().splitlines()[-1]


def test_a_live_table_is_drawn_and_gone_at_the_end(folder, monkeypatch, capsys):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "150")
    rows = events()[: place_of("started", key="r002-m02") + 1]
    rows.append(
        {"event": "failed", "time": rows[-1]["time"], "key": "r002-m03", "message": "no luck",
         "final": True}
    )  # fmt: skip
    with view(folder) as listener:
        work_on(folder, listener, rows)
        listener.draw()
        drawn = terminal.getvalue()
    for words in (
        "round 2 of 3, 2 of 4 members done, best score",
        "weights of",
        "rank",
        "finished in",
        "failed",
        "member 3: no luck",
        "━",
    ):
        assert words in drawn
    assert "[1/3]" not in drawn
    assert terminal.getvalue()[len(drawn) :].count("\x1b[2K") >= 5
    assert capsys.readouterr().out == ""


def test_the_text_of_a_finished_population():
    place, outcome = whole()
    found = survey(PopulationFolder(place))
    text = text_of(found)
    lines = text.splitlines()
    assert lines[0].startswith(f"{place}: 3 of 3 rounds, best score {outcome.best.score:.4g}")
    assert "left" not in lines[0]
    head = lines.index("round 3, by scored(by=mig, labels=100)")
    assert lines[head + 1].split() == [
        "rank", "member", "score", "lr", "beta", "weights", "of", "state",
    ]  # fmt: skip
    ordered = sorted(outcome.rounds[-1], key=lambda row: -row.score)
    for rank, (line, row) in enumerate(zip(lines[head + 2 :], ordered, strict=False), 1):
        task = row.task
        weights = "own" if task.parent == row.member else str(task.parent)
        assert line.split()[:6] == [
            str(rank), str(row.member), f"{row.score:.4g}", f"{task.hyper['optimizer.lr']:.4g}",
            f"{task.hyper['objective.beta']:.4g}", weights,
        ]  # fmt: skip
    assert any(f"run {found.best.run}" in line for line in lines)
    judged = outcome.judged
    assert (
        f"mig {judged['scores']['mig']['value']:.4g} on 77 rendered images whose labels had no "
        f"part in the fitness ({judged['protocol']})"
    ) in text


def test_the_text_of_a_round_under_way(folder):
    rows = events()[: place_of("started", key="r002-m02") + 1]
    rows[place_of("round", round=1)]["rows"][1] |= {"score": None, "message": "It diverged."}
    work_on(folder, lambda row: None, rows)
    text = text_of(survey(folder))
    assert "round 1, by scored" in text
    assert "member 1 has no score: It diverged." in text
    assert "round 2\n" in text
    assert "waiting" in text
    # Nothing under way is no round under way.
    other = PopulationFolder(folder.path / "other")
    other.path.mkdir()
    shutil.copy(folder.path / "population.json", other.path)
    assert text_of(survey(other)) == f"{other.path}: round 1 of 3, 0 of 4 members done, 0 s so far"


def test_why_it_ended_early_and_what_is_left_to_do(folder):
    from unweave.population.stop import Reached

    folder.write(population_of(keep="all", rounds=9, stop=(Reached(score=0.05),)))
    work_on(folder, lambda row: None, events())
    found = survey(folder)
    assert headline(found).startswith(f"3 of 9 rounds, since {found.why}, best score")


def test_what_failed_is_in_the_text(folder):
    rows = events()[: place_of("started", key="r001-m01") + 1]
    rows.append({"event": "ended", "time": rows[-1]["time"], "why": "The disk is full."})
    work_on(folder, lambda row: None, rows)
    assert text_of(survey(folder)).endswith("error: The disk is full.")


def test_what_a_population_would_cost_in_words():
    pace = Measured(steps={8: 9.0}, weights_bytes=10**6, step_bytes=0.0)
    population = population_of(members=5, rounds=3, steps=10, shrink=2)
    found = forecast(population, 2, measured=pace)
    lines = forecast_text(found, Path("here")).splitlines()
    assert lines[:5] == [
        "here: 5 members, 2 after the first round, 3 rounds at most",
        "ranked by scored(by=mig, labels=100)",
        "tuned: optimizer.lr=log_uniform(low=0.0001, high=0.01), "
        "objective.beta=log_uniform(low=1, high=20)",
        "images: about 720 in 90 steps of models",
        "a step of a model: 9 s with batch_size 8",
    ]
    # 90 s a member: five by two workers, and twice two.
    assert lines[5] == (
        "time: about 7:30 min with 2 workers, for trainings without scores (13:30 min one after "
        "the other)"
    )
    assert lines[6].startswith("disk: about 3.1 MB in the end, at most 9.1 MB before; ")
    assert len(lines) == 7


def test_bounds_that_are_not_the_ends_of_a_prior_are_told():
    tuned = (
        Tuned(path="batch_size", prior=Choice(values=(4, 8)), high=64),
        Tuned(path="optimizer.lr", prior=LogUniform(low=0.001, high=0.1), bounded=False),
        Tuned(path="objective.beta", prior=Grid(values=(2, 4)), low=1, bounded=False),
    )
    pace = Measured(steps={8: 9.0}, weights_bytes=0, step_bytes=0.0)
    lines = forecast_lines(forecast(population_of(tuned=tuned), 1, measured=pace), "here")
    assert lines[2] == (
        "tuned: batch_size=choice(values=(4, 8)) and then from 4 up to 64, "
        "optimizer.lr=log_uniform(low=0.001, high=0.1) and then without bounds, "
        "objective.beta=grid(values=(2, 4)) and then from 1"
    )


def test_what_would_be_left_of_a_population_in_words(tmp_path):
    place, _ = whole()
    folder = PopulationFolder(place)
    found = forecast(population_of(keep="all"), 1, folder=tmp_path, begun=survey(folder))
    lines = forecast_text(found, place).splitlines()
    assert lines[0] == f"{place}: 4 members, 3 rounds at most, 3 of them over"
    assert lines[3:] == ["nothing is left: all 3 rounds are done"]
    unscored = dataclasses.replace(found, judging=True)
    assert "only the best member is left to be scored: all" in forecast_text(unscored, place)
    longer = population_of(keep="all", rounds=5)
    pace = Measured(steps={8: 9.0}, weights_bytes=10**8, step_bytes=0.0)
    found = forecast(longer, 1, measured=pace, begun=survey(folder, longer))
    text = forecast_text(found, place)
    assert "5 rounds at most, 3 of them over" in text
    assert "images: about 320 are left, in 40 steps of models" in text
    assert "of it is there; " in text
    # A smaller disk: what is kept can only be less where all of it is.
    full = dataclasses.replace(found, free_bytes=0)
    assert forecast_text(full, place).endswith("keep less (--keep best), or give another --out.")
    full = dataclasses.replace(full, keep="best")
    assert forecast_text(full, place).endswith("The disk is too small: give another --out.")


def test_the_best_member_is_scored_once(folder):
    """And is not said to be scored where that is over, as where a command is given again."""
    rows = events()
    work_on(folder, lambda row: None, rows)
    found = dataclasses.replace(survey(folder), state="running")
    assert "being scored" not in headline(found)
    assert "being scored" in headline(dataclasses.replace(found, judged=None))
