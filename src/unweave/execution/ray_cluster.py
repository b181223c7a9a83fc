"""Items as tasks of a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self, final

from unweave.errors import SpecError, UnweaveError
from unweave.execution.work import Item, Report
from unweave.execution.worker import work

__all__ = ["RayCluster"]


@final
class RayCluster:
    """The engine of many machines; one that dies, or is taken away, loses its items, and says so.

    All machines must have the same version of unweave, and see the folders of the study at the
    same path. When this process dies, Ray ends what it had begun.

    Args:
        task: Reference of the task, `module:name`.
        address: Of the cluster: `auto` for the one of this machine, `ray://host:10001`; None for
            the environment variable RAY_ADDRESS, or else for a cluster of this machine alone.
        cpus: Processor cores that an item takes.
        gpus: GPUs that an item takes; a share, such as 0.25, is given to several items at once.
        workers: How many items are under way at most; None for as many as there is room for.
        seconds: How long one try of an item may take.

    Raises:
        SpecError: A number is out of range.
    """

    name = "ray"

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
        self._task = task
        self._address = address
        self._cpus = cpus
        self._gpus = gpus
        self._workers = workers
        self._seconds = seconds
        self._refs: dict[str, Any] = {}
        self._tries: dict[str, int] = {}
        self._killed: dict[str, bool] = {}
        self._connected = False

    def __enter__(self) -> Self:
        """Connect to the cluster.

        Raises:
            UnweaveError: Ray is not installed, or the cluster does not answer.
        """
        try:
            import ray
        except ImportError as error:
            raise UnweaveError(
                "The executor ray needs Ray, which is not installed: pip install 'unweave[ray]'."
            ) from error
        self._ray = ray
        try:
            if not ray.is_initialized():
                ray.init(
                    address=self._address,
                    log_to_driver=False,
                    include_dashboard=False,
                    configure_logging=False,
                    runtime_env={"env_vars": _variables()},
                )
                self._connected = True
        except (ConnectionError, RuntimeError, TimeoutError, ValueError) as error:
            raise UnweaveError(
                f"The Ray cluster {self._address or ''} does not answer: {error}. Start one with "
                "'ray start --head', or leave the address out for one of this machine alone."
            ) from error
        self._signs = ray.remote(num_cpus=0)(_Signs).remote()
        self._work = ray.remote(max_retries=0, num_cpus=self._cpus, num_gpus=self._gpus)(_work)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End what is under way, and leave the cluster."""
        for ref in self._refs.values():
            self._ray.cancel(ref, force=True)
        self._refs.clear()
        self._ray.kill(self._signs)
        if self._connected:
            self._ray.shutdown()

    def slots(self) -> int:
        """For how many items the cluster, as it is now, has room."""
        found = self._ray.cluster_resources()
        room = [found.get("CPU", 0) / self._cpus]
        if self._gpus:
            room.append(found.get("GPU", 0) / self._gpus)
        slots = int(min(room))
        return slots if self._workers is None else min(slots, self._workers)

    def submit(self, item: Item) -> None:
        """Give an item to the cluster."""
        # A worker that was taken for dead may still give signs: each try has a name of its own.
        self._tries[item.key] = self._tries.get(item.key, 0) + 1
        self._refs[item.key] = self._work.remote(
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
        found: dict[str, int] = self._ray.get(self._signs.counts.remote())
        return {key: found.get(self._name(key), 0) for key in self._refs}

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
            return Report(key, "lost", message=f"{type(error).__name__}.")
        return report


class _Signs:
    """Counts signs of life; an actor of its own, since workers may be anywhere."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}

    def beat(self, key: str) -> None:
        self._counts[key] = self._counts.get(key, 0) + 1

    def counts(self) -> dict[str, int]:
        return self._counts


def _work(
    task: str, key: str, payload: dict[str, object], seconds: float | None, signs: Any, name: str
) -> Report:
    """Do an item; the signs of life go to an actor, at most one a second."""
    import time

    last = float("-inf")

    def alive(key: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= 1:
            last = now
            signs.beat.remote(name)

    return work(task, key, payload, seconds, alive)


def _variables() -> dict[str, str]:
    """What the workers' environment must have of this one."""
    return {name: value for name, value in os.environ.items() if name.startswith("UNWEAVE_")}
