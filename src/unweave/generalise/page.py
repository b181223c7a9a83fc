"""The page of runs that were trained without some combinations: tables and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from unweave import plots
from unweave.generalise.by_combination import errors_figure, lacking_maps
from unweave.generalise.figures import compared_reconstructions, importances
from unweave.generalise.published import SOURCE
from unweave.generalise.reading import Found
from unweave.generalise.summary import Group, Mean, Relation, groups_of, relations_of
from unweave.generalise.tables import Table, tables_of
from unweave.generalise.wording import ends_of, not_apart, region_words
from unweave.generalise.words import KINDS, columns_of, related, signed
from unweave.report import write_generalisation
from unweave.report.place import GENERALISATION, check_page

__all__ = ["write_page"]


def write_page(found: Sequence[Found], out: str | Path, notes: Sequence[str] = ()) -> Path:
    """Write one HTML file that shows how runs generalise, condition by condition.

    It holds its pictures and its style: it works offline and can be sent alone.

    Args:
        found: Runs, of one or several conditions.
        out: The file to write.
        notes: Sentences above everything else, such as which runs are left out.

    Returns:
        The file that was written.

    Raises:
        SpecError: The name has another ending than .html, or a file is there that is no such page.
        UnweaveError: The disk is full or the folder cannot be written.
    """
    out = Path(out)
    check_page(out, GENERALISATION)
    groups = groups_of(found)
    relations = relations_of(groups)
    places = list(dict.fromkeys((group.dataset, group.condition) for group in groups))
    parts = [
        _condition([g for g in groups if (g.dataset, g.condition) == place],
                   [r for r in relations if (r.dataset, r.condition) == place])
        for place in places
    ]  # fmt: skip
    title = (
        f"Generalisation of {_count(len(found), 'run')} under {_count(len(places), 'condition')}"
    )
    return write_generalisation(
        out,
        title=title,
        notes=notes,
        figures=_over_all(groups),
        conditions=parts,
        source=SOURCE,
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _condition(groups: Sequence[Group], relations: Sequence[Relation]) -> dict[str, Any]:
    """Everything that the page says of one condition."""
    first = groups[0].runs[0]
    split, condition = first.split, first.recovered.condition
    shown = columns_of(groups)
    pictures, lost = _pictures(groups)
    return {
        "name": groups[0].condition,
        "dataset": groups[0].dataset,
        "kind": KINDS[split.kind],
        "found": "" if split.kind == split.finding.kind else KINDS[split.finding.kind],
        "rule": condition.held_out,
        "doubts": list(condition.doubts),
        "counts": {
            "trained on": f"{first.config.num_train:,}",
            "kept apart": f"{first.config.dataset.count - first.config.num_train:,}",
            "held out": f"{len(split.held_out):,}",
            "neither": f"{len(split.discarded):,}",
        },
        "heads": [head for _, head, _ in shown],
        "rows": [
            {
                "model": group.model,
                "runs": len(group.runs),
                "cells": [_cell(group.number(column), digits) for column, _, digits in shown],
                "published": _published(group),
            }
            for group in groups
        ],
        "not_apart": not_apart([run for group in groups for run in group.runs]),
        "tables": [_beside(table) for table in tables_of(groups)],
        "relations": [related(relation) for relation in relations],
        "pictures": pictures,
        "lacking": [*lost, *filter(None, [lacking_maps(groups)])],
    }


def _cell(mean: Mean | None, digits: int) -> dict[str, str]:
    return {
        "mean": "" if mean is None else f"{mean.mean:.{digits}f}",
        "ends": ends_of(mean, digits),
    }


def _published(group: Group) -> str:
    numbers = group.published
    if numbers is None:
        return ""
    return (
        f"{numbers.disentanglement:.3g}; {numbers.trained:,.1f}, {numbers.held_out:,.1f} "
        f"({signed(numbers.held_out - numbers.trained, 1)})"
    )


def _beside(table: Table) -> dict[str, Any]:
    """A table beside the main one, in words."""
    return {
        "name": table.name,
        "heading": table.heading,
        "heads": list(table.heads),
        "rows": [
            {
                "model": row.model,
                "images": row.images,
                "cells": [
                    _cell(cell, digits)
                    for cell, digits in zip(row.cells, table.digits, strict=True)
                ],
            }
            for row in table.rows
        ],
    }


def _pictures(groups: Sequence[Group]) -> tuple[list[tuple[str, str, Any]], list[str]]:
    """Errors by combination, and reconstructions and Hinton diagrams of the first runs.

    Returns:
        Heading, caption and figure of each; and sentences on what cannot be shown.
    """
    made: list[tuple[str, str, Any]] = []
    by_combination = errors_figure(groups)
    if by_combination is not None:
        made.append(by_combination)
    shown = [(group.runs[0], group.model) for group in groups if group.runs[0].kind != "composer"]
    lost: list[str] = []
    if shown:
        figure, lost = compared_reconstructions([run for run, _ in shown], [n for _, n in shown])
        if figure is not None:
            like = "like those" if shown[0][0].config.holdout else "that were"
            caption = f"Images {like} trained on, and held out; the first run of each model."
            made.append(("Reconstructions", caption, figure))
    tables = [(group.model, importances(group.runs[0])) for group in groups]
    known = [(name, table) for name, table in tables if table is not None]
    if known:
        figure = plots.hinton_diagrams(
            [table[0] for _, table in known],
            [name for name, _ in known],
            known[0][1][1],
            value_label="weight of a latent for a factor",
        )
        caption = (
            "How much each latent has to say about each factor, by lasso, on the images that were "
            "trained on; the first run of each model."
        )
        made.append(("Which latent tells which factor", caption, figure))
    return made, lost


def _over_all(groups: Sequence[Group]) -> list[tuple[str, str, Any]]:
    """Figures of all conditions of each dataset."""
    made: list[tuple[str, str, Any]] = []
    datasets = list(dict.fromkeys(group.dataset for group in groups))
    for dataset in datasets:
        own = [group for group in groups if group.dataset == dataset]
        suffix = f" on {dataset}" if len(datasets) > 1 else ""
        inside, outside = region_words([run for group in own for run in group.runs]).values()
        gaps = _panels(own, lambda run: (run.number("in_distribution", *_EXCESS),
                                         run.number("held_out", *_EXCESS)))  # fmt: skip
        if gaps:
            made.append(
                (
                    f"Errors and gaps{suffix}",
                    "Means over runs, with each run behind them.",
                    plots.generalisation_gaps(
                        gaps,
                        _ends(own, gaps),
                        regions=(inside, outside),
                        # Of runs of both sorts the words would be too long.
                        gap_label=f"gap ({outside} \N{MINUS SIGN} {inside})"
                        if " or " not in inside
                        else "gap",
                    ),
                )
            )
        points = _panels(own, lambda run: (run.disentanglement,
                                           run.number("in_distribution", *_EXCESS),
                                           run.number("held_out", *_EXCESS)))  # fmt: skip
        if points:
            made.append(
                (
                    f"Disentanglement against errors{suffix}",
                    f"A line joins what one run makes of images that are {inside}, and of those "
                    "that were held out. A decoder of true factors has disentanglement "
                    "1 by definition.",
                    plots.disentanglement_against_error(points, regions=(inside, outside)),
                )
            )
    return made


_EXCESS: Final = ("reconstruction_nll", "excess")


def _panels(
    groups: Sequence[Group], numbers: Any
) -> dict[str, dict[str, list[tuple[float, ...]]]]:
    """Condition -> model -> numbers of each run that has all of them."""
    panels: dict[str, dict[str, list[tuple[float, ...]]]] = {}
    for group in groups:
        rows = [row for run in group.runs if None not in (row := numbers(run))]
        if rows:
            panels.setdefault(group.condition, {})[group.model] = rows
    return panels


def _ends(groups: Sequence[Group], panels: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Bootstrap intervals of the means, where there are runs enough for them."""
    found: dict[str, dict[str, Any]] = {}
    for group in groups:
        if group.model not in panels.get(group.condition, {}):
            continue
        means = [group.number(name) for name in ("excess", "excess_held_out", "excess_gap")]
        rows = [
            (m.low, m.high) if m is not None and m.interval else (np.nan, np.nan) for m in means
        ]
        found.setdefault(group.condition, {})[group.model] = np.array(rows, np.float64)
    return found
