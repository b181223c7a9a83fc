"""What a population is: which trainings, what is tuned, by which rules, for how long."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar, Final, Literal, Self, TypeAlias, final

from unweave import spec
from unweave.errors import SpecError
from unweave.metrics.protocols import metrics_of, protocol
from unweave.population.evolve import first_round
from unweave.population.exploit import Exploit, Truncation
from unweave.population.explore import Explore, Perturb
from unweave.population.fitness import Fitness
from unweave.population.split import LabelSplit
from unweave.population.stop import StopRule
from unweave.population.table import Hyper
from unweave.population.tuned import WEIGHTS, Tuned, check_tuned
from unweave.spec import Component, number, option
from unweave.training import TrainConfig
from unweave.training.phases import PHASED, Phase

__all__ = ["Keep", "Population"]

Keep: TypeAlias = Literal["best", "all"]
"""Which runs stay: that of the best member so far with those of the last round, or all."""

_MACHINE: Final = "it says how members are trained here, and not what comes of it"
_LOOKS: Final = "it says when a training is looked at, and not what comes of it"
# Settings that are the same for all members, or that a population sets itself.
_NOT_TUNED: Final = {
    **dict.fromkeys(("seed", "steps", "phases"), "rounds and members set it"),
    **dict.fromkeys(("dataset", "holdout"), "members are compared by the same images"),
    "init_from": "weights come from members, or are new",
    **dict.fromkeys(("threads", "device", "precision"), _MACHINE),
    **dict.fromkeys(
        (
            "log_every",
            "checkpoint_every",
            "snapshot_every",
            "evaluate_every",
            "evaluate_metrics",
            "picture_every",
        ),
        _LOOKS,
    ),
}


@final
class Population(Component):
    """Trainings in rounds, between which bad members become copies of good ones.

    References:
        | Population Based Training of Neural Networks (Jaderberg et al., 2017)
        | https://arxiv.org/abs/1711.09846
    """

    name: ClassVar[str] = "population"
    family: ClassVar[str] = "population"

    config: TrainConfig = option(help="What every member is trained with but for tuned fields.")
    tuned: tuple[Tuned, ...] = option(help="Fields that differ from member to member.")
    fitness: Fitness = option(help="What members are ranked by.")
    members: int = number(low=2, high=10_000, help="How many members there are at first.")
    models: int = number(default=1, low=1, high=1000, help="How many models a member has.")
    rounds: int = number(low=1, high=100_000, help="How many rounds there are at most.")
    steps: int | None = number(default=None, low=1, help="Optimiser steps of a round.")
    images: int | None = number(
        default=None, low=1, help="Instead of steps: images that a model is trained on in a round."
    )
    exploit: Exploit = option(default=Truncation(), help="Who takes whose weights.")
    explore: Explore = option(default=Perturb(), help="How tuned fields of copies change.")
    stop: tuple[StopRule, ...] = option(default=(), help="What ends it before its last round.")
    shrink: int = number(
        default=1, low=1, help="What the number of members is divided by after the first round."
    )
    share: float = number(
        default=0.2, low=0, below=1, help="Share of the images that judge the best member alone."
    )
    metrics: tuple[str, ...] = option(
        default=("mig", "dci"), help="What the best member is scored by at the end."
    )
    protocol: str = option(default="fast", help="Whose settings these metrics have.")
    seed: int = number(default=0, low=0, help="Seed of every draw.")
    keep: Keep = option(default="best", help="Which runs stay: best or all.")
    asynchronous: bool = option(
        default=False,
        help="Whether no member waits for others; the table then depends on their speed.",
    )

    def __post_init__(self) -> None:
        """Give members a thread where nobody says how many: several are trained side by side."""
        super().__post_init__()
        if self.config.threads is None:
            object.__setattr__(self, "config", dataclasses.replace(self.config, threads=1))

    def validate(self) -> None:
        """Refuse what cannot be carried out, before any work starts."""
        check_tuned(self.tuned)
        if (self.steps is None) == (self.images is None):
            raise SpecError("A population takes either steps or images of a round.")
        if self.members // self.shrink < 1:
            raise SpecError(
                f"A population of {self.members} that shrinks by {self.shrink} has no member left."
            )
        if self.asynchronous and self.shrink > 1:
            raise SpecError(
                "An asynchronous population cannot shrink: its members end the first round one by "
                "one. Leave out shrink, or asynchronous."
            )
        if self.config.phases:
            raise SpecError("A population changes settings between rounds: leave phases out.")
        if self.config.holdout:
            raise SpecError(
                "Members have seeds of their own, and would each hold out other images: leave "
                "holdout out. The population keeps some from its fitness by share."
            )
        for tuned in self.tuned:
            why = _NOT_TUNED.get(tuned.path.partition(".")[0])
            if why is not None:
                raise SpecError(f"{tuned.path} cannot be tuned: {why}.")
            for value in _extremes(tuned):
                try:
                    self.config.changed([(tuned.path, value)])
                    _check_weight(tuned.path, value)
                except SpecError as error:
                    raise SpecError(f"{tuned.path} can become {value}: {error}") from error

    def check(self) -> None:
        """Refuse a fitness that cannot be measured, and images that cannot be had.

        Raises:
            SpecError: The fitness does not fit models or dataset.
            DataError: The dataset, or a file of the fitness, cannot be had.
        """
        metrics_of(protocol(self.protocol), self.metrics)
        self.config.dataset.check_loadable()
        for task in first_round(self.tuned, members=self.members, seed=self.seed):
            try:
                self.first(task.hyper, task.seed, rounds=1)
                if self.config.optimizer.rate is not None:
                    self.first(task.hyper, task.seed, rounds=self.rounds)
            except SpecError as error:
                values = ", ".join(f"{path}={value}" for path, value in task.hyper.items())
                raise SpecError(
                    f"Member {task.member} cannot be trained with {values}: {error} Take priors "
                    "that draw nothing of the kind, such as choice(values=(...)), or fewer rounds "
                    "where its learning rate ends too early."
                ) from error
        self.fitness.check(self.config, self.models, self.split)

    @property
    def split(self) -> LabelSplit:
        """Which images' labels the fitness may read, and which judge the best member."""
        return self.fitness.split_of(self.config.dataset.count, self.seed, self.share)

    @property
    def judged(self) -> bool:
        """Whether the best member is scored at the end: some images with labels are kept apart."""
        return bool(self.metrics) and self.share > 0 and self.config.dataset.labelled

    @property
    def threads(self) -> int:
        """With how many threads a member is trained and scored."""
        assert self.config.threads is not None
        return self.config.threads

    @cached_property
    def lasting(self) -> frozenset[str]:
        """Paths of tuned fields that a model keeps for good, such as its number of latents."""
        return frozenset(t.path for t in self.tuned if not self._can_change(t))

    def first(self, hyper: Hyper, seed: int, *, rounds: int) -> TrainConfig:
        """The configuration of a model with new weights that trains for some rounds alone.

        Args:
            hyper: Values of the tuned fields, by their paths.
            seed: Of first weights, batches and held-out images.
            rounds: How long it trains.

        Raises:
            SpecError: Nothing can be trained so.
        """
        steps = rounds * self.steps_of(hyper)
        return self.config.changed([*hyper.items(), ("seed", seed), ("steps", steps)])

    def _can_change(self, tuned: Tuned) -> bool:
        if tuned.path.partition(".")[0] not in PHASED:
            return False
        one, other = _extremes(tuned)[0], _extremes(tuned)[-1]
        try:
            base = dataclasses.replace(self.config, steps=2, phases=())
            phase = Phase(start=1, changes=((tuned.path, other),))
            dataclasses.replace(base.changed([(tuned.path, one)]), phases=(phase,))
        except SpecError:
            return False
        return True

    def steps_of(self, hyper: Hyper) -> int:
        """Optimiser steps of a round of a member."""
        if self.steps is not None:
            return self.steps
        assert self.images is not None
        return max(1, math.ceil(self.images / self.batch_size_of(hyper)))

    def batch_size_of(self, hyper: Hyper) -> int:
        """Images in a step of a member."""
        return int(hyper.get("batch_size", self.config.batch_size))

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> Self:
        """Read the full form back.

        Raises:
            SpecError: A field is missing, unknown or wrong.
        """
        fields = {name: value for name, value in form.items() if name != "type"}
        config = TrainConfig.from_dict(dict(fields.pop("config")) | {"type": "train"})
        families: dict[str, type[Component]] = {
            "fitness": Fitness,
            "exploit": Exploit,
            "explore": Explore,
        }
        for name, family in families.items():
            fields[name] = spec.from_dict(fields[name], family)
        for name, family in (("tuned", Tuned), ("stop", StopRule)):
            fields[name] = tuple(spec.from_dict(part, family) for part in fields[name])
        return spec.build(cls, {"config": config} | fields)


def _check_weight(path: str, value: Any) -> None:
    """Refuse a weight below zero, which some methods take, and with which no minimum is found."""
    head, _, last = path.rpartition(".")
    number = isinstance(value, int | float)
    if head.startswith("objective") and last in WEIGHTS and number and value < 0:
        raise SpecError(f"{last} must be at least 0: below it, what it weighs would be enlarged.")


def _extremes(tuned: Tuned) -> list[Any]:
    """The values of a field that are likeliest refused: its ends, or all of its choices."""
    if tuned.prior.choices is not None:
        return list(tuned.prior.choices)
    ends = tuned.prior.ends
    assert ends is not None
    whole = tuned.prior.whole
    # A field without bounds may become what cannot be trained, and its member is then replaced.
    limits = tuned.limits if tuned.bounded else (tuned.low, tuned.high)
    values = [*ends, *(end for end in limits if end is not None and math.isfinite(end))]
    return [int(value) if whole else float(value) for value in sorted(set(values))]
