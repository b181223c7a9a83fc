"""Every engine does every item once and tells the same of it; what dies or hangs is done again."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pebble
import pytest

from execution import tasks
from unweave.errors import SpecError, UnweaveError
from unweave.execution import (
    EventLog,
    Item,
    Limits,
    Processes,
    RayCluster,
    Report,
    Serial,
    execute,
)

TESTS = Path(__file__).parents[1]
# Ray takes seconds to start; it is asked the same on two nodes.
RAY = pytest.param("ray", marks=pytest.mark.slow)
ENGINES = ["serial", "processes", RAY]
OUTSIDE = ["processes", RAY]


@pytest.fixture
def name(request):
    """The engine, with a cluster where it needs one."""
    if request.param == "ray":
        request.getfixturevalue("two_nodes")
    return request.param


def items_of(folder, numbers, **fields):
    return [
        Item(f"item-{number}", {"number": number, "folder": str(folder), **fields})
        for number in numbers
    ]


def engine_of(name, task="square", seconds=None):
    reference = f"execution.tasks:{task}"
    if name == "serial":
        return Serial(reference, seconds=seconds)
    if name == "ray":
        return RayCluster(reference, seconds=seconds)
    return Processes(reference, 2, seconds=seconds)


def done(folder):
    return sorted(int(line) for line in (folder / "done").read_text().split())


def events_of(log, *kinds):
    return [row for row in log.read() if row["event"] in kinds]


@pytest.mark.parametrize("name", ENGINES, indirect=True)
def test_every_item_is_done_once_and_never_again(name, tmp_path):
    items = items_of(tmp_path, range(12))
    log = EventLog(tmp_path / "state.jsonl")
    found = execute(items, engine_of(name), log)
    assert [found[item.key].result["value"] for item in items] == [n * n for n in range(12)]
    assert {state.state for state in found.values()} == {"finished"}
    assert done(tmp_path) == list(range(12))
    again = execute(items, engine_of(name), log)
    assert again == found
    assert done(tmp_path) == list(range(12))
    assert len(events_of(log, "finished")) == 12


@pytest.mark.parametrize("name", ENGINES, indirect=True)
def test_more_items_later_leave_the_finished_ones_alone(name, tmp_path):
    log = EventLog(tmp_path / "state.jsonl")
    execute(items_of(tmp_path, range(3)), engine_of(name), log)
    found = execute(items_of(tmp_path, range(5)), engine_of(name), log)
    assert len(found) == 5
    assert done(tmp_path) == list(range(5))


@pytest.mark.parametrize("name", ENGINES, indirect=True)
def test_an_error_is_tried_again_and_then_given_up(name, tmp_path):
    once = items_of(tmp_path, [1], mishap="error")
    always = items_of(tmp_path, [2], mishap="error", times=99)
    log = EventLog(tmp_path / "state.jsonl")
    limits = Limits(retries=2)
    found = execute([*always, *once], engine_of(name, "mishap"), log, limits)
    assert found["item-1"].state == "finished"
    assert found["item-2"].state == "failed"
    assert "ValueError: out of luck" in found["item-2"].message
    assert "tasks.py, line" in found["item-2"].message
    assert len(tasks.notes(always[0].payload, "tries")) == 3
    # The next call gives it another chance.
    found = execute([*always, *once], engine_of(name, "mishap"), log, limits)
    assert found["item-2"].state == "failed"
    assert len(tasks.notes(always[0].payload, "tries")) == 6
    assert done(tmp_path) == [1]


@pytest.mark.parametrize("name", ENGINES, indirect=True)
def test_an_error_made_for_the_user_is_not_tried_again(name, tmp_path):
    items = items_of(tmp_path, [1], mishap="refused", times=99)
    log = EventLog(tmp_path / "state.jsonl")
    found = execute(items, engine_of(name, "mishap"), log, Limits(retries=5))
    assert found["item-1"].message == "No such thing. Choose another."
    assert len(tasks.notes(items[0].payload, "tries")) == 1


@pytest.mark.parametrize("name", ENGINES, indirect=True)
def test_an_item_that_takes_too_long_is_late(name, tmp_path):
    items = items_of(tmp_path, [1], mishap="slow", times=99)
    log = EventLog(tmp_path / "state.jsonl")
    engine = engine_of(name, "mishap", seconds=0.3)
    found = execute(items, engine, log, Limits(retries=1, seconds=0.3))
    assert [row["event"] for row in events_of(log, "late", "lost", "failed")] == ["late", "late"]
    assert "longer than 0.3 s" in found["item-1"].message


@pytest.mark.parametrize("name", OUTSIDE, indirect=True)
def test_a_worker_that_is_killed_has_its_item_done_by_another(name, tmp_path):
    items = items_of(tmp_path, range(5)) + items_of(tmp_path, [5, 6], mishap="killed")
    log = EventLog(tmp_path / "state.jsonl")
    found = execute(items, engine_of(name, "mishap"), log, Limits(retries=0))
    assert {state.state for state in found.values()} == {"finished"}
    assert done(tmp_path) == list(range(7))
    assert sorted(row["key"] for row in events_of(log, "lost")) == ["item-5", "item-6"]


@pytest.mark.parametrize("name", OUTSIDE, indirect=True)
def test_an_item_that_kills_every_worker_is_given_up(name, tmp_path):
    items = items_of(tmp_path, [1, 2]) + items_of(tmp_path, [3], mishap="killed", times=99)
    log = EventLog(tmp_path / "state.jsonl")
    found = execute(items, engine_of(name, "mishap"), log, Limits(losses=2))
    assert found["item-3"].state == "failed"
    assert {"processes": "exit code -9", "ray": "worker"}[name] in found["item-3"].message
    assert done(tmp_path) == [1, 2]
    assert len(events_of(log, "lost")) == 3


@pytest.mark.parametrize("name", OUTSIDE, indirect=True)
def test_a_worker_without_signs_of_life_is_replaced(name, tmp_path):
    items = items_of(tmp_path, [1, 2, 3]) + items_of(tmp_path, [4], mishap="hung")
    log = EventLog(tmp_path / "state.jsonl")
    found = execute(items, engine_of(name, "mishap"), log, Limits(silence=1.0))
    assert {state.state for state in found.values()} == {"finished"}
    (row,) = events_of(log, "lost")
    assert (row["key"], row["message"]) == ("item-4", "It gave no sign of life.")


@pytest.mark.parametrize("name", OUTSIDE, indirect=True)
def test_a_worker_that_hangs_beyond_its_time_is_ended_from_outside(name, tmp_path, monkeypatch):
    monkeypatch.setattr("unweave.execution.driver._GRACE", 0.2)
    items = items_of(tmp_path, [4], mishap="hung")
    log = EventLog(tmp_path / "state.jsonl")
    # Long enough for the second try, which takes no time once its process has begun.
    engine = engine_of(name, "mishap", seconds=1)
    found = execute(items, engine, log, Limits(seconds=1, silence=None))
    assert found["item-4"].state == "finished"
    assert [row["event"] for row in events_of(log, "late", "lost")] == ["late"]


def test_a_torn_last_line_is_mended(tmp_path):
    log = EventLog(tmp_path / "state.jsonl")
    execute(items_of(tmp_path, [1]), engine_of("serial"), log)
    with log.path.open("ab") as handle:
        handle.write(b'{"event": "finished", "key": "item-2"')
    execute(items_of(tmp_path, [1, 2]), engine_of("serial"), log)
    rows = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert [row["key"] for row in rows if row["event"] == "finished"] == ["item-1", "item-2"]


def test_a_full_disk_stops_the_driver_and_loses_nothing(tmp_path, monkeypatch):
    log = EventLog(tmp_path / "state.jsonl")
    real = EventLog.add
    written = []

    def full(self, event, **fields):
        if event == "finished" and len(written) == 2:
            raise UnweaveError("The disk is full: free some space.")
        written.extend([event] * (event == "finished"))
        return real(self, event, **fields)

    with monkeypatch.context() as patch:
        patch.setattr(EventLog, "add", full)
        with pytest.raises(UnweaveError, match="The disk is full"):
            execute(items_of(tmp_path, range(5)), engine_of("serial"), log)
    found = execute(items_of(tmp_path, range(5)), engine_of("serial"), log)
    assert {state.state for state in found.values()} == {"finished"}
    # The third was done, but nobody could write it down.
    assert done(tmp_path) == [0, 1, 2, 2, 3, 4]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"retries": -1}, "retries must be at least 0, but is -1"),
        ({"losses": -2}, "losses must be at least 0"),
        ({"seconds": 0}, "seconds must be more than 0"),
        ({"silence": float("nan")}, "silence must be more than 0"),
    ],
)
def test_wrong_limits_are_refused(fields, message):
    with pytest.raises(SpecError, match=message):
        Limits(**fields)


def test_a_task_that_does_not_exist_fails_with_its_name(tmp_path):
    log = EventLog(tmp_path / "state.jsonl")
    found = execute(items_of(tmp_path, [1]), engine_of("serial", "missing"), log)
    assert "There is no task 'execution.tasks:missing'" in found["item-1"].message


class Instant:
    """An engine whose items give one sign of life at once, and then hang."""

    name = "instant"
    start = 300.0

    def __init__(self):
        self.under_way, self.killed = {}, []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.under_way.clear()

    def slots(self):
        return 1

    def submit(self, item):
        self.under_way[item.key] = 1

    def wait(self, seconds):
        reports = [Report(key, "lost", message="hung") for key in self.killed]
        self.killed = []
        return reports

    def kill(self, key, late):
        del self.under_way[key]
        self.killed.append(key)

    def beats(self):
        return dict(self.under_way)


def test_a_sign_of_life_before_the_driver_looks_counts(tmp_path):
    log = EventLog(tmp_path / "state.jsonl")
    limits = Limits(silence=0.05, losses=1)
    found = execute(items_of(tmp_path, [1]), Instant(), log, limits)
    assert found["item-1"].state == "failed"
    assert len(events_of(log, "lost")) == 2


def test_a_node_with_another_version_refuses_its_items(tmp_path):
    from unweave.execution.ray_cluster import _work

    report = _work("0.0.0", "execution.tasks:square", "a", {}, None, None, "a 1")
    assert (report.kind, report.lasting) == ("failed", True)
    assert "the study was begun with 0.0.0. Install the same on all nodes" in report.message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"cpus": 0}, "takes some of the cores"),
        ({"gpus": -1}, "takes some of the cores"),
        ({"gpus": 1.5}, "a share of one of the GPUs, or a whole number of them, not 1.5"),
        ({"workers": 0}, "workers must be at least 1"),
    ],
)
def test_what_no_cluster_can_give_is_refused(fields, message):
    with pytest.raises(SpecError, match=message):
        RayCluster("execution.tasks:square", **fields)


def given_late(monkeypatch):
    """The first process is given its item when it has died."""
    real, pools = pebble.pool.process.task_scheduler_loop, []

    def loop(manager):
        pools.append(manager)
        while len(pools) == 1 and manager.context.alive:
            time.sleep(0.01)
        real(manager)

    monkeypatch.setattr(pebble.pool.process, "task_scheduler_loop", loop)


def refused(monkeypatch):
    """The first process has died when an item is to be given to it."""
    real, pools = pebble.ProcessPool.schedule, []

    def schedule(self, *arguments, **keywords):
        pools.append(self)
        while len(pools) == 1 and self.active:
            time.sleep(0.01)
        return real(self, *arguments, **keywords)

    monkeypatch.setattr(pebble.ProcessPool, "schedule", schedule)


@pytest.mark.parametrize("when", [lambda monkeypatch: None, given_late, refused])
def test_a_process_that_dies_while_it_starts_loses_its_item_alone(tmp_path, monkeypatch, when):
    when(monkeypatch)
    monkeypatch.setattr("unweave.execution.processes._follow", tasks.dies_at_first)
    monkeypatch.setenv("UNWEAVE_TEST_DIED", str(tmp_path / "died"))
    log = EventLog(tmp_path / "state.jsonl")
    found = execute(items_of(tmp_path, [1, 2]), Processes("execution.tasks:square", 1), log)
    assert {state.state for state in found.values()} == {"finished"}
    (row,) = events_of(log, "lost")
    assert row["message"] == "Its process ended before it had begun."


def test_a_worker_has_the_environment_of_now(tmp_path, monkeypatch):
    found = []
    for value in ("before", "now"):
        monkeypatch.setenv("UNWEAVE_TEST_VALUE", value)
        item = Item("a", {"variable": "UNWEAVE_TEST_VALUE"})
        log = EventLog(tmp_path / f"{value}.jsonl")
        states = execute([item], Processes("execution.tasks:environment", 1), log)
        found.append(states["a"].result["found"])
    assert found == ["before", "now"]


@pytest.mark.skipif(sys.platform != "linux", reason="others import everything anew")
@pytest.mark.parametrize("preload", [[], ["sched"]])
def test_what_is_preloaded_is_there_before_a_worker_asks(tmp_path, preload):
    script = """
import sys
from pathlib import Path
from unweave.execution import EventLog, Item, Processes, execute

if __name__ == "__main__":
    engine = Processes("execution.tasks:environment", 1, preload=sys.argv[2:])
    log = EventLog(Path(sys.argv[1]) / "state.jsonl")
    print("sched" in execute([Item("a", {"variable": "A"})], engine, log)["a"].result["modules"])
"""
    (tmp_path / "driver.py").write_text(script)
    command = [sys.executable, str(tmp_path / "driver.py"), str(tmp_path), *preload]
    said = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(TESTS)}, capture_output=True, check=True
    )
    assert said.stdout.split() == [str(bool(preload)).encode()]
