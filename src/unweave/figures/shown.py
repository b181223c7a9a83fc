"""What charts of codes show of a run: which latents, which factors, and their values."""

from __future__ import annotations

__all__ = [
    "MOST_GROUPS",
    "USED_VARIANCE",
    "Values",
    "grouped",
    "information",
    "name_of",
    "said",
    "shown_factors",
    "shown_latents",
    "used_latents",
]

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.factors import Factor, Kind
from unweave.metrics.plug_in import discretise, entropies, mutual_information
from unweave.representation import Representation

USED_VARIANCE = 0.01
"""Variance of posterior means above which a latent is used; of codes without noise, as a share of
the largest one."""

MOST_GROUPS = 64
"""Values of a factor with an order above which neighbours are taken together."""

_MOST_CATEGORIES = 24
_BINS = 20


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Values:
    """The values of a factor as charts show them, V of them.

    Attributes:
        factor: Its name.
        order: Whether they have an order, and whether the last one meets the first.
        of: Which value each image has, (N,) from 0 to V - 1.
        places: Where each stands, (V,): from 0 to 1 of the way from the first to the last, or of
            the whole way round.
        names: What each is called.
    """

    factor: str
    order: Kind
    of: NDArray[np.int64]
    places: NDArray[np.float64]
    names: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.names)


def used_latents(
    mean: NDArray[np.floating], logvar: NDArray[np.floating] | None
) -> NDArray[np.bool_]:
    """Which latents differ between images, (L,): their means vary by more than `USED_VARIANCE`.

    Args:
        mean: Posterior means, (N, L).
        logvar: Logarithms of the variances, (N, L); None of codes without noise, whose scale is
            any, so that the variances are compared with the largest one.
    """
    variance = np.asarray(mean, np.float64).var(axis=0)
    least = USED_VARIANCE * (1.0 if logvar is not None else float(variance.max(initial=0.0)))
    return np.asarray(variance > least)


def shown_latents(table: Representation, most: int) -> tuple[NDArray[np.int64], str]:
    """Numbers of the latents that a chart has room for, and a sentence where some are left out.

    They are those that are used, in their order; all where none is, and of too many those of the
    largest KL, or the largest variance of codes without noise.
    """
    used = np.flatnonzero(used_latents(table.mean, table.logvar))
    kind = "used latents" if len(used) else "latents"
    none = "" if len(used) else "No latent is used. "
    used = used if len(used) else np.arange(table.latents)
    if len(used) == table.latents <= most:
        return used, none.strip()
    if len(used) <= most:
        return used, f"Shown are the {len(used)} {kind} of {table.latents}."
    noisy = table.logvar is not None
    weight = table.kl() if noisy else table.mean.astype(np.float64).var(axis=0)
    kept = used[np.argsort(-weight[used], kind="stable")[:most]]
    largest = "KL" if noisy else "variance"
    words = f"{none}Shown are {most} of {len(used)} {kind}, of the largest {largest}."
    return np.sort(kept), words


def shown_factors(table: Representation, most: int) -> tuple[list[int], str]:
    """Columns of the factors that a chart has room for, and sentences where some are left out.

    Constant factors are left out, and those of very many values without an order. Of too many
    factors those are kept of which some latent knows most.
    """
    factors = table.factor_space.factors
    known = information(table)
    entropy = entropies(np.asarray(table.factors), table.factor_space.sizes)
    kept, many = [], []
    for column, factor in enumerate(factors):
        if entropy[column] <= 0:
            continue
        if factor.kind == "categorical" and factor.size > _MOST_CATEGORIES:
            many.append(factor.name)
            continue
        kept.append(column)
    words = []
    if many:
        words.append(
            f"{said(many)} {'is' if len(many) == 1 else 'are'} left out, with more than "
            f"{_MOST_CATEGORIES} values without an order."
        )
    if len(kept) > most:
        best = {k: float(known[:, k].max() / entropy[k]) for k in kept}
        words.insert(0, f"Of {len(kept)} factors, the {most} that some latent knows most of.")
        kept = sorted(sorted(kept, key=lambda k: -best[k])[:most])
    return kept, " ".join(words)


def information(table: Representation) -> NDArray[np.float64]:
    """Mutual information of each latent, in 20 equally wide bins, and each factor, nats (L, K)."""

    def compute() -> NDArray[np.float64]:
        binned = discretise(table.mean, _BINS)
        return mutual_information(
            binned, np.asarray(table.factors), _BINS, table.factor_space.sizes
        )

    return table.once("information of figures", compute)


def grouped(factor: Factor, column: NDArray[np.int64], most: int = MOST_GROUPS) -> Values:
    """The values of a factor, neighbours taken together where there are too many with an order.

    Args:
        factor: The factor.
        column: Factor index of each image, (N,).
        most: Values that a chart has room for.
    """
    indices = np.arange(factor.size)
    numbers = np.array(indices if factor.values is None else factor.values, np.float64)
    if factor.kind == "categorical":
        places = (indices + 0.5) / factor.size
    elif factor.kind == "circular":
        places = (numbers - numbers[0]) / factor.period
    else:
        span = numbers[-1] - numbers[0]
        places = (numbers - numbers[0]) / span if span else np.full(factor.size, 0.5)
    group = firsts = indices
    if factor.kind != "categorical" and factor.size > most:
        group = indices * most // factor.size
        counts = np.bincount(group)
        places = np.bincount(group, weights=places) / counts
        firsts = np.searchsorted(group, np.arange(most))
    return Values(
        factor=factor.name,
        order=factor.kind,
        of=group[np.asarray(column)],
        places=places,
        names=tuple(name_of(factor, int(index)) for index in firsts),
    )


def name_of(factor: Factor, index: int) -> str:
    """What a value is called in little room: its name, or else its number in three digits."""
    if factor.labels is not None:
        return factor.labels[index]
    return str(index) if factor.values is None else f"{factor.values[index]:.3g}"


def said(names: list[str]) -> str:
    """Names in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
