"""Trackers that write lines, or fail in one of the ways in which trackers fail."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import ClassVar, final

from unweave.spec import option
from unweave.tracking import Backend, TrackerSpec


class _Into(Backend):
    def __init__(self, path, fail=lambda step: None):
        self._path = Path(path)
        self._fail = fail

    def write(self, **what):
        with self._path.open("a", encoding="utf-8") as handle:
            print(json.dumps(what), file=handle)

    def scalars(self, step, time, values):
        self._fail(step)
        self.write(kind="scalars", step=step, time=time, values=dict(values))

    def picture(self, step, time, name, path):
        self.write(kind="picture", step=step, name=name, size=path.stat().st_size)

    def close(self, state):
        self.write(kind="close", state=state)


@final
class Lines(TrackerSpec):
    """Writes all that it is told into a file."""

    name: ClassVar[str] = "lines"

    path: str = option(help="The file.")

    def open(self, run, memory):
        memory["pieces"] = str(int(memory.get("pieces", "0")) + 1)
        backend = _Into(self.path)
        backend.write(
            kind="open", run=run.name, group=run.group, done=run.done, piece=memory["pieces"],
            settings=dict(run.settings), notes=dict(run.notes),
        )  # fmt: skip
        return backend


def _raise(step):
    raise ConnectionError(f"no answer at step {step}\nand more of it")


def _die(step):
    os.kill(os.getpid(), signal.SIGKILL)


def _hang(step):
    time.sleep(1000)


class _Failing(TrackerSpec):
    """Fails when it is told of a step."""

    family: ClassVar[str] = "tracker"

    path: str = option(help="The file.")

    def open(self, run, memory):
        return _Into(self.path, self.how)


@final
class Raises(_Failing):
    """Raises an error."""

    name: ClassVar[str] = "raises"
    how = staticmethod(_raise)


@final
class Dies(_Failing):
    """Takes its process with it."""

    name: ClassVar[str] = "dies"
    how = staticmethod(_die)


@final
class Hangs(_Failing):
    """Never comes back."""

    name: ClassVar[str] = "hangs"
    how = staticmethod(_hang)


@final
class NoOpen(TrackerSpec):
    """Cannot be opened."""

    name: ClassVar[str] = "no_open"

    def open(self, run, memory):
        raise PermissionError("not logged in")


@final
class Missing(TrackerSpec):
    """Needs what is not installed."""

    name: ClassVar[str] = "missing"
    extra: ClassVar[str] = "missing"
    modules: ClassVar[tuple[str, ...]] = ("json", "no_such_module_anywhere")

    def open(self, run, memory):
        raise AssertionError("It is not installed.")
