"""Where runs are done: processes of a driver, or two Ray nodes, each with its own folders."""

from __future__ import annotations

__all__ = ["two_nodes", "workers_of"]

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

# Bytes of the object store of a node; nothing large goes through it.
_MEMORY = 80_000_000


@contextlib.contextmanager
def two_nodes(homes: Sequence[Path]) -> Iterator[tuple[str, list[int]]]:
    """A Ray cluster of one raylet a home, each with one core.

    Args:
        homes: `UNWEAVE_HOME` of each node.

    Yields:
        The address of the cluster, and the processes of its raylets.
    """
    from ray.cluster_utils import Cluster

    cluster = Cluster()
    try:
        for home in homes:
            cluster.add_node(
                num_cpus=1,
                object_store_memory=_MEMORY,
                env_vars={"UNWEAVE_HOME": str(home), "UNWEAVE_RUNS": str(home / "runs")},
            )
        raylets = [
            entry.process.pid
            for node in cluster.list_all_nodes()
            for entry in node.all_processes["raylet"]
        ]
        yield cluster.address, raylets
    finally:
        cluster.shutdown()


def workers_of(parents: Sequence[int]) -> list[int]:
    """Processes that work for these: of a driver those that it has begun, of a raylet the busy."""
    children: dict[int, list[int]] = {}
    titles = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
            title = (path / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if fields[0] != "Z":
            children.setdefault(int(fields[1]), []).append(int(path.name))
            titles[int(path.name)] = title
    below = [pid for parent in parents for pid in children.get(parent, ())]
    # A driver's are forks of a process that is no worker itself.
    forked = [
        child
        for pid in below
        if "multiprocessing.forkserver" in titles[pid]
        for child in children.get(pid, ())
    ]
    busy = [
        pid
        for pid in below
        if "ray::_work" in titles[pid] or "multiprocessing.spawn" in titles[pid]
    ]
    return [pid for pid in (*forked, *busy) if pid != os.getpid()]
