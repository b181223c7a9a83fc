"""Figures of results: violins by group, rank correlations, and how ranks move."""

from __future__ import annotations

__all__ = ["draw"]

import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave.errors import RunError
from unweave.plots import correlation_matrix, rank_lines, save, violins
from unweave.results.cases import own_of, told
from unweave.results.correlation import Correlations, correlate
from unweave.results.directions import higher_is_better
from unweave.results.fields import natural
from unweave.results.grouping import Summary, group_labels
from unweave.results.table import CIRCUMSTANCES, SHARED, Results
from unweave.results.writing import check_place

# More lines, rows or cells than that cannot be told apart.
_MOST_LINES = 18
_MOST_ROWS = 200
_MOST_RANKS = 400
_MOST_NAMES = 60


def draw(
    results: Results, summary: Summary, folder: Path, *, seed: int = 0
) -> tuple[list[Path], list[str]]:
    """Draw all figures that the results give.

    `violins-METRIC.png` shows the scores of each group, in one panel for each circumstances;
    `correlations.png` the rank correlations between scores, or one a dataset,
    `correlations-NUMBER-DATASET.png`; `ranks.png` the rank of each group, by its mean, from metric
    to metric; and with two or more fields to group by `ranks-over-FIELD.png` the rank of each
    combination of the others, from value to value of the last.

    Args:
        results: What was chosen.
        summary: What `summarise` made of it.
        folder: Where to; it is made where it is missing.
        seed: Of the bootstrap.

    Returns:
        The files, and notes on what could not be drawn.

    Raises:
        UnweaveError: The folder cannot be written.
    """
    check_place(folder)
    rows = [row for row in summary.rows.to_dicts() if row["n"]]
    pictures: dict[str, Any] = {}
    notes: list[str] = []
    fields = [name for name in summary.group_by if name not in CIRCUMSTANCES]
    # Where each panel has the scores of one dataset, groups do not say it again.
    apart = "data" in summary.differing and all(row["data"] == row.get("dataset") for row in rows)
    labels = group_labels(rows, [f for f in fields if not (apart and f == "dataset")])
    _violins(summary, rows, labels, pictures, notes)
    try:
        _correlations(correlate(results, seed=seed), pictures, notes)
    except RunError as error:
        notes.append(f"No correlations are drawn. {error}")
    _ranks(summary, rows, labels, pictures, notes)
    if len(fields) > 1:
        _ranks_over(summary, rows, fields, apart, pictures, notes)
    return [save(picture, folder / f"{name}.png") for name, picture in pictures.items()], notes


def _violins(
    summary: Summary,
    rows: Sequence[Mapping[str, Any]],
    labels: Sequence[str],
    pictures: dict[str, Any],
    notes: list[str],
) -> None:
    order = list(dict.fromkeys(labels))
    for metric in dict.fromkeys(row["metric"] for row in rows):
        panels: dict[str, dict[str, Any]] = {}
        for row, label in zip(rows, labels, strict=True):
            if row["metric"] == metric:
                panel = panels.setdefault(told(row, summary.differing), {})
                panel[label] = row["values"]
        picture = _free(pictures, f"violins-{_slug(metric)}")
        # Three panels stand side by side.
        count = len(order) * -(-len(panels) // 3)
        if count > _MOST_ROWS:
            notes.append(_too_many(picture, count, "rows", _MOST_ROWS))
            continue
        units = {row["unit"] for row in rows if row["metric"] == metric}
        unit = units.pop() if len(units) == 1 else ""
        # The same groups in the same order in all figures.
        full = {name: {k: panel.get(k, []) for k in order} for name, panel in panels.items()}
        pictures[picture] = violins(
            full, title=metric, value_label=f"{metric}, {unit}" if unit else metric
        )


def _correlations(found: Correlations, pictures: dict[str, Any], notes: list[str]) -> None:
    datasets = list(dict.fromkeys(found.data))
    for number, data in enumerate(datasets, 1):
        names = [n for n, of in zip(found.names, found.data, strict=True) if of == data]
        picture = "correlations" if len(datasets) == 1 else f"correlations-{number}-{_slug(data)}"
        if len(names) > _MOST_NAMES:
            notes.append(_too_many(picture, len(names), "scores", _MOST_NAMES))
            continue
        shown = [name.replace(f"{data}, ", "").replace(f", {data}", "") for name in names]
        shown = [name.replace(f" [{data}]", "") for name in shown]
        pictures[picture] = correlation_matrix(
            found.matrix(names), shown, title=f"Rank correlations over runs, {data}",
            value_label="Spearman's rank correlation",
        )  # fmt: skip


def _ranks(
    summary: Summary,
    rows: Sequence[Mapping[str, Any]],
    labels: Sequence[str],
    pictures: dict[str, Any],
    notes: list[str],
) -> None:
    lines = list(dict.fromkeys(labels))
    shared = [name for name in SHARED if name in summary.differing]
    panels = [told(row, shared) for row in rows]
    # Scores of one metric with two settings, say, are two places.
    own = [name for name in summary.differing if name not in SHARED]
    kinds = [told(dict(zip(own, kind, strict=True)), own) for kind in own_of(rows, own)]
    values = [
        f"{row['metric']} [{kind}]" if kind else str(row["metric"])
        for row, kind in zip(rows, kinds, strict=True)
    ]
    metrics = list(dict.fromkeys(values))
    if len(lines) < 2 or len(metrics) < 2:
        return
    if not _told_apart("ranks", lines, panels, notes):
        return
    ranks = _rank_panels(rows, panels, labels, values, lines, metrics)
    if not any(np.isfinite(table).any() for table in ranks.values()):
        return
    pictures["ranks"] = rank_lines(ranks, lines, metrics, title="Rank by the mean of each metric")


def _ranks_over(
    summary: Summary,
    rows: Sequence[Mapping[str, Any]],
    fields: Sequence[str],
    apart: bool,
    pictures: dict[str, Any],
    notes: list[str],
) -> None:
    """Ranks among the groups that have a value of the last field, from value to value.

    Args:
        summary: What is drawn.
        rows: Its rows that have scores.
        fields: What groups go by.
        apart: Whether each row is of the dataset of its group, and of several there are.
        pictures: Where to.
        notes: What is said of what is not drawn.
    """
    # From dataset to dataset a panel has all of them.
    passed_over = ("data", "source") if apart and fields[-1] == "dataset" else ()
    shared = [name for name in summary.differing if name not in passed_over]
    labels = group_labels(rows, [f for f in fields[:-1] if not (apart and f == "dataset")])
    lines = list(dict.fromkeys(labels))
    values = group_labels(rows, fields[-1:])
    stem = f"{fields[-1].rpartition('.')[2]}="
    places = [name for name in _sorted(values, rows, fields[-1]) if name != f"{stem}none"]
    if len(lines) < 2 or len(places) < 2:
        return
    picture = f"ranks-over-{_slug(fields[-1])}"
    if len(places) > _MOST_LINES:
        notes.append(_too_many(picture, len(places), "values", _MOST_LINES))
        return
    panels = [", ".join(filter(None, (row["metric"], told(row, shared)))) for row in rows]
    if not _told_apart(picture, lines, panels, notes):
        return
    ranks = _rank_panels(rows, panels, labels, values, lines, places)
    kept = [
        k for k in range(len(places)) if any(np.isfinite(r[:, k]).any() for r in ranks.values())
    ]
    if not kept:
        return
    pictures[picture] = rank_lines(
        {name: table[:, kept] for name, table in ranks.items()}, lines,
        [places[k].removeprefix(stem) for k in kept],
        title=f"Rank by the mean, for each {fields[-1]}", place_label=fields[-1],
    )  # fmt: skip


def _told_apart(
    picture: str, lines: Sequence[str], panels: Sequence[str], notes: list[str]
) -> bool:
    """Whether so many lines, in so many panels, can be told apart; else that is noted."""
    # A panel takes the room of some lines for its words.
    every = len(set(panels)) * (len(lines) + 4)
    for count, most in ((len(lines), _MOST_LINES), (every, _MOST_RANKS)):
        if count > most:
            notes.append(_too_many(picture, count, "lines", most))
            return False
    return True


def _rank_panels(
    rows: Sequence[Mapping[str, Any]],
    panels: Sequence[str],
    labels: Sequence[str],
    values: Sequence[str],
    lines: Sequence[str],
    places: Sequence[str],
) -> dict[str, NDArray[np.float64]]:
    """Ranks by the means of some rows, one table (lines, places) for each panel.

    Args:
        rows: What has the means.
        panels: The panel of each row.
        labels: The line of each row.
        values: The place of each row; one that is none of `places` is passed over.
        lines: All lines.
        places: All places.
    """
    tables: dict[str, NDArray[np.float64]] = {}
    for row, panel, label, value in zip(rows, panels, labels, values, strict=True):
        if value in places:
            means = tables.setdefault(panel, np.full((len(lines), len(places)), np.nan))
            means[lines.index(label), places.index(value)] = _upward(row)
    return {panel: _ranked(means) for panel, means in tables.items()}


def _sorted(values: Sequence[str], rows: Sequence[Mapping[str, Any]], field: str) -> list[str]:
    """Labels of the values of a field, in the order of the values."""
    found = {label: row[field] for label, row in zip(values, rows, strict=True)}
    return sorted(found, key=lambda label: natural(found[label]))


def _upward(row: Mapping[str, Any]) -> float:
    """The mean, turned so that more is better."""
    mean = float(row["mean"])
    return mean if higher_is_better(row["metric"]) else -mean


def _ranked(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1, the best, among those that have a mean in a column; none for one alone.

    Equal means have the same rank.
    """
    there = np.isfinite(means)
    better = means[:, None, :] < means[None, :, :]
    return np.where(there & (there.sum(axis=0) > 1), 1.0 + better.sum(axis=1), np.nan)


def _too_many(picture: str, count: int, what: str, most: int) -> str:
    return (
        f"{picture} is not drawn: {count} {what} cannot be told apart, and {most} could. Group by "
        "fewer fields, or choose some scores with --metrics or --where."
    )


def _free(pictures: Mapping[str, Any], name: str) -> str:
    """A name that no picture has yet; long names of scores may be cut to the same."""
    further = (f"{name}-{number}" for number in itertools.count(2))
    return next(free for free in itertools.chain([name], further) if free not in pictures)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "-", text).strip("-")[:60]
