"""The figures of a population: lineage, schedules, scores and tuned fields."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from unweave import plots
from unweave.population.fitness import Fitness, Scored
from unweave.population.folder import PopulationFolder
from unweave.population.priors import LogIntegers, LogUniform, Prior
from unweave.population.rounds import best_of
from unweave.population.spec import Population
from unweave.population.table import Row
from unweave.population.views import short_names

__all__ = ["Nodes", "draw", "fitness_name", "is_log", "nodes_of", "pictures_of"]


@final
@dataclass(frozen=True, kw_only=True)
class Nodes:
    """Members in rounds, one after the other, and which came from which.

    Attributes:
        rounds: The round of each, from 1.
        members: Its member.
        scores: Its score; NaN where there is none.
        origins: The node from which its weights come; -1 where they are new.
        starts: Optimiser steps of its weights before it.
        stops: Its last step.
        fields: Values of the tuned fields, by a short name.
        winner: The best of all.
    """

    rounds: list[int]
    members: list[int]
    scores: list[float]
    origins: list[int]
    starts: list[int]
    stops: list[int]
    fields: dict[str, list[Any]]
    winner: int


def draw(folder: PopulationFolder) -> list[Path]:
    """Draw the figures of the rounds that are over, into `figures` of the folder.

    `lineage.png` shows whose weights went where, `schedules.png` the tuned fields over the
    optimiser steps, `scores.png` the scores of each round, and `fields.png` scores over the tuned
    fields.

    Returns:
        The files; none before the first round is over.

    Raises:
        RunError: There is no population.
        UnweaveError: The folder cannot be written.
    """
    population, rounds = folder.population(), folder.rounds()
    if not rounds:
        return []
    pictures = pictures_of(population, rounds)
    return [
        plots.save(picture, folder.path / "figures" / f"{name}.png")
        for name, picture in pictures.items()
    ]


def pictures_of(population: Population, rounds: Sequence[Sequence[Row]]) -> dict[str, Any]:
    """The figures of some rounds, by name."""
    nodes = nodes_of(population, rounds)
    priors = {
        name: tuned.prior for name, tuned in zip(nodes.fields, population.tuned, strict=True)
    }
    log = [name for name, prior in priors.items() if is_log(prior)]
    choices = [name for name, prior in priors.items() if prior.choices is not None]
    won = nodes.winner
    best = f"member {nodes.members[won]} of round {nodes.rounds[won]} is best"
    label = fitness_name(population.fitness)
    return {
        "lineage": plots.lineage(
            nodes.rounds, nodes.members, nodes.scores, nodes.origins, nodes.winner,
            title=f"Lineage: {best}", score_label=label,
        ),
        "schedules": plots.schedules(
            nodes.starts, nodes.stops, nodes.fields, nodes.origins, nodes.winner, log,
            title="Tuned fields over training", choices=choices,
        ),
        "scores": plots.round_scores(
            nodes.rounds, nodes.scores, title="Scores by round", score_label=label
        ),
        "fields": plots.hyper_map(
            nodes.fields, nodes.scores, log, title="Scores by tuned fields, all rounds",
            score_label=label, choices=choices,
        ),
    }  # fmt: skip


def nodes_of(population: Population, rounds: Sequence[Sequence[Row]]) -> Nodes:
    """The rounds of a population as nodes.

    A round of a member that came to no end ends where it should have.
    """
    rows = [row for of in rounds for row in of]
    places = {(row.task.round, row.member): place for place, row in enumerate(rows)}
    origins = [_origin(row, places) for row in rows]
    lengths = [population.steps_of(row.task.hyper) for row in rows]
    starts = []
    for row, origin, length in zip(rows, origins, lengths, strict=True):
        # Of one that could not even begin, where its weights came from.
        stop = row.steps or (rows[origin].steps if origin >= 0 else 0) + length
        starts.append(stop - length)
    stops = [start + length for start, length in zip(starts, lengths, strict=True)]
    paths = [tuned.path for tuned in population.tuned]
    best = best_of(rounds)
    return Nodes(
        rounds=[row.task.round for row in rows],
        members=[row.member for row in rows],
        scores=[math.nan if row.score is None else row.score for row in rows],
        origins=origins,
        starts=starts,
        stops=stops,
        fields={
            name: [row.task.hyper[path] for row in rows]
            for name, path in zip(short_names(paths), paths, strict=True)
        },
        winner=places[best.task.round, best.member],
    )


def fitness_name(fitness: Fitness) -> str:
    """What scores are called: the metric, with its sign where less of it is better."""
    if not isinstance(fitness, Scored):
        return fitness.name
    sign = "" if fitness.metric.higher_is_better else "\N{MINUS SIGN}"
    return f"{sign}{fitness.by}"


def is_log(prior: Prior) -> bool:
    """Whether the values of a prior are spread over magnitudes, as on a logarithmic axis.

    Of a list of numbers they are if their ratios are more alike than their differences.
    """
    if isinstance(prior, LogUniform | LogIntegers):
        return True
    ends, values = prior.ends, getattr(prior, "values", ())
    if ends is None or ends[0] <= 0 or len(values) < 3:
        return False
    found = np.sort(np.array(values, np.float64))

    def unevenness(places: Any) -> float:
        gaps = np.diff(places)
        return float(gaps.std() / gaps.mean())

    return unevenness(np.log(found)) < unevenness(found)


def _origin(row: Row, places: dict[tuple[int, int], int]) -> int:
    """The node from which a row's weights come, or -1."""
    task = row.task
    if task.parent is None:
        return -1
    before = task.round - 1 if task.parent_round is None else task.parent_round
    # Where members wait for nobody, a parent's round may not be over for all.
    return places.get((before, task.parent), -1)
