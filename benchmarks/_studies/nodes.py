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
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
            title = (path / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        busy = "ray::_work" in title or "multiprocessing.spawn" in title
        if int(fields[1]) in parents and fields[0] != "Z" and busy:
            found.append(int(path.name))
    return [pid for pid in found if pid != os.getpid()]
