"""Every family of components, its room, and random members built from their declared fields."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import typing
from types import ModuleType
from typing import Any, Literal

from hypothesis import strategies as st

from unweave.analysis import Analysis
from unweave.data import DatasetSpec, Dsprites, parse_dataset
from unweave.data.kinds.grid_archive import GridArchiveSpec
from unweave.data.samplers import Labeller, Sampler
from unweave.errors import DataError, SpecError
from unweave.likelihoods import Likelihood
from unweave.metrics import InformationEstimator, Metric, Predictor, ProbeFamily
from unweave.nn import Architecture, Kim, Locatello
from unweave.objectives import Kernel, LabelLoss, Method, Term
from unweave.population import Exploit, Explore, Prior, StopRule
from unweave.population.fitness import Fitness
from unweave.population.recursion.reduction import Reduction
from unweave.schedules import Schedule
from unweave.spec import Component, field_hints, members, parse
from unweave.spec.hints import families, flat
from unweave.tracking import TrackerSpec
from unweave.training import Optimizer
from unweave.training.rates import LearningRate

__all__ = ["FAMILIES", "MEMBERS", "instances", "required", "room", "values"]

FAMILIES: dict[type[Component], str] = {
    DatasetSpec: "unweave.data",
    Sampler: "unweave.data.samplers",
    Labeller: "unweave.data.samplers",
    Method: "unweave.objectives",
    Term: "unweave.objectives",
    LabelLoss: "unweave.objectives",
    Kernel: "unweave.objectives",
    Schedule: "unweave.schedules",
    Likelihood: "unweave.likelihoods",
    Architecture: "unweave.nn",
    Optimizer: "unweave.training",
    LearningRate: "unweave.training.rates",
    TrackerSpec: "unweave.tracking",
    Metric: "unweave.metrics",
    InformationEstimator: "unweave.metrics",
    Predictor: "unweave.metrics",
    ProbeFamily: "unweave.metrics",
    Analysis: "unweave.analysis",
    Fitness: "unweave.population.fitness",
    Prior: "unweave.population",
    Exploit: "unweave.population",
    Explore: "unweave.population",
    StopRule: "unweave.population",
    Reduction: "unweave.population.recursion.reduction",
}
"""Each family, and the module whose `__all__` names its members."""


def own_members(family: type[Component]) -> list[type[Component]]:
    """Members that are part of the package; examples in the documentation add others."""
    return [cls for cls in members(family).values() if cls.__module__.startswith("unweave.")]


MEMBERS = [(family, cls) for family in FAMILIES for cls in own_members(family)]


def room(family: type[Component]) -> ModuleType:
    """The module that exports the members of a family."""
    return importlib.import_module(FAMILIES[family])


def _rates(*texts: str) -> tuple[LearningRate, ...]:
    return tuple(parse(text, LearningRate) for text in texts)


# Fields of which few values of their type make sense, such as rules on factors.
_SCHEDULES = st.sampled_from(
    [parse(text, Schedule) for text in ("linear(start=0, stop=1, steps=9)", "cyclical(steps=5)")]
)
_PRIORS = ("uniform", "log_uniform", "integers", "log_integers")
_FITTING: dict[str, st.SearchStrategy[Any]] = {
    "only.where": st.sampled_from(["index(pos_x) < 3", "scale > 0.6 or shape == 'heart'"]),
    "without.where": st.sampled_from(["pos_y >= 0.9", "shape == 1 and index(scale) == 0"]),
    "correlated.pairs": st.sampled_from([(), (("pos_x", "pos_y"),), (("shape", "scale"),)]),
    "correlated.confounder": st.sampled_from([None, "scale"]),
    "listed.digest": st.sampled_from(["6f1e4c0a93b7d258", 32 * "0a"]),
    "scored.by": st.sampled_from(["mig", "sap", "unsupervised"]),
    "scored.protocol": st.sampled_from(["unweave", "fast", "dlib"]),
    "stored.key": st.sampled_from(["mine", "photos-64", "a_b.c"]),
    "correlated.preset": st.sampled_from([None, "single_2"]),
    "lie_group.sizes": st.sampled_from([(100,), (9,), (25, 4), (4, 9, 16)]),
    "lie_group.latents": st.sampled_from([(10,), (3,), (2, 5), (1, 2, 1)]),
    "pair.encode": st.sampled_from([Kim(), Locatello(kernel=4)]),
    "pair.decode": st.sampled_from([Kim(), Locatello(kernel=4)]),
    "own.encode": st.sampled_from(["models.py:Encoder", "a.b:C.d", "/a b/c.py:D", Kim()]),
    "own.decode": st.sampled_from(["models.py:Decoder", "a:b", Locatello(kernel=4)]),
    "own.encode_options": st.sampled_from(
        [(), (("width", 3), ("rate", 0.5)), (("sizes", (3, 4)), ("name", "relu"), ("bias", True))]
    ),
    "grid.values": st.sampled_from([(1, 2, 4), (0.5, 0.1), (3,)]),
    "choice.values": st.sampled_from([(1, 2, 4), (0.5, 0.1), ("kim", "burgess")]),
    "perturb.factors": st.sampled_from([(2, 0.5), (0.8, 1.0, 1.25)]),
    **{f"{prior}.low": st.sampled_from([1, 2]) for prior in _PRIORS},
    **{f"{prior}.high": st.sampled_from([3, 400]) for prior in _PRIORS},
    "piecewise.values": st.sampled_from([(1.0, 0.5), (0.0, -2.0)]),
    "piecewise.steps": st.sampled_from([(0,), (7,)]),
    "multi_step_lr.milestones": st.sampled_from([(), (5,), (10, 20)]),
    "lambda_lr.schedule": _SCHEDULES,
    "multiplicative_lr.schedule": _SCHEDULES,
    "sequential_lr.rates": st.sampled_from(
        [
            _rates("step_lr(start=1, step_size=5)", "linear_lr(start=0.5)"),
            _rates("lambda_lr(schedule=cyclical(steps=3))", "exponential_lr(start=2, gamma=0.5)"),
        ]
    ),
    "sequential_lr.milestones": st.sampled_from([(3,), (9,)]),
    "chained_lr.rates": st.sampled_from(
        [
            _rates("step_lr(start=1, step_size=5)", "linear_lr(start=1)"),
            _rates("exponential_lr(start=2, gamma=0.5)"),
        ]
    ),
}

# What datasets that are made of others are made of; any two of them nest.
_BASES = st.sampled_from(
    [
        "dsprites",
        "dsprites(grid=(3, 2, 2, 4, 8))",
        "only(data=dsprites, where='scale > 0.6')",
        "subset(data=dsprites(grid=(3, 6, 4, 8, 8)), images=2000, seed=4)",
    ]
).map(parse_dataset)


@st.composite
def instances(draw: st.DrawFn, cls: type[Any]) -> Any:
    """A random instance: some fields left at their default, the others drawn from their type."""
    fields = {}
    for name, (must, values_of_field) in _strategies(cls).items():
        if must or draw(st.booleans()):
            fields[name] = draw(values_of_field)
    try:
        return cls(**fields)
    except (SpecError, DataError):
        # Fields that do not fit together, or images that are not there, each good by itself.
        return draw(st.nothing())


@functools.cache
def _strategies(cls: type[Any]) -> dict[str, tuple[bool, st.SearchStrategy[Any]]]:
    """Whether each field must be given, and its values; strategies are slow to make."""
    hints = field_hints(cls)
    found = {}
    for field in dataclasses.fields(cls):
        whole = DatasetSpec in families(hints[field.name])
        own = _BASES if whole else values(hints[field.name], field.metadata)
        if issubclass(cls, GridArchiveSpec) and field.name == "grid":
            # Of numbers drawn at random, one is nearly always beyond the values of its factor.
            sizes = cls().published_space.sizes
            own = st.none() | st.tuples(*(st.integers(1, size) for size in sizes))
        fitting = _FITTING.get(f"{cls.name}.{field.name}", own)
        found[field.name] = (field.default is dataclasses.MISSING, fitting)
    return found


# Good values of fields that must be given, where the number 1 is none.
_GOOD: dict[str, Any] = {
    "listed.digest": "6f1e4c0a93b7d258",
    "listed.file": "rows.npy",
    "scored.by": "mig",
    "stored.key": "mine",
    "pair.encode": Kim(),
    "pair.decode": Locatello(),
    "own.encode": "models.py:Encoder",
    "own.decode": "models.py:Decoder",
    "grid.values": (1, 2),
    "choice.values": (1, 2),
    **{f"{prior}.high": 2 for prior in _PRIORS},
    "piecewise.values": (0.0, 1.0),
    "piecewise.steps": (1,),
    "delayed.schedule": parse("linear(start=0, stop=1, steps=9)", Schedule),
    "staircase.schedule": parse("linear(start=0, stop=1, steps=9)", Schedule),
    "lambda_lr.schedule": parse("linear(start=0, stop=1, steps=9)", Schedule),
    "multiplicative_lr.schedule": parse("linear(start=0, stop=1, steps=9)", Schedule),
    "multi_step_lr.milestones": (1,),
    "sequential_lr.rates": _rates("step_lr(start=1, step_size=5)", "linear_lr(start=0.5)"),
    "sequential_lr.milestones": (1,),
    "chained_lr.rates": _rates("step_lr(start=1, step_size=5)"),
}


def required(cls: type[Any]) -> dict[str, Any]:
    """Good values of the fields that must be given."""
    hints = field_hints(cls)
    good: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        if field.default is not dataclasses.MISSING:
            continue
        hint = hints[field.name]
        usual = Dsprites() if DatasetSpec in families(hint) else "shape == 1" if hint is str else 1
        good[field.name] = _GOOD.get(f"{cls.name}.{field.name}", usual)
    return good


def values(hint: Any, limits: Any) -> st.SearchStrategy[Any]:
    """Values that a field of this type and range takes."""
    return st.one_of([_values(part, limits) for part in flat(hint)])


def _values(part: Any, limits: Any) -> st.SearchStrategy[Any]:
    origin, args = typing.get_origin(part), typing.get_args(part)
    if part is type(None):
        return st.none()
    if part is bool:
        return st.booleans()
    if part is str:
        return st.text(max_size=20)
    if part is int:
        low = int(limits["low"]) if "low" in limits else -5
        high = int(limits["high"]) if "high" in limits else 10**9
        return st.integers(low, min(low + 3, high)) | st.integers(low, high)
    if part is float:
        return st.floats(
            min_value=limits.get("low", limits.get("above")),
            max_value=limits.get("high", limits.get("below")),
            exclude_min="low" not in limits and "above" in limits,
            exclude_max="high" not in limits and "below" in limits,
            allow_nan=False,
            allow_infinity=False,
        )
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple and args[-1] is Ellipsis:
        return st.lists(values(args[0], limits), max_size=4).map(tuple)
    if origin is tuple:
        return st.tuples(*(values(arg, limits) for arg in args))
    if families(part):
        return st.one_of([instances(cls) for cls in members(part).values()])
    raise NotImplementedError(f"Tell this strategy how to draw values of {part}.")
