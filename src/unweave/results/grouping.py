"""Runs in groups: mean, spread and bootstrap interval of each score, never across protocols."""

from __future__ import annotations

__all__ = ["REASONS", "STATISTICS", "Summary", "group_labels", "summarise"]

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from unweave.errors import RunError, SpecError, nearest
from unweave.metrics.interval import FEWEST, bootstrap_ends
from unweave.results.cases import differing, judged, kinds_of, told
from unweave.results.fields import Cell, default_fields, natural
from unweave.results.table import CIRCUMSTANCES, Results

STATISTICS: Final = (
    "runs", "finished", "n", "missing", "not_finite", "mean", "sd", "median", "low", "high",
)  # fmt: skip

REASONS: Final = (
    "no score of {}", "a score that is not a number: {}", "a score of earlier weights: {}",
)  # fmt: skip
"""Why a finished run does not count for a score, apart from its state."""

# Fields whose values say what they are.
_SPEAKING = (
    "objective", "objective.type", "dataset", "dataset.type", "architecture", "likelihood",
    "optimizer",
)  # fmt: skip


@final
@dataclass(frozen=True)
class Summary:
    """Statistics of the scores of each group of runs.

    Attributes:
        group_by: Fields that tell groups apart.
        rows: One row for each group, metric, and circumstances of the scores: the fields of
            `group_by`, `metric`, `unit`, `SHARED`, `OWN`, and `STATISTICS`. Of `runs`, `finished`
            have been trained to the end; of these `n` have a score that counts, `missing` have
            none of the weights as they are, and of `not_finite` it is not a number. `sd` has
            n - 1 in its denominator; `low` and `high` are the ends of the 95 % bootstrap interval
            of the mean over runs. What too few scores leave open is null. `values` are the scores
            that count.
        differing: Circumstances in which the rows differ; `unit` where scores of one metric have
            several.
        left_out: Reason -> folders of the runs whose scores do not count for it.
    """

    group_by: tuple[str, ...]
    rows: pl.DataFrame
    differing: tuple[str, ...]
    left_out: Mapping[str, tuple[str, ...]]

    def _repr_html_(self) -> str:
        """A row for each group with mean and deviation of each metric, for a notebook."""
        from unweave.results.formats import html
        from unweave.results.layouts import lay_out

        missing = [
            f"Not counted, {why}: {len(runs):,} runs" for why, runs in self.left_out.items()
        ]
        return html(lay_out(self, "wide"), "Mean ± standard deviation over runs", *missing)


def summarise(
    results: Results, group_by: Sequence[str] | None = None, *, seed: int = 0
) -> Summary:
    """Statistics of scores, in groups.

    Scores of another protocol, dataset, part, kind of codes, seed, number of repeats, precision,
    sample count or other settings of the metric are never taken together: each stands in a row of
    its own. Only runs that have been trained to the end count, with scores of their last weights.

    Args:
        results: What was chosen.
        group_by: Names of columns; None for the settings in which the runs differ, apart from the
            seed.
        seed: Of the bootstrap.

    Raises:
        SpecError: There is no such field.
        RunError: No run is finished.
    """
    runs = results.runs
    if not (runs["state"] == "finished").any():
        states = ", ".join(
            f"{n} {state}" for state, n in runs["state"].value_counts(sort=True).rows()
        )
        raise RunError(
            f"None of the {len(runs)} runs is finished ({states}), so that no score counts. Go on "
            "with them first, or write the table of all scores with --out."
        )
    fields = _fields(results, group_by)
    of_runs = [field for field in fields if field in runs.columns]
    places, groups = _places(runs.select(of_runs), of_runs)
    runs = runs.select("id", "run", "state", data="dataset").with_columns(
        pl.col("data").cast(pl.String), group=pl.Series(places, dtype=pl.Int64)
    )
    cases = results.cases.with_row_index("position")
    scores = judged(results).join(runs.select("id", "group"), on="id")
    scores = scores.join(cases.select("case", "data"), on="case")
    # The runs that should have scores of some data: those trained on it, and those that do.
    expected = pl.concat([runs, scores.select(runs.columns)]).unique(maintain_order=True)
    expected = expected.join(cases.select("case", "data"), on="data", nulls_equal=True)
    # What no model of a kind has, such as a decoder a score of its codes, was not asked of it.
    kinds = kinds_of(results)
    asked = scores.join(kinds, on="id").select("kind", "case").unique()
    expected = expected.join(kinds, on="id").join(asked, on=["kind", "case"], how="semi")
    broken = scores.filter(pl.col("current") & pl.col("done") & ~pl.col("finite"))
    broken = broken.group_by("group", "case").agg(not_finite=pl.len())
    rows = (
        expected.group_by("group", "case")
        .agg(runs=pl.len(), finished=(pl.col("state") == "finished").sum())
        .join(broken, on=["group", "case"], how="left")
        .join(_statistics(scores.filter("counts"), seed), on=["group", "case"], how="left")
        .with_columns(pl.col("n", "not_finite").fill_null(0))
        .with_columns(missing=pl.col("finished") - pl.col("n") - pl.col("not_finite"))
        .join(cases, on="case")
        .sort("position", "group")
    )
    shown = {
        field: pl.Series(field, [groups[place][of_runs.index(field)] for place in rows["group"]],
                         dtype=results.runs[field].dtype)
        for field in of_runs
    }  # fmt: skip
    rows = rows.with_columns(**shown)
    return Summary(
        group_by=fields,
        rows=rows.select(*of_runs, "metric", "unit", *CIRCUMSTANCES, *STATISTICS, "values"),
        differing=differing(cases),
        left_out=_left_out(results.runs, scores, expected, cases),
    )


def group_labels(rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> list[str]:
    """What each row's group is called, such as `beta_vae, beta=4`, without what it lacks."""
    labels = {tuple(row[field] for field in fields): _told(row, fields) for row in rows}
    counts = Counter(labels.values())
    for group, label in labels.items():
        if counts[label] > 1:
            # Two groups of one name, as numbers are rounded: all that is known of them.
            labels[group] = ", ".join(
                f"{field}={value}" for field, value in zip(fields, group, strict=True)
            )
    return [labels[tuple(row[field] for field in fields)] or "all runs" for row in rows]


def _told(row: Mapping[str, Any], fields: Sequence[str]) -> str:
    known = [field for field in fields if row[field] is not None] or fields
    return ", ".join(_label(field, row[field]) for field in known)


def _label(field: str, value: Cell) -> str:
    return _show(value) if field in _SPEAKING else f"{field.rpartition('.')[2]}={_show(value)}"


def _show(value: Cell) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _fields(results: Results, group_by: Sequence[str] | None) -> tuple[str, ...]:
    if group_by is None:
        # Of runs that have not begun the settings are not known.
        begun = results.runs.filter(pl.col("objective").is_not_null())
        return default_fields({name: begun[name].to_list() for name in results.config})
    known = [name for name in results.runs.columns if name != "id"] + list(CIRCUMSTANCES)
    for place, field in enumerate(group_by):
        if field not in known:
            raise SpecError(
                f"--group-by: these runs have no field {field!r}. {nearest(field, known)}"
            )
        if field in group_by[:place]:
            raise SpecError(f"--group-by has {field} twice.")
    return tuple(group_by)


def _places(
    frame: pl.DataFrame, fields: Sequence[str]
) -> tuple[list[int], list[tuple[Cell, ...]]]:
    """The group of each run, and what groups have in the fields, in their natural order."""
    rows = frame.rows() if fields else [()] * max(len(frame), 1)
    groups = sorted(set(rows), key=lambda row: tuple(map(natural, row)))
    number = {row: place for place, row in enumerate(groups)}
    return [number[row] for row in rows], groups


@np.errstate(over="ignore", invalid="ignore")
def _statistics(counted: pl.DataFrame, seed: int) -> pl.DataFrame:
    """All statistics of each group and case; those of equally many scores at once."""
    lists = counted.group_by("group", "case", maintain_order=True).agg(pl.col("value"))
    sizes = lists["value"].list.len().to_numpy()
    found: dict[str, NDArray[np.float64]] = {
        name: np.full(len(lists), np.nan) for name in ("mean", "sd", "median", "low", "high")
    }
    for count in np.unique(sizes):
        here = np.flatnonzero(sizes == count)
        values = lists["value"].gather(here).explode().to_numpy().reshape(len(here), count)
        found["mean"][here] = values.mean(axis=1)
        found["median"][here] = np.median(values, axis=1)
        if count > 1:
            found["sd"][here] = values.std(axis=1, ddof=1)
        if count >= FEWEST:
            found["low"][here], found["high"][here] = bootstrap_ends(values, np.mean, seed).T
        # A mean of equal values may differ from them by a rounding.
        equal = (values == values[:, :1]).all(axis=1)
        for name in ("mean", "low", "high") if count >= FEWEST else ("mean",):
            found[name][here[equal]] = values[equal, 0]
        if count > 1:
            found["sd"][here[equal]] = 0.0
    # What is too large for a number is not known either.
    columns = {
        name: pl.Series(np.where(np.isfinite(values), values, np.nan)).fill_nan(None)
        for name, values in found.items()
    }
    return lists.rename({"value": "values"}).with_columns(n=pl.Series(sizes), **columns)


def _left_out(
    runs: pl.DataFrame, scores: pl.DataFrame, expected: pl.DataFrame, cases: pl.DataFrame
) -> dict[str, tuple[str, ...]]:
    """Runs that do not count, by the reason."""
    out: dict[str, list[str]] = {}
    for run, state in runs.filter(pl.col("state") != "finished").select("run", "state").rows():
        out.setdefault(state, []).append(run)
    done = scores.filter("done")
    finished = expected.filter(pl.col("state") == "finished")
    apart = ("protocol", *(name for name in differing(cases) if name != "protocol"))
    names = [
        ", ".join(filter(None, (row["metric"], told(row, apart)))) for row in cases.to_dicts()
    ]
    named = cases.select("case", "position", name=pl.Series(names, dtype=pl.String))
    frames = (
        finished.join(done, on=["id", "case"], how="anti"),
        done.filter(pl.col("current") & ~pl.col("finite")),
        done.filter(~pl.col("current")),
    )
    for reason, frame in zip(REASONS, frames, strict=True):
        rows = frame.select("id", "run", "case").join(named, on="case").sort("position", "id")
        for run, name in rows.select("run", "name").rows():
            out.setdefault(reason.format(name), []).append(run)
    return {reason: tuple(runs) for reason, runs in out.items()}
