"""How long the rest of a population takes, by how long its members took so far."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from unweave.inventory import seconds_a_step
from unweave.population.spec import Population
from unweave.population.table import Row, Task
from unweave.studies.costs import makespan

__all__ = ["seconds_left"]


def seconds_left(
    population: Population,
    rows: Sequence[Row],
    coming: Sequence[Task],
    left: Mapping[int, float],
    running: Sequence[tuple[Task, Path]],
    workers: int,
) -> float | None:
    """How long a population takes from now on, if no rule ends it before its last round.

    A step of a member is taken to last as long, with its part of the scoring, as those of members
    whose batch size is nearest; before there are any, as those of the trainings under way. Later
    rounds are taken to last as long as the one under way in all.

    Args:
        population: What it is.
        rows: What is known of members: how their last rounds went, and of those that have ended
            the one under way how this went.
        coming: What each member does next or is doing; where members wait for each other, all
            tasks of the round under way.
        left: Of members that have not ended it, which part of their steps is left.
        running: Trainings under way: task and run folder.
        workers: How many members are trained at once.

    Returns:
        Seconds; None where nothing is known yet.
    """
    # One that diverged has not done its steps.
    steps = [(population.batch_size_of(row.task.hyper), _a_step(population, row)) for row in rows
             if row.score is not None]  # fmt: skip
    if not steps:
        found = [(task, seconds_a_step(run)) for task, run in running]
        steps = [
            (population.batch_size_of(task.hyper), pace * population.models)
            for task, pace in found
            if pace
        ]
    if not steps:
        return None
    each = {
        task.member: population.steps_of(task.hyper)
        * _nearest(steps, population.batch_size_of(task.hyper))
        for task in coming
    }
    now = {member: each[member] * share for member, share in left.items()}
    further = {task.member: population.rounds - task.round for task in coming}
    if population.asynchronous:
        rest = [now.get(m, 0.0) + count * each[m] for m, count in further.items()]
        return round(max(sum(rest) / workers, *rest), 3)
    # After the first round there are fewer.
    shrink = population.shrink if coming[0].round == 1 else 1
    whole = sorted(each.values())[shrink - 1 :: shrink]
    later = further[coming[0].member] * makespan(whole, workers)
    return round(makespan(list(now.values()), workers) + later, 3)


def _a_step(population: Population, row: Row) -> float:
    return row.seconds / population.steps_of(row.task.hyper)


def _nearest(steps: Sequence[tuple[int, float]], batch_size: int) -> float:
    """The mean time of a step over those with the nearest batch size, in its logarithm."""
    ways = [abs(math.log(size / batch_size)) for size, _ in steps]
    found = [seconds for way, (_, seconds) in zip(ways, steps, strict=True) if way == min(ways)]
    return sum(found) / len(found)
