"""Small learners on random images, for tests of objectives and of training."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from unweave.data import parse_dataset
from unweave.errors import SpecError
from unweave.nn import LieGroup
from unweave.objectives import Batch, Inputs, Plan, Step, parse_objective
from unweave.randomness import Streams
from unweave.training import Learner, TrainConfig
from unweave.training.random_batch import random_batch

__all__ = ["IMAGES", "make_batch", "make_learner", "small_config", "step_of", "trained"]

IMAGES = 500
"""How many images the learners believe that there are."""

_OF_GROUPS = {"lie_group_vae", "group_reconstruction", "hessian", "commutator"}


def small_config(objective: str, **settings: Any) -> TrainConfig:
    """A resolved configuration of few latents on a dataset that is never opened.

    There are three of them, or one for each factor where the objective ties them together.
    """
    fields: dict[str, Any] = {
        "steps": 10, "latents": 3, "batch_size": 4, "threads": 1, "device": "cpu",
        "precision": "float32",
    }  # fmt: skip
    fields |= {
        "dataset": parse_dataset("dsprites(grid=(3, 2, 4, 8, 8))"),
        "objective": parse_objective(objective),
    }
    of_group = _OF_GROUPS & {item.name for item in fields["objective"].items}
    try:
        return TrainConfig(**fields | _group(of_group, 3) | settings)
    except SpecError as error:
        if "give at least 5" not in str(error):
            raise
        return TrainConfig(**fields | _group(of_group, 5) | {"latents": 5} | settings)


def _group(of_group: set[str], latents: int) -> dict[str, Any]:
    """The architecture of an objective that reads a group."""
    return {"architecture": LieGroup(latents=(latents,))} if of_group else {}


def make_learner(
    objective: str, image_shape: tuple[int, int, int] = (32, 32, 3), **settings: Any
) -> Learner:
    """A new learner with full-size networks."""
    return Learner(small_config(objective, **settings), image_shape, IMAGES)


def make_batch(learner: Learner, batch_size: int = 4, seed: int = 0) -> Batch:
    """Random images of the learner's shape, with a second batch when its plan asks for one."""
    generator = torch.Generator().manual_seed(seed)
    setup = dataclasses.replace(learner.setup, batch_size=batch_size)
    batch = random_batch(setup, learner.plan.needs, generator)
    second = None if batch.second is None else (batch.second > 0.5).float()
    return dataclasses.replace(batch, images=(batch.images > 0.5).float(), second=second)


def trained(
    objective: str, steps: int = 2, batch_size: int = 4, seed: int = 0, **settings: Any
) -> Learner:
    """A learner after a few updates on the same random batches whatever the objective."""
    learner = make_learner(objective, batch_size=batch_size, seed=seed, **settings)
    for step in range(1, steps + 1):
        learner.update(make_batch(learner, batch_size, seed=step), step)
    return learner


def step_of(learner: Learner, batch: Batch, global_step: int = 1) -> Step:
    """The step that the learner's next update sees, with gradients."""
    plan: Plan = learner.plan
    streams = Streams(learner.seed, global_step, torch.device("cpu"))
    return plan.forward(
        Inputs(learner.model, learner.parts, batch, streams, global_step, learner.dataset_size)
    )
