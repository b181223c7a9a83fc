"""A Ray cluster of two nodes: it loses a node, its driver, gains a node, and shares its GPUs."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from execution.conftest import TESTS
from execution.test_driver_killed import alive, finished, lines, until
from unweave.execution import EventLog, Item, Limits, RayCluster, execute

pytestmark = pytest.mark.slow

TASK = "execution.tasks:placed"
SCRIPT = """
import signal, sys
from pathlib import Path
from unweave.execution import EventLog, Item, RayCluster, execute

# Whoever runs tests in the background of a shell hands on that Ctrl-C is ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

folder, task = sys.argv[1:]
given = {"folder": folder, "seconds": 0.3, "nodes": 2}
items = [Item(f"i{n}", {"number": n, **given}) for n in range(40)]
execute(items, RayCluster(f"execution.tasks:{task}"), EventLog(Path(folder) / "state.jsonl"))
"""


def items_of(folder, count, seconds=0.0, **others):
    """Items of `placed`; `nodes` and `workers` say on how many it waits."""
    given = {"folder": str(folder), "seconds": seconds, **others}
    return [Item(f"i{n}", {"number": n, **given}) for n in range(count)]


@contextlib.contextmanager
def begun(folder, task):
    """A driver in a process of its own, which does not outlive the block."""
    script = folder / "driver.py"
    script.write_text(SCRIPT)
    given = [str(TESTS), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(given)}
    command = [sys.executable, str(script), str(folder), task]
    with subprocess.Popen(command, env=environment) as driver:
        try:
            yield driver
        finally:
            driver.kill()


def places(folder):
    """Item, node and process of every try."""
    path = folder / "places"
    return [line.split() for line in path.read_text().splitlines()] if path.is_file() else []


def head(cluster):
    return cluster.head_node.node_id


def test_both_nodes_work_and_a_node_that_dies_has_its_items_done_by_the_other(cluster, tmp_path):
    log = EventLog(tmp_path / "state.jsonl")
    second = cluster.worker_nodes.copy().pop()

    def kill():
        until(lambda: len({node for _, node, _ in places(tmp_path)}) == 2)
        until(lambda: len(finished(log)) >= 4)
        # In the middle of its item.
        count = len(places(tmp_path))
        until(lambda: any(node != head(cluster) for _, node, _ in places(tmp_path)[count:]))
        cluster.remove_node(second, allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    found = execute(items_of(tmp_path, 14, 2.5, nodes=2), RayCluster(TASK), log, Limits(retries=0))
    killer.join()
    assert [found[f"i{n}"].result["value"] for n in range(14)] == [n * n for n in range(14)]
    assert sorted(finished(log)) == sorted(f"i{n}" for n in range(14))
    lost = [row for row in log.read() if row["event"] == "lost"]
    assert 1 <= len(lost) <= 2
    # What the node had finished before stays finished.
    again = [number for number, _, _ in places(tmp_path)]
    assert {f"i{n}" for n in again if again.count(n) > 1} <= {row["key"] for row in lost}


def test_a_node_that_joins_is_used(cluster, tmp_path):
    log = EventLog(tmp_path / "state.jsonl")

    def join(row):
        if row["event"] == "finished" and len(finished(log)) == 2:
            cluster.add_node(num_cpus=2, object_store_memory=80_000_000)

    log.listeners.append(join)
    first = items_of(tmp_path, 4, 0.5, nodes=2)
    later = items_of(tmp_path, 30, 0.5, nodes=3)
    execute([*first, *later[len(first) :]], RayCluster(TASK), log)
    assert len({node for _, node, _ in places(tmp_path)}) == 3


def test_workers_end_with_their_driver_and_the_next_one_does_what_is_left(two_nodes, tmp_path):
    log = EventLog(tmp_path / "state.jsonl")
    with begun(tmp_path, "placed"):
        until(lambda: len(finished(log)) >= 6)
    workers = {int(pid) for _, _, pid in places(tmp_path)}
    assert len(workers) >= 2
    until(lambda: not any(alive(pid) for pid in workers), 30)
    before = finished(log)
    assert len(before) < 40

    found = execute(items_of(tmp_path, 40), RayCluster(TASK), log)
    assert [found[f"i{n}"].result["value"] for n in range(40)] == [n * n for n in range(40)]
    assert sorted(finished(log)) == sorted(f"i{n}" for n in range(40))
    tries = [f"i{number}" for number, _, _ in places(tmp_path)]
    assert all(tries.count(key) == 1 for key in before)


def test_workers_are_told_before_they_are_ended(two_nodes, tmp_path):
    log = EventLog(tmp_path / "state.jsonl")
    with begun(tmp_path, "patient") as driver:
        until(lambda: (tmp_path / "begun").is_file() and len(lines(tmp_path / "begun")) == 2)
        driver.send_signal(signal.SIGINT)
        assert driver.wait(120) != 0
    assert sorted(lines(tmp_path / "told")) == ["0", "1"]
    assert log.read()[-1]["event"] == "ended"


def test_a_worker_that_is_told_by_others_loses_its_item_alone(two_nodes, tmp_path):
    items = items_of(tmp_path, 3)
    log = EventLog(tmp_path / "state.jsonl")
    found = execute(items, RayCluster("execution.tasks:interrupted_once"), log)
    assert {state.state for state in found.values()} == {"finished"}
    lost = [row["key"] for row in log.read() if row["event"] == "lost"]
    assert sorted(lost) == sorted(item.key for item in items)


def test_a_worker_that_is_killed_from_outside_is_replaced(two_nodes, tmp_path):
    log = EventLog(tmp_path / "state.jsonl")

    def kill():
        until(lambda: len(places(tmp_path)) >= 3)
        os.kill(int(places(tmp_path)[-1][2]), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    found = execute(items_of(tmp_path, 5, 4.0, nodes=2), RayCluster(TASK), log, Limits(retries=0))
    killer.join()
    assert {state.state for state in found.values()} == {"finished"}
    (lost,) = [row for row in log.read() if row["event"] == "lost"]
    assert "Its worker or its node ended" in lost["message"]


def test_shares_of_a_gpu_are_given_to_that_many_items_at_once(cluster, tmp_path):
    cluster.add_node(num_cpus=4, num_gpus=1, object_store_memory=80_000_000)
    log = EventLog(tmp_path / "state.jsonl")
    engine = RayCluster(TASK, gpus=0.5)
    found = execute(items_of(tmp_path, 6, 1.0, workers=2), engine, log)
    results = [state.result for state in found.values()]
    assert len({result["node"] for result in results}) == 1
    assert {tuple(result["gpus"]) for result in results} == {("0",)}
    most = max(
        sum(other["begun"] <= one["begun"] < other["ended"] for other in results)
        for one in results
    )
    assert most == 2


def test_room_is_counted_node_by_node(cluster, tmp_path):
    cluster.add_node(num_cpus=3, num_gpus=2, object_store_memory=80_000_000)
    for settings, room in (
        ({"cpus": 1}, 5),
        ({"cpus": 2}, 1),
        ({"cpus": 0.5, "gpus": 0.3}, 6),
        ({"gpus": 2}, 1),
        ({"gpus": 4}, 0),
        ({"gpus": 4, "workers": 7}, 7),
    ):
        with RayCluster(TASK, **settings) as engine:
            assert engine.slots() == room, settings


def test_without_an_address_there_is_a_cluster_of_this_machine_alone(
    two_nodes, tmp_path, monkeypatch
):
    monkeypatch.delenv("RAY_ADDRESS")
    log = EventLog(tmp_path / "state.jsonl")
    found = execute(items_of(tmp_path, 4), RayCluster(TASK, workers=2), log)
    assert {state.state for state in found.values()} == {"finished"}
    nodes = {node for _, node, _ in places(tmp_path)}
    assert nodes.isdisjoint(node.node_id for node in two_nodes.list_all_nodes())


def test_a_cluster_that_does_not_answer_is_named(tmp_path):
    pytest.importorskip("ray", reason="needs Ray")
    from unweave.errors import UnweaveError

    log = EventLog(tmp_path / "state.jsonl")
    started = time.monotonic()
    with pytest.raises(UnweaveError, match=r"127\.0\.0\.1:1 does not answer"):
        execute(items_of(tmp_path, 1), RayCluster(TASK, address="127.0.0.1:1"), log)
    assert time.monotonic() - started < 120
    assert not Path(log.path).exists()
