"""How each latent answers each factor."""

from __future__ import annotations

__all__ = ["moments", "response"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.figures.shown import grouped, shown_factors, shown_latents
from unweave.figures.source import Source

_LATENTS = 12
_FACTORS = 8


def moments(
    codes: NDArray[np.floating], groups: NDArray[np.int64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Mean and spread of each latent in each group, and how much of it the groups make up.

    Args:
        codes: (N, L).
        groups: Group of each row, (N,) from 0 to `count` - 1.
        count: Number of groups V.

    Returns:
        Means (V, L) and standard deviations (V, L), NaN for a group without rows; and the variance
        of the means over that of all codes, (L,), 0 for a constant latent.
    """
    numbers = np.asarray(codes, np.float64)
    # About their mean, so that squares lose no digits.
    middle = numbers.mean(axis=0)
    centred = numbers - middle
    rows = np.bincount(groups, minlength=count).astype(np.float64)
    filled = np.where(rows > 0, rows, np.nan)[:, None]
    mean = _sums(centred, groups, count) / filled
    square = _sums(centred**2, groups, count) / filled
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    whole = (centred**2).mean(axis=0)
    between = np.nansum(rows[:, None] * mean**2, axis=0) / len(numbers)
    share = np.where(whole > 0, between / np.where(whole > 0, whole, 1), 0.0)
    return mean + middle, deviation, np.minimum(share, 1.0)


def response(source: Source) -> Any | None:
    """Mean and spread of each latent over the values of each factor."""
    table = source.codes()
    if table is None:
        return None
    columns, about_factors = shown_factors(table, _FACTORS)
    if not columns:
        return None
    latents, about_latents = shown_latents(table, _LATENTS)
    responses = []
    for column in columns:
        values = grouped(table.factor_space.factors[column], np.asarray(table.factors)[:, column])
        mean, deviation, share = moments(table.mean[:, latents], values.of, values.count)
        responses.append(
            plots.Response(
                factor=values.factor,
                order=values.order,
                places=values.places,
                names=values.names,
                mean=mean,
                deviation=deviation,
                share=share,
            )
        )
    follows = source.latent_names()
    return plots.latent_responses(
        responses,
        [f"z{j}" for j in latents],
        [follows[j] for j in latents],
        title=f"Latents over the values of factors ({len(table):,} images)",
        note=f"{about_latents} {about_factors}".strip(),
    )


def _sums(
    numbers: NDArray[np.float64], groups: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Sum of each column over the rows of each group, (V, L)."""
    return np.stack([np.bincount(groups, column, count) for column in numbers.T], axis=1)
