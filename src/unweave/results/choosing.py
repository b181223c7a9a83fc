"""Some of the runs and scores: by metric, by protocol, by the value of any field."""

from __future__ import annotations

__all__ = ["choose", "conditions"]

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from unweave.errors import RunError, SpecError, nearest
from unweave.metrics import Metric
from unweave.results.fields import natural
from unweave.results.table import Results, own_name
from unweave.spec import members

# What may be asked for in place of a metric.
_TIMINGS = ("seconds", "images_per_second")


def choose(
    results: Results,
    *,
    metrics: Sequence[str] | None = None,
    protocol: str | None = None,
    where: Mapping[str, str] | None = None,
) -> Results:
    """The runs and scores that are asked for.

    Args:
        results: All.
        metrics: Names, aliases, or parts as `dci.completeness`; also `seconds` and
            `images_per_second` of the training. None for all that were read.
        protocol: Name of a protocol, or name and version as `dlib/1`.
        where: Field -> the value that it shall have, as text; `none` where it has none.

    Raises:
        SpecError: There is no such field, value, protocol or metric in these runs.
        RunError: No run has a score, or none is left.
    """
    for field, value in (where or {}).items():
        results = _where(results, field, value)
    if protocol is not None:
        results = _where(results, "protocol", protocol, flag="--protocol")
    if metrics is None:
        if results.scores.is_empty():
            raise RunError(_unscored(results))
        return results
    wanted = _quantities(results, metrics)
    results = _with_timings(results, wanted)
    order = {name: place for place, name in enumerate(wanted)}
    cases = results.cases.filter(pl.col("metric").is_in(wanted)).sort(
        pl.col("metric").replace_strict(order, return_dtype=pl.Int64), maintain_order=True
    )
    return results.of_cases(cases)


def conditions(text: str | None) -> dict[str, str]:
    """Read `part=all, objective=beta_vae(beta=4)`; commas within brackets stay.

    Raises:
        SpecError: A condition has no `=`, or a field is given twice.
    """
    found: dict[str, str] = {}
    for piece in _pieces(text or ""):
        field, equals, value = piece.partition("=")
        field, value = field.strip(), value.strip()
        if not equals or not field or not value:
            raise SpecError(f"--where takes FIELD=VALUE, with commas between, not {piece!r:.100}.")
        if field in found:
            raise SpecError(f"--where has {field} twice; a field has one value.")
        found[field] = value
    return found


def _pieces(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for place, letter in enumerate(text + ","):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and (depth <= 0 or place == len(text)):
            if text[start:place].strip():
                yield text[start:place]
            start = place + 1


def _where(results: Results, field: str, value: str, flag: str = "--where") -> Results:
    tables = (results.runs.drop("id"), results.cases.drop("case", "metric"), results.scores)
    runs, cases, scores = (field in table.columns for table in tables)
    if not (runs or cases or scores) or field in ("id", "case", "value"):
        known = [name for table in tables for name in table.columns]
        known = [name for name in known if name not in ("id", "case", "value")]
        raise SpecError(f"{flag}: these runs have no field {field!r}. {nearest(field, known)}")
    table = results.runs if runs else results.cases if cases else results.scores
    kept = table.filter(_is(table[field], value))
    if kept.is_empty():
        values = sorted(table[field].unique().to_list(), key=natural)
        shown = ", ".join("none" if v in (None, "") else _shown(v) for v in values[:20])
        more = ", ..." if len(values) > 20 else ""
        raise SpecError(
            f"{flag}: no {'run' if runs else 'score'} here has {field}={value}. "
            f"There {'is' if len(values) == 1 else 'are'}: {shown or 'no scores'}{more}."
        )
    if runs:
        return results.of_runs(kept)
    return results.of_cases(kept) if cases else replace(results, scores=kept).clean()


def _is(column: pl.Series, value: str) -> pl.Series:
    """Where a column has a value that is given as text."""
    if value.lower() in ("none", "null"):
        texts = column.cast(pl.String).str.to_lowercase()
        return column.is_null() | texts.is_in(["", value.lower()]).fill_null(value=False)
    if column.dtype.is_numeric():
        try:
            return (column == float(value)).fill_null(value=False)
        except ValueError:
            return pl.Series([False] * len(column), dtype=pl.Boolean)
    if column.dtype == pl.Boolean:
        return (column.cast(pl.String) == value.lower()).fill_null(value=False)
    found = column == value
    if column.name == "protocol":
        # Without a version every version of it.
        found |= column.str.split("/").list.first() == value
    return found.fill_null(value=False)


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _quantities(results: Results, metrics: Sequence[str]) -> list[str]:
    """Names as they stand in the table."""
    wanted: list[str] = []
    for asked in metrics:
        name = own_name(asked)
        if name not in results.quantities and name not in _TIMINGS:
            raise SpecError(_missing(results, asked, name))
        if name in wanted:
            raise SpecError(f"{asked} is named twice in --metrics.")
        wanted.append(name)
    return wanted


def _missing(results: Results, asked: str, name: str) -> str:
    head, _, part = name.partition(".")
    if part and head in results.quantities:
        parts = sorted(q.partition(".")[2] for q in results.quantities if q.startswith(f"{head}."))
        return f"{head} has no part {part!r} in these runs. {nearest(part, parts)}"
    known = {quantity for quantity in results.quantities if "." not in quantity} | set(_TIMINGS)
    if head in members(Metric):
        return (
            f"No run here has a score of {head}. Compute it first: unweave evaluate RUN "
            f"--metrics {head}; there are scores of: {', '.join(sorted(known))}."
        )
    return f"Unknown metric {asked!r}. {nearest(head, known)}"


def _unscored(results: Results) -> str:
    done = results.runs.filter(pl.col("state") == "finished")["run"].to_list()
    said = f"None of the {len(results.runs)} runs has a score, so there is nothing to tabulate"
    if not done:
        return f"{said}, and none is finished: go on with them first."
    return f"{said}. Compute some first: unweave evaluate {done[0]}."


def _with_timings(results: Results, wanted: Sequence[str]) -> Results:
    """What a training took, where it is asked for, as if it were a score of its run."""
    for name, unit in zip(_TIMINGS, ("s", "images a second"), strict=True):
        if name not in wanted:
            continue
        done = results.runs.filter(pl.col("state") == "finished")
        if done.is_empty():
            continue
        data = done.select(data=pl.col("dataset").cast(pl.String)).unique(maintain_order=True)
        first = results.cases["case"].max()
        start = 0 if first is None else int(str(first)) + 1
        cases = data.with_row_index("case", start).with_columns(
            pl.col("case").cast(pl.Int64), metric=pl.lit(name), unit=pl.lit(unit)
        )
        timed = done.with_columns(data=pl.col("dataset").cast(pl.String)).join(cases, on="data")
        scores = timed.select(
            "id",
            "case",
            value=pl.col(name).cast(pl.Float64),
            score_step=pl.col("step").cast(pl.Int64),
        )
        results = replace(
            results,
            cases=pl.concat([results.cases, cases], how="diagonal"),
            scores=pl.concat([results.scores, scores], how="diagonal"),
        )
    return results
