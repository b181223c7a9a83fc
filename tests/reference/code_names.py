"""Names in the code, as pages write them, and whether there is such a thing."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import re
from pathlib import Path
from typing import Any

import numpy as np

from contracts.components import MEMBERS
from contracts.quick import METRICS
from unweave.factors import Factor, FactorSpace
from unweave.metrics import Draws, Metric
from unweave.objectives import Method, Objective, Plan
from unweave.representation import Representation
from unweave.spec import Component

__all__ = ["is_code"]

_FLAGS = Path(__file__).parents[1] / "contracts" / "cli_flags.txt"
# Rooms whose public classes are named without their room.
_ROOMS = (
    "unweave",
    "unweave.data",
    "unweave.data.samplers",
    "unweave.factors",
    "unweave.latents",
    "unweave.likelihoods",
    "unweave.metrics",
    "unweave.nn",
    "unweave.objectives",
    "unweave.representation",
    "unweave.training",
    "unweave.vae",
)


def is_code(name: str, owner: type[Component]) -> bool:
    """Whether a name on the page of `owner` is one of the code.

    A name is one of

    - `beta`: a field of the owner, a component of any family, or, of a metric, a part of its
      score; of a method also a part or player that it brings;
    - `beta_tcvae(beta=...)`: a field of a component;
    - `--batch-size`: a flag of the command line;
    - `LatentDiscriminator` or `Step.z`: a public name of a room, or an attribute of one;
    - `unweave.objectives.densities.estimate`: what can be imported.
    """
    if name.startswith("--"):
        return name in _flags()
    given = re.fullmatch(r"(\w+)\((\w+)=\.\.\.\)", name)
    if given:
        named = [cls for _, cls in MEMBERS if cls.name == given[1]]
        return any(given[2] in _fields(cls) for cls in named)
    if name.startswith("unweave."):
        return _imported(name)
    if "." in name:
        cls, _, attribute = name.partition(".")
        return any(_has(_public(room).get(cls), attribute) for room in _ROOMS)
    known = {cls.name for _, cls in MEMBERS} | _fields(owner)
    public = any(name in _public(room) for room in _ROOMS)
    return name in known or public or name in _brought(owner)


@functools.cache
def _flags() -> frozenset[str]:
    return frozenset(re.findall(r" (--[\w-]+)", _FLAGS.read_text(encoding="utf-8")))


def _fields(cls: type) -> set[str]:
    return {field.name for field in dataclasses.fields(cls)}


@functools.cache
def _public(room: str) -> dict[str, Any]:
    module = importlib.import_module(room)
    return {name: getattr(module, name) for name in module.__all__}


def _has(cls: Any, attribute: str) -> bool:
    if cls is None:
        return False
    return hasattr(cls, attribute) or (
        dataclasses.is_dataclass(cls) and attribute in {f.name for f in dataclasses.fields(cls)}
    )


def _imported(name: str) -> bool:
    """Whether the longest part that is a module has the rest."""
    words = name.split(".")
    for count in range(len(words), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(words[:count]))
        except ModuleNotFoundError:
            continue
        rest = words[count:]
        for word in rest[:-1]:
            found = getattr(found, word, None)
        return not rest or _has(found, rest[-1])
    return False


@functools.cache
def _brought(owner: type[Component]) -> frozenset[str]:
    """Names of what a member brings or gives, beside its fields."""
    if issubclass(owner, Method):
        plan: Plan = Objective((owner(),)).expand()
        players = {player.name for player in plan.players}
        return frozenset(players | set(plan.watched))
    assert issubclass(owner, Metric)
    [metric] = [each for each in METRICS if type(each) is owner]
    score = metric.score(_table(), Draws(0, metric.stream or metric.name))
    return frozenset(score.parts)


@functools.cache
def _table() -> Representation:
    """Codes that follow three factors, with noise, and two that follow none."""
    space = FactorSpace((Factor("shape", 3), Factor("size", 5), Factor("place", 8)))
    rng = np.random.default_rng(0)
    factors = space.unravel(np.arange(2 * space.size) % space.size)
    codes = rng.normal(0, 0.5, (len(factors), 5)).astype(np.float32)
    codes[:, 1:4] += factors
    logvar = np.full_like(codes, -2)
    return Representation(mean=codes, factors=factors, factor_space=space, logvar=logvar)
