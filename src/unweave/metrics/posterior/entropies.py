r"""Information of latents about factors, by sampling from the aggregate posterior.

The aggregate posterior :math:`q(z_j)` is the mean of the normal posteriors of all images. Its
entropy is the mean of :math:`-\log q(z_j)` over draws of :math:`z_j`, and

.. math:: I(z_j; v_k) = H(z_j) - H(z_j | v_k), \qquad
    H(z_j | v_k) = -\mathbb{E} \log q(z_j | v_k)

where a draw takes a random image, its :math:`v_k`, and :math:`z_j` from its posterior. The same
draws serve all entropies, so that their noise cancels in the difference. Values of a factor count
by their share of the images, and the images need not form a grid. Each :math:`q(z_j | v_k = i)`
has components of its own, chosen among its own images.
"""

from __future__ import annotations

__all__ = ["Entropies", "count_densities", "sampled_entropies"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.posterior.aggregate import Draws, Posteriors
from unweave.metrics.threads import Tick, over_latents

if TYPE_CHECKING:
    from unweave.progress import Progress


@final
@dataclass(frozen=True, eq=False)
class Entropies:
    """Entropies of latents, nats.

    Attributes:
        marginal: H(z_j), (L,).
        conditional: H(z_j | v_k), (L, K).
    """

    marginal: NDArray[np.float64]
    conditional: NDArray[np.float64]

    @property
    def information(self) -> NDArray[np.float64]:
        """I(z_j; v_k), (L, K); an estimate may be slightly negative."""
        return self.marginal[:, None] - self.conditional


def sampled_entropies(
    mean: NDArray[np.float32],
    logvar: NDArray[np.float32],
    factors: NDArray[np.int64],
    *,
    samples: int,
    components: int | None,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> Entropies:
    """Entropies of each latent, and given each factor.

    Args:
        mean: Posterior means, (N, L).
        logvar: Logarithms of the posterior variances, (N, L).
        factors: Factor indices, (N, K).
        samples: Draws of z. They are the same for any number of components.
        components: Most components of each density; None for all images.
        rng: Source of the draws.
        progress: Shows how many densities have been evaluated.
    """
    count, latents = mean.shape
    # One draw from each of equally large parts of the images in the order of their factors.
    places = (np.arange(samples) + rng.random(samples)) * (count / samples)
    by_factors = np.asarray(np.lexsort(tuple(factors.T[::-1])), np.int64)
    rows = by_factors[np.minimum(places.astype(np.int64), count - 1)]
    noise = rng.standard_normal((samples, latents))
    seeds = rng.integers(0, 2**63, size=(latents,), dtype=np.int64)
    columns = [_narrow(column) for column in factors.T]

    def one(latent: int, tick: Tick) -> list[float]:
        posteriors = Posteriors(
            np.ascontiguousarray(mean[:, latent]), np.ascontiguousarray(logvar[:, latent])
        )
        draws = Draws(rows, noise[:, latent])
        stream = np.random.default_rng(seeds[latent])
        # With a component for every image the order does not matter.
        order = np.arange(count)
        if components is not None and components < count:
            order = np.argsort(posteriors.mean, kind="stable")
        groupings = [[order], *(_by_value(order, column) for column in columns)]
        return [
            _entropy(posteriors, draws, groups, components, stream, tick) for groups in groupings
        ]

    total = latents * count_densities(factors, samples, components)
    found = np.array(over_latents(one, latents, total, progress))
    return Entropies(marginal=found[:, 0], conditional=found[:, 1:])


def count_densities(factors: NDArray[np.int64], samples: int, components: int | None) -> int:
    """How many densities the estimate evaluates for one latent, on average over its draws."""
    count = len(factors)
    most = count if components is None else components
    total = float(samples) * min(count, most)
    for column in factors.T:
        sizes = np.bincount(column)
        total += samples / count * float((sizes * np.minimum(sizes, most)).sum())
    return round(total)


def _entropy(
    posteriors: Posteriors,
    draws: Draws,
    groups: list[NDArray[np.int64]],
    components: int | None,
    stream: np.random.Generator,
    tick: Tick,
) -> float:
    """Mean of -log q over the draws, each under the density of its own group of images."""
    place = np.empty(len(posteriors.mean), np.int64)
    group_of = np.empty(len(posteriors.mean), np.int64)
    for index, rows in enumerate(groups):
        place[rows] = np.arange(len(rows))
        group_of[rows] = index
    chosen = group_of[draws.rows]
    total = 0.0
    for index in np.unique(chosen):
        mine = draws[np.flatnonzero(chosen == index)]
        log_density = posteriors.log_density(
            mine, place[mine.rows], groups[index], components, stream, tick
        )
        total -= float(log_density.sum())
    return total / len(draws.rows)


def _by_value(order: NDArray[np.int64], column: NDArray[np.integer]) -> list[NDArray[np.int64]]:
    """The images of each value of a factor that occurs, each in the given order."""
    values = column[order]
    grouped = order[np.argsort(values, kind="stable")]
    ends = np.cumsum(np.bincount(values))
    return [part for part in np.split(grouped, ends[:-1]) if len(part)]


def _narrow(column: NDArray[np.int64]) -> NDArray[np.integer]:
    """The column in 16 bits where it fits, which NumPy sorts in linear time."""
    return column.astype(np.int16) if column.max() < 2**15 else column
