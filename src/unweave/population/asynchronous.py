"""A population whose members wait for nobody: each goes on when its own round has ended."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, final

from unweave.execution import EventLog, Item, Progressed
from unweave.population.evolve import explored, first_round, member_seed
from unweave.population.rounds import (
    Outcome,
    RoundListener,
    best_of,
    check_scores,
    judge_item,
    judge_result,
    member_item,
    member_key,
    member_row,
    why_last,
)
from unweave.population.spec import Population
from unweave.population.table import Row, Task, ranked
from unweave.population.tuned import initial

__all__ = ["Asynchronous", "Discard", "Unstepped", "next_task"]

Discard: TypeAlias = Callable[[Iterable[Task]], None]
"""Called with rounds of members with whose runs nobody will go on any more."""


def next_task(
    population: Population,
    row: Row,
    latest: Mapping[int, Row],
    history: Sequence[Sequence[Row]],
) -> Task:
    """What a member does after a round, without a word on what the others do.

    The exploit rule compares it with the last rounds of those others that have a score.

    Args:
        population: Says by which rules.
        row: How the member's round went.
        latest: How the last round of each member went that has ended one; this one's, too.
        history: All rounds of members as the explore rule takes them: those of the parents stand
            in the entry before.
    """
    member, coming, seed = row.member, row.task.round + 1, population.seed
    rows = [
        latest[other]
        for other in sorted(latest)
        if other == member or latest[other].score is not None
    ]
    parent = population.exploit.parents(rows, seed, coming)[member]
    if parent == member:
        return dataclasses.replace(row.task, round=coming, parent=member, parent_round=None)
    own = member_seed(seed, member, coming)
    if parent is None:
        hyper = initial(population.tuned, seed, member, coming)
        return Task(member=member, round=coming, hyper=hyper, parent=None, seed=own)
    source = latest[parent]
    changed = explored(
        population.explore,
        {member: source},
        population.tuned,
        population.lasting,
        history,
        seed,
        coming,
    )
    return Task(
        member=member,
        round=coming,
        hyper=changed[member],
        parent=parent,
        seed=own,
        parent_round=source.task.round,
    )


@final
class Unstepped:
    """Who does what, as a function of the order in which rounds of members have ended.

    Args:
        population: What it is.

    Attributes:
        coming: What each member does next or is doing, and how its parent's round went of which
            it takes the weights; None for new ones.
        rounds: Those that all members have ended.
        why: Why the last of these is the last one at all; empty if it is not. What quick members
            have done after it has no part in the outcome.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        tasks = first_round(population.tuned, members=population.members, seed=population.seed)
        self.coming: dict[int, tuple[Task, Row | None]] = {
            task.member: (task, None) for task in tasks
        }
        self.rounds: list[tuple[Row, ...]] = []
        self.why = ""
        self._latest: dict[int, Row] = {}
        self._history: list[tuple[Row, ...]] = []
        self._open: dict[int, list[Row]] = {}
        self._kept: dict[tuple[int, int], Task] = {}

    def end(self, row: Row) -> list[Task]:
        """A member has ended the round that was its next one.

        Returns:
            Rounds of members with whose runs nobody will go on any more, and that are not the
            best; each is told once.

        Raises:
            NoScoreError: It was the last one of a round, and no member has had a score.
        """
        member, number = row.member, row.task.round
        if self.why:
            return [row.task]
        self._kept[number, member] = row.task
        self._latest[member] = row
        source = self.coming[member][1]
        # A parent's round may be any one before: each pair stands for itself.
        self._history += [(), (row,)] if source is None else [(), (source,), (row,)]
        task = next_task(self._population, row, self._latest, self._history)
        parent = None if task.parent is None else self._latest[task.parent]
        self.coming[member] = task, parent
        rows = self._open.setdefault(number, [])
        rows.append(row)
        if len(rows) == self._population.members:
            del self._open[number]
            self.rounds.append(tuple(sorted(rows, key=lambda row: row.member)))
            check_scores(self.rounds)
            self.why = why_last(self._population, self.rounds)
        return self._superfluous()

    def _superfluous(self) -> list[Task]:
        needed = list(self._latest.values())
        # Also what a member goes on from that has no further round: there may be more some day.
        needed += [source for _, source in self.coming.values() if source is not None]
        # One of these is the best member in the end, whichever round is the last one.
        needed += [ranked(rows)[0] for rows in self._open.values()]
        needed += [best_of(self.rounds)] if self.rounds else []
        keys = {(row.task.round, row.member) for row in needed}
        return [self._kept.pop(key) for key in sorted(self._kept.keys() - keys)]


@final
class Asynchronous:
    """A feed of members that wait for nobody.

    A later driver replays the order that the event log has, and so goes on with what was decided;
    but the same population carried out anew may come to another table. A round counts as over, for
    its record and for stop rules, when all members have ended theirs.

    Args:
        population: What it is.
        folder: Its folder.
        events: The event log.
        after_round: Called when a round is over.
        discard: Called after each member's round with what nobody needs any more.
        known: Further fields of each payload.
    """

    def __init__(
        self,
        population: Population,
        folder: Path,
        events: EventLog,
        *,
        after_round: RoundListener | None = None,
        discard: Discard | None = None,
        known: Mapping[str, Any] | None = None,
    ) -> None:
        self._population = population
        self._folder = folder
        self._events = events
        self._after_round = after_round
        self._discard = discard
        self._known = known
        self._state = Unstepped(population)
        self._waiting: deque[Item] | None = None
        self._tasks: dict[str, Task] = {}
        self._under_way: set[str] = set()
        self._failed: tuple[Task, str, Progressed] | None = None
        self._judged: Mapping[str, Any] | None = None

    @property
    def result(self) -> Outcome:
        """How the population ended, once the feed was driven to its end."""
        return Outcome(tuple(self._state.rounds), self._state.why, self._judged)

    def take(self) -> Item | None:
        """The next item that can begin; None when there is none, or none yet.

        Raises:
            NoScoreError: By the log, no member has had a score.
        """
        if self._waiting is None:
            self._waiting = self._replayed()
        if self._failed is not None or not self._waiting:
            return None
        item = self._waiting.popleft()
        self._under_way.add(item.key)
        return item

    def ended(self, item: Item, state: Progressed) -> None:
        """An item has finished, or failed for good; then no other begins any more.

        Raises:
            RunError: An item has failed, and no other is under way any more; or no member has had
                a score.
        """
        self._under_way.discard(item.key)
        task = self._tasks.get(item.key)
        if task is None:
            self._judged = judge_result(item.key, state)
        elif state.state == "finished":
            assert self._waiting is not None
            over = self._state.why
            self._end(member_row(task, item.key, state))
            if not self._state.why:
                self._waiting.extend(self._items([task.member]))
            elif not over:
                self._waiting = self._judging()
        elif not self._state.why:
            self._failed = self._failed or (task, item.key, state)
        if self._failed is not None and not self._under_way:
            member_row(*self._failed)

    def _replayed(self) -> deque[Item]:
        """What is to be done now, by the log."""
        tasks = {member_key(task): task for task, _ in self._state.coming.values()}
        for event in self._events.read():
            if event["event"] == "finished" and event["key"] in tasks:
                task = tasks.pop(event["key"])
                self._end(Row.of(task, event["result"]))
                after = self._state.coming[task.member][0]
                tasks[member_key(after)] = after
        if self._state.why:
            return self._judging()
        members = sorted(tasks.values(), key=lambda task: (task.round, task.member))
        return deque(self._items([task.member for task in members]))

    def _end(self, row: Row) -> None:
        """Decide what follows, and tell those who want to know."""
        before = len(self._state.rounds)
        superfluous = self._state.end(row)
        if len(self._state.rounds) > before and self._after_round is not None:
            self._after_round(self._state.rounds, self._state.why)
        if superfluous and self._discard is not None:
            self._discard(superfluous)

    def _items(self, members: Iterable[int]) -> list[Item]:
        """The next rounds of some members, as far as there are any."""
        items = []
        for member in members:
            task, source = self._state.coming[member]
            if task.round <= self._population.rounds:
                before = None if source is None else source.task
                item = member_item(self._population, self._folder, task, before, known=self._known)
                self._tasks[item.key] = task
                items.append(item)
        return items

    def _judging(self) -> deque[Item]:
        if not self._population.judged:
            return deque()
        rounds = self._state.rounds
        return deque([judge_item(self._population, self._folder, rounds, known=self._known)])
