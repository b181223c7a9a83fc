"""Processor time of a process, of what it began, and of its threads."""

from __future__ import annotations

__all__ = ["MARK", "Taken", "taken"]

import contextlib
import os
import threading
from dataclasses import dataclass
from typing import final

import psutil

MARK = "UNWEAVE_BENCHMARK_PROCESS"
"""A variable of the environment, by which all processes that one began are found, detached too."""


@final
@dataclass(frozen=True)
class Taken:
    """Seconds of processor time since the beginning of each process.

    Attributes:
        own: Of this process.
        threads: Of its threads with a name that was asked for; within `own`.
        others: Of all processes with this one's value of `MARK` in their environment.
    """

    own: float
    threads: float
    others: float

    def since(self, before: Taken) -> Taken:
        """What has been taken after another reading."""
        return Taken(
            self.own - before.own, self.threads - before.threads, self.others - before.others
        )


def taken(prefix: str) -> Taken:
    """Read all of it; threads are those whose name begins with `prefix`.

    `MARK` must have been set, before other processes were begun, to what only they share.
    """
    this, mark = psutil.Process(), os.environ[MARK]
    named = {
        thread.native_id for thread in threading.enumerate() if thread.name.startswith(prefix)
    }
    others = 0.0
    for process in psutil.process_iter():
        # Some end meanwhile, and some are another user's.
        with contextlib.suppress(psutil.Error):
            if process.pid != this.pid and process.environ().get(MARK) == mark:
                times = process.cpu_times()
                others += times.user + times.system
    times = this.cpu_times()
    threads = sum(
        thread.user_time + thread.system_time for thread in this.threads() if thread.id in named
    )
    return Taken(times.user + times.system, threads, others)
