"""A published value beside ours: mean over seeds, interval, difference."""

from __future__ import annotations

__all__ = ["Comparison", "Group", "groups_of"]

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from unweave.metrics.interval import ScoreInterval, over_runs
from unweave.reproduction.catalog import ROWS
from unweave.reproduction.published import PublishedValue, Row
from unweave.reproduction.records import RunRecord

# The draws of the bootstrap.
_SEED = 0


@final
@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One published value and ours.

    Attributes:
        published: The number as it is printed.
        ours: Mean over seeds.
        values: What each seed has.
        low: Lower end of the 95 % interval, or None.
        high: Its upper end.
        over: What the interval is over: `runs`, which are seeds, as a bootstrap; `draws` of the
            metric, of a single run; or empty where there is none.
        protocol: Name and version of our score's protocol.
    """

    published: PublishedValue
    ours: float
    values: tuple[float, ...]
    low: float | None
    high: float | None
    over: str
    protocol: str

    @property
    def difference(self) -> float:
        """Ours less the published number."""
        return self.ours - self.published.value

    @property
    def inside(self) -> bool | None:
        """Whether the published number lies in our interval over seeds; None without one."""
        if self.over != "runs" or self.low is None or self.high is None:
            return None
        return self.low <= self.published.value <= self.high

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        return {
            "score": self.published.label,
            "published": self.published.value,
            "published_sd": self.published.sd,
            "published_runs": self.published.runs,
            "ours": self.ours,
            "values": list(self.values),
            "low": self.low,
            "high": self.high,
            "over": self.over,
            "difference": self.difference,
            "inside": self.inside,
            "protocol": self.protocol,
        }


@final
@dataclass(frozen=True, kw_only=True)
class Group:
    """Runs of a row on the same images and of the same length, with different seeds.

    Attributes:
        row: The row.
        records: The runs, by seed.
        shorter: How many runs there are on these images that are shorter, and are left out.
    """

    row: Row
    records: tuple[RunRecord, ...]
    shorter: int

    @property
    def steps(self) -> int:
        """How long they are."""
        return self.records[0].steps

    @property
    def shortened(self) -> bool:
        """Whether that is less than what was published."""
        return self.steps < self.row.config.steps

    @property
    def comparisons(self) -> list[Comparison]:
        """Each published value of which all runs, or some, have ours."""
        found = (self._compare(value) for value in self.row.values)
        return [each for each in found if each is not None]

    def _compare(self, value: PublishedValue) -> Comparison | None:
        scored = [record for record in self.records if record.number(value) is not None]
        numbers = [number for record in scored if (number := record.number(value)) is not None]
        if not scored:
            return None
        low, high, over = _interval(scored, value, numbers)
        score = scored[0].score(value)
        assert score is not None
        return Comparison(
            published=value,
            ours=float(np.mean(numbers)),
            values=tuple(numbers),
            low=low,
            high=high,
            over=over,
            protocol=score["protocol"],
        )

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        first = self.records[0]
        return {
            "row": self.row.name,
            "steps": self.steps,
            "published_steps": self.row.config.steps,
            "shortened": self.shortened,
            "seeds": [record.seed for record in self.records],
            "published_runs": self.row.runs,
            "dataset": first.dataset,
            "source": first.source,
            "images": first.images,
            "scores": [each.to_dict() for each in self.comparisons],
        }


def _interval(
    scored: list[RunRecord], value: PublishedValue, numbers: list[float]
) -> tuple[float | None, float | None, str]:
    """Ends of the interval, and what it is over."""
    if len(numbers) > 1:
        found: ScoreInterval | None = over_runs(np.asarray(numbers), np.mean, _SEED)
        return (None, None, "") if found is None else (found.low, found.high, "runs")
    score = scored[0].score(value)
    drawn = None if score is None or value.part else score["interval"]
    # Without a spread nothing was drawn.
    if drawn is None or not drawn["sd"]:
        return None, None, ""
    return drawn["low"], drawn["high"], drawn["over"]


def groups_of(records: Iterable[RunRecord]) -> list[Group]:
    """Runs taken together: of each row and its images the longest, in the order of the rows.

    Args:
        records: As `merged` gives them.
    """
    found: dict[tuple[str, str], list[RunRecord]] = {}
    for record in records:
        found.setdefault((record.row, record.dataset), []).append(record)
    groups = []
    for (name, _), those in found.items():
        steps = max(record.steps for record in those)
        longest = tuple(record for record in those if record.steps == steps)
        groups.append(Group(row=ROWS[name], records=longest, shorter=len(those) - len(longest)))
    return groups
