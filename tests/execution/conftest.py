"""A Ray cluster of two nodes on this machine, for tests that take long; forks for all tests."""

import os
from pathlib import Path

import pytest

from unweave.execution import processes

TESTS = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _forks_for_all(monkeypatch):
    """Whichever engine of a test process is the first, what it forks from can train.

    There is one such process for all, and each worker would import what it lacks.
    """
    real = processes._context

    def context(task, preload):
        return real(task, [*preload, "unweave.population.task", "unweave.training.preload"])

    monkeypatch.setattr(processes, "_context", context)


def start_cluster(patch, environments=({}, {})):
    """A cluster of nodes, each a raylet of its own with a core and what is added to its variables.

    `RAY_ADDRESS` names it.
    """
    cluster_utils = pytest.importorskip("ray.cluster_utils", reason="needs Ray")
    # Workers find the tasks by it.
    patch.setenv("PYTHONPATH", str(TESTS), prepend=os.pathsep)
    cluster = cluster_utils.Cluster()
    for variables in environments:
        cluster.add_node(num_cpus=1, object_store_memory=80_000_000, env_vars=dict(variables))
    patch.setenv("RAY_ADDRESS", cluster.address)
    return cluster


@pytest.fixture
def cluster(monkeypatch):
    """Two nodes for one test, which may kill them."""
    started = start_cluster(monkeypatch)
    yield started
    started.shutdown()


@pytest.fixture(scope="module")
def two_nodes():
    """Two nodes for all tests of a file."""
    with pytest.MonkeyPatch.context() as patch:
        started = start_cluster(patch)
        yield started
        started.shutdown()
