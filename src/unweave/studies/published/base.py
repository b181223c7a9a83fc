"""What a published study is: the trainings of one table or script, under a name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, final

from unweave.conditions import HELD_OUT_DATA, held_out_text
from unweave.data import parse_dataset
from unweave.errors import SpecError
from unweave.presets import Preset
from unweave.studies.axes import Settings
from unweave.studies.published.scaling import scaled
from unweave.studies.spec import Keep, ScoreRequest, Study
from unweave.studies.waiting import waits_for

__all__ = ["PublishedStudy", "requested"]


@final
@dataclass(frozen=True, kw_only=True)
class PublishedStudy:
    """A study of a paper or its code, complete, also where unweave cannot do all of it yet.

    Attributes:
        name: `<source>/<study>`.
        about: One or more sentences.
        source: From whom: authors, year, and arXiv number where there is one.
        settings: Settings of every run, as `fields.config_of` takes them.
        axes: What varies, as in `Study`.
        scores: How each run is scored.
        keep: What stays of a run.
    """

    name: str
    about: str
    source: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    axes: tuple[tuple[Settings, ...], ...]
    scores: tuple[ScoreRequest, ...]
    keep: Keep = "all"

    def __post_init__(self) -> None:
        """Close the settings: all callers share them."""
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))

    @property
    def runs(self) -> int:
        """How many trainings it has."""
        return math.prod(len(axis) for axis in self.axes)

    def study(self, scale: float = 1.0) -> Study:
        """The study, at full length or a multiple of it.

        A scale of 0.01 trains each model for a hundredth of its steps, at least one, with ramps a
        hundredth as long (see `scaled`). The number of runs, of seeds, and the way they are scored
        stay as they are, so that what scoring takes does, too.

        Args:
            scale: Of the lengths of trainings. It is part of the study's name unless it is 1.

        Raises:
            SpecError: The scale is not above 0.
        """
        settings = scaled(self.settings, scale)
        return Study(
            name=self.name.replace("/", "-") + ("" if scale == 1 else f"-x{scale:g}"),
            about=f"{self.about} Source: {self.source}.",
            settings=settings,
            axes=tuple(tuple(scaled(entry, scale) for entry in axis) for axis in self.axes),
            scores=self.scores,
            keep=self.keep,
        )

    def waits_for(self) -> tuple[str, ...]:
        """What it names that unweave does not have yet, such as `architecture kim`.

        Found by reading each text of its settings, so that it becomes shorter by itself.
        """
        return waits_for(self.study())


def requested(entry: Preset) -> tuple[ScoreRequest, ...]:
    """How a preset is scored, as a study asks for it.

    That is of what was trained on, and of what was held out of it, where the preset says so; other
    data differ from run to run, and are left out.
    """
    return tuple(
        ScoreRequest(
            metrics=asked.metrics,
            protocol=asked.protocol,
            data=None if asked.data is None else HELD_OUT_DATA,
        )
        for asked in entry.scoring
        if asked.data is None or asked.data == _held_out(entry.dataset)
    )


def _held_out(dataset: str) -> str | None:
    """Text of what is held out of a dataset, where that is known."""
    try:
        return held_out_text(parse_dataset(dataset))
    except SpecError:
        return None
