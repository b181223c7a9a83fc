"""Populations carried out: the same table wherever, and whatever is killed on the way."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import signal
import time

import pytest

from execution.test_driver_killed import until, workers_of
from reference.populations import (
    MINI,
    TUNED,
    config_of,
    driver_of,
    finished,
    population_of,
    table,
    whole,
)
from session.runs import assert_same_state, document, full_disk, lines
from unweave.errors import DataError, RunError, SpecError, UnweaveError
from unweave.population.evolve import first_round
from unweave.population.exploit import NoExploit
from unweave.population.fitness import Measured, Scored
from unweave.population.folder import PopulationFolder
from unweave.population.priors import Choice, LogIntegers, LogUniform
from unweave.population.rounds import Outcome, member_folder, member_item
from unweave.population.running import run_population
from unweave.population.spec import Population
from unweave.population.stop import Hopeless, Reached
from unweave.population.task import model_folder, run_item
from unweave.population.tuned import Tuned
from unweave.run import load_run
from unweave.session import begin, read_config
from unweave.session.folder import write_config
from unweave.spec import to_dict
from unweave.training.phases import Phase

PHASED = dataclasses.replace(
    config_of(), steps=9, phases=(Phase(start=5, changes=(("optimizer.lr", 0.1),)),)
)


def carried_out(population, place, **how):
    return run_population(population, place, **{"executor": "serial", **how})


def brief(config=None, **fields):
    """The usual population with rounds of two steps, where how long they are does not matter."""
    length = {} if {"steps", "images"} & fields.keys() else {"steps": 2}
    return population_of(config or config_of(batch_size=4), **length, **fields)


def test_rounds_members_and_records():
    place, outcome = whole()
    assert [len(rows) for rows in outcome.rounds] == [4, 4, 4]
    assert outcome.why == "all 3 rounds are done"
    folder = PopulationFolder(place)
    assert [[row.to_dict() for row in rows] for rows in outcome.rounds] == [
        [row.to_dict() for row in rows] for rows in folder.rounds()
    ]
    for number, rows in enumerate(outcome.rounds, 1):
        for row in rows:
            assert row.task.round == number
            assert row.steps == 5 * number
            assert row.images == 5 * 8
            assert row.score is not None
            config = read_config(folder.run_of(row)).last
            assert config.objective.items[0].beta == pytest.approx(
                row.task.hyper["objective.beta"]
            )
            assert config.optimizer.lr == pytest.approx(row.task.hyper["optimizer.lr"])
    first = first_round(TUNED, members=4, seed=1)
    assert [row.task for row in outcome.rounds[0]] == first
    clones = [row for rows in outcome.rounds for row in rows if row.task.cloned]
    assert clones, "the worst of four is replaced in each round"
    assert outcome.best.score == max(row.score for rows in outcome.rounds for row in rows)


def test_scores_are_those_of_the_fitness_on_the_labelled_images():
    place, outcome = whole()
    population = population_of()
    split = population.split
    assert len(split.fitness) == 100
    assert not set(split.fitness) & set(split.evaluation)
    row = outcome.rounds[1][2]
    run = load_run(PopulationFolder(place).run_of(row))
    again = population.fitness.measure([run], split, population.seed)
    assert again.score == row.score


def test_the_best_member_is_judged_on_other_images():
    _, outcome = whole()
    judged = outcome.judged
    assert judged["samples"] == len(population_of().split.evaluation) == 77
    assert 0 <= judged["scores"]["mig"]["value"] <= 1
    assert judged["data"] == MINI
    assert judged["step"] == outcome.best.steps


def test_every_member_is_a_run_that_can_be_trained_alone(tmp_path):
    place, outcome = whole()
    folder = PopulationFolder(place)
    last = outcome.rounds[-1]
    clone = max(last, key=lambda row: len(read_config(folder.run_of(row)).phases))
    config = read_config(folder.run_of(clone))
    assert config.phases, "it has the weights of another, with other settings"
    begin(config, tmp_path / "alone")
    assert_same_state(tmp_path / "alone", folder.run_of(clone))
    assert [row["step"] for row in lines(folder.run_of(clone))] == [5, 10, 15]


def test_members_that_are_not_replaced_train_as_if_nothing_else_were_there(tmp_path):
    place, outcome = whole()
    folder = PopulationFolder(place)
    survivor = next(
        row
        for row in outcome.rounds[-1]
        if not any(rows[row.member].task.cloned for rows in outcome.rounds)
    )
    config = read_config(folder.run_of(survivor))
    assert config.phases == ()
    begin(config, tmp_path / "alone")
    assert_same_state(tmp_path / "alone", folder.run_of(survivor))


def test_processes_come_to_the_same_table(tmp_path):
    how = {"executor": "processes", "workers": 2}
    _, outcome = carried_out(population_of(), tmp_path / "p", **how)
    assert table(outcome) == table(whole()[1])
    assert outcome.judged == whole()[1].judged


def test_a_second_call_does_nothing_and_more_rounds_go_on(tmp_path):
    short = population_of(rounds=1)
    _, outcome = carried_out(short, tmp_path / "p")
    begun = (tmp_path / "p" / "state.jsonl").read_text().count('"started"')
    _, again = carried_out(short, tmp_path / "p")
    assert table(again) == table(outcome)
    assert (tmp_path / "p" / "state.jsonl").read_text().count('"started"') == begun
    _, longer = carried_out(population_of(rounds=2), tmp_path / "p")
    assert table(longer) == table(whole()[1])[:2]
    with pytest.raises(RunError, match="2 rounds already"):
        carried_out(short, tmp_path / "p")


def test_only_the_last_round_and_the_best_member_stay(tmp_path):
    folder, outcome = carried_out(brief(), tmp_path / "p")
    kept = {member_folder(folder.path, row.task) for row in (*outcome.rounds[-1], outcome.best)}
    found = set(folder.path.glob("rounds/*/m*"))
    assert found == kept
    assert all((model_folder(path, 0) / "checkpoint").is_dir() for path in kept)
    everything = list(whole()[0].glob("rounds/*/m*"))
    assert len(everything) == 12


def killed_after(count, place):
    """The usual population as a kill leaves it, with a line torn in the middle.

    So many members' rounds have finished; the next one was under way, or had only been begun.
    """
    shutil.copytree(whole()[0], place)
    log = place / "state.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    ends = [k for k, line in enumerate(lines) if json.loads(line)["event"] == "finished"]
    # The record of a round may come behind; the next item has been started.
    last = next(
        k for k in range(ends[count - 1], len(lines)) if json.loads(lines[k])["event"] == "started"
    )
    log.write_text("".join(lines[: last + 1]) + lines[last + 1][:20])
    there = {json.loads(line)["key"] for line in lines[: last + 1] if '"started"' in line}
    for member in place.glob("rounds/*/m*"):
        if f"r{member.parent.name}-{member.name}" not in there:
            shutil.rmtree(member)


@pytest.mark.parametrize("count", [6, 8])
def test_a_population_that_was_killed_is_gone_on_with_to_the_same_table(tmp_path, count):
    place = tmp_path / "p"
    killed_after(count, place)
    done = finished(place)
    assert len(done) == count
    # What was under way has come to its first checkpoint, or not even to its configuration.
    under_way = place / "rounds" / f"{count // 4 + 1:03d}" / f"m{count % 4:02d}"
    assert under_way.is_dir()
    if count == 6:
        shutil.rmtree(under_way)
    _, outcome = carried_out(population_of(keep="all"), place)
    assert table(outcome) == table(whole()[1])
    assert outcome.judged == whole()[1].judged
    assert finished(place)[:count] == done
    assert len(finished(place)) == len(set(finished(place))) == 13


@pytest.mark.slow
def test_a_killed_driver_is_gone_on_with_to_the_same_table(tmp_path):
    place = tmp_path / "p"
    with driver_of(tmp_path, place) as driver:
        until(lambda: len(finished(place)) >= 5)
        driver.send_signal(signal.SIGKILL)
    done = finished(place)
    assert 5 <= len(done) < 12
    time.sleep(1.5)
    _, outcome = carried_out(population_of(), place)
    assert table(outcome) == table(whole()[1])
    assert len(finished(place)) == len(set(finished(place)))


@pytest.mark.slow
def test_a_killed_worker_costs_its_member_a_try_and_changes_nothing(tmp_path):
    place = tmp_path / "p"
    with driver_of(tmp_path, place) as driver:
        until(lambda: len(finished(place)) >= 2)
        os.kill(workers_of(driver.pid)[-1], signal.SIGKILL)
        assert driver.wait(240) == 0
    events = PopulationFolder(place).events.read()
    assert any(row["event"] == "lost" for row in events)
    rounds = tuple(tuple(rows) for rows in PopulationFolder(place).rounds())
    assert table(Outcome(rounds, "")) == table(whole()[1])


def test_a_member_that_diverges_is_replaced_and_not_trained_again(tmp_path):
    wild = (
        Tuned(path="optimizer.lr", prior=Choice(values=(1e-3, 1e30))),
        *TUNED[1:],
    )
    population = brief(tuned=wild, members=6, rounds=2, keep="all", seed=3)
    folder, outcome = carried_out(population, tmp_path / "p")
    lost = [row for row in outcome.rounds[0] if row.score is None]
    assert 0 < len(lost) < 6
    for row in lost:
        assert "diverged" in row.message
        after = outcome.rounds[1][row.member]
        assert after.task.cloned
        assert outcome.rounds[0][after.task.parent].score is not None
    starts = [row for row in folder.events.read() if row["event"] == "started"]
    assert len(starts) == 12 + 1


def test_a_population_of_which_none_has_a_score_says_so_and_stays(tmp_path):
    wild = (Tuned(path="optimizer.lr", prior=Choice(values=(1e29, 1e30))),)
    population = population_of(tuned=wild, members=2)
    with pytest.raises(RunError, match=r"No member of round 1 has a score.*diverged"):
        carried_out(population, tmp_path / "p")
    assert len(finished(tmp_path / "p")) == 2
    with pytest.raises(RunError, match="No member of round 1"):
        carried_out(population, tmp_path / "p")
    assert len(finished(tmp_path / "p")) == 2


def test_a_fitness_that_is_no_number_for_all_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(Scored, "measure", lambda self, runs, *rest: Measured.of([math.nan]))
    with pytest.raises(RunError, match=r"No member of round 1 has a score.*not a number"):
        carried_out(brief(members=2), tmp_path / "p")


def scores_of(monkeypatch, scores):
    """Have fitnesses measure these, one after the other."""
    left = iter(scores)
    monkeypatch.setattr(Scored, "measure", lambda self, runs, *rest: Measured.of([next(left)]))


def test_a_later_round_without_scores_ends_a_hopeless_population_with_what_it_has(
    tmp_path, monkeypatch
):
    scores_of(monkeypatch, [0.5, 0.6, math.nan, math.nan])
    population = brief(members=2, metrics=(), stop=(Hopeless(),))
    _, outcome = carried_out(population, tmp_path / "p")
    assert outcome.why == "no member has a score"
    assert outcome.best.score == 0.6


def test_after_a_later_round_without_scores_all_start_anew(tmp_path, monkeypatch):
    scores_of(monkeypatch, [0.5, 0.6, math.nan, math.nan, 0.1, 0.2])
    _, outcome = carried_out(brief(members=2, metrics=()), tmp_path / "p")
    assert [row.task.parent for row in outcome.rounds[2]] == [None, None]
    assert outcome.best.score == 0.6


def test_a_run_of_other_settings_is_not_taken_for_the_member(tmp_path):
    population = brief(members=2, rounds=1, metrics=())
    folder, outcome = carried_out(population, tmp_path / "p")
    run = folder.run_of(outcome.best)
    write_config(run, dataclasses.replace(read_config(run), seed=5))
    item = member_item(population, folder.path, outcome.best.task, None)
    with pytest.raises(RunError, match="other settings than the population"):
        run_item(item.payload, lambda: None)


def test_stop_rules_and_halving(tmp_path):
    population = brief(shrink=2, stop=(Reached(score=-1),), metrics=())
    _, outcome = carried_out(population, tmp_path / "p")
    assert [len(rows) for rows in outcome.rounds] == [4]
    assert "reached" in outcome.why
    population = brief(shrink=2, metrics=())
    _, outcome = carried_out(population, tmp_path / "q")
    assert [len(rows) for rows in outcome.rounds] == [4, 2, 2]


def test_random_search_never_copies(tmp_path):
    _, outcome = carried_out(
        brief(exploit=NoExploit(), members=3, rounds=2, metrics=()), tmp_path / "p"
    )
    assert not any(row.task.cloned for rows in outcome.rounds for row in rows)
    assert [row.task.hyper for row in outcome.rounds[0]] == [
        row.task.hyper for row in outcome.rounds[1]
    ]


def test_members_of_several_models_by_agreement(tmp_path):
    population = brief(
        fitness="udr(images=50)", models=2, members=3, rounds=2, keep="all", metrics=()
    )
    folder, outcome = carried_out(population, tmp_path / "p")
    for rows in outcome.rounds:
        for row in rows:
            assert len(row.models) == 2
            assert row.images == 2 * 2 * 4
            seeds = [
                read_config(model_folder(member_folder(folder.path, row.task), k)).seed
                for k in (0, 1)
            ]
            assert len(set(seeds)) == 2
    clone = next(row for row in outcome.rounds[1] if row.task.cloned)
    for k in (0, 1):
        config = read_config(model_folder(member_folder(folder.path, clone.task), k))
        begin(config, tmp_path / f"alone{k}")
        assert_same_state(
            tmp_path / f"alone{k}", model_folder(member_folder(folder.path, clone.task), k)
        )


def test_rounds_counted_in_images_and_tuned_batch_sizes(tmp_path):
    tuned = (Tuned(path="batch_size", prior=Choice(values=(2, 4, 8))), TUNED[0])
    population = brief(tuned=tuned, images=15, members=3, keep="all", metrics=())
    folder, outcome = carried_out(population, tmp_path / "p")
    assert len({row.task.hyper["batch_size"] for row in outcome.rounds[0]}) > 1
    steps = [0] * 3
    for rows in outcome.rounds:
        before = list(steps)
        for row in rows:
            size = row.task.hyper["batch_size"]
            start = 0 if row.task.parent is None else before[row.task.parent]
            steps[row.member] = start + math.ceil(15 / size)
            assert row.steps == steps[row.member]
            assert row.images == math.ceil(15 / size) * size
    clone = next(row for row in outcome.rounds[-1] if row.task.cloned)
    begin(read_config(folder.run_of(clone)), tmp_path / "alone")
    assert_same_state(tmp_path / "alone", folder.run_of(clone))


def test_fields_that_a_model_keeps_for_good_come_with_its_weights(tmp_path):
    tuned = (Tuned(path="latents", prior=Choice(values=(2, 3, 4))), TUNED[0])
    population = brief(tuned=tuned, seed=4, rounds=2, metrics=())
    assert population.lasting == {"latents"}
    _, outcome = carried_out(population, tmp_path / "p")
    for before, rows in zip(outcome.rounds, outcome.rounds[1:], strict=False):
        for row in rows:
            assert row.task.hyper["latents"] == before[row.task.parent].task.hyper["latents"]
    assert len({row.task.hyper["latents"] for row in outcome.rounds[0]}) > 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"members": 1}, "at least 2"),
        ({"rounds": 0}, "at least 1"),
        ({"steps": 5, "images": 40}, "either steps or images"),
        ({"steps": None, "images": None}, "either steps or images"),
        ({"shrink": 5}, "no member left"),
        ({"tuned": ()}, "at least one field"),
        ({"tuned": (Tuned(path="seed", prior=Choice(values=(1, 2))),)}, "cannot be tuned"),
        ({"tuned": (Tuned(path="objective.gamma", prior=LogUniform(low=1, high=2)),)}, "gamma"),
        ({"tuned": (Tuned(path="nonsense", prior=LogUniform(low=1, high=2)),)}, "nonsense"),
        ({"tuned": (Tuned(path="batch_size", prior=Choice(values=(8, 4096))),)}, "4096"),
        ({"tuned": (Tuned(path="optimizer.lr", prior=Choice(values=("a", "b"))),)}, "lr"),
        ({"config": config_of(holdout=0.1)}, "leave holdout out"),
        ({"config": PHASED}, "leave phases out"),
    ],
)
def test_populations_that_make_no_sense_are_refused(fields, words):
    with pytest.raises(SpecError, match=words):
        population_of(**fields)


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"fitness": "mig(labels=100000)"}, SpecError, "labels"),
        ({"fitness": "udr"}, SpecError, "models"),
        ({"metrics": ("nonsense",)}, SpecError, "nonsense"),
        (
            {
                "config": config_of("ada_gvae"),
                "tuned": (Tuned(path="batch_size", prior=LogIntegers(low=4, high=64)),),
            },
            SpecError,
            r"Member \d cannot be trained with batch_size=\d+: .*multiple",
        ),
        (
            {
                "config": config_of(optimizer="adam(lr=one_cycle_lr(max_lr=0.1, total_steps=12))"),
                "tuned": (TUNED[1],),
            },
            SpecError,
            "fewer rounds",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_written(
    tmp_path, fields, error, words
):
    with pytest.raises(error, match=words):
        carried_out(population_of(**fields), tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_labels_of_a_dataset_without_factors_are_refused_and_udr_is_not(tmp_path):
    import numpy as np

    rng = np.random.default_rng(0)
    np.savez(tmp_path / "plain.npz", images=rng.integers(0, 255, (40, 64, 64, 1), np.uint8))
    config = config_of(dataset=f"arrays(path='{tmp_path}/plain.npz')")
    with pytest.raises((DataError, SpecError), match=r"labels|factors"):
        carried_out(population_of(config), tmp_path / "p")
    _, outcome = carried_out(
        population_of(config, fitness="udr(images=20)", models=2, members=2, rounds=1, steps=2),
        tmp_path / "q",
    )
    assert outcome.judged is None


def test_another_population_does_not_replace_one(tmp_path):
    carried_out(brief(members=2, rounds=1, metrics=()), tmp_path / "p")
    with pytest.raises(RunError, match="seed is 1 there and 2 here"):
        carried_out(brief(members=2, rounds=1, metrics=(), seed=2), tmp_path / "p")
    other = config_of("beta_tcvae", batch_size=4)
    with pytest.raises(RunError, match="objective is"):
        carried_out(brief(other, members=2, rounds=1, metrics=()), tmp_path / "p")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="is no population"):
        carried_out(population_of(), tmp_path / "other")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("file", ["state.jsonl", "config.json", "population.json"])
def test_a_full_disk_is_told_and_the_population_goes_on_when_there_is_room(
    tmp_path, monkeypatch, file
):
    population = population_of(members=2, rounds=1)
    with (
        full_disk(monkeypatch, file),
        pytest.raises(UnweaveError, match=r"disk is full|failed: The disk is full"),
    ):
        carried_out(population, tmp_path / "p")
    _, outcome = carried_out(population, tmp_path / "p")
    first = whole()[1].rounds[0][:2]
    assert [row.score for row in outcome.rounds[0]] == [row.score for row in first]


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UnweaveError, match="cannot be"):
        carried_out(population_of(), tmp_path / "file" / "p")
    assert (tmp_path / "file").read_text() == "mine"


def test_the_form_for_json():
    population = population_of(shrink=2, stop=(Reached(score=0.9),))
    assert Population.from_dict(json.loads(json.dumps(to_dict(population)))) == population
    place, _ = whole()
    assert document(place / "population.json")["format"] == 1
    assert PopulationFolder(place).population() == population_of(keep="all")
