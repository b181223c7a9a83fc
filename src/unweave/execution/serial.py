"""One item after the other, in this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Self, final

from unweave.execution.work import Item, Report
from unweave.execution.worker import work

__all__ = ["Serial"]


@final
class Serial:
    """The engine that needs nothing: each item is done while it is waited for.

    Nobody watches it from outside, so that a limit on seconds is noticed at the task's own signs
    of life, and a limit on silence not at all.

    Attributes:
        name: As of `Engine`.
        start: As of `Engine`.

    Args:
        task: Reference of the task, `module:name`.
        seconds: How long one try of an item may take.
    """

    name = "serial"
    start: float | None = None

    def __init__(self, task: str, *, seconds: float | None = None) -> None:
        """Keep both."""
        self._task = task
        self._seconds = seconds
        self._waiting: deque[Item] = deque()

    def __enter__(self) -> Self:
        """There is nothing to start."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """There is nothing to end."""
        self._waiting.clear()

    def slots(self) -> int:
        """One."""
        return 1

    def submit(self, item: Item) -> None:
        """Keep an item for the next `wait`."""
        self._waiting.append(item)

    def wait(self, seconds: float) -> list[Report]:
        """Do the item, for however long it takes."""
        if not self._waiting:
            return []
        item = self._waiting.popleft()
        return [work(self._task, item.key, item.payload, self._seconds, lambda key: None)]

    def kill(self, key: str, late: bool) -> None:
        """Nothing is under way while this can be called."""

    def beats(self) -> Mapping[str, int]:
        """None: nothing is under way while this can be called."""
        return {}
