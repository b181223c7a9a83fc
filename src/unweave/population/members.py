"""What each model of a member is trained with, in each round."""

from __future__ import annotations

import dataclasses

from unweave.population.evolve import member_seed
from unweave.population.spec import Population
from unweave.population.table import Task
from unweave.training import TrainConfig
from unweave.training.phases import Phase

__all__ = ["first_config", "later_config"]


def first_config(population: Population, task: Task, model: int) -> TrainConfig:
    """The configuration of a model with new weights, as long as one round.

    Its models have different seeds, and so different first weights and batches.
    """
    return population.first(task.hyper, _seed(task, model), rounds=1)


def later_config(
    population: Population, task: Task, before: Task, past: TrainConfig, model: int
) -> TrainConfig:
    """The configuration of a model that goes on from another's weights, a round longer.

    It has the whole history of the weights, as phases; trained alone it ends with the same ones.

    Args:
        population: Says how long a round is.
        task: What the member is to do.
        before: What the owner of the weights did in the round before.
        past: The configuration with which it came to them.
        model: Which of the member's models it is.
    """
    changes = {
        path: value for path, value in task.hyper.items() if value != before.hyper.get(path)
    }
    if task.seed != before.seed:
        changes["seed"] = _seed(task, model)
    phases = past.phases
    if changes:
        phases = (*phases, Phase(start=past.steps, changes=tuple(changes.items())))
    steps = past.steps + population.steps_of(task.hyper)
    return dataclasses.replace(past, steps=steps, phases=phases)


def _seed(task: Task, model: int) -> int:
    """Seed of one of a member's models."""
    return member_seed(task.seed, model, 0) if model else task.seed
