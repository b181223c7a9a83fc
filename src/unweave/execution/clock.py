"""How long drivers were at work, and what stood in the way of the last one, by the event log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, final

__all__ = ["WorkClock"]

# How a driver ends that was not in the way of itself.
_INTENDED: Final = ("done", "KeyboardInterrupt")


@final
class WorkClock:
    """Seconds that drivers were at work; one that was killed has ended with its last event.

    Attributes:
        error: Why the last driver ended, where that was an error; else empty.
    """

    def __init__(self) -> None:
        self.error = ""
        self._total = self._last = 0.0
        self._open: float | None = None

    def tell(self, event: Mapping[str, Any]) -> None:
        """Take the next event."""
        at, kind = float(event["time"]), event["event"]
        if kind in ("begun", "ended") and self._open is not None:
            # Times of events are rounded, and clocks are set back.
            self._total += max(0.0, (at if kind == "ended" else self._last) - self._open)
            self._open = None
        if kind == "begun":
            self._open, self.error = at, ""
        if kind == "ended":
            self.error = "" if event["why"] in _INTENDED else event["why"]
        self._last = at

    def seconds(self, now: float | None) -> float:
        """How long in all.

        Args:
            now: The time, where a driver is at work; else None.
        """
        if self._open is None:
            return self._total
        return self._total + max(0.0, (self._last if now is None else now) - self._open)
