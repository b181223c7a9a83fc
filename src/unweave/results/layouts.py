"""Ways to lay a summary out: a line for each number, a line for each group, or eleven columns."""

from __future__ import annotations

__all__ = ["ELEVEN", "Layout", "Sheet", "Spread", "eleven_of", "lay_out"]

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias, final

from unweave.errors import RunError
from unweave.metrics.interval import FEWEST
from unweave.results.cases import own_of
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

    def _repr_html_(self) -> str:
        """The table, for a notebook."""
        from unweave.results.formats import html

        return html(self, f"{len(self.rows):,} rows")


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
    fields = [name for name in summary.group_by if name not in (*SHARED, *OWN)]
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
    """A line for each group and circumstances, a column for each metric.

    Metrics that have no several settings, or the like, share a line that says nothing of them.
    """
    own = [name for name in (*OWN, "unit") if name in (*summary.differing, *summary.group_by)]
    fields = [name for name in summary.group_by if name not in (*SHARED, *OWN)]
    keys = [*fields, *SHARED, *own]
    several = [name for name in own if name not in summary.group_by]
    taken = _taken(rows, names)
    cells = []
    for key, found in _lines(rows, fields, keys, several).items():
        runs = max(row["runs"] for row in found.values())
        line: list[Cell | Spread] = [*key, runs]
        for column in names:
            there = [row for name, row in found.items() if name in taken[column][_shared(row)]]
            line += [Spread(row["mean"], row["sd"], row["n"], runs) for row in there] or [
                Spread(None, None, 0, runs)
            ]
        cells.append(tuple(line))
    notes = _columns_told(taken)
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


def _lines(
    rows: Sequence[Mapping[str, Any]],
    fields: Sequence[str],
    keys: Sequence[str],
    several: Sequence[str],
) -> dict[tuple[Any, ...], dict[str, Mapping[str, Any]]]:
    """What a line is of, the values of `keys` -> metric -> its row.

    Args:
        rows: Of a summary.
        fields: What groups go by.
        keys: The fields, then all that scores have in common, then what `several` names.
        several: What is told only of metrics that have several of it.
    """
    lines: dict[tuple[Any, ...], dict[str, Mapping[str, Any]]] = {}
    timings: dict[tuple[Any, ...], dict[str, Mapping[str, Any]]] = {}
    for row, kind in zip(rows, own_of(rows, several), strict=True):
        shown = {**row, **dict(zip(several, kind, strict=True))}
        of_which = timings if row["protocol"] is None else lines
        of_which.setdefault(tuple(shown[name] for name in keys), {})[row["metric"]] = row
    # Timings have no protocol: they stand beside all scores of the same data, or alone.
    group = [*range(len(fields)), keys.index("data")]
    for alone, found in timings.items():
        beside = [key for key in lines if all(key[k] == alone[k] for k in group)]
        for key in beside or [alone]:
            lines[key] = lines.get(key, {}) | found
    return lines


def _shared(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in SHARED)


def _taken(
    rows: Sequence[Mapping[str, Any]], names: Mapping[str, Sequence[str]]
) -> dict[str, dict[tuple[Any, ...], tuple[str, ...]]]:
    """Column -> circumstances -> the metric that it shows under them.

    Of several, such as two kinds of SAP, it is the first that has been computed, so that a column
    never holds two of them under the same circumstances.
    """
    computed = {(row["metric"], _shared(row)) for row in rows if row["n"]}
    every = dict.fromkeys(map(_shared, rows))
    return {
        column: {
            shared: tuple(name for name in metrics if (name, shared) in computed)[:1]
            for shared in every
        }
        for column, metrics in names.items()
    }


def _columns_told(taken: Mapping[str, Mapping[tuple[Any, ...], tuple[str, ...]]]) -> list[str]:
    """A sentence on the columns whose names are not those of their metrics."""
    told = []
    for column, of in taken.items():
        protocols: dict[str, dict[str, None]] = {}
        for shared, metrics in of.items():
            for metric in metrics:
                protocols.setdefault(metric, {})[shared[SHARED.index("protocol")]] = None
        if list(protocols) not in ([], [column]):
            under = [
                f"{metric} under {', '.join(map(str, which))}" if len(protocols) > 1 else metric
                for metric, which in protocols.items()
            ]
            told.append(f"{column} is {' or '.join(under)}")
    return [f"{'; '.join(told)}."] if told else []


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
