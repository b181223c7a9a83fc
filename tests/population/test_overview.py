"""How far a population is, told from its events and its run folders."""

from __future__ import annotations

import dataclasses
import json
import shutil
import statistics

import pytest

from notebooks.reading import read
from reference.populations import population_of, whole
from unweave.errors import RunError
from unweave.execution import EventLog
from unweave.jsonlines import append_line
from unweave.population.asynchronous import Unstepped
from unweave.population.folder import PopulationFolder
from unweave.population.overview import Watched, survey
from unweave.population.pace import seconds_left
from unweave.population.priors import Choice
from unweave.population.rounds import member_key
from unweave.population.stop import Reached
from unweave.population.table import Row, Task
from unweave.population.tuned import Tuned
from unweave.population.views import short_names


def begun(tmp_path, events, *, runs=()):
    """The usual population with some of its events, and some of its runs."""
    place, _ = whole()
    folder = PopulationFolder(tmp_path / "p")
    folder.path.mkdir()
    shutil.copy(place / "population.json", folder.path)
    for run in runs:
        shutil.copytree(place / run, folder.path / run)
    for event in events:
        append_line(folder.events.path, event)
    return folder


def all_events():
    return PopulationFolder(whole()[0]).events.read()


def until(kind, **fields):
    """The events up to one, with it."""
    events = all_events()
    place = next(
        k
        for k, event in enumerate(events)
        if event["event"] == kind and all(event.get(f) == v for f, v in fields.items())
    )
    return events[: place + 1]


def test_a_finished_population():
    place, outcome = whole()
    found = survey(PopulationFolder(place))
    assert (found.state, found.done, found.rounds) == ("finished", 3, 3)
    assert found.why == "all 3 rounds are done"
    assert (found.executor, found.workers, found.error) == ("serial", 1, "")
    assert (found.seconds_left, found.under_way) == (0.0, ())
    assert found.tuned == ("optimizer.lr", "objective.beta")
    scores = [view.score for view in found.table]
    assert scores == sorted((row.score for row in outcome.rounds[-1]), reverse=True)
    for view in found.table:
        row = outcome.rounds[-1][view.member]
        assert (view.score, view.hyper, view.parent) == (
            row.score,
            row.task.hyper,
            row.task.parent,
        )
    best = max((row for rows in outcome.rounds for row in rows), key=lambda row: row.score)
    assert (found.best.round, found.best.member) == (best.task.round, best.member)
    assert found.best.run == str(PopulationFolder(place).run_of(best))
    assert found.judged == outcome.judged
    for view, rows in zip(found.history, outcome.rounds, strict=True):
        scores = [row.score for row in rows]
        assert (view.best, view.median) == (max(scores), statistics.median(scores))
        assert (view.members, view.lost) == (4, 0)
    events = all_events()
    assert found.seconds == pytest.approx(events[-1]["time"] - events[0]["time"], abs=2e-3)
    assert json.loads(json.dumps(found.to_dict()))["best"]["member"] == best.member


def test_a_round_under_way(tmp_path, monkeypatch):
    _, outcome = whole()
    events = until("started", key="r002-m02")
    folder = begun(tmp_path, events, runs=["rounds/001", "rounds/002"])
    # Member 2 has done three of the five steps.
    run = folder.path / "rounds/002/m02/models/0"
    lines = (run / "metrics.jsonl").read_text().splitlines()
    (run / "metrics.jsonl").write_text(lines[0] + "\n")
    append_line(run / "metrics.jsonl", json.loads(lines[0]) | {"step": 8})
    now = events[-1]["time"] + 2.5
    monkeypatch.setattr("time.time", lambda: now)
    with folder.alone():
        found = survey(folder)
    assert (found.state, found.done, found.why, found.judged) == ("running", 1, "", None)
    assert [view.state for view in found.under_way] == [
        "finished", "finished", "running", "waiting",
    ]  # fmt: skip
    assert [view.done for view in found.under_way] == [1.0, 1.0, pytest.approx(0.6), 0.0]
    # What comes is what came: rules are functions of the table.
    for view, row in zip(found.under_way, outcome.rounds[1], strict=True):
        assert (view.hyper, view.parent) == (row.task.hyper, row.task.parent)
        assert view.score == (row.score if row.member < 2 else None)
    assert found.under_way[2].seconds == 2.5
    assert found.seconds == pytest.approx(now - events[0]["time"], abs=2e-3)
    assert {view.round for view in found.table} == {1}
    # All batch sizes are equal: each member takes as long as others did in the mean.
    rows = [*outcome.rounds[0], *outcome.rounds[1][:2]]
    each = sum(row.seconds for row in rows) / len(rows)
    assert found.seconds_left == pytest.approx(each * (0.4 + 1 + 4), abs=2e-3)


def test_a_driver_that_was_killed_has_nothing_under_way(tmp_path):
    folder = begun(tmp_path, until("started", key="r002-m02"))
    found = survey(folder)
    assert (found.state, found.error) == ("stopped", "")
    assert [view.state for view in found.under_way] == [
        "finished",
        "finished",
        "waiting",
        "waiting",
    ]
    # The next one adds its own time, and none that passed between the two.
    last = all_events()[0]["time"]
    spent = found.seconds
    append_line(folder.events.path, {"event": "begun", "time": last + 1e6, "slots": 2})
    append_line(folder.events.path, {"event": "ended", "time": last + 1e6 + 7, "why": "done"})
    again = survey(folder)
    assert again.seconds == pytest.approx(spent + 7, abs=2e-3)
    assert again.workers == 2


def test_before_the_first_event_all_wait(tmp_path):
    _, outcome = whole()
    found = survey(begun(tmp_path, []))
    assert (found.state, found.done, found.best, found.table) == ("stopped", 0, None, ())
    assert [view.state for view in found.under_way] == ["waiting"] * 4
    assert [view.hyper for view in found.under_way] == [
        row.task.hyper for row in outcome.rounds[0]
    ]
    assert (found.seconds, found.seconds_left) == (0.0, None)


def test_in_the_first_round_trainings_under_way_tell_the_time_left(tmp_path):
    folder = begun(tmp_path, until("started", key="r001-m00"))
    run = folder.path / "rounds/001/m00/models/0"
    run.mkdir(parents=True)
    append_line(run / "metrics.jsonl", {"event": "train", "step": 2, "seconds": 3.0})
    with folder.alone():
        # 1.5 s a step: 3 of 5 steps are left of this member, and 11 trainings of others.
        assert survey(folder).seconds_left == pytest.approx(1.5 * (3 + 11 * 5))


def test_what_failed_is_said(tmp_path):
    events = until("started", key="r002-m02")
    when = events[-1]["time"]
    late = {
        "event": "failed",
        "time": when,
        "key": "r002-m02",
        "message": "no room",
        "final": False,
    }
    folder = begun(tmp_path, [*events, late])
    assert survey(folder).error == "member 2: no room"
    append_line(folder.events.path, {**late, "final": True})
    assert survey(folder).under_way[2].state == "failed"
    append_line(folder.events.path, {"event": "ended", "time": when, "why": "r002-m02 failed"})
    found = survey(folder)
    assert (found.state, found.error) == ("failed", "r002-m02 failed")
    # Who goes on tries it anew.
    append_line(folder.events.path, {"event": "begun", "time": when, "slots": 1})
    append_line(folder.events.path, {"event": "ended", "time": when, "why": "KeyboardInterrupt"})
    found = survey(folder)
    assert (found.state, found.under_way[2].state) == ("stopped", "waiting")


def test_until_the_best_member_is_scored_it_is_not_finished(tmp_path):
    events = until("round", round=3)
    folder = begun(tmp_path, events)
    found = survey(folder)
    assert (found.done, found.why, found.judged) == (3, "all 3 rounds are done", None)
    assert (found.state, found.under_way) == ("stopped", ())


def test_more_rounds_than_are_done_can_be_asked_for(tmp_path):
    folder = begun(tmp_path, all_events())
    folder.write(population_of(keep="all", rounds=5))
    found = survey(folder)
    assert (found.state, found.done, found.rounds, found.why) == ("stopped", 3, 5, "")
    assert len(found.under_way) == 4
    folder.write(population_of(keep="all", rounds=5, stop=(Reached(score=-1),)))
    assert survey(folder).why.startswith("the best score")


def test_a_driver_is_watched_event_by_event(tmp_path):
    folder = begun(tmp_path, [])
    watched = Watched(folder)
    log = EventLog(folder.path / "other.jsonl", [watched.tell])
    for event in all_events():
        fields = {name: value for name, value in event.items() if name not in ("event", "time")}
        log.add(event["event"], **fields)
    found = watched.look(busy=True)
    assert found.state == "running"
    there = survey(PopulationFolder(whole()[0]))
    assert [(v.member, v.score, v.hyper) for v in found.table] == [
        (v.member, v.score, v.hyper) for v in there.table
    ]
    assert (found.history, found.judged) == (there.history, there.judged)


def test_members_that_wait_for_nobody(tmp_path):
    population = population_of(asynchronous=True, members=3, metrics=())
    folder = PopulationFolder(tmp_path)
    folder.write(population)
    state = Unstepped(population)
    log = folder.events
    log.add("begun", engine="serial", slots=1)
    for place, member in enumerate((0, 0, 1, 2, 0, 1)):
        task = state.coming[member][0]
        result = {"score": 1.0 - 0.1 * place, "models": [0.5], "steps": 5 * task.round}
        result |= {"seconds": 2.0}
        log.add("started", key=member_key(task))
        log.add("finished", key=member_key(task), result=result)
        state.end(Row.of(task, result))
    found = survey(folder)
    assert found.done == 1
    assert [(view.member, view.score) for view in found.table] == [(0, 1.0), (1, 0.8), (2, 0.7)]
    # The first member has done all of its rounds.
    assert [(view.member, view.round) for view in found.under_way] == [(1, 3), (2, 2)]
    for view in found.under_way:
        task = state.coming[view.member][0]
        assert (view.hyper, view.parent, view.state) == (task.hyper, task.parent, "waiting")
    assert found.seconds_left == pytest.approx(2.0 * (1 + 2))


def test_what_is_no_population_says_so(tmp_path):
    with pytest.raises(RunError, match=r"no population\.json"):
        survey(PopulationFolder(tmp_path))


def a_row(member, size, seconds, score=0.5, round=1):
    task = Task(member=member, round=round, hyper={"batch_size": size}, parent=None, seed=0)
    return Row(task=task, score=score, seconds=seconds)


def test_times_go_by_the_nearest_batch_size_and_by_workers():
    tuned = (Tuned(path="batch_size", prior=Choice(values=(4, 8, 64))),)
    population = population_of(tuned=tuned, steps=10, rounds=4)
    # 0.1 s a step with 4 images, 0.3 s with 64; the one that diverged has not done its steps.
    rows = [a_row(0, 4, 1.0), a_row(1, 64, 3.0), a_row(2, 4, 0.1, score=None)]
    coming = [a_row(k, size, 0, round=2).task for k, size in enumerate((4, 8, 64))]
    left = {0: 1.0, 1: 1.0, 2: 0.5}
    # 1 + 1 + 1.5 s now, and two rounds of 1 + 1 + 3 s.
    assert seconds_left(population, rows, coming, left, [], 1) == pytest.approx(3.5 + 2 * 5)
    # Two workers: 1 and then 1.5 s beside 1 s; members in the order of their times later.
    assert seconds_left(population, rows, coming, left, [], 2) == pytest.approx(2.5 + 2 * 4)
    assert seconds_left(population, [], coming, left, [], 1) is None


def test_members_that_wait_for_nobody_do_all_their_rounds_one_after_the_other():
    population = population_of(steps=10, rounds=4, asynchronous=True)
    rows = [a_row(k, 8, 1.0) for k in range(3)]
    coming = [a_row(0, 8, 0, round=4).task, a_row(1, 8, 0, round=2).task]
    left = {0: 0.5, 1: 0.5}
    assert seconds_left(population, rows, coming, left, [], 1) == pytest.approx(0.5 + 2.5)
    assert seconds_left(population, rows, coming, left, [], 2) == pytest.approx(2.5)


def test_after_the_first_round_there_may_be_fewer_members():
    population = population_of(steps=10, rounds=3, shrink=2)
    rows = [a_row(k, 8, 1.0) for k in range(4)]
    coming = [row.task for row in rows]
    later = [dataclasses.replace(task, round=2) for task in coming[:2]]
    assert seconds_left(population, rows, coming, {3: 1.0}, [], 1) == pytest.approx(1 + 2 * 2)
    assert seconds_left(population, rows, later, {1: 1.0}, [], 1) == pytest.approx(1 + 2)


def test_short_names_differ_where_paths_do():
    assert short_names(["optimizer.lr", "batch_size", "objective.beta"]) == [
        "lr", "batch_size", "beta",
    ]  # fmt: skip
    paths = ["objective.tc.weight", "objective.kl.weight", "latents"]
    assert short_names(paths) == [*paths[:2], "latents"]


def test_what_a_notebook_shows_of_one():
    place, outcome = whole()
    folder = PopulationFolder(place)
    assert "finished" in read(folder._repr_html_()).column("items", 1)
    overview = survey(folder)
    best = overview.table[0]
    shown = read(overview._repr_html_()).column("score", 1)
    assert shown[str(best.member)] == f"{best.score:.4f}"
    found = read(outcome._repr_html_())
    assert f"{outcome.best.score:.4f}" in found.text
    assert found.column("members", 1)["1"] == str(len(outcome.rounds[0]))
    assert "Population" in read(folder.population()._repr_html_()).text
