"""What is said of a population: its members, its rounds, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, TypeAlias, final

from unweave import display
from unweave.population.table import Hyper

__all__ = ["MemberState", "MemberView", "Overview", "PopulationState", "RoundView", "short_names"]

MemberState: TypeAlias = Literal["finished", "running", "waiting", "failed"]
PopulationState: TypeAlias = Literal["finished", "running", "failed", "stopped"]

# Members at most in a notebook.
_SHOWN: Final = 50


@final
@dataclass(frozen=True, kw_only=True)
class MemberView:
    """A member in a round, as it is now.

    Attributes:
        member: Its number.
        round: The round, from 1.
        hyper: Values of the tuned fields.
        parent: The member whose weights it began with: itself where it went on; None for new ones.
        state: `failed` is final until the population is gone on with.
        done: Which part of the round's steps it has done, from 0 to 1.
        score: Its fitness, more is better; None where there is none, or none yet.
        seconds: How long training and scoring took, or are taking.
        message: Why there is no score, or what last went wrong.
        run: The run folder of its best model, while it is trained of its first.
    """

    member: int
    round: int
    hyper: Hyper
    parent: int | None
    state: MemberState
    done: float
    score: float | None
    seconds: float
    message: str
    run: str


@final
@dataclass(frozen=True, kw_only=True)
class RoundView:
    """A round that is over.

    Attributes:
        round: Its number, from 1.
        best: The best score.
        member: Who has it.
        median: The median of all scores.
        members: How many members there were.
        lost: How many of them have no score.
    """

    round: int
    best: float | None
    member: int
    median: float | None
    members: int
    lost: int


@final
@dataclass(frozen=True, kw_only=True)
class Overview:
    """A population as it is now.

    Attributes:
        folder: Where it lies.
        state: `running` while a driver is at work; `finished` when there is no further round and
            the best member is scored; `failed` when something stood in the way; else `stopped`.
        executor: Where the last driver has its members trained; empty before the first.
        workers: How many members are trained at once.
        fitness: What members are ranked by.
        tuned: Paths of the tuned fields.
        rounds: How many rounds there are at most.
        done: How many of them are over.
        why: Why there is no further round; empty while there is one.
        seconds: How long drivers have been at work, in all.
        seconds_left: How long the rest takes about, if no rule ends it before its last round;
            None if unknown.
        error: What stands in the way, or last went wrong with a member under way.
        table: The members of the last round that is over, the best first.
        under_way: The members of the round under way, in their order.
        best: The best member of all rounds that are over.
        history: The rounds that are over.
        judged: What `judging.judge` says of the best member; None where nothing does, or not yet.
    """

    folder: str
    state: PopulationState
    executor: str
    workers: int
    fitness: str
    tuned: tuple[str, ...]
    rounds: int
    done: int
    why: str
    seconds: float
    seconds_left: float | None
    error: str
    table: tuple[MemberView, ...]
    under_way: tuple[MemberView, ...]
    best: MemberView | None
    history: tuple[RoundView, ...]
    judged: Mapping[str, Any] | None

    def _repr_html_(self) -> str:
        """How far it is, its members and its rounds, for a notebook."""
        names = short_names(self.tuned)
        members = [
            (
                member.member,
                *(str(member.hyper.get(path, "")) for path in self.tuned),
                display.number(member.score),
                member.state,
                member.message,
            )
            for member in (self.table or self.under_way)[:_SHOWN]
        ]
        rounds = [
            (each.round, display.number(each.best), each.member, display.number(each.median))
            for each in self.history
        ]
        return display.shown(
            f"Population, {self.state}: {self.done} of {self.rounds} rounds",
            display.facts(
                {"folder": self.folder, "ranked by": self.fitness, "why": self.why or self.error}
            ),
            display.table(("member", *names, "score", "state", ""), members, ("score",)),
            display.folded(
                "rounds",
                display.table(("round", "best", "of member", "median"), rounds,
                              ("best", "of member", "median")),
            ),
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        return asdict(self)


def short_names(paths: Sequence[str]) -> list[str]:
    """The last part of each path, or all of it where two have the same last part."""
    ends = [path.rpartition(".")[2] for path in paths]
    return [end if ends.count(end) == 1 else path for path, end in zip(paths, ends, strict=True)]
