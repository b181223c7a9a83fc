"""Items as tasks of a Ray cluster."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Final, Self, final

from unweave._version import __version__
from unweave.errors import SpecError, UnweaveError
from unweave.execution.work import Item, Report
from unweave.execution.worker import work

__all__ = ["RayCluster"]

log = logging.getLogger("unweave")

# How often the cluster is asked which nodes it has, and for how long an answer is waited for.
_LOOK: Final = 1.0
_PATIENCE: Final = 10.0
# How long a task may take to end, once it is told to, before its process is killed.
_STOP: Final = 10.0


@final
class RayCluster:
    """The engine of many machines; one that dies, or is taken away, loses its items, and says so.

    All machines must have the same version of unweave. Workers have the environment in which their
    machine joined the cluster, so that each has its own `UNWEAVE_HOME`. When this process dies,
    Ray ends what it had begun.

    Attributes:
        name: As of `Engine`.
        start: As of `Engine`.

    Args:
        task: Reference of the task, `module:name`.
        address: Of the cluster: `auto` for the one of this machine, or `HOST:6379`; None for the
            environment variable RAY_ADDRESS, or else for a cluster of this machine alone.
        cpus: Processor cores that an item takes.
        gpus: GPUs that an item takes; a share, such as 0.25, is given to several items at once.
        workers: How many items are under way, also when the cluster has no room for them yet: one
            that grows does so when there is more to do. None for as many as there is room for.
        seconds: How long one try of an item may take.

    Raises:
        SpecError: A number is out of range.
    """

    name = "ray"
    # Items wait for room as long as they must; what becomes of their worker is Ray's to see.
    start: float | None = None

    def __init__(
        self,
        task: str,
        *,
        address: str | None = None,
        cpus: float = 1,
        gpus: float = 0,
        workers: int | None = None,
        seconds: float | None = None,
    ) -> None:
        """Connect to nothing yet."""
        if cpus <= 0 or gpus < 0:
            raise SpecError(f"An item takes some of the cores, not {cpus}, and {gpus} GPUs.")
        for what, number in (("cores", cpus), ("GPUs", gpus)):
            if number > 1 and number != int(number):
                raise SpecError(
                    f"An item takes a share of one of the {what}, or a whole number of them, not "
                    f"{number}."
                )
        if workers is not None and workers < 1:
            raise SpecError(f"workers must be at least 1, but is {workers}.")
        self._task = task
        self._address = address
        self._cpus = cpus
        self._gpus = gpus
        self._workers = workers
        self._seconds = seconds
        self._refs: dict[str, Any] = {}
        self._tries: dict[str, int] = {}
        self._killed: dict[str, bool] = {}
        self._beats: dict[str, int] = {}
        self._room = (0, float("-inf"))
        self._connected = False

    def __enter__(self) -> Self:
        """Connect to the cluster.

        Raises:
            UnweaveError: Ray is not installed, or the cluster does not answer.
        """
        try:
            import ray
            from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
        except ImportError as error:
            raise UnweaveError(
                "The executor ray needs Ray, which is not installed: pip install 'unweave[ray]'."
            ) from error
        self._ray = ray
        try:
            if not ray.is_initialized():
                # Without an address Ray would also look for what was last started here.
                address = self._address or os.environ.get("RAY_ADDRESS") or "local"
                _check_answer(address)
                with _own_signals():
                    ray.init(
                        address=address,
                        log_to_driver=False,
                        include_dashboard=False,
                        configure_logging=False,
                    )
                self._connected = True
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            raise UnweaveError(
                f"The Ray cluster {self._address or ''} does not answer: {error}. Start one with "
                "'ray start --head', or leave the address out for one of this machine alone."
            ) from error
        # Beside this process, so that it lives as long; elsewhere only where that cannot be.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        options = {"num_cpus": 0, "max_restarts": -1, "scheduling_strategy": here}
        self._signs = ray.remote(**options)(_Signs).remote()
        self._work = ray.remote(max_retries=0, num_cpus=self._cpus, num_gpus=self._gpus)(_work)
        if not self._room_now():
            log.warning(
                "No node of the cluster has room for a run, which takes %g cores and %g GPUs. "
                "Waiting for one.",
                self._cpus,
                self._gpus,
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End what is under way, and leave the cluster; tasks are told before they are ended."""
        refs = list(self._refs.values())
        for ref in refs:
            self._ray.cancel(ref)
        if refs:
            self._ray.wait(refs, num_returns=len(refs), timeout=_STOP)
        for ref in refs:
            self._ray.cancel(ref, force=True)
        self._refs.clear()
        self._ray.kill(self._signs)
        if self._connected:
            self._ray.shutdown()

    def slots(self) -> int:
        """How many items can be under way on the nodes that are there now."""
        if self._workers is not None:
            return self._workers
        room, asked = self._room
        if time.monotonic() - asked > _LOOK:
            room = self._room_now()
            self._room = room, time.monotonic()
        return room

    def submit(self, item: Item) -> None:
        """Give an item to the cluster."""
        # A worker that was taken for dead may still give signs: each try has a name of its own.
        self._tries[item.key] = self._tries.get(item.key, 0) + 1
        self._refs[item.key] = self._work.remote(
            __version__,
            self._task,
            item.key,
            dict(item.payload),
            self._seconds,
            self._signs,
            self._name(item.key),
        )

    def wait(self, seconds: float) -> list[Report]:
        """Reports of items that have ended; waits for the first at most so long."""
        if not self._refs:
            return []
        keys = {ref: key for key, ref in self._refs.items()}
        done, _ = self._ray.wait(list(keys), num_returns=1, timeout=seconds)
        if done:
            done, _ = self._ray.wait(list(keys), num_returns=len(keys), timeout=0)
        for ref in done:
            del self._refs[keys[ref]]
        return [self._report(keys[ref], ref) for ref in done]

    def kill(self, key: str, late: bool) -> None:
        """End the worker that does an item."""
        if key in self._refs:
            self._killed[key] = late
            self._ray.cancel(self._refs[key], force=True)

    def beats(self) -> Mapping[str, int]:
        """How many signs of life each item under way has given."""
        names = {self._name(key): key for key in self._refs}
        try:
            counts = self._ray.get(self._signs.counts.remote(list(names)), timeout=_PATIENCE)
            self._beats = {names[name]: count for name, count in counts.items()}
        except self._ray.exceptions.RayError as error:
            # Whoever counts is being restarted: nobody is taken for dead meanwhile.
            log.debug("No signs of life can be counted: %s", error)
            self._beats = {key: self._beats.get(key, 0) + 1 for key in self._beats}
        return self._beats

    def _room_now(self) -> int:
        """For how many items there is room, each on one node."""
        room = 0
        for node in self._ray.nodes():
            if node["Alive"]:
                found = node["Resources"]
                fits = [found.get("CPU", 0) / self._cpus]
                if self._gpus:
                    # Half of each of two GPUs makes no whole one.
                    each = 1 / self._gpus if self._gpus < 1 else 1.0
                    wanted = max(1.0, self._gpus)
                    fits.append(int(found.get("GPU", 0) / wanted) * int(each + 1e-6))
                room += int(min(fits) + 1e-6)
        return room

    def _name(self, key: str) -> str:
        return f"{key} {self._tries[key]}"

    def _report(self, key: str, ref: Any) -> Report:
        late = self._killed.pop(key, None)
        try:
            report: Report = self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:
            # Such as a result that cannot be sent.
            return Report(key, "failed", message=str(error).strip().splitlines()[-1])
        except self._ray.exceptions.RayError as error:
            if late is not None:
                return Report.killed(key, self._seconds, late=late)
            return Report(key, "lost", message=f"Its worker or its node ended: {_first(error)}")
        return report


def _check_answer(address: str) -> None:
    """Refuse an address at which nobody listens; Ray itself would wait for minutes.

    Raises:
        OSError: Nobody does.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Keep what this process does when it is terminated: Ray would have it exit at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


class _Signs:
    """Counts signs of life; an actor of its own, since workers may be anywhere."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def beat(self, name: str) -> None:
        self._counts[name] = self._counts.get(name, 0) + 1

    def counts(self, names: list[str]) -> dict[str, int]:
        """Of those that are still under way; the others are forgotten."""
        self._counts = {name: self._counts[name] for name in names if name in self._counts}
        return self._counts


def _work(
    version: str,
    task: str,
    key: str,
    payload: dict[str, object],
    seconds: float | None,
    signs: Any,
    name: str,
) -> Report:
    """Do an item; the signs of life go to an actor, at most one a second."""
    if version != __version__:
        message = (
            f"A node of the cluster has unweave {__version__}, and the study was begun with "
            f"{version}. Install the same on all nodes."
        )
        return Report(key, "failed", message=message, lasting=True)
    last = float("-inf")

    def alive(key: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= 1:
            last = now
            signs.beat.remote(name)

    try:
        return work(task, key, payload, seconds, alive)
    except KeyboardInterrupt:
        return Report(key, "lost", message="Its process was told to stop.")


def _first(error: BaseException) -> str:
    """The first line of what Ray says, of which the rest is for its developers."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"
