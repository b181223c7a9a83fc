"""What an engine is: where items are worked on."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from unweave.execution.work import Item, Report

__all__ = ["Engine"]


class Engine(Protocol):
    """Workers that do items, each try of an item ended by exactly one report.

    An engine knows nothing of retries, limits on silence or the event log: these are the driver's.
    It is a context manager, within which it can be used; at the end, whatever is still under way
    is ended.

    Attributes:
        name: `serial`, `processes` or `ray`.
        start: How long an item may take to its first sign of life, in seconds; None where it may
            have to wait for room.
    """

    name: str
    start: float | None

    def __enter__(self) -> Self:
        """Start the workers."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End what is under way, and the workers."""

    def slots(self) -> int:
        """How many items can be under way now."""

    def submit(self, item: Item) -> None:
        """Have an item done, for which there must be a slot."""

    def wait(self, seconds: float) -> list[Report]:
        """Reports of items that have ended; waits for the first at most so long."""

    def kill(self, key: str, late: bool) -> None:
        """End an item from outside: `late` when its time is over, else as `lost`.

        Its report comes with the next `wait`.
        """

    def beats(self) -> Mapping[str, int]:
        """How many signs of life each item under way has given since it was submitted."""
