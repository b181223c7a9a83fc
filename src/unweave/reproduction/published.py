"""What was published: numbers of trainings, where they are printed, and what trains them."""

from __future__ import annotations

__all__ = ["HELD_OUT", "LeftOut", "PublishedValue", "Row", "Source", "config_of"]

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, final

from unweave.conditions import HELD_OUT_DATA
from unweave.presets import Preset, preset
from unweave.settings import make_config
from unweave.studies import ScoreRequest
from unweave.training import TrainConfig

HELD_OUT: Final = HELD_OUT_DATA
"""Stands for the images held out of the dataset that was trained on."""

_Data: TypeAlias = Literal["held_out"] | None


@final
@dataclass(frozen=True, kw_only=True)
class PublishedValue:
    """One number.

    Attributes:
        value: The number, on the scale of our score.
        metric: Our name of the metric or analysis.
        part: Which part of the score; empty for its value.
        protocol: By which settings we compute it.
        data: None for the images that were trained on, or `HELD_OUT`.
        sd: Standard deviation over the published runs; None where it is not printed, or there is
            one run.
        runs: How many trainings it is a mean of.
        printed: Where: a key of the source's `printed`.
        digits: How many digits after the point are printed.
    """

    value: float
    metric: str
    part: str = ""
    protocol: str
    data: _Data = None
    sd: float | None = None
    runs: int = 1
    printed: str
    digits: int

    @property
    def label(self) -> str:
        """What it is a number of, such as `dci` or `recon, held out`."""
        return (self.part or self.metric) + (", held out" if self.data == HELD_OUT else "")

    @property
    def text(self) -> str:
        """The number as it is printed, with its spread and how many runs it is of."""
        spread = "" if self.sd is None else f" ± {self.sd:.{self.digits}f}"
        count = f" ({self.runs} runs)" if self.runs > 1 else ""
        return f"{self.value:.{self.digits}f}{spread}{count}"


@final
@dataclass(frozen=True, kw_only=True)
class Row:
    """A training that was published with its numbers, and the preset that repeats it.

    Attributes:
        name: That of the preset.
        values: The numbers.
        label: A few words where the name does not speak for itself.
        instead_of: The row before it whose numbers these are, where it is not known which of
            several trainings was published; empty otherwise.
    """

    name: str
    values: tuple[PublishedValue, ...]
    label: str = ""
    instead_of: str = ""

    @property
    def source(self) -> str:
        """The source's name, with which that of the preset begins."""
        return self.name.partition("/")[0]

    @property
    def preset(self) -> Preset:
        """What trains it."""
        return preset(self.name)

    @cached_property
    def config(self) -> TrainConfig:
        """The training at its published length, with the preset's seed.

        That of a preset which goes on from another one's weights is without them.
        """
        return config_of(self.preset)

    @property
    def runs(self) -> int:
        """How many trainings the numbers are means of."""
        return max(value.runs for value in self.values)

    @property
    def requests(self) -> tuple[ScoreRequest, ...]:
        """How a run is scored for it: metrics of one protocol and of the same images together."""
        found: dict[tuple[str, str | None], dict[str, None]] = {}
        for value in self.values:
            found.setdefault((value.protocol, value.data), {})[value.metric] = None
        return tuple(
            ScoreRequest(metrics=tuple(metrics), protocol=protocol, data=data)
            for (protocol, data), metrics in found.items()
        )


def config_of(entry: Preset) -> TrainConfig:
    """The configuration of a preset, without first weights."""
    return make_config(entry.dataset, entry.objective, **entry.settings)


@final
@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """Published numbers that are no row.

    Attributes:
        what: Which.
        why: Why they cannot be repeated, or be told from what could be read.
    """

    what: str
    why: str


@final
@dataclass(frozen=True, kw_only=True)
class Source:
    """A paper and its code.

    Attributes:
        name: With which names of its presets begin, or would.
        title: What people call it.
        citation: Authors, year, and where the paper is.
        printed: Each place with numbers: a short name, and where that is, with its address.
        rows: Its trainings with published numbers.
        doubts: What must be known when numbers are compared, a sentence or two each.
        left_out: Its numbers that are no row.
    """

    name: str
    title: str
    citation: str
    printed: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    doubts: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def __post_init__(self) -> None:
        """Close what all callers share."""
        object.__setattr__(self, "printed", MappingProxyType(dict(self.printed)))
