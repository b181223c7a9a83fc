"""How concentrated the rows and the columns of a DCI table are."""

from __future__ import annotations

__all__ = ["dci_bars"]

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.figures.source import Source
from unweave.metrics.dci.scores import concentration

_TREES = ("dci", "dci_per_tree", "dci_hist", "dci_forest")
_MOST = 32


def dci_bars(source: Source) -> Any | None:
    """Disentanglement of each latent and completeness of each factor, and their weighted means.

    The table is that of the newest DCI by lasso, or else of the newest DCI. A latent that matters
    to no factor has no disentanglement, and weighs nothing in the mean.
    """
    rows = source.tables(("dci_lasso",)) or source.tables(_TREES)
    if not rows:
        return None
    row, matrix = rows[-1], rows[-1]["matrix"]
    parts = row["parts"]
    columns = list(matrix["columns"])
    kept = [k for k, name in enumerate(columns) if f"completeness_{name}" in parts]
    if "compat=" in row["text"] or not kept:
        # Published code scores constant factors, too.
        kept = list(range(len(columns)))
    table = np.abs(np.asarray(matrix["values"], np.float64))[:, kept]
    if not table.any():
        return None
    groups, about = [], ""
    for name, values, labels, part in (
        ("Disentanglement of each latent", table, matrix["rows"], "disentanglement"),
        ("Completeness of each factor", table.T, [columns[k] for k in kept], "completeness"),
    ):
        group, left_out = _bars(name, values, labels, parts.get(part))
        groups.append(group)
        about += left_out
    return plots.concentration_bars(
        groups,
        title=f"{row['text'].split('(')[0].replace('dci', 'DCI', 1).replace('_', ' ')} "
        f"({row['protocol']}, {row['samples']:,} {row['source']} images)",
        note="A latent is at 1 where it matters to one factor alone, a factor where one latent "
        f"alone matters to it. The mean is weighted by shares of all importance.{about}",
    )


def _bars(
    name: str, table: NDArray[np.float64], labels: Sequence[str], mean: float | None
) -> tuple[plots.Concentration, str]:
    """Bars of the rows of a table, and a sentence where some are left out."""
    weights = table.sum(axis=1)
    values = np.where(weights > 0, concentration(table), np.nan)
    shares = weights / weights.sum()
    shown = np.sort(np.argsort(-shares, kind="stable")[:_MOST])
    weighted = float(np.nansum(shares * values))
    group = plots.Concentration(
        name=name,
        labels=[labels[k] for k in shown],
        values=values[shown],
        shares=shares[shown],
        mean=weighted if mean is None else float(mean),
    )
    what = name.split()[-1]
    more = f" Shown are the {_MOST} of {len(table)} {what}s of the largest shares."
    return group, more if len(table) > _MOST else ""
