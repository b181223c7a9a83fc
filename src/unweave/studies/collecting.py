"""An engine whose workers have a storage, and whose finished runs come to the driver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias, final

from unweave.errors import UnweaveError
from unweave.execution import Engine, Item, Report
from unweave.rundir import ENDED
from unweave.session import read_state
from unweave.studies.storage import StoredRun, ended_runs
from unweave.studies.task import is_done, result_of

__all__ = ["Collecting", "Place", "Prepare", "collect_ended"]

Prepare: TypeAlias = Callable[[Item], Report | None]
"""Puts into the storage what a worker needs of the driver's folder; a report where there is
nothing to do for a worker."""

Place: TypeAlias = Callable[[Item], tuple[str, Path] | None]
"""The key of what an item leaves in the storage, and the driver's folder for it; or None."""

# How many runs come at once.
_AT_ONCE: Final = 8
# How often a worker's report is looked for while runs are coming, in seconds.
_TICK: Final = 0.02


def collect_ended(url: str, items: Sequence[Item]) -> None:
    """Have the runs that workers brought to their end when no driver was there to take them.

    Raises:
        UnweaveError: The storage does not answer, or the study's folder cannot be written.
    """
    ended = ended_runs(url)
    folders = [Path(item.payload["folder"]) for item in items if item.key in ended]
    # A run that has ended here may have more scores than the one there.
    coming = [folder for folder in folders if read_state(folder) not in ENDED]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(lambda folder: StoredRun(url, folder.name).fetch(folder), coming))


@final
class Collecting:
    """Another engine, whose reports wait until the run is here: finished, or with its log.

    Args:
        engine: Where the work is done.
        url: The storage of its workers.
        prepare: Called before an item is given to a worker. By default a run that is in the
            study's folder is put into the storage, unless nothing is left to do.
        place: What is waited for; by default the run in the folder of the item.
    """

    def __init__(
        self,
        engine: Engine,
        url: str,
        *,
        prepare: Prepare | None = None,
        place: Place | None = None,
    ) -> None:
        self.name = engine.name
        self.start = engine.start
        self._engine = engine
        self._url = url
        self._prepare = prepare or self._run_prepared
        self._place = place or _run_place
        self._items: dict[str, Item] = {}
        self._ready: list[Report] = []
        self._coming: dict[Future[bool], Report] = {}

    def __enter__(self) -> Self:
        """Start the workers."""
        self._engine.__enter__()
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the workers; what is coming still comes, and is there for the next driver."""
        self._engine.__exit__(kind, error, traceback)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def slots(self) -> int:
        """Those of the workers; what is coming keeps none of them waiting."""
        return self._engine.slots() + len(self._coming) + len(self._ready)

    def submit(self, item: Item) -> None:
        """Have an item done, unless nothing is left to do."""
        try:
            report = self._prepare(item)
        except UnweaveError as error:
            report = Report(item.key, "failed", message=str(error), lasting=error.lasting)
        if report is not None:
            self._ready.append(report)
            return
        self._items[item.key] = item
        self._engine.submit(item)

    def wait(self, seconds: float) -> list[Report]:
        """Reports of items that have ended, the finished ones with their run in its folder."""
        found, self._ready = self._ready, []
        busy = len(self._items) > len(self._coming)
        if not busy:
            wait_for(self._coming, 0 if found else seconds, return_when=FIRST_COMPLETED)
        else:
            tick = min(seconds, _TICK) if self._coming else seconds
            for report in self._engine.wait(0 if found else tick):
                place = self._place(self._items[report.key])
                if report.kind != "lost" and place is not None:
                    fetch = StoredRun(self._url, place[0]).fetch
                    self._coming[self._pool.submit(fetch, place[1])] = report
                else:
                    del self._items[report.key]
                    found.append(report)
        for future in [future for future in self._coming if future.done()]:
            report = self._coming.pop(future)
            del self._items[report.key]
            found.append(_arrived(report, future))
        return found

    def kill(self, key: str, late: bool) -> None:
        """End an item from outside, unless its run is only coming."""
        if all(report.key != key for report in self._coming.values()):
            self._engine.kill(key, late)

    def beats(self) -> Mapping[str, int]:
        """How many signs of life each item under way has given."""
        return self._engine.beats()

    def _run_prepared(self, item: Item) -> Report | None:
        if is_done(item.payload):
            return Report(item.key, "finished", result_of(item.payload))
        folder = Path(item.payload["folder"])
        state = read_state(folder)
        if state is not None:
            stored = StoredRun(self._url, item.key)
            if not stored.exists or state == "finished":
                stored.put(folder)
        return None


def _run_place(item: Item) -> tuple[str, Path]:
    return item.key, Path(item.payload["folder"])


def _arrived(report: Report, future: Future[bool]) -> Report:
    """The report that stands, now that a run has come or not."""
    error = future.exception()
    if report.kind != "finished" or (error is None and future.result()):
        return report
    if isinstance(error, UnweaveError):
        return Report(report.key, "failed", message=str(error), lasting=error.lasting)
    why = "its files are damaged" if error is None else f"{type(error).__name__}: {error}"
    return Report(report.key, "lost", message=f"It could not be taken from the storage: {why}.")
