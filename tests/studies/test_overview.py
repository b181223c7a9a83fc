"""How far a study is, told from its events; how long the rest takes; what it would cost."""

import json

import pytest

from unweave.jsonlines import append_line
from unweave.studies import StudyFolder, forecast, plan, study_of, survey
from unweave.studies.costs import makespan
from unweave.studies.overview import RunView, overview, seconds_left

FORM = {
    "study": {"name": "s"},
    "runs": [
        {"key": key, "varied": {"seed": seed}, "steps": 100, "command": f"unweave train {key}"}
        for seed, key in enumerate("abcd")
    ],
}


def event(kind, time, **fields):
    return {"event": kind, "time": time, **fields}


BEGUN = [
    event("begun", 100.0, engine="processes", items=4, slots=2),
    event("started", 100.0, key="a"),
    event("started", 101.0, key="b"),
    event("failed", 104.0, key="b", message="out of luck", final=False),
    event("finished", 110.0, key="a", result={"state": "finished", "step": 100, "seconds": 8.0}),
    event("started", 110.0, key="b"),
    event("finished", 115.0, key="b", result={"state": "diverged", "step": 40, "seconds": 4.0}),
    event("started", 115.0, key="c"),
]


def looked(tmp_path, events, *, busy):
    return overview(StudyFolder(tmp_path), FORM, events, busy=busy)


def test_states_tries_and_times_follow_from_the_events(tmp_path, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 121.0)
    found = looked(tmp_path, BEGUN, busy=True)
    assert [run.state for run in found.runs] == ["finished", "diverged", "running", "waiting"]
    assert [run.tries for run in found.runs] == [1, 2, 1, 0]
    # Of b both tries, of c what has passed.
    assert [run.seconds for run in found.runs] == [10.0, 8.0, 6.0, 0.0]
    assert [run.step for run in found.runs] == [100, 40, 0, 0]
    assert (found.state, found.executor, found.workers, found.seconds) == (
        "running", "processes", 2, 21.0,
    )  # fmt: skip
    assert found.counts == {
        "finished": 1, "diverged": 1, "running": 1, "waiting": 1, "failed": 0,
    }  # fmt: skip


def test_no_time_is_negative(tmp_path, monkeypatch):
    # The time of an event may be rounded up.
    monkeypatch.setattr("time.time", lambda: 99.9996)
    found = looked(tmp_path, BEGUN[:2], busy=True)
    assert (found.seconds, found.runs[0].seconds) == (0.0, 0.0)


def test_a_driver_that_was_killed_has_nothing_under_way(tmp_path):
    found = looked(tmp_path, BEGUN, busy=False)
    assert [run.state for run in found.runs] == ["finished", "diverged", "waiting", "waiting"]
    assert (found.state, found.seconds) == ("stopped", 15.0)
    # The next one adds its own time, and none that passed between the two.
    later = [*BEGUN, event("begun", 500.0, slots=2), event("started", 501.0, key="c")]
    later += [event("failed", 503.0, key="c", message="again", final=True)]
    later += [event("ended", 504.0, why="done")]
    found = looked(tmp_path, later, busy=False)
    assert found.seconds == 19.0
    assert (found.runs[2].state, found.runs[2].message) == ("failed", "again")
    assert found.runs[2].seconds == 2.0
    ended = looked(tmp_path, [*later, *BEGUN[:0]], busy=False)
    assert ended.state == "stopped"


def test_a_study_is_failed_when_nothing_else_is_left(tmp_path):
    rows = [BEGUN[0]]
    rows += [
        event("finished", 110.0, key=key, result={"state": "finished", "step": 100})
        for key in "abc"
    ]
    assert looked(tmp_path, rows, busy=False).state == "stopped"
    rows.append(event("failed", 111.0, key="d", message="no", final=True))
    assert looked(tmp_path, rows, busy=False).state == "failed"
    rows.append(event("finished", 112.0, key="d", result={"state": "diverged", "step": 3}))
    assert looked(tmp_path, rows, busy=False).state == "finished"


def a_run(state, step, steps=100, seconds=0.0, folder="nowhere"):
    return RunView(
        key="k", folder=str(folder), varied={}, command="", state=state, step=step, steps=steps,
        tries=1, seconds=seconds, started=0.0, message="", log="",
    )  # fmt: skip


def test_the_time_left_goes_by_steps_and_workers(tmp_path):
    done = a_run("finished", 100, seconds=50.0)
    # Half a second a step: 75 steps here, 200 there; with two workers the longer one counts.
    rest = [a_run("running", 25), a_run("waiting", 0, steps=200)]
    assert seconds_left([done, *rest], 1) == pytest.approx(137.5)
    assert seconds_left([done, *rest], 2) == pytest.approx(100.0)
    assert seconds_left([done], 2) == 0.0
    assert seconds_left(rest, 2) is None
    # Before any is finished, trainings under way tell how long a step takes.
    append_line(tmp_path / "metrics.jsonl", {"event": "train", "step": 25, "seconds": 5.0})
    assert seconds_left([a_run("running", 25, folder=tmp_path)], 1) == pytest.approx(15.0)


@pytest.mark.parametrize(
    ("each", "workers", "end"),
    [([3, 3, 3], 1, 9), ([3, 3, 3], 2, 6), ([1, 1, 4], 2, 5), ([4, 1, 1], 2, 4), ([], 2, 0)],
)
def test_runs_end_when_workers_take_them_one_after_the_other(each, workers, end):
    assert makespan(each, workers) == end


def test_what_a_study_costs_is_said_before_anything_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "none"))
    form = {
        "train": {"dataset": "dsprites(grid=(3, 2, 4, 8, 8))", "steps": 40, "batch_size": 8},
        "sweep": [{"grid": {"objective.beta": [1, 4], "objective": ["beta_vae"]}}],
        "keep": "codes",
    }
    study = study_of(form | {"seeds": 2}, "cost")
    folder = StudyFolder(tmp_path / "cost")
    found = forecast(study, plan(study), folder, workers=3)
    assert not folder.path.exists()
    assert (found.runs, found.finished, found.shared, found.begun) == (4, 0, 0, 0)
    # Numbers change nothing of what a step costs: they are one kind.
    [kind] = found.kinds
    assert kind["runs"] == 4
    assert kind["seconds"] > 0
    assert found.seconds_serial == pytest.approx(4 * kind["seconds"])
    # Four runs by three workers take two rounds.
    assert found.seconds == pytest.approx(2 * kind["seconds"])
    # Codes of 1,536 images, 10 latents, means and logvars.
    assert 1536 * 10 * 8 < kind["bytes"] < 1536 * 10 * 8 + 100_000
    assert found.disk_bytes == 4 * kind["bytes"]
    # While it is worked on, a run has 502,005 weights with two moments, twice.
    assert found.disk_peak_bytes - found.disk_bytes == pytest.approx(3 * 2 * 12 * 502_005)
    assert json.loads(json.dumps(found.to_dict()))["runs"] == 4


def test_a_folder_without_events_is_a_study_that_waits(tmp_path):
    study = study_of({"train": {"dataset": "xysquares", "objective": "vae", "steps": 5}}, "w")
    folder = StudyFolder(tmp_path / "w")
    folder.write(study, plan(study))
    found = survey(folder)
    assert (found.state, found.executor, found.seconds_left) == ("stopped", "", None)
    assert [run.state for run in found.runs] == ["waiting"]
