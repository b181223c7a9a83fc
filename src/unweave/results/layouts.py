"""Ways to lay a summary out: a line for each number, a line for each group, or eleven columns."""

from __future__ import annotations

__all__ = ["ELEVEN", "Layout", "Sheet", "Spread", "eleven_of", "lay_out"]

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, final

from unweave.errors import RunError
from unweave.metrics.interval import FEWEST
from unweave.results.fields import Cell, natural
from unweave.results.grouping import STATISTICS, Summary
from unweave.results.table import OWN, SHARED

Layout: TypeAlias = Literal["stats", "wide", "clg"]

ELEVEN: Final[Mapping[str, tuple[str, ...]]] = {
    "fac": ("factor_vae",),
    "fac_dim": ("factor_vae.active_latents",),
    "beta": ("beta_vae",),
    "mig": ("mig",),
    "dci_info": ("dci.informativeness_test",),
    "dci_dis": ("dci.disentanglement",),
    "dci_comp": ("dci.completeness",),
    "mod": ("modularity_explicitness.modularity",),
    "explicit": ("modularity_explicitness.explicitness",),
    "sap": ("sap_continuous", "sap"),
    "fl": ("factor_leakage.factor_leakage_mean",),
}
"""The eleven columns of the Lie group VAE's scripts, and the scores that they show."""


@final
@dataclass(frozen=True)
class Spread:
    """A mean over runs with its standard deviation.

    Attributes:
        mean: None where no score counts.
        sd: None for fewer than two.
        n: How many scores count.
        runs: How many runs the group has.
    """

    mean: float | None
    sd: float | None
    n: int
    runs: int


@final
@dataclass(frozen=True)
class Sheet:
    """A table to be written.

    Attributes:
        columns: Names of the columns.
        rows: One cell a column.
        quiet: Columns that are the same in all rows, which tables for people tell above.
        notes: What must be known to read it.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell | Spread, ...], ...]
    quiet: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def lay_out(summary: Summary, layout: Layout) -> Sheet:
    """A summary as a table.

    Args:
        summary: What is told.
        layout: `stats` has a line for each group and metric, with all statistics; `wide` a line
            for each group, with mean and standard deviation of each metric; `clg` the same with
            the eleven columns of the Lie group VAE's scripts.
    """
    rows = summary.rows.to_dicts()
    if layout == "stats":
        return _stats(summary, rows)
    if layout == "wide":
        names = list(dict.fromkeys(row["metric"] for row in rows))
        return _wide(summary, rows, {name: (name,) for name in names})
    return _wide(summary, rows, ELEVEN)


def eleven_of(quantities: Collection[str]) -> tuple[str, ...]:
    """Those scores of the eleven columns that there are.

    Raises:
        RunError: There are none.
    """
    wanted = [name for names in ELEVEN.values() for name in names]
    found = tuple(name for name in wanted if name in quantities)
    if not found:
        metrics = dict.fromkeys(name.partition(".")[0] for name in wanted if name != "sap")
        raise RunError(
            "No run has any of the eleven scores of this layout. Compute them first: unweave "
            f"evaluate RUN --protocol clg --metrics {','.join(metrics)}."
        )
    return found


def _stats(summary: Summary, rows: Sequence[Mapping[str, Any]]) -> Sheet:
    fields = [name for name in summary.group_by if name in summary.rows.columns]
    fields = [name for name in fields if name not in (*SHARED, *OWN)]
    columns = ("metric", *fields, *SHARED, *OWN, "unit", *STATISTICS)
    return Sheet(
        columns=columns,
        rows=tuple(tuple(row[name] for name in columns) for row in rows),
        quiet=_quiet(summary, rows),
        notes=(
            "low and high are the ends of the 95 % bootstrap interval of the mean over runs, of "
            f"which it takes at least {FEWEST}.",
        ),
    )


def _wide(
    summary: Summary, rows: Sequence[Mapping[str, Any]], names: Mapping[str, Sequence[str]]
) -> Sheet:
    """A line for each group and circumstances, a column for each metric."""
    own = [name for name in OWN if name in summary.differing or name in summary.group_by]
    fields = [name for name in summary.group_by if name not in (*SHARED, *OWN)]
    keys = [*fields, *SHARED, *own]
    lines: dict[tuple[Any, ...], dict[str, Mapping[str, Any]]] = {}
    timings: dict[tuple[Any, ...], dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        if row["protocol"] is None:
            group = tuple(row[name] for name in (*fields, "data"))
            timings.setdefault(group, {})[row["metric"]] = row
        else:
            lines.setdefault(tuple(row[name] for name in keys), {})[row["metric"]] = row
    for key, found in lines.items():
        found |= timings.get((*key[: len(fields)], key[len(fields) + 1]), {})
    if not lines:
        blank = (None,) * (len(keys) - len(fields))
        lines = {(*group[:-1], *blank): found for group, found in timings.items()}
    cells = []
    shown: dict[str, dict[str, None]] = {}
    for key, found in lines.items():
        runs = max(row["runs"] for row in found.values())
        line: list[Cell | Spread] = [*key, runs]
        for column, metrics in names.items():
            # Of several, such as two kinds of SAP, the first that has been computed.
            metric = next((name for name in metrics if name in found and found[name]["n"]), None)
            if metric is None:
                line.append(Spread(None, None, 0, runs))
                continue
            row = found[metric]
            shown.setdefault(column, {})[metric] = None
            line.append(Spread(row["mean"], row["sd"], row["n"], runs))
        cells.append(tuple(line))
    told = [
        f"{column} is {' or '.join(metrics)}"
        for column, metrics in shown.items()
        if list(metrics) != [column]
    ]
    notes = [f"{'; '.join(told)}."] if told else []
    groups = [tuple(row[name] for name in fields) for row in rows]
    known = {group: place for place, group in enumerate(sorted(set(groups), key=_by_nature))}
    order = sorted(
        range(len(cells)),
        key=lambda place: (
            known[cells[place][: len(fields)]],
            *map(str, cells[place][len(fields) : len(keys)]),
        ),
    )
    return Sheet(
        columns=(*keys, "runs", *names),
        rows=tuple(cells[place] for place in order),
        quiet=tuple(name for name in _quiet(summary, rows) if name in keys),
        notes=(
            "Mean ± standard deviation over runs; their number in brackets where not all count.",
            *notes,
        ),
    )


def _by_nature(group: Sequence[Cell]) -> tuple[Any, ...]:
    return tuple(map(natural, group))


def _quiet(summary: Summary, rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Circumstances that need no column, and counts that say nothing."""
    kept = {*summary.differing, *summary.group_by}
    silent = [
        name
        for name, empty in (
            ("unit", not any(row["unit"] for row in rows)),
            ("finished", all(row["finished"] == row["runs"] for row in rows)),
            ("missing", not any(row["missing"] for row in rows)),
            ("not_finite", not any(row["not_finite"] for row in rows)),
        )
        if empty
    ]
    return (*(name for name in (*SHARED, *OWN) if name not in kept), *silent)
