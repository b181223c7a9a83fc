"""The page of runs that were trained without some combinations: tables and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from unweave import plots
from unweave.errors import UnweaveError
from unweave.generalise.figures import compared_reconstructions, importances
from unweave.generalise.published import SOURCE
from unweave.generalise.reading import Found
from unweave.generalise.summary import Group, Mean, Relation, groups_of, relations_of
from unweave.generalise.words import KINDS, columns_of, related, signed
from unweave.report import write_generalisation
from unweave.session import CHECKPOINT

__all__ = ["write_page"]


def write_page(found: Sequence[Found], out: Path, notes: Sequence[str] = ()) -> Path:
    """Write one HTML file that shows how runs generalise, condition by condition.

    It holds its pictures and its style: it works offline and can be sent alone.

    Args:
        found: Runs, of one or several conditions.
        out: The file to write.
        notes: Sentences above everything else, such as which runs are left out.

    Returns:
        The file that was written.

    Raises:
        UnweaveError: The disk is full or the folder cannot be written.
    """
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
        "factors": _factor_table(groups),
        "blame": _blame_table(groups),
        "composed": _composed_table(groups),
        "relations": [related(relation) for relation in relations],
        "pictures": _pictures(groups),
    }


def _cell(mean: Mean | None, digits: int) -> dict[str, str]:
    if mean is None:
        return {"mean": "", "ends": ""}
    ends = ""
    if mean.low is not None and mean.high is not None:
        ends = f"{mean.low:.{digits}f} to {mean.high:.{digits}f}"
    return {"mean": f"{mean.mean:.{digits}f}", "ends": ends}


def _published(group: Group) -> str:
    numbers = group.published
    if numbers is None:
        return ""
    return (
        f"{numbers.disentanglement:.3g}; {numbers.trained:,.1f}, {numbers.held_out:,.1f} "
        f"({signed(numbers.held_out - numbers.trained, 1)})"
    )


def _factor_table(groups: Sequence[Group]) -> dict[str, Any]:
    """What a probe reads right from reconstructions, by factor."""
    groups = [g for g in groups if any("factor_errors" in r.scores["held_out"] for r in g.runs)]
    parts = dict.fromkeys(
        part.removesuffix(".accuracy")
        for group in groups
        for run in group.runs
        for part in run.scores["held_out"].get("factor_errors", {})
        if part.endswith(".accuracy")
    )
    return {
        "factors": list(parts),
        "rows": [
            {
                "model": group.model,
                "region": words,
                "cells": [
                    _share(group, region, "factor_errors", f"{factor}.accuracy")
                    for factor in parts
                ],
            }
            for group in groups
            for region, words in _REGION_WORDS.items()
        ],
    }


_REGION_WORDS: Final[dict[Any, str]] = {
    "in_distribution": "in distribution",
    "held_out": "held out",
}


def _share(group: Group, region: Any, analysis: str, part: str, digits: int = 3) -> str:
    """The mean over runs of one number, as text."""
    values = [run.number(region, analysis, part) for run in group.runs]
    known = [value for value in values if value is not None]
    return f"{np.mean(known):.{digits}f}" if known else ""


_BLAME: Final = {
    "distance": "distance, sd",
    "nearest_expected": "nearest, share",
    "excess": "excess, own code",
    "excess_swapped": "excess, without displacement",
}


def _blame_table(groups: Sequence[Group]) -> dict[str, Any]:
    """Where codes are, and what is decoded from where they are expected."""
    known = [g for g in groups if any("attribution" in r.scores["held_out"] for r in g.runs)]
    return {
        "heads": list(_BLAME.values()),
        "rows": [
            {
                "model": group.model,
                "region": words,
                "cells": [_share(group, region, "attribution", part) for part in _BLAME],
            }
            for group in known
            for region, words in _REGION_WORDS.items()
        ],
    }


def _composed_table(groups: Sequence[Group]) -> list[dict[str, Any]]:
    """The tests of composers: excess NLL, and that of leaving the reference as it is."""
    rows = []
    for group in groups:
        for regime, words in (
            ("id_id", "all known"), ("id_ood", "known inputs, new output"), ("ood_ood", "all new"),
        ):  # fmt: skip
            values = [run.composition.get(f"{regime}.excess") for run in group.runs]
            known = [value for value in values if value is not None]
            copied = [run.composition.get(f"{regime}.copied") for run in group.runs]
            if known:
                unchanged = [value for value in copied if value is not None]
                rows.append(
                    {
                        "model": group.model,
                        "regime": words,
                        "excess": f"{np.mean(known):.2f}",
                        "copied": f"{np.mean(unchanged):.2f}" if unchanged else "",
                    }
                )
    return rows


def _pictures(groups: Sequence[Group]) -> list[tuple[str, str, Any]]:
    """Reconstructions and Hinton diagrams of the first run of each model."""
    made: list[tuple[str, str, Any]] = []
    shown = [
        (group.runs[0], group.model)
        for group in groups
        if group.runs[0].kind != "composer" and (group.runs[0].folder / CHECKPOINT).is_file()
    ]
    if shown:
        try:
            figure = compared_reconstructions([run for run, _ in shown], [n for _, n in shown])
        except UnweaveError:
            # Weights or images are not on this machine any more; the numbers are.
            figure = None
        if figure is not None:
            caption = "Images like those trained on, and held out; the first run of each model."
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
    return made


def _over_all(groups: Sequence[Group]) -> list[tuple[str, str, Any]]:
    """Figures of all conditions of each dataset."""
    made: list[tuple[str, str, Any]] = []
    datasets = list(dict.fromkeys(group.dataset for group in groups))
    for dataset in datasets:
        own = [group for group in groups if group.dataset == dataset]
        suffix = f" on {dataset}" if len(datasets) > 1 else ""
        gaps = _panels(own, lambda run: (run.number("in_distribution", *_EXCESS),
                                         run.number("held_out", *_EXCESS)))  # fmt: skip
        if gaps:
            made.append(
                (
                    f"Errors and gaps{suffix}",
                    "Means over runs, with each run behind them.",
                    plots.generalisation_gaps(gaps, _ends(own, gaps)),
                )
            )
        points = _panels(own, lambda run: (run.disentanglement,
                                           run.number("in_distribution", *_EXCESS),
                                           run.number("held_out", *_EXCESS)))  # fmt: skip
        if points:
            made.append(
                (
                    f"Disentanglement against errors{suffix}",
                    "A line joins what one run makes of images like those it was trained on, and "
                    "of those that were held out. A decoder of true factors has disentanglement "
                    "1 by definition.",
                    plots.disentanglement_against_error(points),
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
