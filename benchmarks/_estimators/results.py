"""The decision, the tables and the figure, from the lines of finished cells."""

from __future__ import annotations

__all__ = ["decide", "draw", "summarise", "tables", "write_markdown"]

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from _estimators.candidates import CANDIDATES
from _estimators.gradients import TERMS
from unweave.plots.style import MUTED, SERIES, WIDTH, new_figure, styled
from unweave.rundir import atomic_write

DEFAULT = "stratified"
TIE = 0.01
_SHOWN = ("stratified", "weighted", "even", "even, fixed", "bank", "exact")
_TITLES = {
    "total_correlation": "Total correlation",
    "mutual_information": "Mutual information",
    "dimension_kl": "Dimension-wise KL",
}

Cell = dict[str, Any]


def summarise(cells: Sequence[Cell], term: str = TERMS[0]) -> dict[str, float]:
    """Mean over the cells of the cosine of one batch's gradient with the exact one."""
    means = {}
    for name in ("exact", *CANDIDATES):
        found = [row["cosine"] for cell in cells for row in _rows(cell, term, name)]
        means[name] = sum(found) / len(found)
    return means


def decide(cells: Sequence[Cell]) -> str:
    """The estimator that should be the default, by the protocol."""
    means = {name: value for name, value in summarise(cells).items() if _eligible(name)}
    best = max(means, key=lambda name: means[name])
    return DEFAULT if means[best] - means[DEFAULT] <= TIE else best


def tables(cells: Sequence[Cell], checks: Sequence[Cell]) -> str:
    """All points, as Markdown."""
    means = summarise(cells)
    lines = [
        f"By the protocol the default is `{decide(cells)}`.",
        "",
        "| estimator | what it is | may become the default | mean cosine over the cells, total "
        "correlation | mutual information | dimension-wise KL |",
        "|---|---|---|---|---|---|",
    ]
    others = [summarise(cells, term) for term in TERMS[1:]]
    for name in sorted(means, key=lambda key: -means[key]):
        about = CANDIDATES[name].about if name in CANDIDATES else "all N posteriors"
        eligible = "yes" if _eligible(name) else "no"
        figures = " | ".join(f"{values[name]:.3f}" for values in (means, *others))
        lines.append(f"| {name} | {about} | {eligible} | {figures} |")
    for check in checks:
        found = check["check"]
        lines += [
            "",
            f"Differentiated through the components too ({check['key']['checkpoint']}, "
            f"{check['key']['images']:,} images, {found['samples']:,} samples), the exact "
            f"gradient of the total correlation has cosine {found['cosine']:.4f} with the one "
            f"without; what is added has {found['norm']:.3f} of its norm.",
        ]
    for term in TERMS:
        lines += ["", f"## {_TITLES[term]}", "", *_reference(cells, term), ""]
        lines += [
            "| checkpoint | images | batch | estimator | bias, nats | (i) cosine of the mean "
            "gradient | (ii) cosine of a batch's gradient | (iii) the same, with the exact "
            "gradient of its samples | norm of the mean gradient | norm of a batch's gradient |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        for cell in cells:
            for row in _rows(cell, term):
                lines.append("| " + " | ".join(_columns(cell["key"], row)) + " |")
    return "\n".join(lines) + "\n"


def write_markdown(
    path: Path, head: Sequence[tuple[str, str]], cells: Sequence[Cell], checks: Sequence[Cell]
) -> None:
    """Write the results with what they were measured on."""
    lines = ["# Estimators of the decomposed KL", ""]
    lines += [
        "What is measured, and what decides, is written at the top of `benchmarks/estimators.py`; "
        "norms are relative to those of the exact gradient.",
        "",
    ]
    lines += [f"- {name}: {value}" for name, value in head]
    with atomic_write(path) as handle:
        handle.write(("\n".join(lines) + "\n\n" + tables(cells, checks)).encode())


@styled
def draw(cells: Sequence[Cell]) -> Figure:
    """Cosine of one batch's gradient of the total correlation with the exact one."""
    names = list(dict.fromkeys(cell["key"]["checkpoint"] for cell in cells))
    sizes = sorted({cell["key"]["images"] for cell in cells})
    figure = new_figure(WIDTH, 0.6 + 2.1 * len(names), dpi=110)
    grid = figure.subplots(len(names), len(sizes), squeeze=False, sharex=True, sharey=True)
    for axes, name in zip(grid, names, strict=True):
        for panel, images in zip(axes, sizes, strict=True):
            here = [
                cell
                for cell in cells
                if (cell["key"]["checkpoint"], cell["key"]["images"]) == (name, images)
            ]
            here.sort(key=lambda cell: int(cell["key"]["batch"]))
            batches = [cell["key"]["batch"] for cell in here]
            for index, estimator in enumerate(_SHOWN):
                rows = [_rows(cell, TERMS[0], estimator)[0] for cell in here]
                exact = estimator == "exact"
                panel.errorbar(
                    batches,
                    [row["cosine"] for row in rows],
                    [row["cosine_se"] or 0 for row in rows],
                    label="all posteriors" if exact else estimator,
                    color=MUTED if exact else SERIES[index],
                    linestyle=":" if exact else ("-", "--", "-.")[index % 3],
                    marker="." if exact else "os^vD"[index],
                    markersize=3.5,
                )
            panel.set_xscale("log", base=2)
            panel.set_xticks(batches, [str(batch) for batch in batches])
            panel.set_title(f"{name}, {images:,} images")
    for panel in grid[-1]:
        panel.set_xlabel("batch size")
    for axes in grid:
        axes[0].set_ylabel("cosine")
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=len(labels), frameon=False)
    figure.tight_layout(rect=(0, 0.45 / figure.get_figheight(), 1, 1))
    return figure


def _rows(cell: Cell, term: str, estimator: str | None = None) -> list[Cell]:
    return [
        row
        for row in cell["rows"]
        if row["term"] == term and estimator in (None, row["estimator"])
    ]


def _eligible(name: str) -> bool:
    return name in CANDIDATES and CANDIDATES[name].eligible


def _reference(cells: Sequence[Cell], term: str) -> list[str]:
    """The reference values, once for each model and dataset size."""
    lines = ["| checkpoint | images | reference, nats | samples |", "|---|---|---|---|"]
    seen = set()
    for cell in cells:
        key = (cell["key"]["checkpoint"], cell["key"]["images"])
        if key in seen:
            continue
        seen.add(key)
        found = cell["reference"][term]
        lines.append(
            f"| {key[0]} | {key[1]:,} | {found['value']:.3f} ± {found['se']:.3f} | "
            f"{cell['samples']:,} |"
        )
    return lines


def _columns(key: Cell, row: Cell) -> list[str]:
    exact = row["estimator"] == "exact"
    bias = "" if exact else f"{row['bias']:+.3f} ± {row['bias_se']:.3f}"
    error = "" if row["cosine_se"] is None else f" ± {row['cosine_se']:.3f}"
    return [
        key["checkpoint"],
        f"{key['images']:,}",
        str(key["batch"]),
        row["estimator"],
        bias,
        _number(row["systematic"]),
        f"{row['cosine']:.3f}{error}",
        f"{row['paired']:.3f}",
        _number(row["norm"]),
        _number(row["batch_norm"]),
    ]


def _number(value: float | None) -> str:
    return "lost in noise" if value is None else f"{value:.3f}"
