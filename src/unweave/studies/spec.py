"""What a study is: which trainings, how they are scored, what is kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal, Self, TypeAlias, final

from unweave import display
from unweave.encoding import Codes, Part
from unweave.errors import SpecError
from unweave.execution import Limits
from unweave.metrics.protocols import DEFAULT
from unweave.objectives.kinds import Kind, kind_of
from unweave.studies.axes import Settings, combined
from unweave.training import TrainConfig

__all__ = ["Keep", "ScoreRequest", "Study"]

Keep: TypeAlias = Literal["scores", "codes", "all"]
"""What stays of a run: its scores and curves; the codes of its images, too; or everything."""

# Values of an axis at most in a notebook.
_SHOWN: Final = 8


@final
@dataclass(frozen=True, kw_only=True)
class ScoreRequest:
    """How each run is scored.

    Attributes:
        metrics: Names; None for what the protocol scores unasked.
        protocol: Whose settings.
        part: Of which images.
        codes: Posterior means or samples.
        seed: Seed of the draws.
        repeats: With how many seeds metrics draw.
        data: Of which dataset: its text, or `held_out` for the images held out of the one that a
            run was trained on. None for that one itself.
        kind: Only runs that train this kind of model are asked; None for all.

    Raises:
        SpecError: A part of other data is asked for.
    """

    metrics: tuple[str, ...] | None = None
    protocol: str = DEFAULT
    part: Part = "all"
    codes: Codes = "mean"
    seed: int = 0
    repeats: int = 1
    data: str | None = None
    kind: Kind | None = None

    def __post_init__(self) -> None:
        """Refuse a part of other data than those that were trained on."""
        if self.data is not None and self.part != "all":
            raise SpecError(
                f"evaluate: part={self.part} is of the data that a run is trained on, and data is "
                f"{self.data}. Leave one of them out."
            )

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON; without `data` where they are those that were trained on.

        Nor has it `kind` where all runs are asked.
        """
        return {
            name: value
            for name, value in asdict(self).items()
            if value is not None or name not in ("data", "kind")
        }

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> Self:
        """Read the form back."""
        names = form["metrics"]
        return cls(**{**form, "metrics": None if names is None else tuple(names)})


@final
@dataclass(frozen=True, kw_only=True)
class Study:
    """A sweep of trainings.

    Attributes:
        name: What it is called; the default name of its folder.
        about: One sentence, or empty.
        settings: Settings of every run, by path, as `fields.config_of` takes them.
        axes: What varies: settings that are combined with those of all other axes.
        scores: How each run is scored.
        plots: Which figures each run gets.
        keep: What stays of a run.
        limits: How often and how long a run is tried.
    """

    name: str
    about: str = ""
    settings: Mapping[str, Any]
    axes: tuple[tuple[Settings, ...], ...] = ()
    scores: tuple[ScoreRequest, ...] = (ScoreRequest(),)
    plots: tuple[str, ...] = ()
    keep: Keep = "all"
    limits: Limits = field(default_factory=Limits)

    def _repr_html_(self) -> str:
        """What its runs have in common, and what varies, for a notebook."""
        varied = [
            (
                ", ".join(dict.fromkeys(name for each in axis for name in each)),
                len(axis),
                "; ".join(", ".join(map(str, each.values())) for each in axis[:_SHOWN])
                + ("; ..." if len(axis) > _SHOWN else ""),
            )
            for axis in self.axes
        ]
        scores = [", ".join(r.metrics or (f"all of {r.protocol}",)) for r in self.scores]
        counted = math.prod(len(axis) for axis in self.axes)
        return display.shown(
            f"Study {self.name}, {counted:,} runs",
            *([display.note(self.about)] if self.about else []),
            display.facts(self.settings),
            display.table(("varies", "values", ""), varied, ("values",)),
            display.facts({"scores": "; ".join(scores), "figures": ", ".join(self.plots)}),
        )

    def combinations(self) -> list[Settings]:
        """The settings of each run, those of every run first.

        Raises:
            SpecError: Two axes set the same field.
        """
        axes = [list(axis) for axis in self.axes]
        return [dict(self.settings) | varied for varied in combined(axes)]

    def asked_of(self, config: TrainConfig) -> tuple[ScoreRequest, ...]:
        """What is asked of one run: all requests but those of other kinds of models."""
        if all(request.kind is None for request in self.scores):
            return self.scores
        kind = kind_of(config.objective.expand())
        return tuple(
            replace(request, kind=None) for request in self.scores if request.kind in (None, kind)
        )

    @property
    def varied(self) -> tuple[str, ...]:
        """Paths of the settings that vary, in the order of the axes."""
        return tuple(
            dict.fromkeys(name for axis in self.axes for settings in axis for name in settings)
        )

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON, from which `from_dict` makes an equal study."""
        return asdict(self) | {"scores": [request.to_dict() for request in self.scores]}

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> Self:
        """Read the form back."""
        fields = dict(form)
        fields["axes"] = tuple(tuple(axis) for axis in form["axes"])
        fields["scores"] = tuple(ScoreRequest.from_dict(request) for request in form["scores"])
        fields["plots"] = tuple(form["plots"])
        fields["limits"] = Limits(**form["limits"])
        return cls(**fields)
