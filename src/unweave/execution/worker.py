"""What runs where the work is done: one item, with its errors turned into a report."""

from __future__ import annotations

import importlib
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from unweave.errors import SpecError, UnweaveError
from unweave.execution.work import Report, Task

__all__ = ["OutOfTimeError", "find_task", "work"]


class OutOfTimeError(Exception):
    """A task has used up its time."""


def find_task(reference: str) -> Task:
    """The function that a reference `module:name` names; workers are told it by this text.

    Raises:
        SpecError: There is none.
    """
    module, _, name = reference.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise SpecError(f"There is no task {reference!r}: {error}.") from error
    task: Task = found
    return task


def work(
    reference: str,
    key: str,
    payload: Mapping[str, Any],
    seconds: float | None,
    alive: Callable[[str], None],
) -> Report:
    """Do one item.

    Args:
        reference: The task, as `find_task` takes it.
        key: The item.
        payload: What the task is called with.
        seconds: How long it may take.
        alive: Called with the key at the first sign of life and at each further one.

    Returns:
        How it ended; only what is no error of a program, such as an interrupt, goes through.
    """
    end = None if seconds is None else time.monotonic() + seconds

    def beat() -> None:
        alive(key)
        if end is not None and time.monotonic() > end:
            raise OutOfTimeError

    try:
        beat()
        return Report(key, "finished", dict(find_task(reference)(payload, beat)))
    except OutOfTimeError:
        assert seconds is not None
        return Report.late_by(key, seconds)
    except UnweaveError as error:
        return Report(key, "failed", message=str(error), lasting=error.lasting)
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        return Report(
            key,
            "failed",
            message=f"{type(error).__name__}: {error} ({place.filename}, line {place.lineno})",
        )
