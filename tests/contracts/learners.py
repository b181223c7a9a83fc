"""Learners on random images, of full size and narrow, for tests of objectives and of training."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, ClassVar, final

import torch
from torch import nn

from unweave.data import parse_dataset
from unweave.errors import SpecError
from unweave.nn import Architecture, LieGroup
from unweave.nn.stacks import dense, doubling, halving
from unweave.objectives import Batch, Inputs, Objective, Plan, Step, parse_objective
from unweave.randomness import Streams
from unweave.training import Learner, TrainConfig
from unweave.training.random_batch import random_batch

__all__ = [
    "IMAGES",
    "make_batch",
    "make_learner",
    "narrow_learner",
    "small_config",
    "step_of",
    "trained",
]

IMAGES = 500
"""How many images the learners believe that there are."""

_OF_GROUPS = {"lie_group_vae", "group_reconstruction", "hessian", "commutator"}


@final
class Narrow(Architecture):
    """Two convolutions of few channels and a dense layer, and the same in reverse.

    It has the kinds of layers that the published ones have, for images whose sides can be halved
    twice. Without a name it is no member.
    """

    sides: ClassVar[None] = None

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """16 features."""
        height, width, channels = image_shape
        flat = 8 * (height // 4) * (width // 4)
        return nn.Sequential(*halving(channels, (6, 8)), nn.Flatten(), *dense((flat, 16))), 16

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Logits of an image."""
        height, width, channels = image_shape
        small = (8, height // 4, width // 4)
        layers = [*dense((latents, 16, math.prod(small))), nn.Unflatten(1, small)]
        return nn.Sequential(*layers, *doubling((8, 6, channels)))


def small_config(objective: str | Objective, **settings: Any) -> TrainConfig:
    """A resolved configuration of few latents on a dataset that is never opened.

    There are three of them, or one for each factor where the objective ties them together, or as
    many as codes of true factors have numbers.
    """
    fields: dict[str, Any] = {
        "steps": 10, "latents": 3, "batch_size": 4, "threads": 1, "device": "cpu",
        "precision": "float32",
    }  # fmt: skip
    fields |= {
        "dataset": parse_dataset("dsprites(grid=(3, 2, 4, 8, 8))"),
        "objective": parse_objective(objective) if isinstance(objective, str) else objective,
    }
    of_group = _OF_GROUPS & {item.name for item in fields["objective"].items}
    plan = fields["objective"].expand()
    given = plan.method.given(fields["dataset"].whole_space)
    if given is not None:
        fields["latents"] = given.width
    try:
        return TrainConfig(**fields | _group(of_group, fields["latents"]) | settings)
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
    return _learner(small_config(objective, **settings), image_shape)


def narrow_learner(objective: str, **settings: Any) -> Learner:
    """A new learner with networks of few units, for what does not depend on their size.

    Images are (16, 16, 3), or (32, 32, 3) where a group needs them, since its convolutions are
    those of its publication.
    """
    items = [
        dataclasses.replace(item, width=20) if hasattr(item, "width") else item
        for item in parse_objective(objective).items
    ]
    parsed = Objective(tuple(items))
    config = small_config(parsed, **settings)
    if isinstance(config.architecture, LieGroup):
        group = dataclasses.replace(config.architecture, sizes=(9,))
        return _learner(dataclasses.replace(config, architecture=group), (32, 32, 3))
    return _learner(dataclasses.replace(config, architecture=Narrow()), (16, 16, 3))


def _learner(config: TrainConfig, image_shape: tuple[int, int, int]) -> Learner:
    # As in training: moments of Adam soon become subnormal, and updates then many times slower.
    torch.set_flush_denormal(True)
    return Learner(config, image_shape, IMAGES)


def make_batch(learner: Learner, batch_size: int = 4, seed: int = 0) -> Batch:
    """Random images of the learner's shape, with a second batch when its plan asks for one."""
    generator = torch.Generator().manual_seed(seed)
    setup = dataclasses.replace(learner.setup, batch_size=batch_size)
    batch = random_batch(setup, learner.plan.needs, generator)
    second = None if batch.second is None else (batch.second > 0.5).float()
    return dataclasses.replace(batch, images=(batch.images > 0.5).float(), second=second)


def trained(
    objective: str,
    steps: int = 2,
    batch_size: int = 4,
    seed: int = 0,
    make: Callable[..., Learner] = narrow_learner,
    **settings: Any,
) -> Learner:
    """A learner after a few updates on the same random batches whatever the objective."""
    learner = make(objective, batch_size=batch_size, seed=seed, **settings)
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
