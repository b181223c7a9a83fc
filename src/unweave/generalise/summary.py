"""Runs in groups: one condition and one model, over seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from unweave.generalise.asking import Region
from unweave.generalise.names import model_names
from unweave.generalise.published import PublishedNumbers, published_numbers
from unweave.generalise.reading import Found
from unweave.metrics.interval import FEWEST, over_runs
from unweave.results.correlation import rank_correlation

__all__ = ["COLUMNS", "Group", "Mean", "Relation", "groups_of", "mean_of", "relations_of"]

_SEED: Final = 0

_Number = Callable[[Found], float | None]


def _of(region: Any, analysis: str, part: str) -> _Number:
    return lambda found: found.number(region, analysis, part)


def _gap(analysis: str, part: str) -> _Number:
    return lambda found: found.gap(analysis, part)


COLUMNS: Final[dict[str, _Number]] = {
    "disentanglement": lambda found: found.disentanglement,
    "excess": _of("in_distribution", "reconstruction_nll", "excess"),
    "excess_held_out": _of("held_out", "reconstruction_nll", "excess"),
    "excess_gap": _gap("reconstruction_nll", "excess"),
    "nll": _of("in_distribution", "reconstruction_nll", "nll"),
    "nll_held_out": _of("held_out", "reconstruction_nll", "nll"),
    "nll_gap": _gap("reconstruction_nll", "nll"),
    "floor_gap": _gap("reconstruction_nll", "floor"),
    "r2": _of("in_distribution", "factor_r2", "value"),
    "r2_held_out": _of("held_out", "factor_r2", "value"),
    "factor_errors": _of("in_distribution", "factor_errors", "value"),
    "factor_errors_held_out": _of("held_out", "factor_errors", "value"),
}
"""Numbers of a run, by name."""


@final
@dataclass(frozen=True)
class Mean:
    """A number over the runs of a group.

    Attributes:
        values: What each run has, in the order of the runs.
        mean: Their mean.
        low: Lower end of the 95 % bootstrap interval of the mean over runs; of two runs the
            smaller one, and of one run None.
        high: Upper end.
        interval: Whether the ends are those of an interval; else they are those of the values.
    """

    values: tuple[float, ...]
    mean: float
    low: float | None
    high: float | None
    interval: bool

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        return {
            "mean": self.mean,
            "low": self.low,
            "high": self.high,
            "interval": self.interval,
            "values": list(self.values),
        }


@final
@dataclass(frozen=True)
class Group:
    """Runs that differ in nothing but their seeds.

    Attributes:
        dataset: Text of the whole dataset.
        condition: What was held out, by name.
        model: What the model is called beside those of the others.
        runs: The runs.
        published: The published numbers of this model, where there are any.
    """

    dataset: str
    condition: str
    model: str
    runs: tuple[Found, ...]
    published: PublishedNumbers | None

    def number(self, column: str) -> Mean | None:
        """A column of `COLUMNS` over the runs; None where no run has it."""
        return mean_of(COLUMNS[column](run) for run in self.runs)

    def part(self, region: Region, analysis: str, part: str = "value") -> Mean | None:
        """A part of a score over the runs; None where no run has it.

        Args:
            region: Images like those that were trained on, or with what was held out.
            analysis: Name of the analysis or metric.
            part: Which part of its score.
        """
        return mean_of(run.number(region, analysis, part) for run in self.runs)

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        found = {name: self.number(name) for name in COLUMNS}
        published = self.published
        return {
            "dataset": self.dataset,
            "condition": self.condition,
            "model": self.model,
            "objective": str(self.runs[0].config.objective),
            "runs": [str(run.folder) for run in self.runs],
            "seeds": [run.config.seed for run in self.runs],
            "numbers": {name: None if m is None else m.to_dict() for name, m in found.items()},
            "published": None if published is None else vars(published),
        }


def mean_of(numbers: Iterable[float | None]) -> Mean | None:
    """The mean over runs that have a number, and how far it is known."""
    values = tuple(number for number in numbers if number is not None and math.isfinite(number))
    if not values:
        return None
    mean = float(np.mean(values))
    found = over_runs(np.array(values), np.mean, _SEED)
    if found is not None:
        return Mean(values, mean, found.low, found.high, interval=True)
    assert len(values) < FEWEST
    if len(values) == 1:
        return Mean(values, mean, None, None, interval=False)
    return Mean(values, mean, min(values), max(values), interval=False)


def groups_of(found: Sequence[Found]) -> list[Group]:
    """Runs by dataset, condition and model, in the order in which they first come."""
    names = model_names([run.config for run in found])
    groups: dict[tuple[str, str, str], list[Found]] = {}
    for run, name in zip(found, names, strict=True):
        groups.setdefault((str(run.recovered.data), run.condition, name), []).append(run)
    return [
        Group(
            *place,
            tuple(runs),
            published_numbers(place[0], place[1], runs[0].config.objective),
        )
        for place, runs in groups.items()
    ]


@final
@dataclass(frozen=True)
class Relation:
    """Whether runs that are more disentangled generalise better, under one condition.

    Attributes:
        dataset: Text of the whole dataset.
        condition: What was held out.
        column: Which number of the runs.
        runs: How many runs have both; decoders of true factors are not among them.
        rho: Spearman's rank correlation with disentanglement; None of fewer than three runs, or
            where one of both is the same for all.
        low: Lower end of its 95 % bootstrap interval over runs.
        high: Upper end.
    """

    dataset: str
    condition: str
    column: str
    runs: int
    rho: float | None
    low: float | None
    high: float | None


def relations_of(groups: Sequence[Group]) -> list[Relation]:
    """Rank correlations of disentanglement with errors of what was held out, and with the gap.

    There is none where no run has both, as of decoders of true factors and composers alone.
    """
    places = dict.fromkeys((group.dataset, group.condition) for group in groups)
    relations = []
    for dataset, condition in places:
        runs = [
            run
            for group in groups
            if (group.dataset, group.condition) == (dataset, condition)
            for run in group.runs
            if run.kind != "decoder"
        ]
        for column in ("excess_held_out", "excess_gap"):
            pairs = [(run.disentanglement, COLUMNS[column](run)) for run in runs]
            known = np.array([p for p in pairs if None not in p], np.float64).reshape(-1, 2)
            if not len(known):
                continue
            rho, low, high = rank_correlation(known[:, 0], known[:, 1], _SEED)
            relations.append(Relation(dataset, condition, column, len(known), rho, low, high))
    return relations
