"""Circular factors as circles, on the two latents that know most of each."""

from __future__ import annotations

__all__ = ["circles", "path_of"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.figures.response import moments
from unweave.figures.shown import Values, grouped, information, name_of
from unweave.figures.source import Source
from unweave.representation import Representation

_CIRCLES = 4
_KINDS = 4
_FEWEST = 3


def path_of(codes: NDArray[np.floating], values: Values) -> NDArray[np.float64]:
    """Mean codes of each value of a factor, in order, (V, L); less those that do not occur.

    Args:
        codes: (N, L).
        values: The factor's values.
    """
    mean, _, _ = moments(codes, values.of, values.count)
    return mean[np.isfinite(mean).all(axis=1)]


def circles(source: Source) -> Any | None:
    """Codes on two latents for each circular factor, coloured by its value."""
    table = source.codes()
    if table is None or table.latents < 2:
        return None
    space, factors = table.factor_space, np.asarray(table.factors)
    circular = [
        column
        for column, factor in enumerate(space.factors)
        if factor.kind == "circular" and len(np.unique(factors[:, column])) >= _FEWEST
    ]
    if not circular:
        return None
    known = information(table)
    rows = []
    for column in circular[:_CIRCLES]:
        first, second = sorted(np.argsort(-known[:, column], kind="stable")[:2].tolist())
        values = grouped(space.factors[column], factors[:, column])
        codes = np.asarray(table.mean[:, [first, second]], np.float64)
        labels = [f"z{j} ({known[j, column]:.2f} nats)" for j in (first, second)]
        panels = [("all images", codes, values.places[values.of], path_of(codes, values))]
        for name, those in _parts(table, column):
            part = grouped(space.factors[column], factors[those, column])
            panels.append((name, codes[those], part.places[part.of], path_of(codes[those], part)))
        rows.append(
            plots.Circle(
                factor=values.factor,
                latents=(labels[0], labels[1]),
                panels=tuple(panels),
                marks=_marks(values),
            )
        )
    more = ""
    if len(circular) > _CIRCLES:
        more = f" Shown are {_CIRCLES} of {len(circular)} circular factors."
    return plots.circles(
        rows,
        title=f"Circular factors ({len(table):,} images)",
        note="Each on the two latents that know most of it, and how much they know; the line "
        f"joins the means of its values.{more}",
    )


def _parts(table: Representation, column: int) -> list[tuple[str, NDArray[np.bool_]]]:
    """Images of each value of the unordered factor with the fewest values, where these are few."""
    space, factors = table.factor_space, np.asarray(table.factors)
    few = [
        k for k, factor in enumerate(space.factors)
        if k != column and factor.kind == "categorical" and 2 <= factor.size <= _KINDS
    ]  # fmt: skip
    if not few:
        return []
    chosen = min(few, key=lambda k: space.sizes[k])
    factor = space.factors[chosen]
    parts = [(name_of(factor, index), factors[:, chosen] == index)
             for index in range(factor.size)]  # fmt: skip
    words = "" if factor.labels is not None else f"{factor.name} "
    return [(f"{words}{name}", those) for name, those in parts if those.any()]


def _marks(values: Values) -> tuple[tuple[float, str], ...]:
    """Up to four values for the legend: (share of the way round, name)."""
    every = np.unique(np.linspace(0, values.count, 4, endpoint=False).astype(int))
    return tuple((float(values.places[k]), values.names[k]) for k in every)
