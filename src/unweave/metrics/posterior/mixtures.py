"""Log density of a mixture of many normal distributions, in blocks of bounded memory."""

from __future__ import annotations

__all__ = ["Mixture", "precision_of", "seconds_per_density"]

import time
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.threads import Tick

# A block of half a megabyte in float32 stays in the cache of a core.
_BLOCK, _COLUMNS = 2**17, 8192
# Largest |z| / sigma at which rounding z to float32 moves a log density by no more than 0.002.
_SMOOTH = 4096.0
# Where 1 / sigma nears an end of float32, and with it any number that far out.
_LOWEST_LOG_STD, _HIGHEST_LOG_STD, _LARGEST = -80.0, 80.0, 1e37


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Mixture:
    """Normal distributions in one dimension, and the logarithms of their weights.

    Attributes:
        mean: (M,).
        logvar: Logarithms of the variances, (M,).
        log_weight: (M,), or one number for all.
        dtype: float32 or float64, what the densities are evaluated in.
    """

    mean: NDArray[np.floating]
    logvar: NDArray[np.floating]
    log_weight: NDArray[np.float64] | float
    dtype: type[np.floating]

    def log_density(
        self,
        points: NDArray[np.float64],
        *,
        exchanged: NDArray[np.int64] | None = None,
        exchange: NDArray[np.float64] | None = None,
        tick: Tick | None = None,
    ) -> NDArray[np.float64]:
        """Log density at each point, nats, (S,).

        Args:
            points: (S,).
            exchanged: For each point the component that does not count for it, (S,).
            exchange: What counts instead of it: the logarithm of a weighted density, (S,).
            tick: Told of the progress.
        """
        mean = self.mean.astype(self.dtype)
        logvar = self.logvar.astype(np.float64)
        # log w N(z) = top - ((z - mean) * scale)^2
        scale = (np.exp(-0.5 * logvar) / np.sqrt(2)).astype(self.dtype)
        top = (self.log_weight - 0.5 * (np.log(2 * np.pi) + logvar)).astype(self.dtype)
        result = np.full(len(points), -np.inf)
        width = min(_COLUMNS, len(mean))
        height = _BLOCK // width
        buffer = np.empty(_BLOCK, self.dtype)
        for start in range(0, len(points), height):
            rows = slice(start, start + height)
            z = points[rows, None].astype(self.dtype)
            for left in range(0, len(mean), _COLUMNS):
                columns = slice(left, left + _COLUMNS)
                shape = (len(z), min(width, len(mean) - left))
                block = buffer[: shape[0] * shape[1]].reshape(shape)
                _log_densities(z, mean[columns], scale[columns], top[columns], block)
                if exchanged is not None and exchange is not None:
                    place = exchanged[rows] - left
                    inside = np.flatnonzero((place >= 0) & (place < block.shape[1]))
                    block[inside, place[inside]] = exchange[rows][inside]
                result[rows] = np.logaddexp(result[rows], _log_sum(block))
            if tick is not None:
                tick(len(z) * len(mean))
        return result


def precision_of(
    mean: NDArray[np.floating], logvar: NDArray[np.floating], points: NDArray[np.float64]
) -> type[np.floating]:
    """float32 where it is accurate enough for these components and points, else float64."""
    largest = max(float(np.abs(mean).max()), float(np.abs(points).max()))
    ratio_limit = np.log(largest) - np.log(_SMOOTH) if largest > 0 else -np.inf
    smallest, widest = 0.5 * float(logvar.min()), 0.5 * float(logvar.max())
    fine = (
        smallest >= max(ratio_limit, _LOWEST_LOG_STD)
        and widest <= _HIGHEST_LOG_STD
        and largest <= _LARGEST
    )
    return np.float32 if fine else np.float64


def seconds_per_density(dtype: type[np.floating] = np.float32) -> float:
    """Time of one evaluation on one processor core of this machine, measured in milliseconds."""
    grid = np.linspace(-3, 3, 4 * _COLUMNS)
    mixture = Mixture(mean=grid, logvar=np.zeros(len(grid)), log_weight=0.0, dtype=dtype)
    points = np.linspace(-3, 3, 32)
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        mixture.log_density(points)
        taken.append(time.perf_counter() - begun)
    return min(taken) / (len(grid) * len(points))


def _log_densities(
    points: NDArray[Any],
    mean: NDArray[Any],
    scale: NDArray[Any],
    top: NDArray[Any],
    out: NDArray[Any],
) -> None:
    """Log weighted densities of each point under each component, (S, M), written to `out`."""
    # Far away the square exceeds every number, and the density is 0 as it should be.
    with np.errstate(over="ignore"):
        np.subtract(points, mean, out=out)
        np.multiply(out, scale, out=out)
        np.multiply(out, out, out=out)
    np.subtract(top, out, out=out)


def _log_sum(block: NDArray[Any]) -> NDArray[np.float64]:
    """Log-sum-exp of each row; the block is overwritten."""
    peak = block.max(axis=1, keepdims=True)
    # A point that no component of the block reaches has density 0 there, not NaN.
    peak[np.isneginf(peak)] = 0
    np.subtract(block, peak, out=block)
    np.exp(block, out=block)
    with np.errstate(divide="ignore"):
        total: NDArray[np.float64] = np.log(block.sum(axis=1).astype(np.float64))
    total += peak[:, 0]
    return total
