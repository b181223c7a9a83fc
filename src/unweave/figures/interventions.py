"""What happens to each latent when its factor is set, and when another one is set as well."""

from __future__ import annotations

__all__ = ["conditional_means", "few", "irs", "robustness"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.figures.response import moments
from unweave.figures.shown import Values, grouped, shown_factors, shown_latents
from unweave.figures.source import Source
from unweave.metrics import IRS
from unweave.metrics.interventional.irs import group_deviations

_LATENTS = 12
_FACTORS = 8
# Values of a latent's factor, and of another one, of which neighbours are taken together.
_ALONG = 16
_LINES = 5


def robustness(codes: NDArray[np.floating], factors: NDArray[np.int64]) -> NDArray[np.float64]:
    """How little each latent moves while a factor is held, as IRS has it, (L, K); at most 1.

    Args:
        codes: (N, L).
        factors: Factor indices, (N, K).
    """
    numbers = np.asarray(codes, np.float64)
    furthest = np.abs(numbers - numbers.mean(axis=0)).max(axis=0)
    moves = np.ptp(numbers, axis=0) > 0
    within = [group_deviations(numbers, column, IRS().quantile) for column in factors.T]
    shares = np.stack(within, axis=1) / np.where(moves, furthest, 1)[:, None]
    return np.where(moves[:, None], 1 - shares, 0.0)


def conditional_means(codes: NDArray[np.floating], first: Values, second: Values) -> Any:
    """Mean of one latent for each value of one factor and each of another, (V, W); NaN for none.

    Args:
        codes: (N,).
        first: V values.
        second: W values.
    """
    joint = first.of * second.count + second.of
    mean, _, _ = moments(codes[:, None], joint, first.count * second.count)
    return mean[:, 0].reshape(first.count, second.count)


def irs(source: Source) -> Any | None:
    """Each latent over the values of the factor that it is most robust with, and of others too."""
    table = source.codes()
    if table is None:
        return None
    columns, about_factors = shown_factors(table, _FACTORS)
    if not columns:
        return None
    latents, about_latents = shown_latents(table, _LATENTS)
    factors = np.asarray(table.factors)
    codes = np.asarray(table.mean[:, latents], np.float64)
    robust = robustness(codes, factors[:, columns])
    space = table.factor_space
    along = [grouped(space.factors[k], factors[:, k], _ALONG) for k in columns]
    others = [grouped(space.factors[k], factors[:, k], _LINES) for k in columns]
    rows = []
    for j, latent in enumerate(latents):
        parent = int(robust[j].argmax())
        values = along[parent]
        mean, deviation, _ = moments(codes[:, [j]], values.of, values.count)
        curves = [
            None if k == parent else conditional_means(codes[:, j], values, few(other))
            for k, other in enumerate(others)
        ]
        rows.append(
            plots.Intervention(
                latent=f"z{latent}",
                parent=parent,
                order=values.order,
                places=values.places,
                mean=mean[:, 0],
                deviation=deviation[:, 0],
                curves=tuple(curves),
                robustness=robust[j],
            )
        )
    return plots.interventions(
        rows,
        [values.factor for values in along],
        [values.order for values in others],
        title=f"Interventional effects ({len(table):,} images)",
        note=f"{about_latents} {about_factors}".strip(),
    )


def few(values: Values) -> Values:
    """Of many values without an order the first few; the images of the rest are the last one."""
    if values.count <= _LINES:
        return values
    return Values(
        factor=values.factor,
        order=values.order,
        of=np.minimum(values.of, _LINES - 1),
        places=values.places[:_LINES],
        names=(*values.names[: _LINES - 1], "others"),
    )
