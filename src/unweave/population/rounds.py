"""A population as a plan: from the tasks of a round to items, and from their ends to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, final

from unweave import display, spec
from unweave.errors import RunError
from unweave.execution import Item, Plan, Progressed
from unweave.population.evolve import first_round, next_round
from unweave.population.spec import Population
from unweave.population.stop import why_ended
from unweave.population.table import Row, Task, ranked

__all__ = [
    "NoScoreError",
    "Outcome",
    "RoundListener",
    "best_of",
    "check_scores",
    "evolve",
    "following",
    "judge_item",
    "judge_result",
    "judged_key",
    "member_folder",
    "member_item",
    "member_key",
    "member_row",
    "why_last",
]


class NoScoreError(RunError):
    """No member of any round has a score, so that there is nothing to go on with."""


RoundListener: TypeAlias = Callable[[Sequence[Sequence[Row]], str], None]
"""Called after each round with all rounds so far, and why it was the last one, or nothing."""


@final
@dataclass(frozen=True)
class Outcome:
    """How a population ended.

    Attributes:
        rounds: What each member did, round by round.
        why: Why there is no further round.
        judged: What `judging.judge` says of the best member; None where nothing judges it.
    """

    rounds: tuple[tuple[Row, ...], ...]
    why: str
    judged: Mapping[str, Any] | None = None

    def _repr_html_(self) -> str:
        """The best member, and the best score of each round, for a notebook."""
        if not self.rounds:
            return display.shown("A population without a round")
        best, rows = self.best, []
        for number, members in enumerate(self.rounds, start=1):
            first = ranked(members)[0]
            rows.append((number, display.number(first.score), first.member, len(members)))
        heads = ("round", "best score", "of member", "members")
        return display.shown(
            f"Best of {len(self.rounds)} rounds: member {best.member} of round "
            f"{best.task.round}, {display.number(best.score)}",
            display.facts({**best.task.hyper, "ended": self.why}),
            display.table(heads, rows, heads[1:]),
        )

    @property
    def best(self) -> Row:
        """The best member of all rounds; the first of those with equal scores."""
        return best_of(self.rounds)


def best_of(rounds: Iterable[Sequence[Row]]) -> Row:
    """The best row of all rounds; a later one only where it is better than all before it."""
    best: Row | None = None
    for rows in rounds:
        first = ranked(rows)[0]
        if best is None or first.key > best.key:
            best = first
    assert best is not None
    return best


def member_folder(folder: Path, task: Task) -> Path:
    """Where the runs of a member lie in a round: one below it for each of its models."""
    return folder / "rounds" / f"{task.round:03d}" / f"m{task.member:02d}"


def evolve(
    population: Population,
    folder: Path,
    *,
    prefix: str = "",
    after_round: RoundListener | None = None,
    known: Mapping[str, Any] | None = None,
) -> Plan[Outcome]:
    """The rounds of a population.

    Args:
        population: What it is.
        folder: Its folder.
        prefix: What stands before the keys of its items.
        after_round: Called after each round, before the next one begins.
        known: Further fields of each payload.

    Raises:
        RunError: An item failed for good, or no member has a score.
    """
    rounds: list[tuple[Row, ...]] = []
    tasks = first_round(population.tuned, members=population.members, seed=population.seed)
    while True:
        tasks_before = {row.member: row.task for row in rounds[-1]} if rounds else {}
        items = [
            member_item(
                population,
                folder,
                task,
                None if task.parent is None else tasks_before[task.parent],
                prefix=prefix,
                known=known,
            )
            for task in tasks
        ]
        ends = yield items
        rounds.append(
            tuple(
                member_row(task, item.key, ends[item.key])
                for task, item in zip(tasks, items, strict=True)
            )
        )
        check_scores(rounds)
        why = why_last(population, rounds)
        if after_round is not None:
            after_round(rounds, why)
        if why:
            break
        tasks = following(population, rounds)

    judged = None
    if population.judged:
        item = judge_item(population, folder, rounds, prefix=prefix, known=known)
        ends = yield [item]
        judged = judge_result(item.key, ends[item.key])
    return Outcome(tuple(rounds), why, judged)


def following(population: Population, rounds: Sequence[Sequence[Row]]) -> list[Task]:
    """The tasks of the round that comes after some others."""
    return next_round(
        population.tuned,
        rounds,
        exploit=population.exploit,
        explore=population.explore,
        seed=population.seed,
        shrink=population.shrink,
        lasting=population.lasting,
    )


def why_last(population: Population, rounds: Sequence[Sequence[Row]]) -> str:
    """Why there is no round after some others; empty if there is one."""
    bests = [ranked(rows)[0].score for rows in rounds]
    why = why_ended(population.stop, bests)
    if not why and len(rounds) >= population.rounds:
        why = f"all {population.rounds} rounds are done"
    return why


def member_key(task: Task, prefix: str = "") -> str:
    """What a member's round is called in the event log."""
    return f"{prefix}r{task.round:03d}-m{task.member:02d}"


def judged_key(rounds: int, prefix: str = "") -> str:
    """What the scoring of the best member of so many rounds is called in the event log."""
    return f"{prefix}judged-{rounds:03d}"


def member_item(
    population: Population,
    folder: Path,
    task: Task,
    before: Task | None,
    *,
    prefix: str = "",
    known: Mapping[str, Any] | None = None,
) -> Item:
    """What a worker is told of a member's round.

    Args:
        population: What it is.
        folder: Its folder.
        task: What the member is to do.
        before: What the owner of its weights had done when these were taken; None for new ones.
        prefix: What stands before the key.
        known: Further fields of the payload.
    """
    payload: dict[str, Any] = {
        "do": "member",
        "population": spec.to_dict(population),
        "folder": str(member_folder(folder, task)),
        "task": task.to_dict(),
    }
    if before is not None:
        payload["before"] = before.to_dict()
        payload["parent"] = str(member_folder(folder, before))
    return Item(member_key(task, prefix), payload | dict(known or {}))


def judge_item(
    population: Population,
    folder: Path,
    rounds: Sequence[Sequence[Row]],
    *,
    prefix: str = "",
    known: Mapping[str, Any] | None = None,
) -> Item:
    """What a worker is told of the best member of all rounds, which it is to score."""
    best = best_of(rounds)
    payload = {
        "do": "judge",
        "population": spec.to_dict(population),
        "folder": str(member_folder(folder, best.task)),
        "model": best.best,
    }
    # Another round may follow later, and have another best member.
    return Item(judged_key(len(rounds), prefix), payload | dict(known or {}))


def member_row(task: Task, key: str, end: Progressed) -> Row:
    """How a member did in a round.

    Raises:
        RunError: Its item has failed.
    """
    return Row.of(task, _result(end, f"The member {key}"))


def judge_result(key: str, end: Progressed) -> Mapping[str, Any]:
    """The scores of the best member.

    Raises:
        RunError: Its item has failed.
    """
    return _result(end, f"Scoring the best member, {key},")


def _result(end: Progressed, what: str) -> Mapping[str, Any]:
    if end.state != "finished" or end.result is None:
        raise RunError(
            f"{what} failed: {end.message} The population stands as it is; mend that, and give "
            "the same command again to go on."
        )
    return end.result


def check_scores(rounds: Sequence[Sequence[Row]]) -> None:
    """Refuse to go on from rounds of which nothing can be told.

    Raises:
        NoScoreError: No member of any round has a score.
    """
    if all(row.score is None for rows in rounds for row in rows):
        raise NoScoreError(
            f"No member of round {len(rounds)} has a score, so that none is better than another: "
            f"{rounds[-1][0].message} Narrow the priors of the tuned fields, such as to smaller "
            "learning rates, or take another fitness, and begin again with another --out."
        )
