"""What is being measured and how long it still takes, one line at a time on standard error."""

from __future__ import annotations

__all__ = ["Progress"]

import sys
import time
from typing import final


@final
class Progress:
    """Time left, from the share of the expected work that is done.

    Args:
        every: Seconds between lines.
    """

    def __init__(self, every: float = 10.0) -> None:
        self._every = every
        self._total = self._done = 0.0
        self._begun = self._spoke = time.monotonic()

    def expect(self, work: float) -> None:
        """So much work will come, in any unit."""
        self._total += work

    def add(self, work: float, what: str) -> None:
        """Work is done; says so when the last line is old enough."""
        self._done += work
        now = time.monotonic()
        if now - self._spoke >= self._every:
            self._spoke = now
            left = max(self._total - self._done, 0) * (now - self._begun) / self._done
            share = min(self._done / self._total, 1) if self._total else 1
            print(f"{share:4.0%}  {what}, about {left / 60:.1f} min left", file=sys.stderr)
