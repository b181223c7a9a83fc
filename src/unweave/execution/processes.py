"""Items in processes of this machine."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED
from concurrent.futures import wait as wait_for
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from pathlib import Path
from types import TracebackType
from typing import Final, Self, final

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from unweave.errors import SpecError
from unweave.execution.work import Item, Report
from unweave.execution.worker import work

__all__ = ["Processes"]

# How often a process looks whether those that started it are still there.
_LOOK: Final = 0.5
# Signs of life that follow each other faster are not written down.
_BEAT: Final = 0.2
# How long a process may take to end, once it is told to, before it is killed.
_STOP: Final = 10.0


@final
class Processes:
    """The engine of one machine: a pool of processes, each of which does items one by one.

    A process that dies is replaced, and its item reported as lost. When this process dies, by
    whatever means, the others end, so that nothing goes on writing into the folders of runs.

    Attributes:
        name: As of `Engine`.
        start: As of `Engine`.

    Args:
        task: Reference of the task, `module:name`.
        workers: How many processes.
        seconds: How long one try of an item may take.
        preload: Modules that are imported once for all processes, beside that of the task; those
            of the first engine count, as long as this process lives.

    Raises:
        SpecError: There shall be no worker.
    """

    name = "processes"
    start: float | None = 300.0

    def __init__(
        self,
        task: str,
        workers: int,
        *,
        seconds: float | None = None,
        preload: Sequence[str] = (),
    ) -> None:
        """Start nothing yet."""
        if workers < 1:
            raise SpecError(f"workers must be at least 1, but is {workers}.")
        self._task = task
        self._workers = workers
        self._seconds = seconds
        self._preload = preload
        self._slots: list[_Slot] = []
        self._ended: list[Report] = []

    def __enter__(self) -> Self:
        """Make the slots; each starts its process with its first item."""
        self._folder = tempfile.TemporaryDirectory(prefix="unweave-")
        folder = Path(self._folder.name)
        context = _context(self._task, self._preload)
        self._slots = [_Slot(context, folder / f"{number}.pid") for number in range(self._workers)]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End all processes; each is told first, so that it can come to an end of its own."""
        for slot in self._slots:
            slot.stop()
        wait_for([slot.future for slot in self._slots if slot.future is not None], _STOP)
        for slot in self._slots:
            slot.close()
        for slot in self._slots:
            slot.end()
        self._slots = []
        self._folder.cleanup()

    def slots(self) -> int:
        """As many as there are workers."""
        return self._workers

    def submit(self, item: Item) -> None:
        """Give an item to a process that has none."""
        path = self._beat_path(item.key)
        path.unlink(missing_ok=True)
        slot = next(slot for slot in self._slots if slot.key is None)
        slot.begin(item.key, [self._task, item.key, dict(item.payload), self._seconds, str(path)])

    def wait(self, seconds: float) -> list[Report]:
        """Reports of items that have ended; waits for the first at most so long."""
        reports, self._ended = self._ended, []
        busy = {slot.future: slot for slot in self._slots if slot.future is not None}
        timeout = 0 if reports else seconds
        done, _ = wait_for(busy, timeout=timeout, return_when=FIRST_COMPLETED)
        return reports + [
            slot.report() for future, slot in busy.items() if future in done or slot.is_broken
        ]

    def kill(self, key: str, late: bool) -> None:
        """End the process that does an item; another one takes its place."""
        for slot in self._slots:
            if slot.key == key:
                slot.end()
                self._ended.append(Report.killed(key, self._seconds, late=late))

    def beats(self) -> Mapping[str, int]:
        """How many signs of life each item under way has given."""
        found = {}
        for slot in self._slots:
            if slot.key is not None:
                with contextlib.suppress(FileNotFoundError):
                    found[slot.key] = self._beat_path(slot.key).stat().st_size
        return found

    def _beat_path(self, key: str) -> Path:
        return Path(self._folder.name) / key


class _Slot:
    """A process and what it is doing.

    Each has a pool of its own: what is left behind by one that is killed in the middle of a
    message, such as a lock, is then nobody else's.

    Attributes:
        key: The item under way, or None.
        future: Its result to come.
    """

    def __init__(self, context: BaseContext, pid_file: Path) -> None:
        self._context = context
        self.key: str | None = None
        self.future: ProcessFuture | None = None
        self._pool: ProcessPool | None = None
        self._pid_file = pid_file

    def begin(self, key: str, arguments: list[object]) -> None:
        if self._pool is not None and not self._pool.active:
            # Its process has died between two items.
            self.end()
        if self._pool is None:
            self._pool = ProcessPool(
                max_workers=1,
                context=self._context,
                initializer=_follow,
                initargs=(dict(os.environ), str(self._pid_file)),
            )
        self.key = key
        try:
            self.future = self._pool.schedule(_work, args=arguments)
        except RuntimeError:
            # Its process has died before it was given anything.
            self.future = ProcessFuture()
            self.future.set_exception(BrokenProcessPool())

    @property
    def is_broken(self) -> bool:
        """Whether its process has died before the item came to it: of that, no future tells."""
        return self._pool is not None and not self._pool.active

    def report(self) -> Report:
        """How the item has ended; the slot is free then."""
        key, future = self.key, self.future
        assert key is not None
        assert future is not None
        self.key = self.future = None
        if future.cancelled():
            self.end()
            return Report(key, "lost", message="Its process was ended.")
        match future.exception() if future.done() else BrokenProcessPool():
            case None:
                report: Report = future.result()
                return report
            case ProcessExpired() as error:
                self.end()
                code = getattr(error, "exitcode", None)
                return Report(key, "lost", message=f"Its process ended with exit code {code}.")
            case BrokenProcessPool():
                self.end()
                return Report(key, "lost", message="Its process ended before it had begun.")
            case KeyboardInterrupt():
                return Report(key, "lost", message="Its process was told to stop.")
            case error:
                # Such as a result that cannot be sent.
                return Report(key, "failed", message=f"{type(error).__name__}: {error}")

    def stop(self) -> None:
        """Tell the process to end: a training does so at a checkpoint."""
        if self.future is not None and not self.future.done():
            with contextlib.suppress(OSError, ValueError):
                os.kill(int(self._pid_file.read_text()), signal.SIGTERM)

    def close(self) -> None:
        """Have the process end without waiting for it, as `end` does: so many end at once."""
        if self._pool is not None:
            self._pool.stop()

    def end(self) -> None:
        """End the process, whatever it is doing; the next item starts another."""
        self.key = self.future = None
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()
            self._pool = None


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


def _context(task: str, preload: Sequence[str]) -> BaseContext:
    """How processes are started.

    Not by a fork of this one: neither PyTorch's threads nor open locks survive it. On Linux by
    forks of a process that has done nothing but import the task, so that they start at once and
    share the memory of what was imported; elsewhere, where a system's own libraries do not bear
    that, each imports it anew.
    """
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    module = task.partition(":")[0]
    context.set_forkserver_preload([module, *preload, "unweave.execution.preload"])
    return context


def _follow(environment: Mapping[str, str], pid_file: str) -> None:
    """End this process when the one that wants it has ended; say which process it is."""
    Path(pid_file).write_text(str(os.getpid()))
    # That of the process it was forked from may be older.
    os.environ.clear()
    os.environ.update(environment)
    # Nobody reads what many processes say at once: what matters is in their reports.
    logging.getLogger("unweave").addHandler(logging.NullHandler())
    wants, forker = multiprocessing.parent_process(), os.getppid()
    assert wants is not None

    def look() -> None:
        # Nor does it outlive the one that it was forked from: nobody would know of it.
        while wants.is_alive() and os.getppid() == forker:
            wants.join(_LOOK)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()
