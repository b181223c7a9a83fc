"""Latents of two models of the same images, matched one to one."""

from __future__ import annotations

__all__ = ["CLEAR", "LatentMatch", "Matching", "latents_in_use", "match_latents"]

from dataclasses import dataclass
from typing import Any, Final, Literal, final, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave.errors import DataError, SpecError
from unweave.figures.correlations import pearson
from unweave.metrics.columns import within_one
from unweave.plots import INACTIVE_KL

Correlation = Literal["spearman", "pearson"]

CLEAR: Final = 0.5
"""Absolute correlation below which people are told that a latent has no counterpart."""


@final
@dataclass(frozen=True)
class LatentMatch:
    """A latent of the first model, and that of the second which is matched with it.

    Attributes:
        first: Number of the latent of the first model.
        second: Number of the latent of the second one.
        correlation: From -1 to 1; below 0 one goes up while the other goes down.
    """

    first: int
    second: int
    correlation: float

    @property
    def clear(self) -> bool:
        """Whether the two go together so closely that one is the counterpart of the other."""
        return abs(self.correlation) >= CLEAR

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        return vars(self) | {"clear": self.clear}


@final
@dataclass(frozen=True, eq=False)
class Matching:
    """How latents of two models go together.

    Attributes:
        correlations: Of each latent of the first model with each of the second, (L1, L2), from -1
            to 1; NaN where one does not vary.
        used: Which latents of either model carry information, (L1,) and (L2,); the others are
            matched with none.
        pairs: Latents matched one to one, as many as the model that uses fewer has in use, by the
            number of the first.
        correlation: `spearman` or `pearson`.
    """

    correlations: NDArray[np.float64]
    used: tuple[NDArray[np.bool_], NDArray[np.bool_]]
    pairs: tuple[LatentMatch, ...]
    correlation: str

    @property
    def mean(self) -> float | None:
        """Mean absolute correlation of the pairs; None without any."""
        sizes = [abs(pair.correlation) for pair in self.pairs]
        return float(np.mean(sizes)) if sizes else None

    def unmatched(self) -> tuple[list[int], list[int]]:
        """Latents in use of either model that are left over."""
        taken = ({pair.first for pair in self.pairs}, {pair.second for pair in self.pairs})
        first, second = (
            [int(j) for j in np.flatnonzero(used) if int(j) not in known]
            for used, known in zip(self.used, taken, strict=True)
        )
        return first, second


def match_latents(
    first: ArrayLike,
    second: ArrayLike,
    *,
    kl: tuple[ArrayLike | None, ArrayLike | None] = (None, None),
    correlation: Correlation = "spearman",
    threshold: float = INACTIVE_KL,
) -> Matching:
    """Match the latents of two models one to one, so that the sum of correlations is largest.

    Each latent of one model gets at most one of the other. What counts is the absolute
    correlation over images: a latent that was learnt upside down is the same latent.

    Args:
        first: Codes of the first model, (N, L1).
        second: Those of the second one for the same images in the same order, (N, L2).
        kl: Mean KL of each latent to the prior in nats, (L1,) and (L2,), each None where codes
            have no noise. A latent counts as used above the threshold, and without KLs where its
            codes vary.
        correlation: `spearman`, of ranks, for which any rising relation is 1; or `pearson`.
        threshold: KL in nats at or below which a latent is not in use.

    Returns:
        Correlations of all latents, and the pairs.

    Raises:
        DataError: Codes are not finite, of different images, or fewer than two; or KLs do not fit.
        SpecError: There is no such correlation.

    Example:
        >>> codes = np.random.default_rng(0).normal(size=(100, 3))
        >>> [pair.second for pair in match_latents(codes, -codes[:, [2, 0, 1]]).pairs]
        [1, 2, 0]
    """
    if correlation not in get_args(Correlation):
        raise SpecError(f"correlation must be spearman or pearson, not {correlation!r}.")
    tables = [np.asarray(table, np.float64) for table in (first, second)]
    for table in tables:
        if table.ndim != 2 or len(table) < 2 or not table.shape[1]:
            raise DataError(
                "Codes must have the shape (N, L), with at least 2 rows and a latent, not "
                f"{table.shape}."
            )
        if not np.isfinite(table).all():
            raise DataError("Codes must be finite.")
    if len(tables[0]) != len(tables[1]):
        raise DataError(
            "Both models must encode the same images, but one has "
            f"{len(tables[0]):,} rows and the other {len(tables[1]):,}."
        )
    used = (
        latents_in_use(tables[0], kl[0], threshold),
        latents_in_use(tables[1], kl[1], threshold),
    )
    scaled = [within_one(table) for table in tables]
    if correlation == "spearman":
        from scipy.stats import rankdata

        scaled = [rankdata(table, axis=0) for table in scaled]
    found = pearson(*scaled)
    return Matching(found, used, _pairs(found, used), correlation)


def latents_in_use(
    table: NDArray[np.floating], kl: ArrayLike | None, threshold: float = INACTIVE_KL
) -> NDArray[np.bool_]:
    """Latents that vary and, where that is known, tell something of the image, (L,).

    Args:
        table: Codes, (N, L).
        kl: Mean KL of each latent in nats, (L,), or None.
        threshold: KL at or below which a latent is not in use.

    Raises:
        DataError: KLs do not fit the codes, or are not finite.
    """
    varies = np.asarray(np.ptp(table, axis=0) > 0)
    if kl is None:
        return varies
    nats = np.asarray(kl, np.float64)
    if nats.shape != (table.shape[1],) or not np.isfinite(nats).all():
        raise DataError(
            f"KLs must be finite, one for each of {table.shape[1]} latents; got {nats.shape}."
        )
    return varies & np.asarray(nats > threshold)


def _pairs(
    correlations: NDArray[np.float64], used: tuple[NDArray[np.bool_], NDArray[np.bool_]]
) -> tuple[LatentMatch, ...]:
    from scipy.optimize import linear_sum_assignment

    rows, columns = (np.flatnonzero(mask) for mask in used)
    among = correlations[np.ix_(rows, columns)]
    places = linear_sum_assignment(np.abs(among), maximize=True)
    return tuple(
        LatentMatch(int(rows[i]), int(columns[j]), float(among[i, j]))
        for i, j in zip(*places, strict=True)
    )
