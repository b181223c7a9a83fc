"""Items in rounds, where each round depends on how the one before has ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar, final

from unweave.execution.events import Progressed
from unweave.execution.work import Item

__all__ = ["Plan", "Rounds", "Together", "together"]

T = TypeVar("T")


@final
@dataclass(frozen=True)
class Together:
    """Plans that go on side by side, each at its own pace.

    Attributes:
        plans: At first not begun.
    """

    plans: Sequence[Plan[Any]]


Plan: TypeAlias = Generator[Sequence[Item] | Together, Any, T]
"""A function that yields the items of a round, gets how each has ended by its key, and so on; it
returns what it has found when no round is left. See `Rounds`."""


def together(*plans: Plan[T]) -> Plan[tuple[T, ...]]:
    """What all plans return; another plan has them go on side by side with `yield from`."""
    results: tuple[T, ...] = yield Together(plans)
    return results


@final
@dataclass
class _Level:
    """A plan under way.

    Attributes:
        plan: What it is.
        above: The one that waits for it, and its place there.
        ends: Of each item of its round how it has ended, None as long as it has not; or what
            plans below it have returned.
    """

    plan: Plan[Any]
    above: tuple[_Level, int] | None
    ends: dict[Any, Any] = field(default_factory=dict)


# What stands for the end of an item or plan that is still under way.
_OPEN = object()


@final
class Rounds(Generic[T]):
    """A feed of a plan.

    All items of a plan's round can begin at once, and its next round begins when all have ended.
    A plan must depend on nothing but these ends, so that a later driver comes to the same items.

    Args:
        plan: At first not begun.
    """

    def __init__(self, plan: Plan[T]) -> None:
        self._waiting = deque[Item]()
        self._first = _Level(plan, None)
        self._of: dict[str, _Level] = {}
        self._result: list[T] = []
        self._begun = False

    @property
    def result(self) -> T:
        """What the plan has returned, once the feed was driven to its end."""
        return self._result[0]

    def take(self) -> Item | None:
        """The next item that can begin; None when there is none, or none yet."""
        if not self._begun:
            self._begun = True
            self._advance(self._first, None)
        return self._waiting.popleft() if self._waiting else None

    def ended(self, item: Item, state: Progressed) -> None:
        """An item has finished, or failed for good."""
        self._close(self._of.pop(item.key), item.key, state)

    def _close(self, level: _Level, place: Any, end: Any) -> None:
        """One of the things that a plan waits for has come to its end."""
        level.ends[place] = end
        if _OPEN not in level.ends.values():
            self._advance(level, level.ends)

    def _advance(self, level: _Level, ends: Mapping[Any, Any] | None) -> None:
        """Have a plan go on, with the ends of what it has waited for."""
        # Plans below it have numbers, items have keys.
        told: Any = ends
        if ends is not None and all(isinstance(place, int) for place in ends):
            told = tuple(ends.values())
        while True:
            try:
                step = next(level.plan) if told is None else level.plan.send(told)
            except StopIteration as ending:
                if level.above is None:
                    self._result.append(ending.value)
                else:
                    self._close(*level.above, ending.value)
                return
            if isinstance(step, Together):
                told = ()
                if step.plans:
                    level.ends = dict.fromkeys(range(len(step.plans)), _OPEN)
                    for place, plan in enumerate(step.plans):
                        self._advance(_Level(plan, (level, place)), None)
                    return
            else:
                told = {}
                if step:
                    self._begin(level, step)
                    return

    def _begin(self, level: _Level, items: Sequence[Item]) -> None:
        level.ends = {item.key: _OPEN for item in items}
        for item in items:
            self._of[item.key] = level
        self._waiting.extend(items)
