"""Which scores may be taken together, and which of them count."""

from __future__ import annotations

__all__ = ["CIRCUMSTANCES", "cases_of", "differing", "told"]

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from unweave.results.table import OWN, SHARED, Results

CIRCUMSTANCES: Final = (*SHARED, *OWN)
"""All that two scores must have in common before they are taken together."""


def cases_of(results: Results) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Each metric under each circumstances as a case of its own.

    Returns:
        The cases: a number `case`, `metric`, `unit` and `CIRCUMSTANCES`, metrics in the order of
        `results.metrics`. And the scores, each with its `case`, with `run`, `state` and `step` of
        its run, and whether it is `current` (of the weights as they are), `finite`, of a run that
        is `done`, and whether it `counts`, being all three.
    """
    keys = ["metric", *CIRCUMSTANCES]
    order = {name: place for place, name in enumerate(results.metrics)}
    cases = (
        results.scores.select("unit", *keys)
        .unique(subset=keys, maintain_order=True)
        .with_columns(place=pl.col("metric").replace_strict(order, return_dtype=pl.Int64))
        .sort("place", *CIRCUMSTANCES)
        .drop("place")
        .with_row_index("case")
    )
    # Circumstances may be null, such as the precision of scores of an earlier version.
    scores = results.scores.join(cases.drop("unit"), on=keys, nulls_equal=True)
    scores = scores.join(results.runs.select("id", "run", "state", "step"), on="id")
    scores = scores.with_columns(
        current=(pl.col("score_step") == pl.col("step")).fill_null(value=True),
        finite=pl.col("value").is_finite().fill_null(value=False),
        done=pl.col("state") == "finished",
    )
    counts = pl.col("current") & pl.col("finite") & pl.col("done")
    return cases, scores.with_columns(counts=counts).sort("id", "case")


def differing(cases: pl.DataFrame) -> tuple[str, ...]:
    """Circumstances that must be told to tell cases apart.

    Those of `OWN` differ from metric to metric; they are told where one metric has several.
    """
    # Timings have no protocol.
    scored = cases.filter(pl.col("protocol").is_not_null())
    shared = [name for name in SHARED if scored[name].n_unique() > 1]
    several = scored.group_by("metric", *SHARED).agg(pl.col(OWN).n_unique())
    return (*shared, *(name for name in OWN if (several[name] > 1).any()))


def told(row: Mapping[str, Any], names: Sequence[str]) -> str:
    """Some circumstances of a score in words, such as `clg/1, repeats 3`."""
    return ", ".join(
        str(row[name]) if isinstance(row[name], str) else f"{name} {row[name]}"
        for name in names
        if row[name] is not None
    )
