"""Which cores PyTorch's threads run on, in a process of its own: threads outlive a test."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys

import pytest

from unweave.training.affinity import own_cores

linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux lets a process choose its cores"
)

PROGRAM = """
import json, os, sys
import torch
from unweave.training.affinity import own_cores
from unweave.training.memory import restart_workers

cores = sorted(os.sched_getaffinity(0))
def where():
    tasks = os.listdir("/proc/self/task")
    return {task: sorted(os.sched_getaffinity(int(task))) for task in tasks}
# One thread first: it starts no others.
for threads in (1, len(cores)):
    torch.set_num_threads(threads)
    torch.zeros(threads << 16).add_(1)
    restart_workers()
    outside = where()
    with own_cores(threads) as bound:
        torch.zeros(threads << 16).add_(1)
        inside = where()
    after = where()
    main = str(os.getpid())
    print(json.dumps([bound, cores, main, outside, inside, after]))
"""


@functools.cache
def run():
    """With one thread, and with one a core."""
    environment = dict(os.environ)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@linux
def test_each_thread_has_a_core_of_its_own_and_gives_it_back():
    count = len(os.sched_getaffinity(0))
    if count < 2:
        pytest.skip("one core is no choice")
    bound, cores, main, outside, inside, after = run()[1]
    if not bound:
        pytest.skip("this PyTorch does not start its workers with the first operation")
    workers = inside.keys() - outside.keys()
    assert len(workers) == count - 1
    chosen = [inside[main], *(inside[worker] for worker in workers)]
    assert sorted(chosen) == [[core] for core in cores]
    assert after[main] == cores
    assert all(after[worker] == cores for worker in workers if worker in after)
    # Threads that were there before are no business of ours.
    assert all(inside[task] == cores for task in outside if task != main)


@linux
def test_fewer_threads_than_cores_run_where_they_like():
    bound, cores, main, _, inside, after = run()[0]
    assert not bound
    assert inside[main] == after[main] == cores


def test_other_systems_are_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with own_cores(2) as bound:
        assert not bound


@linux
def test_threads_that_cannot_be_found_are_left_alone(monkeypatch):
    monkeypatch.setattr("unweave.training.affinity._tasks", lambda: set())
    cores = os.sched_getaffinity(0)
    with own_cores(len(cores)) as bound:
        assert not bound
        assert os.sched_getaffinity(0) == cores
