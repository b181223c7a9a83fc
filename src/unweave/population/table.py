"""The table of a population: what each member had, and how it did, round by round."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self, TypeAlias, final

__all__ = ["Hyper", "Row", "Task", "ranked"]

Hyper: TypeAlias = Mapping[str, Any]
"""Values of the tuned fields by path, such as `{"objective.beta": 4.0, "batch_size": 64}`."""


@final
@dataclass(frozen=True, kw_only=True)
class Task:
    """What a member is to do in a round; rules make it, and nothing else has a say.

    Attributes:
        member: Its number, from 0; numbers are kept from round to round.
        round: The round, from 1.
        hyper: Values of the tuned fields in this round.
        parent: The member of the round before from which its weights come: itself where it goes
            on, another where that one's weights were copied; None for new weights.
        seed: Of its random streams in this round. A member that goes on keeps the seed; one that
            got other weights has one of its own, so that it does not repeat its parent's noise.
        parent_round: Where members do not wait for each other: the round after which the parent
            had the copied weights. None for the round before.
    """

    member: int
    round: int
    hyper: Hyper
    parent: int | None
    seed: int
    parent_round: int | None = None

    @property
    def cloned(self) -> bool:
        """Whether its weights are those of another member."""
        return self.parent is not None and self.parent != self.member

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON, from which `Task(**form)` makes an equal task."""
        return asdict(self) | {"hyper": dict(self.hyper)}


@final
@dataclass(frozen=True, kw_only=True)
class Row:
    """How a member did in a round.

    Attributes:
        task: What it was to do.
        score: Its fitness, more is better; None where the training diverged or the fitness is not
            a number.
        models: Fitness of each of its models.
        best: Which of these is the best.
        steps: Optimiser steps of its weights, over all rounds of their history; of one that came
            to no end those that they were to have, 0 where it could not begin.
        images: Images that its models encoded in this round.
        seconds: How long training and scoring took in this round.
        message: Why there is no score.
        further: What else the fitness tells, by name.
    """

    task: Task
    score: float | None
    models: tuple[float | None, ...] = ()
    best: int = 0
    steps: int = 0
    images: int = 0
    seconds: float = 0.0
    message: str = ""
    further: Mapping[str, float] = field(default_factory=dict)

    @property
    def member(self) -> int:
        """Number of the member."""
        return self.task.member

    @property
    def key(self) -> float:
        """The score for comparisons: below every other where there is none."""
        return -math.inf if self.score is None else self.score

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON, from which `from_dict` makes an equal row."""
        form = asdict(self)
        plain = {"models": list(self.models), "further": dict(self.further)}
        return form | {"task": self.task.to_dict()} | plain

    @classmethod
    def of(cls, task: Task, result: Mapping[str, Any]) -> Self:
        """What a worker's result says of a task; what it says beside is left out."""
        names = {entry.name for entry in fields(cls)} - {"task"}
        given = {name: value for name, value in result.items() if name in names}
        return cls(task=task, **given | {"models": tuple(given["models"])})

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> Self:
        """Read the form back."""
        return cls.of(Task(**form["task"]), form)


def ranked(rows: Sequence[Row]) -> list[Row]:
    """The rows, the best first; equal scores in the order of the members."""
    return sorted(rows, key=lambda row: (-row.key, row.member))
