"""Codes in two dimensions, coloured by each factor: by principal components, or by t-SNE."""

from __future__ import annotations

__all__ = ["embedding", "principal", "tsne"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.figures.shown import grouped, shown_factors, used_latents
from unweave.figures.source import Source
from unweave.representation import Representation

_POINTS = 2000
_FACTORS = 9
_PERPLEXITY = 30


def principal(codes: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Codes along the two directions in which they vary most, and their shares of the variance.

    The signs are such that the largest entry of each direction is positive.

    Args:
        codes: (N, L) with L of at least 2.

    Returns:
        (N, 2), and (2,), 0 where nothing varies.
    """
    numbers = np.asarray(codes, np.float64)
    centred = numbers - numbers.mean(axis=0)
    values, directions = np.linalg.eigh(centred.T @ centred / len(centred))
    kept = directions[:, ::-1][:, :2]
    largest = np.abs(kept).argmax(axis=0)
    kept = kept * np.where(kept[largest, [0, 1]] < 0, -1, 1)
    total = values.sum()
    shares = values[::-1][:2] / total if total > 0 else np.zeros(2)
    return centred @ kept, np.maximum(shares, 0)


def embedding(source: Source) -> Any | None:
    """Used latents along their two principal directions."""
    table = source.codes()
    if table is None or table.latents < 2:
        return None
    latents = _latents(table)
    points, shares = principal(table.mean[:, latents])
    kept = _evenly(len(table))
    first, second = (f"{100 * share:.0f} %" for share in shares)
    note = (
        f"Along the two directions in which {_said(latents, table)} vary most, with {first} and "
        f"{second} of their variance."
    )
    axes = ("first direction", "second direction")
    return _drawn(table, points[kept], kept, axes, "Codes along principal components", note)


def tsne(source: Source) -> Any | None:
    """Used latents embedded by t-SNE, at most 2,000 images."""
    from sklearn.manifold import TSNE

    table = source.codes()
    if table is None or table.latents < 2:
        return None
    latents, kept = _latents(table), _evenly(len(table))
    codes = np.asarray(table.mean[kept][:, latents], np.float64)
    if len(codes) < 4 or not np.ptp(codes, axis=0).any():
        return None
    perplexity = min(_PERPLEXITY, (len(codes) - 1) / 3)
    made = TSNE(perplexity=perplexity, init="pca", random_state=source.seed % 2**32)
    points = np.asarray(made.fit_transform(codes), np.float64)
    note = (
        f"{_said(latents, table).capitalize()}, by t-SNE of perplexity {perplexity:.0f}: "
        "neighbours stay neighbours; other distances, areas and directions mean nothing."
    )
    return _drawn(table, points, kept, ("", ""), "Codes by t-SNE", note)


def _latents(table: Representation) -> NDArray[np.int64]:
    """The used latents, or all where these are fewer than two."""
    used = np.flatnonzero(used_latents(table.mean, table.logvar))
    return used if len(used) >= 2 else np.arange(table.latents)


def _said(latents: NDArray[np.int64], table: Representation) -> str:
    if len(latents) == table.latents:
        return f"all {table.latents} latents"
    return f"the {len(latents)} used latents of {table.latents}"


def _evenly(count: int) -> NDArray[np.int64]:
    """Which images are drawn; where there are too many, as many evenly chosen ones."""
    return np.unique(np.linspace(0, count - 1, min(count, _POINTS)).round().astype(np.int64))


def _drawn(
    table: Representation,
    points: NDArray[np.float64],
    kept: NDArray[np.int64],
    labels: tuple[str, str],
    title: str,
    note: str,
) -> Any:
    columns, about = shown_factors(table, _FACTORS) if table.labelled else ([], "")
    panels = []
    for column in columns:
        factor = table.factor_space.factors[column]
        values = grouped(factor, np.asarray(table.factors)[kept, column])
        panels.append(
            plots.Colouring(
                factor=values.factor,
                order=values.order,
                places=values.places,
                names=values.names,
                of=values.of,
            )
        )
    title = f"{title} ({len(points):,} images)"
    return plots.embeddings(points, panels, labels, title=title, note=f"{note} {about}".strip())
