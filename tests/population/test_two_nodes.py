"""Populations on two Ray nodes: the same table, whatever dies on the way."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from execution.conftest import start_cluster
from execution.test_driver_killed import children_of, until
from reference.populations import (
    driver_of,
    finished,
    move,
    population_of,
    table,
    uneven,
    whole,
)
from session.runs import assert_same_state
from unweave.execution import RayCluster
from unweave.population.folder import PopulationFolder
from unweave.population.rounds import Outcome
from unweave.population.running import run_population
from unweave.session import begin, read_config

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster(monkeypatch):
    """Two nodes of one core for one test, which may kill them."""
    started = start_cluster(monkeypatch)
    yield started
    started.shutdown()


@pytest.fixture(scope="module")
def two_nodes():
    """Two nodes for tests that leave them alone."""
    with pytest.MonkeyPatch.context() as patch:
        started = start_cluster(patch)
        yield started
        started.shutdown()


@pytest.fixture
def far_nodes(tmp_path, monkeypatch):
    """Two nodes, each with a home of its own, of which the driver sees neither."""
    homes = [tmp_path / "nodes" / name for name in ("one", "two")]
    started = start_cluster(monkeypatch, [{"UNWEAVE_HOME": str(home)} for home in homes])
    yield started, homes
    started.shutdown()


def rounds_of(place):
    """The table by the event log."""
    return table(Outcome(tuple(tuple(rows) for rows in PopulationFolder(place).rounds()), ""))


def events_of(place):
    return PopulationFolder(place).events.read()


def under_way(place, round):
    """Members that are in the middle of a round, by the event log."""
    states = {}
    for row in events_of(place):
        if row.get("key", "").startswith(f"r{round:03d}"):
            states[row["key"]] = row["event"]
    return [key for key, event in states.items() if event == "started"]


def stopped(place, parent):
    """A worker below a process, stopped in the middle of a member's second round."""
    end = time.monotonic() + 240
    while time.monotonic() < end:
        if len(finished(place)) >= 4:
            for pid in workers_below(parent):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
                    if is_at_work(pid) and under_way(place, 2):
                        return pid
                    os.kill(pid, signal.SIGCONT)
        time.sleep(0.02)
    raise AssertionError("no worker was at work")


def workers_below(parent):
    """Ray workers with an item among the processes below one."""
    for pid in children_of(parent):
        if is_at_work(pid):
            yield pid
        yield from workers_below(pid)


def is_at_work(pid):
    """By its title, which Ray changes with each task."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().startswith("ray::_work")
    except OSError:
        return False


def test_two_nodes_come_to_the_same_table_though_a_worker_is_killed(two_nodes, tmp_path):
    place = tmp_path / "p"
    killer = threading.Thread(target=lambda: os.kill(stopped(place, os.getpid()), signal.SIGKILL))
    killer.start()
    _, outcome = run_population(population_of(), place, executor="ray")
    killer.join()
    (lost,) = [row for row in events_of(place) if row["event"] == "lost"]
    assert lost["key"].startswith("r002")
    assert table(outcome) == rounds_of(place) == table(whole()[1])
    assert outcome.judged == whole()[1].judged
    assert len(finished(place)) == len(set(finished(place))) == 13


def test_a_node_that_is_lost_has_its_members_trained_by_the_other(cluster, tmp_path):
    place = tmp_path / "p"
    killer = threading.Thread(target=lose_a_node, args=(cluster, place))
    killer.start()
    _, outcome = run_population(population_of(), place, executor="ray")
    killer.join()
    assert [row["key"][:4] for row in events_of(place) if row["event"] == "lost"] == ["r002"]
    assert table(outcome) == table(whole()[1])
    assert len(finished(place)) == len(set(finished(place))) == 13


def lose_a_node(cluster, place):
    """Take away the second node in the middle of a member's second round."""
    second = cluster.worker_nodes.copy().pop()
    (raylet,) = second.all_processes["raylet"]
    worker = stopped(place, raylet.process.pid)
    cluster.remove_node(second, allow_graceful=False)
    os.kill(worker, signal.SIGKILL)


def test_nodes_that_share_no_disk_and_of_which_one_is_lost_go_on_from_the_storage(
    far_nodes, tmp_path, monkeypatch
):
    cluster, homes = far_nodes
    place, nowhere = tmp_path / "p", tmp_path / "nowhere"
    move(monkeypatch, RayCluster, place, nowhere)
    killer = threading.Thread(target=lose_a_node, args=(cluster, place))
    killer.start()
    folder, outcome = run_population(
        population_of(), place, executor="ray", storage=f"file://{tmp_path}/s"
    )
    killer.join()
    assert [row["key"][:4] for row in events_of(place) if row["event"] == "lost"] == ["r002"]
    assert table(outcome) == table(whole()[1])
    assert outcome.judged == whole()[1].judged
    for row in outcome.rounds[-1]:
        assert_same_state(folder.run_of(row), PopulationFolder(whole()[0]).run_of(row))
    # Each node has built its own store; none saw the population's folder, or made it.
    assert [len(list((home / "data").glob("dsprites-*"))) for home in homes] == [1, 1]
    assert not nowhere.exists()
    assert not [path for path in homes[0].glob("runs/*/*") if path.is_dir()]


def test_a_driver_that_is_killed_is_gone_on_with(two_nodes, tmp_path):
    place = tmp_path / "p"
    with driver_of(tmp_path, place, "ray") as driver:
        until(lambda: len(finished(place)) >= 5, 240)
        driver.send_signal(signal.SIGKILL)
    before = finished(place)
    assert 5 <= len(before) < 12
    time.sleep(1.5)
    _, outcome = run_population(population_of(), place, executor="ray")
    assert table(outcome) == table(whole()[1])
    assert finished(place)[: len(before)] == before
    assert len(finished(place)) == len(set(finished(place))) == 13


def test_members_that_wait_for_nobody_go_on_over_both_nodes(two_nodes, tmp_path):
    place = tmp_path / "p"
    # So long a round that the start of workers does not count beside it.
    longer = dataclasses.replace(uneven(), images=2048)
    folder, outcome = run_population(longer, place, executor="ray")
    assert [len(rows) for rows in outcome.rounds] == [3, 3, 3]
    events = [(row["event"], row.get("key")) for row in events_of(place)]
    # The slow member was still in its first round when a quick one was in its second.
    assert events.index(("started", "r002-m01")) < events.index(("finished", "r001-m00"))
    assert len(finished(place)) == len(set(finished(place)))
    row = next(row for rows in outcome.rounds for row in rows if row.task.cloned)
    begin(read_config(folder.run_of(row)), tmp_path / "alone")
    assert_same_state(tmp_path / "alone", folder.run_of(row))
    _, again = run_population(longer, place, executor="ray")
    assert table(again) == table(outcome)
