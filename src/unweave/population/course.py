"""What the members of a population have done, and what each does next, by its events."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, final

from unweave.errors import RunError
from unweave.population.asynchronous import Unstepped
from unweave.population.evolve import first_round
from unweave.population.rounds import following, member_key
from unweave.population.spec import Population
from unweave.population.table import Row, Task

__all__ = ["Course", "course_of"]


class Course(Protocol):
    """What has been, and what comes next."""

    @property
    def rounds(self) -> Sequence[Sequence[Row]]:
        """The rounds that are over."""

    def tell(self, event: Mapping[str, Any]) -> None:
        """Take the next event."""

    def coming(self) -> list[tuple[Task, Row | None]]:
        """What each member does next, and how the round went with whose weights it begins."""

    def latest(self) -> Iterable[Row]:
        """How the last round of each member went that it has ended before."""


def course_of(population: Population) -> Course:
    """What a population has done before its first event: nothing."""
    return _Unstepped(population) if population.asynchronous else _InStep(population)


@final
class _InStep:
    """Members that wait for each other after each round."""

    def __init__(self, population: Population) -> None:
        self._rounds: list[list[Row]] = []
        self._population = population
        self._coming: list[tuple[Task, Row | None]] | None = None

    @property
    def rounds(self) -> Sequence[Sequence[Row]]:
        return self._rounds

    def tell(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "round" and event["round"] == len(self._rounds) + 1:
            self._rounds.append([Row.from_dict(row) for row in event["rows"]])
            self._coming = None

    def coming(self) -> list[tuple[Task, Row | None]]:
        # A rule may take long to come to it.
        if self._coming is None:
            population, before = self._population, {row.member: row for row in self.latest()}
            tasks = (
                following(population, self._rounds)
                if self._rounds
                else first_round(
                    population.tuned, members=population.members, seed=population.seed
                )
            )
            self._coming = [
                (task, None if task.parent is None else before[task.parent]) for task in tasks
            ]
        return self._coming

    def latest(self) -> Iterable[Row]:
        return self._rounds[-1] if self._rounds else ()


@final
class _Unstepped:
    """Members that wait for nobody."""

    def __init__(self, population: Population) -> None:
        self._last = population.rounds
        self._state = Unstepped(population)
        self._latest: dict[int, Row] = {}

    @property
    def rounds(self) -> Sequence[Sequence[Row]]:
        return self._state.rounds

    def tell(self, event: Mapping[str, Any]) -> None:
        if event["event"] != "finished":
            return
        for task, _ in self._state.coming.values():
            if member_key(task) == event["key"]:
                row = Row.of(task, event["result"])
                self._latest[row.member] = row
                # No member has had a score: its driver says so when it ends.
                with contextlib.suppress(RunError):
                    self._state.end(row)
                return

    def coming(self) -> list[tuple[Task, Row | None]]:
        return [pair for pair in self._state.coming.values() if pair[0].round <= self._last]

    def latest(self) -> Iterable[Row]:
        return self._latest.values()
