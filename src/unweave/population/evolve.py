"""Evolution: the tasks of a round, as a function of all rounds before it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence, Set

from unweave.errors import SpecError
from unweave.population.exploit import Exploit, survivors
from unweave.population.explore import Explore
from unweave.population.table import Hyper, Row, Task
from unweave.population.tuned import Tuned, check_tuned, initial

__all__ = ["explored", "first_round", "member_seed", "next_round"]


def member_seed(seed: int, member: int, round: int) -> int:
    """A seed of at most 63 bits for a member that starts in a round, with whatever weights.

    It is a digest of its key: other members, rounds and populations have others.
    """
    key = repr(("population/member", seed, member, round)).encode()
    return int.from_bytes(hashlib.sha256(key).digest()[:8], "big") >> 1


def first_round(tuned: Sequence[Tuned], *, members: int, seed: int) -> list[Task]:
    """Tasks of the first round: new weights, and tuned fields drawn from their priors.

    Args:
        tuned: The tuned fields.
        members: How many members there are.
        seed: Seed of the population.

    Raises:
        SpecError: There are no members or no tuned fields, or a field is tuned twice.
    """
    check_tuned(tuned)
    if members < 1:
        raise SpecError(f"A population has at least one member, not {members}.")
    return [_anew(tuned, seed, member, round=1) for member in range(members)]


def next_round(
    tuned: Sequence[Tuned],
    history: Sequence[Sequence[Row]],
    *,
    exploit: Exploit,
    explore: Explore,
    seed: int,
    shrink: int = 1,
    lasting: Set[str] = frozenset(),
) -> list[Task]:
    """Tasks of the round that comes after some others, in the order of the members.

    Once, after the first round, the population shrinks to its best members. Then the exploit rule
    says who takes whose weights, and the explore rule which tuned fields these get. They also get
    a seed of their own. Everyone else goes on with the fields and the seed it had. All of it is a
    function of the arguments: the same call gives the same tasks.

    Args:
        tuned: The tuned fields.
        history: All rounds so far, each with what every member did.
        exploit: Who is replaced, and by whom.
        explore: How tuned fields are changed.
        seed: Seed of the population.
        shrink: What the number of members is divided by after the first round.
        lasting: Paths of tuned fields that weights keep for good, and so copies of them too.

    Raises:
        SpecError: There is no round yet, or `shrink` leaves no member.
    """
    if not history:
        raise SpecError("There is no round yet that another could follow: begin with first_round.")
    coming = len(history) + 1
    rows = survivors(history[-1], shrink) if coming == 2 else list(history[-1])
    by_member = {row.member: row for row in rows}
    parents = exploit.parents(rows, seed, coming)
    clones = {
        member: by_member[parent]
        for member, parent in parents.items()
        if parent is not None and parent != member
    }
    changed = explored(explore, clones, tuned, lasting, history, seed, coming)
    tasks = []
    for member, parent in sorted(parents.items()):
        if parent is None:
            tasks.append(_anew(tuned, seed, member, coming))
            continue
        own = parent == member
        task = by_member[member].task
        tasks.append(
            Task(
                member=member,
                round=coming,
                hyper=dict(task.hyper) if own else changed[member],
                parent=parent,
                seed=task.seed if own else member_seed(seed, member, coming),
            )
        )
    return tasks


def explored(
    explore: Explore,
    clones: Mapping[int, Row],
    tuned: Sequence[Tuned],
    lasting: Set[str],
    history: Sequence[Sequence[Row]],
    seed: int,
    round: int,
) -> dict[int, Hyper]:
    """Values of the tuned fields of clones; those that weights keep are their parents'.

    Args:
        explore: How the others are changed.
        clones: How the round went of each clone's parent, by the clone's number.
        tuned: The tuned fields.
        lasting: Paths of those that weights keep for good.
        history: As the rule takes it.
        seed: Seed of the population.
        round: The coming round.
    """
    free = [field for field in tuned if field.path not in lasting]
    changed = explore.explore(clones, free, history, seed, round)
    return {member: {**clones[member].task.hyper, **new} for member, new in changed.items()}


def _anew(tuned: Sequence[Tuned], seed: int, member: int, round: int) -> Task:
    """A task with new weights."""
    return Task(
        member=member,
        round=round,
        hyper=initial(tuned, seed, member, round),
        parent=None,
        seed=member_seed(seed, member, round),
    )
