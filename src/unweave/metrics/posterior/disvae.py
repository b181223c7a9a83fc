"""Entropies as the disentangling-vae code computes them, defect and all.

It takes posterior means for samples, and reads its table of samples, one row an image, as if it
had one row a latent. So each "latent" is a run of numbers of all latents in turn, and its entropy
is the cross-entropy of that medley with the aggregate posterior of the latent. This is why its
MIG is 0.001 to 0.01 for every model.
"""

from __future__ import annotations

__all__ = ["check_grid", "count_disvae_densities", "disvae_entropies"]

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics.posterior.entropies import Entropies
from unweave.metrics.posterior.mixtures import Mixture, precision_of
from unweave.metrics.threads import Tick, over_latents

if TYPE_CHECKING:
    from unweave.progress import Progress


def disvae_entropies(
    mean: NDArray[np.float32],
    logvar: NDArray[np.float32],
    factors: NDArray[np.int64],
    *,
    samples: int,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> Entropies:
    """Entropies of each latent, and given each factor, as published.

    The random images come from `rng` and not from PyTorch's generator, so that single numbers
    differ from those of the published code within its own noise.

    Args:
        mean: Posterior means, (N, L).
        logvar: Logarithms of the posterior variances, (N, L).
        factors: Factor indices, (N, K), a whole grid in C order; `check_grid` makes sure.
        samples: Images of each entropy, drawn without replacement.
        rng: Source of the draws.
        progress: Shows how many densities have been evaluated.

    Raises:
        DataError: Codes of different latents lie so far apart that an entropy is infinite.
    """
    groups = [[np.arange(len(mean))]]
    for column in factors.T:
        groups.append([np.flatnonzero(column == value) for value in np.unique(column)])
    drawn = [
        [(rows, _medley(mean[rng.choice(rows, samples, replace=False)])) for rows in group]
        for group in groups
    ]

    def entropy(
        means: NDArray[np.float32],
        logvars: NDArray[np.float32],
        points: NDArray[np.float64],
        tick: Tick,
    ) -> float:
        # float32 as published, but where that would end in NaN or in rounding.
        dtype = precision_of(means, logvars, points)
        weight = -np.log(len(means))
        mixture = Mixture(mean=means, logvar=logvars, log_weight=weight, dtype=dtype)
        return -float(mixture.log_density(points, tick=tick).mean())

    def one(latent: int, tick: Tick) -> list[float]:
        means = np.ascontiguousarray(mean[:, latent])
        logvars = np.ascontiguousarray(logvar[:, latent])
        return [
            float(
                np.mean(
                    [entropy(means[rows], logvars[rows], z[latent], tick) for rows, z in group]
                )
            )
            for group in drawn
        ]

    latents = mean.shape[1]
    total = latents * count_disvae_densities(factors, samples)
    found = np.array(over_latents(one, latents, total, progress))
    if not np.isfinite(found).all():
        raise DataError(
            "compat='disvae' compares codes of different latents, and here they lie so far apart "
            f"that a density is 0: the largest is {np.abs(mean).max():g}. Divide the codes by one "
            "number, and their variances by its square, or use another protocol."
        )
    return Entropies(marginal=found[:, 0], conditional=found[:, 1:])


def count_disvae_densities(factors: NDArray[np.int64], samples: int) -> int:
    """How many densities are evaluated for one latent: all rows, once more for each factor."""
    rows, columns = factors.shape
    return int(samples * rows * (1 + columns))


def check_grid(factors: NDArray[np.int64], space: FactorSpace, samples: int) -> None:
    """Refuse what the published code cannot score.

    Raises:
        DataError: The rows are no full grid in C order, or an entropy has fewer rows than samples.
    """
    grid = len(factors) == space.size and np.array_equal(
        factors, space.unravel(np.arange(space.size))
    )
    if not grid:
        raise DataError(
            "compat='disvae' scores all combinations of the factors in file order, "
            f"{space.size:,} rows, and these {len(factors):,} rows are not that. "
            "Score the whole dataset, or use another protocol."
        )
    for factor in space.factors:
        rows = space.size // factor.size
        if rows < samples:
            raise DataError(
                f"compat='disvae' draws {samples:,} images of each value of each factor, but "
                f"{factor.name} has only {rows:,} a value. Score a larger dataset, or use another "
                f"protocol; in Python, give at most samples={rows}."
            )


def _medley(means: NDArray[np.floating]) -> NDArray[np.float64]:
    """The (S, L) table of means in C order, read as (L, S)."""
    samples, latents = means.shape
    return np.ascontiguousarray(means, dtype=np.float64).reshape(latents, samples)
