"""Work that a termination, or the end of its time, ends as Ctrl-C does."""

from __future__ import annotations

__all__ = ["Clock", "interruptible"]

import _thread
import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

from unweave.cli.common import say


class Clock:
    """Whether the time of a driver is over.

    Attributes:
        is_over: Whether it is.
    """

    is_over = False


@contextlib.contextmanager
def interruptible(minutes: float | None) -> Iterator[Clock]:
    """Have a termination, and the end of the time, end the block as Ctrl-C does."""
    clock = Clock()
    if threading.current_thread() is not threading.main_thread():
        yield clock
        return

    def request(number: int, frame: Any) -> None:
        if not clock.is_over:
            say("Stopping, trainings at a checkpoint; once more to end at once.")
        raise KeyboardInterrupt

    def over() -> None:
        clock.is_over = True
        # A training in this process has a handler of its own, which stops at a checkpoint.
        _thread.interrupt_main(signal.SIGTERM)

    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    timer = None if minutes is None else threading.Timer(60 * minutes, over)
    try:
        if timer is not None:
            timer.daemon = True
            timer.start()
        yield clock
    finally:
        if timer is not None:
            timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
