"""How far a population has come: from its folder alone, while it is worked on and afterwards."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, final

from unweave.execution import Progressed, WorkClock
from unweave.execution.events import apply
from unweave.inventory import last_step
from unweave.population.course import course_of
from unweave.population.folder import PopulationFolder
from unweave.population.pace import seconds_left
from unweave.population.rounds import (
    best_of,
    judged_key,
    member_folder,
    member_key,
    why_last,
)
from unweave.population.spec import Population
from unweave.population.table import Row, Task, ranked
from unweave.population.task import model_folder
from unweave.population.views import MemberView, Overview, PopulationState, RoundView

__all__ = ["MemberView", "Overview", "RoundView", "Watched", "survey"]


def survey(folder: PopulationFolder, population: Population | None = None) -> Overview:
    """How far a population has come, read from its folder; nothing is written.

    Args:
        folder: Its folder.
        population: What it is now to be, such as one with more rounds; None for what it is there.

    Raises:
        RunError: There is no population, or it is damaged.
    """
    busy = folder.busy
    watched = Watched(folder, population)
    for event in folder.events.read():
        watched.tell(event)
    return watched.look(busy=busy)


@final
class Watched:
    """A population that is known from its events, each of which is read once.

    Args:
        folder: Its folder.
        population: What it is; None for what its folder says.

    Raises:
        RunError: There is none, or it is damaged.
    """

    def __init__(self, folder: PopulationFolder, population: Population | None = None) -> None:
        self._folder = folder
        self._population: Population = population or folder.population()
        self._items: dict[str, Progressed] = {}
        self._course = course_of(self._population)
        self._begun: Mapping[str, Any] = {}
        self._clock = WorkClock()
        # A driver tells of events while a table is drawn.
        self._lock = threading.RLock()

    def tell(self, event: Mapping[str, Any]) -> None:
        """Take the next event."""
        with self._lock:
            self._clock.tell(event)
            if event["event"] == "begun":
                self._begun = event
            self._course.tell(event)
            apply(self._items, event)

    def look(self, *, busy: bool) -> Overview:
        """The population as it is.

        Args:
            busy: Whether a driver is at work.
        """
        with self._lock:
            return self._look(busy)

    def _look(self, busy: bool) -> Overview:
        now, population, rounds = time.time(), self._population, self._course.rounds
        why = why_last(population, rounds) if rounds else ""
        coming = [] if why else self._course.coming()
        under_way = tuple(self._under_way(task, row, busy, now) for task, row in coming)
        judged = self._items.get(judged_key(len(rounds)), Progressed()).result if why else None
        over = bool(why) and (judged is not None or not population.judged)
        state: PopulationState = "stopped"
        if busy:
            state = "running"
        elif over:
            state = "finished"
        elif self._clock.error:
            state = "failed"
        workers = int(self._begun.get("slots", 1))
        return Overview(
            folder=str(self._folder.path),
            state=state,
            executor=self._begun.get("engine", ""),
            workers=workers,
            fitness=str(population.fitness),
            tuned=tuple(tuned.path for tuned in population.tuned),
            rounds=population.rounds,
            done=len(rounds),
            why=why,
            seconds=round(self._clock.seconds(now if busy else None), 3),
            seconds_left=self._seconds_left([task for task, _ in coming], under_way, workers),
            error=self._clock.error if state == "failed" else _last_message(under_way),
            table=tuple(self._of_row(row) for row in ranked(rounds[-1])) if rounds else (),
            under_way=under_way,
            best=self._of_row(best_of(rounds)) if rounds else None,
            history=tuple(_round_view(rows) for rows in rounds),
            judged=judged,
        )

    def _of_row(self, row: Row) -> MemberView:
        return MemberView(
            member=row.member,
            round=row.task.round,
            hyper=dict(row.task.hyper),
            parent=row.task.parent,
            state="finished",
            done=1.0,
            score=row.score,
            seconds=row.seconds,
            message=row.message,
            run=str(self._folder.run_of(row)),
        )

    def _under_way(self, task: Task, source: Row | None, busy: bool, now: float) -> MemberView:
        item = self._items.get(member_key(task), Progressed())
        if item.state == "finished" and item.result is not None:
            return self._of_row(Row.of(task, item.result))
        # A driver that was killed has nothing under way.
        running = item.state == "running" and busy
        return MemberView(
            member=task.member,
            round=task.round,
            hyper=dict(task.hyper),
            parent=task.parent,
            state="running" if running else "failed" if item.state == "failed" else "waiting",
            done=self._share(task, source) if item.tries else 0.0,
            score=None,
            seconds=round(max(0.0, now - item.started), 3) if running else 0.0,
            message=item.message,
            run=str(model_folder(member_folder(self._folder.path, task), 0)),
        )

    def _models(self, task: Task) -> Iterator[Path]:
        folder = member_folder(self._folder.path, task)
        return (model_folder(folder, model) for model in range(self._population.models))

    def _share(self, task: Task, source: Row | None) -> float:
        """Which part of a round's steps a member's models have done."""
        steps = self._population.steps_of(task.hyper)
        start = 0 if source is None else source.steps
        done = [min(max(last_step(run) - start, 0), steps) for run in self._models(task)]
        return sum(done) / (steps * len(done))

    def _seconds_left(
        self, coming: Sequence[Task], under_way: Sequence[MemberView], workers: int
    ) -> float | None:
        if not coming:
            return 0.0
        results = [(task, self._items.get(member_key(task))) for task in coming]
        rows = [Row.of(task, item.result) for task, item in results if item and item.result]
        left = {
            view.member: 1 - view.done
            for view in under_way
            if view.state in ("running", "waiting")
        }
        running = [
            (task, run)
            for task, item in results
            if item and item.state == "running"
            for run in self._models(task)
        ]
        known = [*self._course.latest(), *rows]
        return seconds_left(self._population, known, coming, left, running, workers)


def _round_view(rows: Sequence[Row]) -> RoundView:
    best = ranked(rows)[0]
    scores = [row.score for row in rows if row.score is not None]
    return RoundView(
        round=best.task.round,
        best=best.score,
        member=best.member,
        median=statistics.median(scores) if scores else None,
        members=len(rows),
        lost=len(rows) - len(scores),
    )


def _last_message(members: Sequence[MemberView]) -> str:
    """What last went wrong with members that have no result."""
    return next(
        (
            f"member {m.member}: {m.message}"
            for m in members
            if m.state != "finished" and m.message
        ),
        "",
    )
