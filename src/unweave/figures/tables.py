"""Latents by factors, of stored scores: heat maps and Hinton diagrams."""

from __future__ import annotations

__all__ = ["hinton", "mig", "table_of"]

from collections.abc import Callable
from typing import Any

import numpy as np

from unweave import plots
from unweave.figures.source import Source

_MOST_LATENTS = 64
_MOST_FACTORS = 16
_TREES = ("dci", "dci_per_tree", "dci_hist", "dci_forest")


def mig(source: Source) -> Any | None:
    """Mutual information of latents and factors, of the newest MIG."""
    return table_of("mig")(source)


def table_of(*metrics: str) -> Callable[[Source], Any | None]:
    """A kind that draws the table of the newest score of some metrics, as a heat map.

    Args:
        *metrics: Names of metrics whose tables have a row for each latent and a column for each
            factor.
    """

    def draw(source: Source) -> Any | None:
        # A run can be scored on other datasets, too, whose factors are not those of its figures.
        rows = source.tables(metrics)
        if not rows:
            return None
        row, matrix = rows[-1], _fitting(rows[-1]["matrix"])
        return plots.latent_factor_matrix(
            matrix["values"], matrix["columns"], matrix["rows"], _title(row), matrix["label"]
        )

    return draw


def hinton(source: Source) -> Any | None:
    """Weights of latents for factors, of the newest DCI by lasso, or else of the newest DCI."""
    rows = source.tables(("dci_lasso",)) or source.tables(_TREES)
    if not rows:
        return None
    row, matrix = rows[-1], _fitting(rows[-1]["matrix"])
    values = np.asarray(matrix["values"], np.float64)
    return plots.hinton_diagrams(
        [values],
        ["weights"],
        matrix["columns"],
        [matrix["rows"]],
        title=_title(row),
        value_label=matrix["label"],
    )


def _title(row: dict[str, Any]) -> str:
    """What was scored, in a line."""
    name = row["metric"].replace("_", " ")
    name = name.upper() if "_" not in row["metric"] else f"{name[:3].upper()}{name[3:]}"
    return (
        f"{name} {row['value']:.3f} ({row['protocol']}, {row['samples']:,} {row['source']} images)"
    )


def _fitting(matrix: dict[str, Any]) -> dict[str, Any]:
    """The rows and columns that there is room for: those of the largest values."""
    values = np.asarray(matrix["values"], np.float64)
    sizes = np.nan_to_num(np.abs(values))
    kept = [
        np.sort(np.argsort(-sizes.max(axis=1 - axis), kind="stable")[:most])
        for axis, most in enumerate((_MOST_LATENTS, _MOST_FACTORS))
    ]
    return {
        "values": values[np.ix_(*kept)],
        "rows": [matrix["rows"][j] for j in kept[0]],
        "columns": [matrix["columns"][k] for k in kept[1]],
        "label": matrix["label"],
    }
