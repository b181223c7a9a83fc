"""A download that comes too slowly is stopped, however steadily it trickles."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import final

__all__ = ["Pace"]


@final
class Pace:
    """Calls `stop` once the time between two beats is longer than it may be.

    A server that sends a byte now and then keeps a timeout of the connection from ever ending, so
    the time is taken by a thread of its own for as long as the block lasts.

    Attributes:
        late: Whether `stop` was called.
    """

    def __init__(self, seconds: float, stop: Callable[[], object]) -> None:
        """Begin nothing yet.

        Args:
            seconds: Between two beats, at most.
            stop: What ends the waiting; called in another thread.
        """
        self.late = False
        self._seconds = seconds
        self._stop = stop
        self._last = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Pace:
        self.beat()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def beat(self) -> None:
        """Say that something has come."""
        self._last = time.monotonic()

    def _watch(self) -> None:
        while not self._over.wait(max(0.0, self._last + self._seconds - time.monotonic())):
            if time.monotonic() - self._last >= self._seconds:
                self.late = True
                self._stop()
                return
