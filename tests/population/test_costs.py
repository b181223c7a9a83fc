"""What a population would cost: steps that are measured, members that wait for each other."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil

import pytest

from reference.populations import TUNED, config_of, population_of, whole
from session.runs import listing
from unweave.errors import SpecError
from unweave.inventory import size_of
from unweave.jsonlines import append_line
from unweave.population import costs
from unweave.population.costs import Measured, forecast, measure, rounds_of_budget
from unweave.population.evolve import first_round
from unweave.population.folder import PopulationFolder
from unweave.population.overview import survey
from unweave.population.priors import Choice, Grid, LogIntegers
from unweave.population.tuned import Tuned

# A second for each ten images of a step, and half a second for each step.
PACE = Measured(steps={10: 1.5, 30: 3.5, 110: 11.5}, weights_bytes=1000, step_bytes=10.0)
SIZES = Tuned(path="batch_size", prior=LogIntegers(low=10, high=110))


def sizes_of(population):
    tasks = first_round(population.tuned, members=population.members, seed=population.seed)
    return [task.hyper["batch_size"] for task in tasks]


def test_times_lie_on_straight_lines_between_what_was_measured():
    for size in (10, 17, 30, 70, 110):
        assert PACE.seconds(size) == pytest.approx(0.5 + size / 10)
    # Beyond the ends nothing is known.
    assert (PACE.seconds(4), PACE.seconds(500)) == (1.5, 11.5)
    assert Measured(steps={8: 2.0}, weights_bytes=0, step_bytes=0.0).seconds(64) == 2.0


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_members_models_rounds_and_workers(workers):
    population = population_of(
        tuned=(SIZES, *TUNED), members=3, models=2, rounds=4, steps=None, images=1000,
        fitness="udr(images=20)",
    )  # fmt: skip
    sizes = sizes_of(population)
    steps = [math.ceil(1000 / size) for size in sizes]
    each = [2 * n * (0.5 + size / 10) for n, size in zip(steps, sizes, strict=True)]
    found = forecast(population, workers, measured=PACE)
    assert (found.members, found.later_members, found.models, found.rounds) == (3, 3, 2, 4)
    assert found.steps == 4 * 2 * sum(steps)
    assert found.images == 4 * 2 * sum(n * size for n, size in zip(steps, sizes, strict=True))
    assert found.seconds_serial == pytest.approx(4 * sum(each))
    ordered = sorted(each)
    ends = {
        1: sum(each),
        # The third member begins when one of the first two has ended.
        2: max(each[0], each[1], min(each[0], each[1]) + each[2]),
        3: max(each),
    }
    later = {1: sum(each), 2: max(ordered[1], ordered[0] + ordered[2]), 3: max(each)}
    assert found.seconds == pytest.approx(ends[workers] + 3 * later[workers])
    assert json.loads(json.dumps(found.to_dict()))["steps_measured"][0] == {
        "batch_size": 10, "seconds": 1.5,
    }  # fmt: skip


def test_halving_after_the_first_round():
    population = population_of(members=5, rounds=3, steps=10, shrink=2)
    even = Measured(steps={8: 1.0}, weights_bytes=1000, step_bytes=0.0)
    found = forecast(population, 1, measured=even)
    assert (found.members, found.later_members) == (5, 2)
    assert found.steps == 10 * (5 + 2 + 2)
    assert found.seconds == found.seconds_serial == pytest.approx(90)
    # Five at once, and two rounds of two.
    assert forecast(population, 5, measured=even).seconds == pytest.approx(30)


def test_members_that_wait_for_nobody_leave_no_worker_idle():
    population = population_of(members=3, rounds=4, steps=10)
    even = Measured(steps={8: 1.0}, weights_bytes=1000, step_bytes=0.0)
    assert forecast(population, 2, measured=even).seconds == pytest.approx(4 * 20)
    loose = population_of(members=3, rounds=4, steps=10, asynchronous=True)
    assert forecast(loose, 2, measured=even).seconds == pytest.approx(4 * 15)
    assert forecast(loose, 5, measured=even).seconds == pytest.approx(4 * 10)


def begun_of(tmp_path, events):
    """The usual population with some of its events."""
    shutil.copy(whole()[0] / "population.json", tmp_path)
    folder = PopulationFolder(tmp_path)
    for event in events:
        append_line(folder.events.path, event)
    return folder


EVEN = Measured(steps={8: 1.0}, weights_bytes=1000, step_bytes=0.0)


def test_nothing_is_left_of_a_population_that_is_over():
    place, _ = whole()
    found = forecast(population_of(keep="all"), 1, begun=survey(PopulationFolder(place)))
    assert (found.done, found.why) == (3, "all 3 rounds are done")
    assert (found.steps, found.images, found.seconds, found.seconds_serial) == (0, 0, 0, 0)
    # Nothing is measured, either.
    assert found.steps_measured == ()
    assert not found.judging
    assert found.disk_bytes == found.disk_peak_bytes == size_of(place).bytes
    assert found.fits


def test_only_further_rounds_are_left():
    longer = population_of(keep="all", rounds=5)
    folder = PopulationFolder(whole()[0])
    before = listing(folder.path)
    found = forecast(longer, 2, measured=EVEN, begun=survey(folder, longer))
    assert listing(folder.path) == before
    assert (found.done, found.why, found.judging) == (3, "", True)
    # Two rounds of four members of five steps, by two workers.
    assert (found.steps, found.images) == (40, 320)
    assert (found.seconds_serial, found.seconds) == (40, 20)
    assert found.disk_bytes == forecast(longer, 2, measured=EVEN).disk_bytes
    assert found.disk_taken_bytes == size_of(folder.path).bytes


def test_members_that_have_ended_the_round_under_way_are_not_left(tmp_path):
    events = PopulationFolder(whole()[0]).events.read()
    keys = [event.get("key") for event in events if event["event"] == "finished"]
    place = events.index(
        next(e for e in events if e["event"] == "finished" and e["key"] == keys[6])
    )
    begun = survey(begun_of(tmp_path, events[: place + 1]))
    assert [member.state for member in begun.under_way].count("finished") == 3
    found = forecast(population_of(keep="all"), 1, measured=EVEN, begun=begun)
    assert (found.done, found.steps) == (1, 5 + 4 * 5)
    assert found.seconds == found.seconds_serial == 25


def test_what_is_left_of_members_that_wait_for_nobody(tmp_path):
    loose = population_of(members=3, rounds=4, steps=10, asynchronous=True)
    events = PopulationFolder(whole()[0]).events.read()
    one = survey(begun_of(tmp_path, events[:1]))
    members = tuple(
        dataclasses.replace(member, round=round, done=done)
        for member, round, done in zip(one.under_way, (2, 3, 4), (0.5, 0.0, 0.0), strict=False)
    )
    begun = dataclasses.replace(one, done=1, under_way=members)
    # 25 s, 20 s and 10 s; with one worker each the first takes longest.
    assert forecast(loose, 1, measured=EVEN, begun=begun).seconds == 55
    assert forecast(loose, 2, measured=EVEN, begun=begun).seconds == 27.5
    assert forecast(loose, 5, measured=EVEN, begun=begun).seconds == 25


def test_what_is_tuned_and_ranked_by_is_told():
    tuned = (
        TUNED[0],
        Tuned(path="batch_size", prior=Choice(values=(4, 8)), high=64),
        Tuned(path="objective.beta", prior=Grid(values=(1, 2)), low=1, bounded=False),
        Tuned(path="likelihood.name", prior=Choice(values=("a", "b"))),
    )
    found = [costs._told(field) for field in tuned]
    assert found == [
        {"path": "optimizer.lr", "prior": "log_uniform(low=0.0001, high=0.01)",
         "low": 1e-4, "high": 1e-2, "within": True},
        {"path": "batch_size", "prior": "choice(values=(4, 8))",
         "low": 4, "high": 64, "within": False},
        {"path": "objective.beta", "prior": "grid(values=(1, 2))",
         "low": 1, "high": None, "within": False},
        {"path": "likelihood.name", "prior": "choice(values=(a, b))",
         "low": None, "high": None, "within": True},
    ]  # fmt: skip
    told = forecast(population_of(), 1, measured=EVEN)
    assert told.fitness == "scored(by=mig, labels=100)"
    assert [row["path"] for row in told.tuned] == ["optimizer.lr", "objective.beta"]


def test_the_disk_is_that_of_the_folder(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(costs, "free_bytes", lambda path: asked.append(path) or 5)
    found = forecast(population_of(), 1, measured=EVEN, folder=tmp_path / "p")
    assert asked == [tmp_path / "p"]
    assert found.free_bytes == 5
    assert not found.fits


def test_a_budget_is_turned_into_rounds():
    population = population_of(members=4, steps=10, rounds=1)
    even = Measured(steps={8: 9.0}, weights_bytes=0, step_bytes=0.0)
    # A round of four members takes 180 s with two workers.
    for hours, rounds in ((0.05, 1), (0.0999, 1), (0.1, 2), (1.0, 20), (1e6, 100_000)):
        assert rounds_of_budget(population, hours, 2, measured=even) == rounds
    halved = population_of(members=4, steps=10, rounds=1, shrink=2)
    assert rounds_of_budget(halved, 0.1, 2, measured=even) == 3
    with pytest.raises(SpecError, match=r"first round of 4 members takes about 0\.05 hours"):
        rounds_of_budget(population, 0.049, 2, measured=even)
    for hours in (0, -1, math.nan, math.inf):
        with pytest.raises(SpecError, match="hours above 0"):
            rounds_of_budget(population, hours, 2, measured=even)


def test_steps_are_measured_at_the_smallest_a_typical_and_the_largest_batch_size():
    tuned = (Tuned(path="batch_size", prior=Choice(values=(4, 8, 16, 64))), TUNED[0])
    population = population_of(tuned=tuned, members=9, steps=50)
    told = []
    found = measure(population, lambda *args: told.append(args))
    assert list(found.steps) == sorted(found.steps)
    assert set(found.steps) == {4, 64, sorted(sizes_of(population))[4]}
    assert found.steps[64] > found.steps[4] > 0
    count = len(found.steps)
    assert told == [("measuring", done, count) for done in range(1, count + 1)]
    # Without a tuned batch size there is one measurement.
    fixed = measure(population_of(steps=50))
    assert list(fixed.steps) == [8]


def test_the_disk_that_a_population_takes():
    place, _ = whole()
    population = population_of(keep="all")
    found = forecast(population, 1)
    taken = size_of(place).bytes
    assert found.disk_bytes == pytest.approx(taken, rel=0.02)
    # Two rounds of four and the best member, with a checkpoint that is being written; at the end
    # one round and the best.
    least = forecast(population_of(), 1)
    assert least.disk_bytes == pytest.approx(5 / 12 * taken, rel=0.05)
    assert least.disk_peak_bytes == pytest.approx(10 / 12 * taken, rel=0.05)
    assert least.free_bytes > 0


def test_curves_grow_with_the_steps_of_all_rounds():
    def lines_of(**fields):
        with_, without = (
            forecast(
                population_of(members=4, rounds=3, steps=10, **fields), 1,
                measured=Measured(steps={8: 1.0}, weights_bytes=1000, step_bytes=size),
            ).disk_bytes
            for size in (2.0, 0.0)
        )  # fmt: skip
        return with_ - without

    # Four members after 10, 20 and 30 steps; or the last ones and the best, which may be late.
    assert lines_of(keep="all") == 2 * 4 * (10 + 20 + 30)
    assert lines_of(keep="best") == 2 * 5 * 30


def test_datasets_that_are_to_be_made_first_are_named():
    assert forecast(population_of(), 1).datasets == ()
    larger = "dsprites(grid=(3, 3, 8, 16, 16))"
    [entry] = forecast(population_of(config_of(dataset=larger)), 1).datasets
    assert entry["text"] == larger
    # One bit a pixel.
    assert entry["bytes"] == pytest.approx(3 * 3 * 8 * 16 * 16 * 64 * 64 / 8, rel=0.1)
