"""How far a score moves: with its draws, seed after seed, or from run to run."""

from __future__ import annotations

__all__ = ["FEWEST", "RESAMPLES", "ScoreInterval", "bootstrap_ends", "over_draws", "over_runs"]

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from unweave.splits import keyed_generator

RESAMPLES = 2000
"""How often runs are drawn with replacement."""

FEWEST = 3
"""Fewer runs have no interval."""

# Numbers that are drawn at once.
_BLOCK = 2**21


@final
@dataclass(frozen=True)
class ScoreInterval:
    """An interval for the mean of a score over seeds or runs.

    Attributes:
        over: What was repeated: `draws` of one table, or `runs`.
        low: Lower end of the 95 % interval.
        high: Upper end.
        sd: Standard deviation of the repeats, n - 1 in the denominator.
        values: What each repeat gave.
    """

    over: str
    low: float
    high: float
    sd: float
    values: tuple[float, ...]

    def within(self, bounds: tuple[float | None, float | None]) -> ScoreInterval:
        """The same interval, cut at the ends of what the score can be; None is no end."""
        # A value that a rounding has put beyond an end stays in its interval.
        least = -math.inf if bounds[0] is None else min(bounds[0], *self.values)
        most = math.inf if bounds[1] is None else max(bounds[1], *self.values)
        return replace(self, low=max(self.low, least), high=min(self.high, most))

    def text(self) -> str:
        """Both ends, to four digits after the point."""
        return f"{self.low:.4f} to {self.high:.4f}"

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        return {
            "over": self.over,
            "low": self.low,
            "high": self.high,
            "sd": self.sd,
            "values": list(self.values),
        }


def over_draws(values: tuple[float, ...]) -> ScoreInterval:
    """The 95 % interval of Student's t for the mean that very many seeds would give.

    It holds for this table alone: it says how far the draws move the score, not how far another
    training of the same model would.

    Args:
        values: Scores of one table with different seeds, at least 2.
    """
    from scipy.special import stdtrit

    numbers = np.asarray(values, np.float64)
    sd = float(numbers.std(ddof=1))
    # Equal values may differ from their mean by a rounding.
    sd = 0.0 if (numbers == numbers[0]).all() else sd
    half = float(stdtrit(len(numbers) - 1, 0.975)) * sd / math.sqrt(len(numbers))
    mean = float(numbers.mean()) if sd else float(numbers[0])
    return ScoreInterval("draws", mean - half, mean + half, sd, tuple(map(float, numbers)))


def over_runs(
    values: NDArray[np.float64], statistic: Callable[..., NDArray[np.float64]], seed: int
) -> ScoreInterval | None:
    """The 95 % bootstrap interval of a statistic of scores of runs; None for fewer than three.

    Runs are drawn with replacement, and the interval lies between the percentiles 2.5 and 97.5 of
    what the statistic then is. Of few runs it is too narrow.

    Args:
        values: One score a run, (n,).
        statistic: Such as `numpy.mean`; takes an axis.
        seed: Seed of the draws.
    """
    if len(values) < FEWEST:
        return None
    ((low, high),) = bootstrap_ends(values[None], statistic, seed)
    sd = float(np.std(values, ddof=1))
    return ScoreInterval("runs", float(low), float(high), sd, tuple(map(float, values)))


def bootstrap_ends(
    values: NDArray[np.float64], statistic: Callable[..., NDArray[np.float64]], seed: int
) -> NDArray[np.float64]:
    """Lower and upper ends of the intervals of `over_runs` for many groups of equally many runs.

    Args:
        values: One score a run, (groups, n), n at least 3.
        statistic: Such as `numpy.mean`; takes an axis.
        seed: Seed of the draws, which are the same for each group.

    Returns:
        (groups, 2).
    """
    count = values.shape[1]
    rows = keyed_generator(seed, "bootstrap over runs").integers(count, size=(RESAMPLES, count))
    ends = np.empty((len(values), 2))
    groups, draws = max(1, _BLOCK // rows.size), max(1, _BLOCK // count)
    for first in range(0, len(values), groups):
        some = values[first : first + groups]
        drawn = [
            statistic(np.take(some, rows[row : row + draws], axis=1), axis=2)
            for row in range(0, RESAMPLES, draws)
        ]
        found = np.percentile(np.concatenate(drawn, axis=1), (2.5, 97.5), axis=1)
        ends[first : first + groups] = found.T
    return ends
