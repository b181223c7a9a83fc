"""How far two scores put the same runs in the same order: Spearman's rank correlation."""

from __future__ import annotations

__all__ = ["Correlation", "Correlations", "correlate", "rank_correlation", "rank_intervals"]

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unweave.errors import RunError
from unweave.metrics.interval import FEWEST, RESAMPLES
from unweave.results.cases import differing, judged, told
from unweave.results.layouts import Sheet
from unweave.results.table import SHARED, Results
from unweave.splits import keyed_generator

# Ranks that are held at once.
_BLOCK: Final = 2**21


@final
@dataclass(frozen=True)
class Correlation:
    """Two scores of the same runs.

    Attributes:
        one: Name of a score.
        other: Name of another.
        n: Runs that have both.
        rho: Spearman's rank correlation; None where one of the two is the same for all runs.
        low: Lower end of its 95 % bootstrap interval over runs.
        high: Upper end.
    """

    one: str
    other: str
    n: int
    rho: float | None
    low: float | None
    high: float | None


@final
@dataclass(frozen=True)
class Correlations:
    """All pairs of scores that at least three runs have both of.

    Attributes:
        names: The scores: the metric, and in brackets the circumstances that differ.
        data: Of each, the dataset that was scored.
        pairs: The pairs.
        same: What is the same for all scores, for people.
    """

    names: tuple[str, ...]
    data: tuple[str, ...]
    pairs: tuple[Correlation, ...]
    same: str

    def sheet(self) -> Sheet:
        """A table of the pairs."""
        return Sheet(
            columns=("one", "other", "n", "rho", "low", "high"),
            rows=tuple((p.one, p.other, p.n, p.rho, p.low, p.high) for p in self.pairs),
            notes=(
                *([self.same] if self.same else []),
                "Spearman's rank correlation over runs, with its 95 % bootstrap interval.",
            ),
        )

    def _repr_html_(self) -> str:
        """All pairs, those that go together most closely first, for a notebook."""
        from unweave.results.formats import html

        pairs = sorted(self.pairs, key=lambda pair: -abs(pair.rho or 0.0))
        return html(replace(self, pairs=tuple(pairs)).sheet(), "Rank correlations of scores")

    def matrix(self, names: Sequence[str]) -> NDArray[np.float64]:
        """The correlations of some scores, (names, names), NaN where there are none."""
        place = {name: k for k, name in enumerate(names)}
        values = np.full((len(names), len(names)), np.nan)
        for pair in self.pairs:
            if pair.one in place and pair.other in place and pair.rho is not None:
                a, b = place[pair.one], place[pair.other]
                values[a, b] = values[b, a] = pair.rho
        np.fill_diagonal(values, 1.0)
        return values


def correlate(results: Results, *, seed: int = 0) -> Correlations:
    """Rank correlations between scores, over all finished runs that have both.

    Scores that differ in their circumstances, such as the protocol or the dataset, are different
    scores. A downstream score is one like any other.

    Args:
        results: What was chosen.
        seed: Of the bootstrap.

    Raises:
        RunError: No two scores have three finished runs in common.
    """
    names, data, same, values = _columns(results)
    pairs = tuple(_pairs(names, values, seed))
    if not pairs:
        raise RunError(
            f"A rank correlation takes two scores of at least {FEWEST} finished runs, and there "
            f"are none. Scores found: {', '.join(names) or 'none'}."
        )
    having = {name for pair in pairs for name in (pair.one, pair.other)}
    kept = [place for place, name in enumerate(names) if name in having]
    return Correlations(tuple(names[k] for k in kept), tuple(data[k] for k in kept), pairs, same)


def rank_correlation(
    one: NDArray[np.float64], other: NDArray[np.float64], seed: int
) -> tuple[float | None, float | None, float | None]:
    """Spearman's rank correlation of two scores of runs, and the ends of its 95 % interval.

    Args:
        one: (runs,), finite.
        other: (runs,), finite.
        seed: Of the bootstrap.

    Returns:
        Three numbers; all None of fewer than three runs, or where a score is the same for all.
    """
    if len(one) < FEWEST or (rho := _spearman(one, other)) is None:
        return None, None, None
    low, high = rank_intervals(np.stack([one, other], axis=1), seed)[0, 1]
    return rho, None if np.isnan(low) else float(low), None if np.isnan(high) else float(high)


def rank_intervals(values: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """95 % bootstrap intervals of Spearman's rank correlations between all columns.

    Runs are drawn with replacement, ranked anew (equal values share their mean rank), and
    correlated; the interval lies between the percentiles 2.5 and 97.5. Draws in which a column is
    constant are passed over.

    Args:
        values: (runs, columns), finite.
        seed: Seed of the draws.

    Returns:
        (columns, columns, 2), NaN where no draw has a correlation.
    """
    runs, columns = values.shape
    generator = keyed_generator(seed, "bootstrap of rank correlations")
    order = np.argsort(values, axis=0, kind="stable")
    ties = [np.unique(values[:, k], return_inverse=True)[1] for k in range(columns)]
    starts = [np.flatnonzero(np.diff(ties[k][order[:, k]], prepend=-1)) for k in range(columns)]
    found = []
    step = max(1, _BLOCK // (runs * columns))
    for first in range(0, RESAMPLES, step):
        count = min(step, RESAMPLES - first)
        drawn = generator.integers(runs, size=(count, runs)) + runs * np.arange(count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=count * runs).reshape(count, runs)
        weighed = np.empty((count, columns, runs))
        for k in range(columns):
            # How often each distinct value was drawn, and its mean rank among the draws.
            group = np.add.reduceat(times[:, order[:, k]], starts[k], axis=1)
            rank = np.cumsum(group, axis=1) - (group - 1) / 2
            weighed[:, k] = rank[:, ties[k]]
        weighed -= (runs + 1) / 2
        weighed *= np.sqrt(times)[:, None]
        products = weighed @ weighed.transpose(0, 2, 1)
        spread = np.sqrt(np.diagonal(products, axis1=1, axis2=2))
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append(products / (spread[:, :, None] * spread[:, None]))
    every = np.concatenate(found)
    ends = np.full((columns, columns, 2), np.nan)
    for a in range(columns):
        for b in range(columns):
            there = every[np.isfinite(every[:, a, b]), a, b]
            if len(there):
                ends[a, b] = np.clip(np.percentile(there, (2.5, 97.5)), -1, 1)
    return ends


def _columns(results: Results) -> tuple[list[str], list[str], str, NDArray[np.float64]]:
    """Names and data of the scores, what they share, and their values, (runs, scores)."""
    runs = results.runs.filter(pl.col("state") == "finished").select("id").with_row_index("row")
    apart = differing(results.cases)
    rows = results.cases.to_dicts()
    columns = results.cases.select("case").with_row_index("column")
    counted = judged(results).filter("counts").join(runs, on="id").join(columns, on="case")
    values = np.full((len(runs), len(rows)), np.nan)
    values[counted["row"].to_numpy(), counted["column"].to_numpy()] = counted["value"].to_numpy()
    scored = [row for row in rows if row["protocol"] is not None]
    same = [
        f"{name.replace('_', ' ')} {scored[0][name]}"
        for name in SHARED
        if scored and name not in apart
    ]
    names = [_name(row, apart) for row in rows]
    return names, [str(row["data"]) for row in rows], ", ".join(same), values


def _name(row: Mapping[str, Any], apart: Sequence[str]) -> str:
    words = told(row, apart)
    return f"{row['metric']} [{words}]" if words else str(row["metric"])


def _pairs(names: list[str], values: NDArray[np.float64], seed: int) -> Iterator[Correlation]:
    """Each pair, in the order of the names."""
    there = np.isfinite(values)
    common: dict[bytes, list[tuple[int, int]]] = {}
    for a in range(len(names)):
        for b in range(a + 1, len(names)):
            both = there[:, a] & there[:, b]
            if both.sum() >= FEWEST:
                common.setdefault(both.tobytes(), []).append((a, b))
    found: dict[tuple[int, int], Correlation] = {}
    for mask, pairs in common.items():
        # Pairs of the same runs share their draws.
        rows = values[np.frombuffer(mask, bool)]
        columns = sorted({place for pair in pairs for place in pair})
        ends = rank_intervals(rows[:, columns], seed)
        for a, b in pairs:
            low, high = ends[columns.index(a), columns.index(b)]
            rho = _spearman(rows[:, a], rows[:, b])
            found[a, b] = Correlation(
                names[a], names[b], len(rows), rho,
                None if rho is None or np.isnan(low) else float(low),
                None if rho is None or np.isnan(high) else float(high),
            )  # fmt: skip
    yield from (found[pair] for pair in sorted(found))


def _spearman(one: NDArray[np.float64], other: NDArray[np.float64]) -> float | None:
    from scipy.stats import spearmanr

    if (one == one[0]).all() or (other == other[0]).all():
        return None
    return float(spearmanr(one, other).statistic)
