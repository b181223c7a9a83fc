"""The complete description of a training run."""

from __future__ import annotations

__all__ = ["TrainConfig"]

import dataclasses
import hashlib
import itertools
import json
import math
import shlex
from collections.abc import Iterable
from typing import Any, ClassVar, Final, Literal, Self, final

from unweave import display, spec
from unweave.data import DatasetSpec
from unweave.errors import DataError, SpecError, nearest
from unweave.likelihoods import Bernoulli, Likelihood
from unweave.nn import Architecture, Burgess
from unweave.objectives import Objective, Setup
from unweave.spec import Component, number, option
from unweave.splits import held_out_count
from unweave.training.optimizers import Adam, Optimizer
from unweave.training.paths import read_value, replaced
from unweave.training.phases import Phase, check_phases
from unweave.training.tracker import logged_names

Precision = Literal["auto", "bfloat16", "float32"]

_SCORED: Final = ("mig",)


@final
class TrainConfig(Component):
    """Everything that determines a run; `config.json` holds its full form.

    `threads`, `device` and `precision` may be automatic until `training.precision.resolve` fixes
    them for the machine at hand.
    """

    name: ClassVar[str] = "train"
    family: ClassVar[str] = "configuration"

    dataset: DatasetSpec = option(help="What is trained on.")
    objective: Objective = option(help="What is minimised.")
    steps: int = number(low=1, help="Optimiser steps.")
    architecture: Architecture = option(default=Burgess(), help="Encoder and decoder.")
    likelihood: Likelihood = option(default=Bernoulli(), help="Distribution of pixels.")
    latents: int = number(default=10, low=1, high=100_000, help="Number of latents.")
    optimizer: Optimizer = option(default=Adam(), help="Optimiser of the model.")
    clip_norm: float | None = number(
        default=None, above=0, later=True, help="Largest norm of a player's gradient."
    )
    clip_value: float | None = number(
        default=None, above=0, later=True, help="Largest size of each number of a gradient."
    )
    ema: float | None = number(
        default=None, low=0, below=1, later=True, help="Decay of a running mean of the weights."
    )
    batch_size: int = number(default=64, low=1, help="Images in a step's reconstruction term.")
    seed: int = number(default=0, low=0, help="Seed of every random stream.")
    holdout: float = number(
        default=0.0, low=0, below=1, help="Fraction of images never trained on."
    )
    init_from: str | None = option(default=None, help="Run whose weights are the start.")
    phases: tuple[Phase, ...] = option(
        default=(), later=True, help="Settings that change in the course of the training."
    )
    threads: int | None = number(default=None, low=1, high=1024, help="Processor threads.")
    device: str = option(default="auto", help="auto, cpu, cuda or cuda:N.")
    precision: Precision = option(default="auto", help="auto, bfloat16 or float32.")
    log_every: int = number(default=50, low=1, help="Steps between lines of metrics.jsonl.")
    checkpoint_every: int = number(default=1000, low=1, help="Steps between checkpoints.")
    snapshot_every: int = number(default=0, low=0, help="Steps between kept weights; 0 for none.")
    evaluate_every: int = number(default=0, low=0, help="Steps between scores; 0 for none.")
    evaluate_metrics: tuple[str, ...] = option(
        default=_SCORED, later=True, help="Metrics of these scores."
    )
    picture_every: int = number(default=0, low=0, help="Steps between pictures; 0 for none.")

    def _repr_html_(self) -> str:
        """What is trained, what is minimised, and all settings, for a notebook."""
        rows = [
            (
                field.name.replace("_", " "),
                _shown(getattr(self, field.name)),
                "" if getattr(self, field.name) == field.default else "set",
                field.metadata["help"],
            )
            for field in dataclasses.fields(self)
        ]
        return display.shown(
            f"{self.objective} on {self.dataset}, {self.steps:,} steps",
            display.folded("objective", self.objective.html(), opened=True),
            display.folded(
                "all settings", display.table(("setting", "value", "", "what it is"), rows)
            ),
            display.folded("command", display.note(self.command)),
        )

    def at(self, step: int) -> Self:
        """The settings of an optimiser step, from 1, without phases.

        Raises:
            SpecError: A phase sets what cannot be.
        """
        if not self.phases:
            return self
        last: dict[str, Any] = {}
        for phase in self.phases:
            if phase.start < step:
                for path, value in phase.changes:
                    # Two paths can lead to one field, of which the later one counts.
                    last.pop(path, None)
                    last[path] = value
        return dataclasses.replace(self, phases=()).changed(last.items())

    def changed(self, changes: Iterable[tuple[str, Any]]) -> Self:
        """The configuration with other values of fields by path, such as `objective.beta`.

        Raises:
            SpecError: There is no such field, or it does not take its value, or they do not fit
                together.
        """
        form: dict[str, Any] = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        hints = spec.field_hints(type(self))
        for path, value in changes:
            head, *rest = path.split(".")
            if head not in form:
                raise SpecError(f"There is no setting {path!r:.100}. {nearest(head, form)}")
            if rest:
                form[head] = replaced(form[head], rest, value, path)
            else:
                form[head] = read_value(value, hints[head])
        return spec.build(type(self), form)

    @property
    def last(self) -> Self:
        """The settings of the last step, which are those of the weights that a run ends with."""
        return self.at(self.steps)

    @property
    def lr_changes(self) -> bool:
        """Whether the model's learning rate is not the same in all steps."""
        paths = [path for phase in self.phases for path, _ in phase.changes]
        return self.optimizer.rate is not None or "optimizer.lr" in paths

    def spans(self, done: int = 0) -> list[tuple[int, int]]:
        """The steps that are left, cut where phases begin: (steps before, last step) of each."""
        inner = [phase.start for phase in self.phases if done < phase.start < self.steps]
        ends = [done, *inner, self.steps]
        return [(start, stop) for start, stop in itertools.pairwise(ends) if start < stop]

    @property
    def address(self) -> str:
        """SHA-256 of the full form: the run's content address, 64 hexadecimal digits.

        Fields that came later count where they are not at their default, so that the addresses of
        earlier runs stay.
        """
        form = json.dumps(spec.identity(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(form.encode()).hexdigest()

    @property
    def default_name(self) -> str:
        """Name of the run's folder when none is given."""
        return f"{self.dataset.name}-{self.objective.method_name}-{self.address[:8]}"

    @property
    def num_train(self) -> int:
        """Number of images trained on."""
        count = self.dataset.count
        return count - held_out_count(count, self.holdout)

    @property
    def setup(self) -> Setup:
        """What the objective may look at before there are weights.

        Raises:
            DataError: Images or factors depend on files that are not there.
        """
        dataset = self.dataset
        return Setup(
            architecture=self.architecture,
            image_shape=dataset.image_shape,
            latents=self.latents,
            batch_size=self.batch_size,
            dataset=str(dataset),
            factors=dataset.factor_space if dataset.labelled else None,
            whole=dataset.whole_space if dataset.labelled else None,
        )

    @property
    def scored_metrics(self) -> tuple[str, ...]:
        """Names of the metrics that are scored on the way; none without `evaluate_every`."""
        return self.evaluate_metrics if self.evaluate_every else ()

    def steps_of(self, epochs: float) -> int:
        """Optimiser steps in which every training image is seen so many times.

        Raises:
            SpecError: The number of epochs is no number, or not positive.
        """
        if not isinstance(epochs, int | float):
            raise SpecError(f"train: epochs takes a number, not {epochs!r}.")
        if not 0 < epochs < math.inf:
            raise SpecError(f"train: epochs must be more than 0, but is {epochs:g}.")
        try:
            return math.ceil(epochs * self.num_train / self.batch_size)
        except OverflowError:
            raise SpecError(
                "train: epochs is larger than any number of steps can be. Give fewer."
            ) from None

    def texts(self) -> dict[str, str]:
        """Short texts of the components."""
        names = ("dataset", "objective", "architecture", "likelihood", "optimizer")
        return {name: str(getattr(self, name)) for name in names}

    @property
    def command(self) -> str:
        """The command line that trains this run again."""
        words = ["unweave", "train", str(self.dataset), str(self.objective)]
        words += ["--steps", str(self.steps)]
        hints = spec.field_hints(type(self))
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name not in ("dataset", "objective", "steps") and value != field.default:
                words.append(f"--{field.name.replace('_', '-')}")
                if field.name == "evaluate_metrics":
                    words.append(",".join(value))
                elif isinstance(value, tuple):
                    words.append(spec.value_text(value, hints[field.name]))
                else:
                    words.append(str(value))
        return shlex.join(words)

    @classmethod
    def from_dict(cls, form: dict[str, Any]) -> Self:
        """Read the full form back.

        Raises:
            SpecError: A field is missing, unknown or wrong.
        """
        families: dict[str, type[Component]] = {
            "dataset": DatasetSpec,
            "architecture": Architecture,
            "likelihood": Likelihood,
            "optimizer": Optimizer,
        }
        fields = {key: value for key, value in form.items() if key != "type"}
        for key, family in families.items():
            if key in fields:
                fields[key] = spec.from_dict(fields[key], family)
        if "objective" in fields:
            fields["objective"] = Objective.from_dict(fields["objective"])
        if "phases" in fields:
            fields["phases"] = tuple(spec.from_dict(phase, Phase) for phase in fields["phases"])
        return spec.build(cls, fields)

    def validate(self) -> None:
        """Refuse what cannot be trained, before any work starts."""
        plan = self.objective.expand()
        if self.batch_size < plan.min_batch:
            raise SpecError(
                f"train: batch_size must be at least {plan.min_batch} for {self.objective}, "
                f"which compares images, but is {self.batch_size}."
            )
        self._check_normalised(self.architecture.min_batch)
        if self.evaluate_every:
            plan.check_encodes("train: evaluate_every")
        if self.evaluate_metrics != _SCORED and not self.evaluate_every:
            raise SpecError(
                "train: evaluate_metrics says what is scored in the course of the training, and "
                "nothing says how often. Give evaluate_every, too."
            )
        if not self.evaluate_metrics:
            raise SpecError("train: evaluate_metrics is empty. Give names such as mig.")
        if "mig" in self.scored_metrics and self.latents < 2:
            raise SpecError(
                f"train: evaluate_every scores MIG, which compares two latents, but latents is "
                f"{self.latents}. Leave it at 0, take more latents, or name other metrics: "
                "evaluate_metrics."
            )
        if "mig" in self.scored_metrics and not self.labelled:
            raise SpecError(
                f"train: evaluate_every scores MIG, which needs factors, and those of "
                f"{self.dataset} are not known. Leave it at 0, or name metrics that need none: "
                "evaluate_metrics, such as unsupervised."
            )
        try:
            shape, images = self.dataset.image_shape, self.num_train
        except DataError:
            # The images are gone, or not there yet: a run can be looked at all the same, and
            # whatever needs images says so.
            return
        self.architecture.check(shape, self.latents)
        self._check_normalised(self.architecture.min_batch_for(shape, self.latents))
        plan.check(self.setup)
        if self.batch_size > images:
            raise SpecError(
                f"train: batch_size {self.batch_size} is more than the {images} images of "
                f"{self.dataset} to train on. Give a smaller one: --batch-size, in Python "
                "batch_size."
            )
        if plan.needs.labelled is not None:
            plan.needs.labelled.check(images)
        rate = self.optimizer.rate
        if rate is not None:
            changes = rate.changes(self.steps, images, self.batch_size)
            scores = [f"scores/{name}" for name in self.scored_metrics]
            rate.check([*logged_names(plan, self.latents), *scores], changes)
        check_phases(self)

    def _check_normalised(self, least: int) -> None:
        """Refuse a batch that the architecture cannot normalise over."""
        if self.batch_size < least:
            raise SpecError(
                f"train: batch_size must be at least {least} for {self.architecture}, which "
                f"normalises over the batch, but is {self.batch_size}."
            )

    @property
    def labelled(self) -> bool:
        """Whether factors of the dataset are known, or cannot be told yet."""
        try:
            return self.dataset.labelled
        except DataError:
            return True


def _shown(value: Any) -> str:
    """A setting as people read it."""
    if value is None or value == ():
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
