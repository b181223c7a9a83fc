"""Members that wait for nobody: what they do follows from the order in which rounds have ended."""

from __future__ import annotations

import functools
import math
import random
import signal
import time
from pathlib import Path

import pytest

from execution.test_driver_killed import until
from reference.populations import TUNED, config_of, driver_of, population_of, table, uneven
from session.runs import assert_same_state, folder_for_runs
from unweave.errors import RunError, SpecError
from unweave.execution import EventLog, Progressed
from unweave.population.asynchronous import Asynchronous, Unstepped
from unweave.population.exploit import NoExploit
from unweave.population.folder import PopulationFolder
from unweave.population.pb2 import PopulationBasedBandits, score_changes
from unweave.population.priors import Choice
from unweave.population.rounds import best_of, member_folder
from unweave.population.running import run_population
from unweave.population.stop import Plateau, Reached
from unweave.population.table import Row, Task
from unweave.population.task import model_folder
from unweave.population.tuned import Tuned
from unweave.run import load_run
from unweave.session import begin, read_config


def score_of(seed, task):
    """An invented score; every tenth round of a member has none."""
    rng = random.Random(f"{seed} {task.member} {task.round}")
    return None if rng.random() < 0.1 else rng.random()


def play(population, seed, count=math.inf):
    """Ends of members' rounds in a random order, and what was decided and given up after each."""
    state, rng = Unstepped(population), random.Random(seed)
    ends = []
    while not state.why and len(ends) < count:
        going = [task for task, _ in state.coming.values() if task.round <= population.rounds]
        task = rng.choice(going)
        row = Row(task=task, score=score_of(seed, task))
        superfluous = state.end(row)
        ends.append((row, *state.coming[task.member], superfluous))
    return state, ends


def losers(rows, fraction):
    """By truncation as it is written down: who is replaced, and by whom it may be."""
    scored = sorted((row for row in rows if row.score is not None), key=lambda row: row.member)
    scored.sort(key=lambda row: row.score, reverse=True)
    count = 0
    while count < fraction * len(rows) - 1e-9 and 2 * (count + 1) <= len(scored):
        count += 1
    bad = {row.member for row in rows if row.score is None}
    bad |= {row.member for row in scored[len(scored) - count :]} if count else set()
    return bad, {row.member for row in scored[: max(count, 1)]}


@pytest.mark.parametrize("seed", range(5))
def test_each_member_is_compared_with_the_latest_rounds_of_the_others(seed):
    population = population_of(members=7, rounds=6, asynchronous=True)
    _, ends = play(population, seed)
    latest, ahead, clones = {}, 0, 0
    for row, task, source, _ in ends:
        latest[row.member] = row
        rows = [other for other in latest.values() if other.score is not None or other is row]
        bad, good = losers(rows, population.exploit.fraction)
        assert task.round == row.task.round + 1
        if row.member not in bad:
            assert (task.parent, task.parent_round) == (row.member, None)
            assert (task.seed, task.hyper) == (row.task.seed, row.task.hyper)
            assert source is row
        elif not good:
            assert (task.parent, source) == (None, None)
        else:
            assert task.parent in good
            assert task.parent_round == latest[task.parent].task.round
            assert source is latest[task.parent]
            assert task.seed != source.task.seed
            clones += 1
            ahead += task.parent_round != row.task.round
    assert clones > 5
    assert ahead > 0, "weights also come from members that are rounds ahead or behind"
    assert len({task.seed for _, task, *_ in ends if task.cloned}) == clones


@pytest.mark.parametrize("seed", range(3))
def test_the_same_ends_in_the_same_order_give_the_same_decisions(seed):
    population = population_of(members=5, rounds=5, asynchronous=True)
    state, ends = play(population, seed)
    for count in (1, 4, len(ends)):
        again = Unstepped(population)
        for row, task, source, superfluous in ends[:count]:
            assert again.end(row) == superfluous
            assert again.coming[row.member] == (task, source)
    assert again.coming == state.coming
    assert again.rounds == state.rounds
    assert again.why == state.why == "all 5 rounds are done"


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_given_up_that_is_gone_on_from_or_that_is_the_best(seed):
    population = population_of(members=5, rounds=6, asynchronous=True)
    state, ends = play(population, seed)
    gone = set()
    for count, (_, _, _, superfluous) in enumerate(ends, 1):
        given = {(task.round, task.member) for task in superfluous}
        assert not given & gone, "each is told once"
        gone |= given
        before = {(row.task.round, row.member) for row, *_ in ends[:count]}
        assert given <= before
        # Decisions before this one that are still to be carried out, or in the middle of it.
        done = {(row.member, row.task.round) for row, *_ in ends[:count]}
        for _, task, source, _ in ends[:count]:
            if source is not None and (task.member, task.round) not in done:
                assert (source.task.round, source.member) not in gone
        # Two for each member, one for each round under way, one for the best of all.
        assert len(before - gone) <= 2 * 5 + 6 + 1
    best = best_of(state.rounds).task
    assert (best.round, best.member) not in gone
    assert gone, "and what nobody needs goes"


def test_members_that_have_ended_stay_as_they_are_when_more_rounds_follow():
    short, long = (population_of(members=4, rounds=n, asynchronous=True) for n in (2, 4))
    _, ends = play(short, 3)
    kept = {(row.task.round, row.member) for row, *_ in ends} - {
        (task.round, task.member) for *_, given in ends for task in given
    }
    state = Unstepped(long)
    for row, *_ in ends:
        state.end(row)
    assert not state.why
    for task, source in state.coming.values():
        assert task.round == 3
        assert source is None or (source.task.round, source.member) in kept


def test_stop_rules_see_rounds_that_all_members_have_ended():
    population = population_of(
        members=3, rounds=9, asynchronous=True, stop=(Plateau(patience=1, change=2.0),)
    )
    state = Unstepped(population)

    def end(member):
        task = state.coming[member][0]
        return state.end(Row(task=task, score=(task.round + member) / 100))

    for member in (0, 0, 0, 1, 1, 2):
        end(member)
    assert [len(rows) for rows in state.rounds] == [3]
    assert not state.why
    end(2)
    assert "changed by less than 2" in state.why
    assert [{row.task.round for row in rows} for rows in state.rounds] == [{1}, {2}]
    # Whoever was still in the middle has no part in it.
    late = state.coming[1][0]
    assert end(1) == [late]
    assert [len(rows) for rows in state.rounds] == [3, 3]


def test_a_round_in_which_no_member_has_a_score_ends_the_population():
    state = Unstepped(population_of(members=2, asynchronous=True))
    tasks = [task for task, _ in state.coming.values()]
    state.end(Row(task=tasks[0], score=None, message="It diverged."))
    anew, source = state.coming[0]
    assert (anew.parent, source) == (None, None)
    assert anew.hyper != tasks[0].hyper
    with pytest.raises(RunError, match=r"No member of round 1 has a score"):
        state.end(Row(task=tasks[1], score=None, message="It diverged."))


def test_a_random_search_is_gone_on_with_as_it_is():
    state, ends = play(population_of(asynchronous=True, exploit=NoExploit()), 2)
    assert state.why
    for row, task, *_ in ends:
        assert task.parent == (None if row.score is None else row.member)


@pytest.mark.slow
def test_rules_that_learn_from_the_past_are_told_what_each_round_has_changed():
    population = population_of(
        members=5, rounds=8, asynchronous=True, explore=PopulationBasedBandits(memory=30)
    )
    state, ends = play(population, 1)
    rows = {(row.member, row.task.round): row for row, *_ in ends}
    sources = {(task.member, task.round): source for _, task, source, _ in ends}
    found = score_changes(state._history)
    expected = []
    for key, row in rows.items():
        source = sources.get(key)
        if source is not None and source.score is not None:
            change = None if row.score is None else row.score - source.score
            expected.append((row.task.round, source.score, row.task.hyper, change))
    assert [(c.round, c.before, c.hyper, c.change) for c in found] == expected
    assert len(expected) > 20


def test_shrinking_without_waiting_is_refused():
    with pytest.raises(SpecError, match=r"asynchronous population cannot shrink.*Leave out"):
        population_of(asynchronous=True, shrink=2)


def finished(row):
    return Progressed("finished", result=row.to_dict())


def test_a_member_that_fails_lets_the_others_end_their_round_and_is_then_told(tmp_path):
    population = population_of(members=3, asynchronous=True)
    feed = Asynchronous(population, tmp_path, EventLog(tmp_path / "state.jsonl"))
    items = [feed.take() for _ in range(3)]
    assert [item.key for item in items] == ["r001-m00", "r001-m01", "r001-m02"]
    assert feed.take() is None
    feed.ended(items[1], Progressed("failed", message="The disk is full."))
    assert feed.take() is None
    row = Row(task=Unstepped(population).coming[0][0], score=0.5)
    feed.ended(items[0], finished(row))
    assert feed.take() is None
    with pytest.raises(RunError, match=r"r001-m01 failed: The disk is full\..*same command"):
        feed.ended(items[2], finished(Row(task=Unstepped(population).coming[2][0], score=0.4)))


@pytest.mark.parametrize("late", ["failed", "finished"])
def test_the_best_member_is_judged_once_when_a_stop_rule_ends_it(late, tmp_path):
    population = population_of(members=2, asynchronous=True, stop=(Reached(score=0.3),))
    feed = Asynchronous(population, tmp_path, EventLog(tmp_path / "state.jsonl"))
    items = [feed.take(), feed.take()]
    feed.ended(items[0], finished(Row(task=Unstepped(population).coming[0][0], score=0.5)))
    quick = feed.take()
    assert quick.key == "r002-m00"
    feed.ended(items[1], finished(Row(task=Unstepped(population).coming[1][0], score=0.2)))
    judge = feed.take()
    assert (judge.key, judge.payload["do"]) == ("judged-001", "judge")
    assert judge.payload["folder"] == items[0].payload["folder"]
    # One that fails beyond the end is no harm, and one that finishes is no further round.
    row = Row(task=Task(**quick.payload["task"]), score=0.9)
    feed.ended(quick, finished(row) if late == "finished" else Progressed("failed"))
    assert feed.take() is None
    feed.ended(judge, Progressed("finished", result={"scores": {}}))
    assert feed.take() is None
    assert [len(rows) for rows in feed.result.rounds] == [2]
    assert feed.result.judged == {"scores": {}}


@pytest.mark.slow
def test_serially_the_order_is_always_the_same_and_so_is_the_table(tmp_path):
    population = population_of(asynchronous=True)
    how = {"executor": "serial"}
    folder, outcome = run_population(population, tmp_path / "p", **how)
    short, _ = run_population(population_of(asynchronous=True, rounds=2), tmp_path / "q", **how)
    kept = set(short.path.glob("rounds/*/m*"))
    _, again = run_population(population, tmp_path / "q", **how)
    assert table(again) == table(outcome)
    assert kept >= {short.path / "rounds" / "002" / f"m0{number}" for number in range(4)}
    assert [[row.to_dict() for row in rows] for rows in outcome.rounds] == [
        [row.to_dict() for row in rows] for rows in folder.rounds()
    ]
    assert outcome.why == "all 3 rounds are done"
    assert outcome.judged["samples"] == len(population.split.evaluation)
    # The last ones and the best one stay, and what a fourth round would go on from.
    there = {path.relative_to(folder.path) for path in folder.path.glob("rounds/*/m*")}
    wanted = {member_folder(Path(), row.task) for row in (*outcome.rounds[-1], outcome.best)}
    assert wanted <= there
    assert len(there) < 12


@functools.cache
def side_by_side():
    """An uneven population in two processes; it is shared and must not be changed."""
    place = folder_for_runs() / "uneven"
    return run_population(uneven(), place, executor="processes", workers=2)


def decided(population, events):
    """By the log: of each member's round its task, and of its parent the round it came from."""
    state = Unstepped(population)
    tasks = {}
    for event in events:
        if event["event"] == "finished" and not event["key"].startswith("judged"):
            number, member = (int(part[1:]) for part in event["key"].split("-"))
            task = state.coming[member][0]
            assert task.round == number
            tasks[number, member] = task
            state.end(Row.of(task, event["result"]))
    return tasks


@pytest.mark.slow
def test_no_member_waits_for_another():
    folder, outcome = side_by_side()
    assert [row.task.hyper["batch_size"] for row in outcome.rounds[0]] == [2, 64, 64]
    events = [(row["event"], row.get("key")) for row in folder.events.read()]
    place = {event: number for number, event in reversed(list(enumerate(events)))}
    assert place["started", "r002-m01"] < place["finished", "r001-m00"]
    for number in (1, 2):
        for member in range(3):
            ended = place["finished", f"r{number:03d}-m{member:02d}"]
            begun = place["started", f"r{number + 1:03d}-m{member:02d}"]
            assert begun > ended


@pytest.mark.slow
def test_what_was_done_is_what_the_log_says_and_every_parent_had_a_score():
    folder, outcome = side_by_side()
    events = folder.events.read()
    tasks = decided(uneven(), events)
    rows = {(row.task.round, row.member): row for rows in outcome.rounds for row in rows}
    assert {key: row.task for key, row in rows.items()} == tasks
    assert [rows[key] for key in sorted(rows)] == [row for rows in folder.rounds() for row in rows]
    order = [row["key"] for row in events if row["event"] == "finished"]
    clones = [row for row in rows.values() if row.task.cloned]
    assert clones
    for row in clones:
        source = rows[row.task.parent_round, row.task.parent]
        assert source.score is not None
        before = f"r{row.task.round - 1:03d}-m{row.member:02d}"
        key = f"r{source.task.round:03d}-m{source.member:02d}"
        assert order.index(key) < order.index(before)
        assert source.steps < row.steps


def one_after_the_other():
    """A short population that waits for nobody, by one worker, whose batches are tuned, too."""
    tuned = (Tuned(path="batch_size", prior=Choice(values=(2, 4))), TUNED[0])
    population = population_of(
        config_of(batch_size=4), tuned=tuned, images=8, asynchronous=True, keep="all", metrics=()
    )
    place = folder_for_runs() / "serial"
    return run_population(population, place, executor="serial")


@pytest.mark.parametrize(
    "carried_out", [one_after_the_other, pytest.param(side_by_side, marks=pytest.mark.slow)]
)
def test_every_clone_is_a_run_that_can_be_trained_alone(tmp_path, carried_out):
    folder, outcome = carried_out()
    phased = 0
    for rows in outcome.rounds[1:]:
        for row in rows:
            config = read_config(folder.run_of(row))
            assert config.last.batch_size == row.task.hyper["batch_size"]
            if row.task.cloned:
                phased += 1
                place = tmp_path / f"{row.task.round}-{row.member}"
                begin(config, place)
                assert config.phases
                assert_same_state(place, folder.run_of(row))
    assert phased


@pytest.mark.slow
def test_a_later_driver_goes_on_with_what_was_decided(tmp_path):
    place = tmp_path / "p"
    with driver_of(tmp_path, place, population="uneven") as driver:
        until(lambda: len(ended(place)) >= 4, 240)
        driver.send_signal(signal.SIGKILL)
    before = PopulationFolder(place).events.read()
    known = decided(uneven(), before)
    assert 4 <= len(known) < 9
    time.sleep(1.5)
    folder, outcome = run_population(uneven(), place, executor="processes", workers=2)
    events = folder.events.read()
    tasks = decided(uneven(), events)
    assert {key: tasks[key] for key in known} == known
    assert {key: row.task for key, row in keyed(outcome).items()} == tasks
    assert len(ended(place)) == len(set(ended(place))) == 10
    for row in outcome.rounds[-1]:
        assert load_run(model_folder(member_folder(place, row.task), 0)).step == row.steps


def keyed(outcome):
    return {(row.task.round, row.member): row for rows in outcome.rounds for row in rows}


def ended(place):
    events = PopulationFolder(place).events.read()
    return [row["key"] for row in events if row["event"] == "finished"]
