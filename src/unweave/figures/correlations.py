"""Correlations of latents among each other and with factors."""

from __future__ import annotations

__all__ = ["correlations", "pearson"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.figures.response import moments
from unweave.figures.shown import said, shown_factors, shown_latents
from unweave.figures.source import Source

_LATENTS = 20
_FACTORS = 12


def pearson(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Pearson's correlation of each column of one table with each of another, (L, K).

    Args:
        first: (N, L).
        second: (N, K).

    Returns:
        From -1 to 1; NaN where a column is constant.
    """
    a, b = (_standard(np.asarray(table, np.float64)) for table in (first, second))
    found: NDArray[np.float64] = np.clip(a.T @ b / len(a), -1, 1)
    return found


def correlations(source: Source) -> Any | None:
    """Pearson's correlations of latents, and how closely they go with factors."""
    table = source.codes()
    if table is None:
        return None
    latents, about = shown_latents(table, _LATENTS)
    codes = np.asarray(table.mean[:, latents], np.float64)
    names = [f"z{j}" for j in latents]
    columns, about_factors = shown_factors(table, _FACTORS) if table.labelled else ([], "")
    with_factors = np.empty((len(latents), len(columns)))
    words = []
    for place, column in enumerate(columns):
        factor = table.factor_space.factors[column]
        indices = np.asarray(table.factors)[:, column]
        if factor.kind == "ordinal":
            values = indices if factor.values is None else np.array(factor.values)[indices]
            with_factors[:, place] = pearson(codes, values[:, None])[:, 0]
        else:
            # No direction: the root of the share of variance between values has the same scale.
            with_factors[:, place] = np.sqrt(moments(codes, indices, factor.size)[2])
            words.append(factor.name)
    note = about
    if words:
        note += (
            f" With {'factors' if len(words) == len(columns) else said(words)}, whose values have "
            "no direction, it is the correlation ratio, which has no sign."
        )
    return plots.code_correlations(
        pearson(codes, codes),
        names,
        with_factors,
        [table.factor_space.names[column] for column in columns],
        title=f"Correlations of latents ({len(table):,} images)",
        note=f"{note} {about_factors}".strip(),
    )


def _standard(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns of mean 0 and standard deviation 1; NaN where they are constant."""
    centred = table - table.mean(axis=0)
    deviation = np.sqrt((centred**2).mean(axis=0))
    constant = table.max(axis=0) == table.min(axis=0)
    scale = np.where(constant | (deviation == 0), np.nan, deviation)
    scaled: NDArray[np.float64] = centred / scale
    return scaled
