"""Items done by an engine, every one once, whatever dies on the way."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, final

from unweave.execution.engine import Engine
from unweave.execution.events import EventLog, Progressed, apply, replay
from unweave.execution.work import Item, Limits, Report

__all__ = ["Feed", "drive", "execute"]

log = logging.getLogger("unweave")

# How long a wait for reports may take, in seconds, before limits are looked at again.
_TICK: Final = 0.5
# How long an engine gets, beyond the limit, to notice by itself that the time is over.
_GRACE: Final = 5.0


class Feed(Protocol):
    """Where the items come from, some of which may depend on how others ended.

    What it gives must depend on the ends it was told of alone, and on their order: a later driver
    tells it the ends that the log has, and then it must come to the same items.
    """

    def take(self) -> Item | None:
        """The next item that can begin; None when there is none, or none yet."""

    def ended(self, item: Item, state: Progressed) -> None:
        """An item has finished, or failed for good."""


@final
class _Listed:
    """Items that are all known at first."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = deque(items)

    def take(self) -> Item | None:
        return self._items.popleft() if self._items else None

    def ended(self, item: Item, state: Progressed) -> None:
        """No item depends on another."""


def execute(
    items: Sequence[Item], engine: Engine, events: EventLog, limits: Limits | None = None
) -> dict[str, Progressed]:
    """Do all items that the log does not say to be finished.

    An item that fails is tried again after all others had their turn, so that whatever is wrong
    with it keeps nobody waiting.

    Args:
        items: What is to be done, in this order.
        engine: Where; not entered yet.
        events: The log, which this process alone may write to.
        limits: How often and how long an item is tried.

    Returns:
        How far each has come.

    Raises:
        UnweaveError: The log cannot be written, or the engine cannot be started.
        KeyboardInterrupt: Whoever asked for it; the log says so, and what was under way is done
            again by the next call.
    """
    states = drive(_Listed(items), engine, events, limits, count=len(items))
    return {item.key: states[item.key] for item in items}


def drive(
    feed: Feed,
    engine: Engine,
    events: EventLog,
    limits: Limits | None = None,
    *,
    count: int | None = None,
) -> dict[str, Progressed]:
    """Do what a feed gives, until it gives nothing and nothing is under way.

    Args:
        feed: Gives the items; of those that the log says to be finished it is told at once.
        engine: Where they are done; not entered yet.
        events: The log, which this process alone may write to.
        limits: How often and how long an item is tried.
        count: How many items there will be, where that is known.

    Returns:
        How far each item has come that the log knows.

    Raises:
        UnweaveError: As for `execute`, or by the feed.
        KeyboardInterrupt: As for `execute`.
    """
    limits = limits or Limits()
    states = replay(events.read())
    with engine:
        slots = engine.slots()
        known = {} if count is None else {"items": count}
        apply(states, events.add("begun", engine=engine.name, slots=slots, **known))
        try:
            _Driver(engine, events, limits, states).run(feed)
        except BaseException as error:
            why = type(error).__name__ if isinstance(error, KeyboardInterrupt) else str(error)
            apply(states, events.add("ended", why=why))
            raise
        apply(states, events.add("ended", why="done"))
    return states


@final
@dataclass
class _Seen:
    """What is known of the life of an item under way."""

    beats: int
    since: float
    begun: float | None = None


class _Driver:
    """One call of `execute`."""

    def __init__(
        self, engine: Engine, events: EventLog, limits: Limits, states: dict[str, Progressed]
    ) -> None:
        self._engine = engine
        self._events = events
        self._limits = limits
        self._states = states
        self._running: dict[str, tuple[Item, _Seen]] = {}

    def run(self, feed: Feed) -> None:
        """Keep every slot busy until nothing is left."""
        again = deque[Item]()
        while True:
            while len(self._running) < max(1, self._engine.slots()):
                item = self._next(feed) or (again.popleft() if again else None)
                if item is None:
                    break
                self._submit(item)
            if not self._running:
                return
            for report in self._engine.wait(_TICK):
                item, _ = self._running.pop(report.key)
                if self._record(report):
                    again.append(item)
                else:
                    feed.ended(item, self._state(item.key))
            self._look_after()

    def _next(self, feed: Feed) -> Item | None:
        """The next item that is not finished yet."""
        while (item := feed.take()) is not None:
            state = self._state(item.key)
            if state.state != "finished":
                return item
            feed.ended(item, state)
        return None

    def _state(self, key: str) -> Progressed:
        return self._states.setdefault(key, Progressed())

    def _submit(self, item: Item) -> None:
        apply(self._states, self._events.add("started", key=item.key))
        self._engine.submit(item)
        self._running[item.key] = (item, _Seen(0, time.monotonic()))

    def _record(self, report: Report) -> bool:
        """Write down how a try ended; whether the item shall be tried again."""
        if report.kind == "finished":
            result = dict(report.result or {})
            apply(self._states, self._events.add("finished", key=report.key, result=result))
            return False
        item = self._state(report.key)
        if report.kind == "lost":
            final = item.losses >= self._limits.losses
        else:
            final = report.lasting or item.errors >= self._limits.retries
        row = self._events.add(report.kind, key=report.key, message=report.message, final=final)
        apply(self._states, row)
        after = "It is given up." if final else "It is tried again."
        log.warning("%s: %s %s", report.key, report.message, after)
        return not final

    def _look_after(self) -> None:
        """End items that take too long, and workers that give no sign of life."""
        if not self._running:
            return
        now, beats = time.monotonic(), self._engine.beats()
        start, silence, seconds = self._engine.start, self._limits.silence, self._limits.seconds
        for key, (_, seen) in self._running.items():
            if beats.get(key, 0) != seen.beats:
                seen.beats, seen.since = beats.get(key, 0), now
                seen.begun = seen.begun or now
            if seen.begun is None:
                # It waits for a worker, of which some take long to start.
                limit = None if silence is None or start is None else max(silence, start)
                if limit is not None and now - seen.since > limit:
                    self._engine.kill(key, late=False)
            elif seconds is not None and now - seen.begun > seconds + _GRACE:
                self._engine.kill(key, late=True)
            elif silence is not None and now - seen.since > silence:
                self._engine.kill(key, late=False)
