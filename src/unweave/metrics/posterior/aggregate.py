r"""Log density of draws under the mean of many posteriors: all of them, or a stratified choice.

With fewer components than images, the images are taken in a given order, by the mean of the
latent, and cut into as many strata as there are components; one image of each stratum stands for
all of it. The image that a draw comes from counts with its true weight, and its stratum is
represented by a random one of the others. Given the draw, the density is then unbiased, since each
stratum's mass goes to a uniform choice among its members. Its logarithm is biased downwards, by
half the relative variance of the density, which is small since the members of a stratum are alike.
"""

from __future__ import annotations

__all__ = ["Draws", "Posteriors"]

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.posterior.mixtures import Mixture, precision_of
from unweave.metrics.threads import Tick


@final
@dataclass(frozen=True, eq=False)
class Draws:
    """Draws of one latent from the posteriors of S images.

    Attributes:
        rows: The image behind each draw, (S,).
        noise: The draw in standard deviations from the mean of its posterior, (S,).
    """

    rows: NDArray[np.int64]
    noise: NDArray[np.float64]

    def __getitem__(self, chosen: NDArray[np.int64]) -> Draws:
        """Some of the draws."""
        return Draws(self.rows[chosen], self.noise[chosen])


@final
@dataclass(frozen=True, eq=False)
class Posteriors:
    """Normal posteriors of one latent for N images.

    Attributes:
        mean: (N,).
        logvar: Logarithms of the variances, (N,).
    """

    mean: NDArray[np.float32]
    logvar: NDArray[np.float32]

    def log_density(
        self,
        draws: Draws,
        places: NDArray[np.int64],
        rows: NDArray[np.int64],
        components: int | None,
        rng: np.random.Generator,
        tick: Tick | None = None,
    ) -> NDArray[np.float64]:
        """Log density of each draw under the mean of the posteriors of `rows`, nats, (S,).

        Args:
            draws: Each comes from the image `rows[places[s]]`.
            places: (S,).
            rows: Images whose mean is meant, in the order in which strata are cut, (n,).
            components: Most posteriors that are evaluated; None for all.
            rng: Chooses them.
            tick: Told of the progress.
        """
        points = self._points(draws)
        count = len(rows)
        if components is None or components >= count:
            mixture = self._mixture(rows, -np.log(count), points)
            return mixture.log_density(points, tick=tick)
        edges = np.arange(components + 1) * count // components
        sizes = np.diff(edges)
        picked = edges[:-1] + rng.integers(sizes)
        # One of the other members of the draw's own stratum, which stands for all of them.
        stratum = np.searchsorted(edges, places, side="right") - 1
        left, size = edges[stratum], sizes[stratum]
        steps = 1 + rng.integers(np.maximum(size - 1, 1))
        other = left + (places - left + steps) % size
        with np.errstate(divide="ignore"):
            exchange = np.log((size - 1) / count) + self._log_densities(rows[other], points)
        rest = self._mixture(rows[picked], np.log(sizes / count), points).log_density(
            points, exchanged=stratum, exchange=exchange, tick=tick
        )
        own = self._log_densities(draws.rows, points) - np.log(count)
        density: NDArray[np.float64] = np.logaddexp(rest, own)
        return density

    def _points(self, draws: Draws) -> NDArray[np.float64]:
        std = np.exp(0.5 * self.logvar[draws.rows].astype(np.float64))
        points: NDArray[np.float64] = self.mean[draws.rows] + std * draws.noise
        return points

    def _mixture(
        self,
        rows: NDArray[np.int64],
        log_weight: NDArray[np.float64] | float,
        points: NDArray[np.float64],
    ) -> Mixture:
        mean, logvar = self.mean[rows], self.logvar[rows]
        dtype = precision_of(mean, logvar, points)
        return Mixture(mean=mean, logvar=logvar, log_weight=log_weight, dtype=dtype)

    def _log_densities(
        self, rows: NDArray[np.int64], points: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Log density of each point under the posterior of its row, (S,)."""
        logvar = self.logvar[rows].astype(np.float64)
        # Far away the square exceeds every number, and the density is 0 as it should be.
        with np.errstate(over="ignore"):
            squares = (points - self.mean[rows]) ** 2 * np.exp(-logvar)
        density: NDArray[np.float64] = -0.5 * (squares + logvar + np.log(2 * np.pi))
        return density
