"""Items in processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, CancelledError
from concurrent.futures import wait as wait_for
from pathlib import Path
from types import TracebackType
from typing import Final, Self, final

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from unweave.errors import SpecError
from unweave.execution.work import Item, Report
from unweave.execution.worker import work

__all__ = ["Processes"]

# How often a process looks whether the one that started it is still there.
_LOOK: Final = 0.5
# Signs of life that follow each other faster are not written down.
_BEAT: Final = 0.2


@final
class Processes:
    """The engine of one machine: a pool of processes, each of which does items one by one.

    A process that dies is replaced, and its item reported as lost. When this process dies, by
    whatever means, the others end, so that nothing goes on writing into the folders of runs.

    Args:
        task: Reference of the task, `module:name`.
        workers: How many processes.
        seconds: How long one try of an item may take.

    Raises:
        SpecError: There shall be no worker.
    """

    name = "processes"

    def __init__(self, task: str, workers: int, *, seconds: float | None = None) -> None:
        """Start nothing yet."""
        if workers < 1:
            raise SpecError(f"workers must be at least 1, but is {workers}.")
        self._task = task
        self._workers = workers
        self._seconds = seconds
        self._futures: dict[str, ProcessFuture] = {}
        self._killed: dict[str, bool] = {}

    def __enter__(self) -> Self:
        """Start the processes."""
        # Not fork: neither PyTorch's threads nor open locks survive it.
        self._pool = ProcessPool(
            max_workers=self._workers,
            context=multiprocessing.get_context("spawn"),
            initializer=_follow,
            initargs=(os.getpid(),),
        )
        self._folder = tempfile.TemporaryDirectory(prefix="unweave-")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End all processes, and what they are doing."""
        self._pool.stop()
        self._pool.join()
        self._futures.clear()
        self._folder.cleanup()

    def slots(self) -> int:
        """As many as there are workers."""
        return self._workers

    def submit(self, item: Item) -> None:
        """Give an item to the pool."""
        path = self._beat_path(item.key)
        path.unlink(missing_ok=True)
        self._futures[item.key] = self._pool.schedule(
            _work, args=[self._task, item.key, dict(item.payload), self._seconds, str(path)]
        )

    def wait(self, seconds: float) -> list[Report]:
        """Reports of items that have ended; waits for the first at most so long."""
        done, _ = wait_for(
            list(self._futures.values()), timeout=seconds, return_when=FIRST_COMPLETED
        )
        ended = [key for key, future in self._futures.items() if future in done]
        return [self._report(key, self._futures.pop(key)) for key in ended]

    def kill(self, key: str, late: bool) -> None:
        """End the process that does an item; another one takes its place."""
        if key in self._futures and not self._futures[key].done():
            self._killed[key] = late
            self._futures[key].cancel()

    def beats(self) -> Mapping[str, int]:
        """How many signs of life each item under way has given."""
        found = {}
        for key in self._futures:
            try:
                found[key] = self._beat_path(key).stat().st_size
            except FileNotFoundError:
                continue
        return found

    def _beat_path(self, key: str) -> Path:
        return Path(self._folder.name) / key

    def _report(self, key: str, future: ProcessFuture) -> Report:
        late = self._killed.pop(key, None)
        try:
            report: Report = future.result()
        except CancelledError:
            if late:
                return Report(key, "late", message=f"It took longer than {self._seconds} s.")
            return Report(key, "lost", message="It gave no sign of life.")
        except ProcessExpired as error:
            code = getattr(error, "exitcode", None)
            return Report(key, "lost", message=f"Its process ended with exit code {code}.")
        except Exception as error:
            # Such as a result that cannot be sent.
            return Report(key, "failed", message=f"{type(error).__name__}: {error}")
        return report


def _work(
    task: str, key: str, payload: dict[str, object], seconds: float | None, path: str
) -> Report:
    """Do an item; each sign of life makes a file longer by a byte."""
    last, file = -_BEAT, Path(path)

    def alive(key: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _BEAT:
            last = now
            with file.open("ab") as handle:
                handle.write(b".")

    return work(task, key, payload, seconds, alive)


def _follow(parent: int) -> None:
    """End this process when the one that started it has ended."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()
