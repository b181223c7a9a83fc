"""Latents by factors, as heat maps of scores."""

from __future__ import annotations

__all__ = ["mig"]

from typing import Any

from unweave import plots
from unweave.figures.source import Source


def mig(source: Source) -> Any | None:
    """Mutual information of latents and factors, of the newest MIG."""
    # A run can be scored on other datasets, too, whose factors are not those of its figures.
    rows = source.mig_tables()
    if not rows:
        return None
    row, matrix = rows[-1], rows[-1]["matrix"]
    title = (
        f"MIG {row['value']:.3f} ({row['protocol']}, {row['samples']:,} {row['source']} images)"
    )
    return plots.latent_factor_matrix(
        matrix["values"], matrix["columns"], matrix["rows"], title, matrix["label"]
    )
