"""A population from names, texts and numbers."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

from unweave.data import Dataset, DatasetSpec
from unweave.errors import SpecError
from unweave.objectives import Objective
from unweave.population.exploit import Exploit
from unweave.population.explore import Explore
from unweave.population.fitness import Fitness, parse_fitness
from unweave.population.priors import Choice, Prior
from unweave.population.spec import Population
from unweave.population.stop import StopRule
from unweave.population.tuned import WEIGHTS, Tuned, usual, within
from unweave.settings import make_config
from unweave.spec import Component, build, parse, parse_tuple
from unweave.training import TrainConfig

__all__ = ["given_paths", "images_of", "make_population", "not_given", "parse_tuned", "usual_of"]

C = TypeVar("C", bound=Component)

_EXAMPLE: Final = "optimizer.lr=log_uniform(low=1e-5, high=0.1)"


def make_population(
    dataset: Dataset | DatasetSpec | str,
    objective: Objective | str,
    fitness: Fitness | str = "mig",
    *,
    members: int = 8,
    rounds: int = 10,
    steps: int | None = None,
    images: int | None = None,
    passes: float | None = None,
    least: int = 1,
    models: int | None = None,
    tune: Sequence[Tuned | str] | None = None,
    fit_batches: bool = False,
    exploit: Exploit | str = "truncation",
    explore: Explore | str = "perturb",
    stop: Sequence[StopRule] | str = (),
    seed: int = 0,
    further: dict[str, Any] | None = None,
    **settings: Any,
) -> Population:
    """The population that is described so, checked.

    Args:
        dataset: What is trained on.
        objective: What each model minimises.
        fitness: What members are ranked by: a fitness, or its text, such as `mig(labels=1000)`.
        members: How many there are.
        rounds: How many rounds at most.
        steps: Optimiser steps of a round.
        images: Instead of steps: images that a model is trained on in a round.
        passes: Instead of either: how often every training image is seen in a round, on average;
            once by default.
        least: Images that a model is trained on in a round at least, where passes are counted.
        models: Models of a member; None for what is usual of the fitness.
        tune: Tuned fields, or texts such as `optimizer.lr=log_uniform(low=1e-5, high=0.1)`; None
            for the learning rate, the weight of the objective that is called beta, or else gamma,
            and, where rounds are counted in images, the batch size; whichever of these the
            settings or the objective give is not tuned.
        fit_batches: Whether tuned batch sizes leave out those of more images than there are.
        exploit: Who takes whose weights.
        explore: How tuned fields of copies change.
        stop: What ends it before its last round; a text of one rule or a tuple of rules.
        seed: Seed of every draw.
        further: Other fields of `Population`, such as `shrink`, `share` and `keep`.
        **settings: Of the trainings, as `unweave.train` takes them.

    Raises:
        SpecError: Something in it is wrong.
    """
    config = make_config(dataset, objective, steps=1, **{"seed": seed, "threads": 1} | settings)
    if steps is None and images is None:
        images = max(least, images_of(1.0 if passes is None else passes, config.num_train))
    elif passes is not None:
        raise SpecError("Give one of steps, images and passes of a round, not two of them.")
    fitness = parse_fitness(fitness) if isinstance(fitness, str) else fitness
    if tune is None:
        tuned = usual_of(config, batch_size=steps is None)
        tuned = not_given(tuned, given_paths(objective, settings))
        tuned = tuple(_fitting(field, config) for field in tuned)
    else:
        tuned = tuple(parse_tuned(one) if isinstance(one, str) else one for one in tune)
        for field in tuned:
            _check_path(field, config)
    if fit_batches:
        tuned = tuple(within(field, config.num_train) for field in tuned)
    fields: dict[str, Any] = {
        "config": config,
        "tuned": tuned,
        "fitness": fitness,
        "members": members,
        "models": fitness.usual_models if models is None else models,
        "rounds": rounds,
        "steps": steps,
        "images": images,
        "exploit": parse(exploit, Exploit) if isinstance(exploit, str) else exploit,
        "explore": parse(explore, Explore) if isinstance(explore, str) else explore,
        "stop": parse_tuple(stop, StopRule) if isinstance(stop, str) else tuple(stop),
        "seed": seed,
    }
    return build(Population, fields | (further or {}))


def images_of(passes: float, images: int) -> int:
    """How many images a model is trained on in so many passes over all.

    Raises:
        SpecError: The number of passes is not positive.
    """
    if not 0 < passes < math.inf:
        raise SpecError(f"passes must be more than 0, but is {passes:g}.")
    return max(1, math.ceil(passes * images))


def parse_tuned(text: str) -> Tuned:
    """Read a tuned field, such as `optimizer.lr=log_uniform(low=1e-5, high=0.1)`.

    The long form is read too: `tuned(path='batch_size', prior=grid(values=(8, 16)), high=64)`.

    Raises:
        SpecError: It is neither.
    """
    path, equals, prior = (part.strip() for part in text.partition("="))
    if "(" in path:
        found = parse(text, Tuned)
        assert isinstance(found, Tuned)
        return found
    if not (path and equals and prior):
        raise SpecError(
            f"A tuned field is written as PATH=PRIOR, such as {_EXAMPLE}, not {text!r:.100}."
        )
    return build(Tuned, {"path": path, "prior": parse(prior, Prior)})


def usual_of(config: TrainConfig, *, batch_size: bool) -> tuple[Tuned, ...]:
    """The fields that are tuned of a training where nobody says which, and nothing is given.

    Args:
        config: The training.
        batch_size: Whether the batch size is one of them.
    """
    return usual(_weights(config), batch_size=batch_size)


def given_paths(objective: Objective | str | None, settings: Mapping[str, Any]) -> frozenset[str]:
    """Which of the fields that are usually tuned somebody has given a value, by path.

    Of a text those count that stand in it, of an objective or an optimiser those that are not at
    their default.

    Args:
        objective: What is minimised; None where nobody says.
        settings: Settings of the trainings, as `make_population` takes them.
    """
    found = {name for name in ("batch_size",) if settings.get(name) is not None}
    if settings.get("lr") is not None or _says(settings.get("optimizer"), "lr"):
        found.add("optimizer.lr")
    found |= {f"objective.{name}" for name in WEIGHTS if _says(objective, name)}
    return frozenset(found)


def not_given(tuned: Sequence[Tuned], given: frozenset[str]) -> tuple[Tuned, ...]:
    """Tuned fields without those that somebody has given a value.

    Raises:
        SpecError: Nothing is left.
    """
    left = tuple(field for field in tuned if field.path not in given)
    if not left:
        raise SpecError(
            f"Nothing is left to tune, since {', '.join(field.path for field in tuned)} has a "
            f"value that is given. Say what is tuned, such as {_EXAMPLE}, or leave a value out."
        )
    return left


def _says(given: Any, name: str) -> bool:
    """Whether a text, a component or an objective gives a field of its first item a value."""
    if isinstance(given, str):
        node: ast.expr | None = None
        # Whoever reads the text refuses one that is none.
        failures = (SyntaxError, ValueError, RecursionError, MemoryError)
        with contextlib.suppress(*failures), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            node = ast.parse(given.strip(), mode="eval").body
        while isinstance(node, ast.BinOp):
            node = node.left
        return isinstance(node, ast.Call) and any(word.arg == name for word in node.keywords)
    if isinstance(given, Objective):
        given = given.items[0]
    if not isinstance(given, Component):
        return False
    fields = {field.name: field for field in dataclasses.fields(given)}
    return name in fields and getattr(given, name) != fields[name].default


def _weights(config: TrainConfig) -> list[str]:
    """The weight of the objective's method that says most: beta, or gamma where there is none.

    One that has a schedule is not tuned.
    """
    method = config.objective.items[0]
    found = [name for name in WEIGHTS if hasattr(method, name)][:1]
    return [name for name in found if isinstance(getattr(method, name), float)]


def _check_path(tuned: Tuned, config: TrainConfig) -> None:
    """Refuse a path that is no setting but the name of a field of one.

    Raises:
        SpecError: It is; other wrong paths are told by the configuration.
    """
    name = tuned.path
    if name in {field.name for field in dataclasses.fields(config)}:
        return
    method, *terms = config.objective.items
    owners: dict[str, Any] = {
        "optimizer": config.optimizer,
        "objective": method,
        **{f"objective.{term.name}": term for term in terms},
        "likelihood": config.likelihood,
        "architecture": config.architecture,
    }
    paths = [
        f"{head}.{name}"
        for head, owner in owners.items()
        if name in {field.name for field in dataclasses.fields(owner)}
    ]
    if paths:
        raise SpecError(
            f"{name} is no setting of a training. Did you mean {' or '.join(paths)}? Write for "
            f"instance {paths[0]}={tuned.prior}."
        )


def _fitting(tuned: Tuned, config: TrainConfig) -> Tuned:
    """A usual tuned field without values that this training cannot have."""
    choices = tuned.prior.choices
    if choices is None:
        return tuned
    kept = []
    for value in choices:
        try:
            config.changed([(tuned.path, value)])
        except SpecError:
            continue
        kept.append(value)
    if not kept:
        raise SpecError(f"No value of {tuned.prior} fits {tuned.path}: say with tune what does.")
    return dataclasses.replace(tuned, prior=Choice(values=tuple(kept)))
