"""`unweave population run`."""

from __future__ import annotations

__all__ = ["PopulationRun"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, final

from tyro.conf import arg

from unweave.cli.common import Flag, Float, Int, Text, names_of, say, to_number
from unweave.cli.population import PopulationDriving

if TYPE_CHECKING:
    from unweave.population import Population, PopulationFolder

_Texts = Annotated[tuple[str, ...], arg(metavar="TEXT ...", help_behavior_hint="")]


# Flags whose messages would name them otherwise, and what they are at least.
_COUNTS: Final = {
    "population": 2,
    **dict.fromkeys(("steps_per_round", "images_per_round", "rounds", "models", "shrink"), 1),
}


@dataclass(kw_only=True)
class _Asked:
    """What the population is; help lists these flags before those that say where it is trained."""

    data: Text = None
    """What to train on, such as dsprites or "dsprites(grid=(3, 6, 10, 8, 8))"."""

    objective: Text = None
    """What each model minimises, such as beta_tcvae."""

    preset: Text = None
    """Published settings: rpu/x_run, rpu/leaf_run, rpu/final or "rpu/reference(labels=1000)"."""

    scale: Float = None
    """Of a preset: length of its rounds, from 0 to 1."""

    fitness: Text = None
    """What ranks members: a metric, as "mig(labels=1000)" (default mig), udr or leaf_mig."""

    population: Int = None
    """Members at first (default 8)."""

    models: Int = None
    """Models of a member (default: 1, or 5 for udr)."""

    rounds: Int = None
    """Rounds at most (default 10)."""

    steps_per_round: Int = None
    """Optimiser steps of a round; or --images-per-round."""

    images_per_round: Int = None
    """Instead of --steps-per-round: images that a model sees in a round (default: each once)."""

    budget_hours: Float = None
    """Instead of --rounds: as many as fit into so many hours of training, by a measured step."""

    tune: _Texts = ()
    """Tuned fields with their priors, such as "optimizer.lr=log_uniform(low=1e-5, high=0.1)"
    "batch_size=grid(values=(32, 64, 128))" (default: learning rate, beta or gamma, and the batch
    size where rounds are counted in images; without those that are given a value)."""

    exploit: Text = None
    """Who takes whose weights: "truncation(fraction=0.2)" (default), or none for random search."""

    explore: Text = None
    """How tuned fields of copies change: "perturb(factors=(0.8, 1.25))" (default) or pb2."""

    stop: Text = None
    """What ends it before its last round, such as "plateau(patience=6, change=0.005)"."""

    shrink: Int = None
    """What the number of members is divided by after the first round (default 1)."""

    asynchronous: Flag = False
    """Let members go on without waiting for each other; the table then depends on their speed."""

    share: Float = None
    """Share of the images whose labels judge the best member alone (default 0.2)."""

    metrics: Text = None
    """What the best member is scored by at the end, with commas (default mig,dci)."""

    protocol: Text = None
    """Protocol of these metrics (default fast)."""

    keep: Annotated[
        Literal["best", "all"] | None, arg(metavar="{best,all}", help_behavior_hint="")
    ] = None
    """Which runs stay: those of the last round and of the best member (default), or all."""

    seed: Int = None
    """Seed of every draw (default 0)."""

    batch_size: Int = None
    """Images in a step's reconstruction term, where it is not tuned (default 64)."""

    lr: Float = None
    """Learning rate of Adam, where it is not tuned (default 0.0005)."""

    latents: Int = None
    """Number of latents (default 10)."""

    architecture: Text = None
    """Encoder and decoder by name (default burgess)."""

    likelihood: Text = None
    """bernoulli (default), gaussian or laplace, with fields if need be."""

    optimizer: Text = None
    """Optimiser with its fields, such as "adam(beta1=0.5)"."""

    threads: Int = None
    """Processor threads of a member (default 1)."""

    device: Text = None
    """auto (default), cpu, cuda or cuda:N."""

    precision: Text = None
    """auto (default: bfloat16 where the processor has it, but for compat), bfloat16, float32."""

    checkpoint_every: Int = None
    """Steps between checkpoints within a round (default 1000)."""

    out: Text = None
    """Folder of the population (default: runs/population-NAME, or under UNWEAVE_RUNS)."""


@final
@dataclass(kw_only=True)
class PopulationRun(PopulationDriving, _Asked):
    """Train a population, of which bad members become copies of good ones after each round.

    For instance: unweave population run --data dsprites --objective beta_tcvae --fitness mig.
    The same command goes on with a population that was stopped, or that was killed; so does
    `unweave population resume`. With more rounds it goes on after its last one.
    """

    def run(self) -> int:
        """Describe the population and carry it out."""
        from pathlib import Path

        from unweave.population import PopulationFolder
        from unweave.rundir import runs_root

        hours: float | None = to_number("--budget-hours", self.budget_hours, float)
        self.where()
        population = self._population(hours)
        place = Path(self.out) if self.out else runs_root() / _name(population)
        if hours is not None:
            population = self._budgeted(population, hours, PopulationFolder(place))
        return self.drive(population, place)

    def _population(self, hours: float | None) -> Population:
        from unweave.errors import SpecError
        from unweave.population import make_population

        for one, other in (("rounds", "budget_hours"), ("steps_per_round", "images_per_round")):
            if getattr(self, one) is not None and getattr(self, other) is not None:
                raise SpecError(f"Give either {_flag(one)} or {_flag(other)}, not both.")
        if self.scale is not None and self.preset is None:
            raise SpecError("--scale is of a --preset; rounds have --steps-per-round, too.")
        arguments, given = self._arguments()
        population = make_population(**arguments)
        self._say_untuned(population, given)
        return population

    def _say_untuned(self, population: Population, given: frozenset[str]) -> None:
        """Say which fields are not tuned, since they have been given a value."""
        from unweave.population.making import usual_of
        from unweave.population.presets import population_preset

        if self.tune:
            return
        usual = usual_of(population.config, batch_size=population.steps is None)
        if self.preset is not None:
            usual = population_preset(self.preset).arguments["tune"]
        paths = [field.path for field in usual if field.path in given]
        if paths:
            values = "have values that are" if len(paths) > 1 else "has a value that is"
            say(f"{' and '.join(paths)} {values} given, and will not be tuned.")

    def _arguments(self) -> tuple[dict[str, Any], frozenset[str]]:
        """Those of `make_population`: what is given, over those of the preset.

        And paths of fields that are often tuned and have been given a value.
        """
        from unweave.errors import SpecError
        from unweave.population.making import given_paths, not_given
        from unweave.population.presets import population_preset

        own: dict[str, Any] = {}
        if self.preset is not None:
            scale = self._number("scale", float)
            own = dict(population_preset(self.preset, 1.0 if scale is None else scale).arguments)
        given = self._given()
        if given.keys() & {"steps", "images"}:
            own.pop("passes", None)
        if "lr" in given:
            own.pop("optimizer", None)
        paths = given_paths(given.get("objective"), given)
        if "tune" in own and "tune" not in given:
            own["tune"] = not_given(own["tune"], paths)
        further = {**own.pop("further", {}), **given.pop("further")}
        arguments = {**own, **given, "further": further}
        for name, flag in (("dataset", "--data"), ("objective", "--objective")):
            if name not in arguments:
                raise SpecError(
                    f"{flag} is missing. Write for instance: unweave population run --data "
                    "dsprites --objective beta_tcvae; or name a --preset."
                )
        return arguments, paths

    def _given(self) -> dict[str, Any]:
        """What is given on the command line."""
        names = {"data": "dataset", "objective": "objective", "fitness": "fitness"}
        names |= {name: name for name in ("exploit", "explore", "stop", "likelihood")}
        names |= {name: name for name in ("architecture", "optimizer", "device", "precision")}
        found = {own: getattr(self, flag) for flag, own in names.items()}
        whole = {"population": "members", "steps_per_round": "steps", "images_per_round": "images"}
        own = ("models", "rounds", "seed", "batch_size", "latents", "threads", "checkpoint_every")
        whole |= {name: name for name in own}
        found |= {own: self._number(flag, int) for flag, own in whole.items()}
        found |= {"lr": self._number("lr", float), "tune": self.tune or None}
        further = {
            "shrink": self._number("shrink", int),
            "share": self._number("share", float),
            "metrics": names_of(self.metrics),
            "protocol": self.protocol,
            "asynchronous": self.asynchronous or None,
            "keep": self.keep,
        }
        return _given(found) | {"further": _given(further)}

    def _number(self, name: str, kind: type[int] | type[float]) -> Any:
        """What a flag gives, or None.

        Raises:
            SpecError: It is no number, or a count that is too small.
        """
        from unweave.errors import SpecError

        value = to_number(_flag(name), getattr(self, name), kind)
        if value is not None and name in _COUNTS and value < _COUNTS[name]:
            raise SpecError(f"{_flag(name)} must be at least {_COUNTS[name]}, but is {value}.")
        return value

    def _budgeted(
        self, population: Population, hours: float, place: PopulationFolder
    ) -> Population:
        """The population with as many rounds as the budget has; counted once, and remembered."""
        import dataclasses

        from unweave.population.costs import rounds_of_budget
        from unweave.population.running import check_folder

        population.check()
        if place.exists:
            rounds = place.population().rounds
        else:
            check_folder(place, population)
            workers = self.workers_for(population.threads)
            rounds = rounds_of_budget(population, hours, workers)
        return dataclasses.replace(population, rounds=rounds)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _name(population: Population) -> str:
    """Name of the folder when none is given: the same for the same population."""
    import hashlib
    import json

    from unweave.spec import to_dict

    form = to_dict(population)
    for name in ("rounds", "keep"):
        del form[name]
    digest = hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()[:8]
    config = population.config
    return f"population-{config.dataset.name}-{config.objective.method_name}-{digest}"


def _given(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}
