"""Which scores count, and what tells their circumstances apart."""

from __future__ import annotations

__all__ = ["differing", "judged", "kinds_of", "own_of", "told"]

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl

from unweave.results.table import OWN, SHARED, Results

# Methods whose models have scores of their own.
_APART: Final = ("ground_truth_decoder", "composer")


def judged(results: Results) -> pl.DataFrame:
    """The scores, and whether they count.

    Returns:
        `results.scores` with `run` and `state` of the run, and whether the score is `current` (of
        the weights as they are), `finite`, of a run that is `done`, and whether it `counts`, being
        all three.
    """
    runs = results.runs.select("id", "run", "state", "step")
    scores = results.scores.join(runs, on="id", maintain_order="left").with_columns(
        # The step of no run is known where none has begun.
        current=(pl.col("score_step") == pl.col("step").cast(pl.Int64)).fill_null(value=True),
        finite=pl.col("value").is_not_null(),
        done=pl.col("state") == "finished",
    )
    return scores.with_columns(counts=pl.col("current") & pl.col("finite") & pl.col("done"))


def kinds_of(results: Results) -> pl.DataFrame:
    """Kinds of models of which the same scores can be asked.

    Returns:
        The `id` of each run, and its `kind`: the method of a decoder of true factors or of a
        composer, whose scores are not those of other models; empty for all others.
    """
    if "objective.type" not in results.runs.columns:  # as where no run has begun
        return results.runs.select("id", kind=pl.lit(""))
    method = pl.col("objective.type").cast(pl.String)
    kind = pl.when(method.is_in(_APART)).then(method).otherwise(pl.lit(""))
    return results.runs.select("id", kind=kind)


def differing(cases: pl.DataFrame) -> tuple[str, ...]:
    """Circumstances that must be told to tell cases apart, and the unit where that must be.

    Those of `OWN` differ from metric to metric; they are told where one metric has several.
    """
    # Timings have no protocol, but are of the data that their runs were trained on.
    scored = cases.filter(pl.col("protocol").is_not_null())
    shared = [
        name for name in SHARED if (cases if name == "data" else scored)[name].n_unique() > 1
    ]
    several = scored.group_by("metric", *SHARED).agg(pl.col(*OWN, "unit").n_unique())
    return (*shared, *(name for name in (*OWN, "unit") if (several[name] > 1).any()))


def own_of(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Circumstances of `OWN`, or the unit, of scores whose metric has several; None of others.

    Args:
        rows: Each with its metric and all circumstances.
        names: What is asked for.

    Returns:
        Of each row its values of the names.
    """
    keys = [tuple(row[name] for name in ("metric", *SHARED)) for row in rows]
    values: dict[tuple[Any, ...], set[Any]] = {}
    for row, key in zip(rows, keys, strict=True):
        for name in names:
            values.setdefault((*key, name), set()).add(row[name])
    return [
        tuple(row[name] if len(values[(*key, name)]) > 1 else None for name in names)
        for row, key in zip(rows, keys, strict=True)
    ]


def told(row: Mapping[str, Any], names: Sequence[str]) -> str:
    """Some circumstances of a score in words, such as `clg/1, repeats 3`."""
    return ", ".join(
        str(row[name]) if isinstance(row[name], str) else f"{name.replace('_', ' ')} {row[name]}"
        for name in names
        if row[name] not in (None, "")
    )
