"""What is to be done, how it may end, and what a worker reports."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

from unweave.errors import SpecError

__all__ = ["Beat", "Item", "Limits", "Report", "Task"]

Beat: TypeAlias = Callable[[], None]
"""What a task calls now and then, at least once a step: it says that the task is alive, and raises
`OutOfTimeError` once its time is over."""

Task: TypeAlias = Callable[[Mapping[str, Any], Beat], Mapping[str, Any]]
"""From a payload to a result, both of which JSON can hold."""


@final
@dataclass(frozen=True)
class Item:
    """One piece of work.

    Attributes:
        key: Its name in the event log; equal keys are equal work.
        payload: What the task is called with; JSON must be able to hold it.
    """

    key: str
    payload: Mapping[str, Any]


@final
@dataclass(frozen=True, kw_only=True)
class Limits:
    """How often and how long an item is tried.

    Attributes:
        retries: How often it is tried again after an error of its own, or when its time is over.
        losses: How often it is taken up again after its worker has died, hung or been preempted.
        seconds: How long one try may take; None for as long as it likes.
        silence: How long a worker may give no sign of life; None for as long as it likes.

    Raises:
        SpecError: A number is out of range.
    """

    retries: int = 1
    losses: int = 5
    seconds: float | None = None
    silence: float | None = 1800.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in ("retries", "losses"):
            if getattr(self, name) < 0:
                raise SpecError(f"{name} must be at least 0, but is {getattr(self, name)}.")
        for name in ("seconds", "silence"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise SpecError(
                    f"{name} must be more than 0, but is {value}. Leave it out for none."
                )


@final
@dataclass(frozen=True)
class Report:
    """How one try of an item ended.

    Attributes:
        key: The item.
        kind: `finished`; `failed` by an error of its own; `late`, over its time; `lost` with its
            worker.
        result: What the task gave, when it has finished.
        message: What went wrong, for people.
        lasting: Whether the error would come again: one that was made for the user, such as of a
            wrong setting.
    """

    key: str
    kind: Literal["finished", "failed", "late", "lost"]
    result: Mapping[str, Any] | None = None
    message: str = ""
    lasting: bool = False

    @classmethod
    def late_by(cls, key: str, seconds: float) -> Report:
        """Of an item that took longer than it may."""
        return cls(key, "late", message=f"It took longer than {seconds:g} s.")

    @classmethod
    def killed(cls, key: str, seconds: float | None, *, late: bool) -> Report:
        """Of an item that was ended from outside, for its time or for its silence.

        Args:
            key: Of the item.
            seconds: How long one try may take; needed where it was late.
            late: Whether its time was over; else it gave no sign of life.
        """
        if late:
            assert seconds is not None
            return cls.late_by(key, seconds)
        return cls(key, "lost", message="It gave no sign of life.")
