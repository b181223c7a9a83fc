"""Clusters in the values of one latent, of which nobody knows how many there are, if any.

Valleys of a density were chosen by an experiment: on synthetic latents of 2 to 50 values they
found the number of values most often, and almost no clusters in densities with one peak, where
mixtures chosen by BIC found up to 10 and HDBSCAN up to 31.
"""

from __future__ import annotations

__all__ = ["Clusters", "find_clusters"]

import math
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave.errors import DataError, SpecError
from unweave.population.recursion.modes import BINS, Histogram, bandwidth, smooth, valleys

Floats = NDArray[np.float64]

_ITERATIONS = 30
# Share of values that may belong to no cluster; with more, a broad cluster would pass for noise.
_MOST_NOISE = 0.05


@final
@dataclass(frozen=True, eq=False)
class Clusters:
    """Clusters along one dimension, in ascending order; on a circle in the order of the angle.

    Attributes:
        edges: Boundaries between neighbours, where the density is lowest, (K - 1,); on a circle
            `origin` is one, too.
        intervals: Where a value is the cluster's with the probability asked for, from the first
            number to below the second, (K, 2). Between intervals it may be a neighbour's.
        ids: Cluster of each image, (N,) int32; -1 of an image in no interval.
        sizes: Images in each interval, (K,).
        purities: Mean probability with which the images of an interval are the cluster's, (K,).
        usable: Which clusters are large enough, and have an interval, (K,).
        purity: Mean probability with which all images, those between intervals too, belong to the
            cluster on their side of the edges; 0 without clusters.
        coverage: Share of the images that lie in intervals of usable clusters.
        circular: Whether the values are angles.
        origin: Where a circle is cut open.
        period: Length of the circle; infinite on a line.
        reason: Why there are no clusters; empty where there are.
    """

    edges: Floats
    intervals: Floats
    ids: NDArray[np.int32]
    sizes: NDArray[np.int64]
    purities: Floats
    usable: NDArray[np.bool_]
    purity: float = 0.0
    coverage: float = 0.0
    circular: bool = False
    origin: float = 0.0
    period: float = math.inf
    reason: str = ""

    @property
    def count(self) -> int:
        """Number of clusters K: 0, or at least 2."""
        return len(self.intervals)

    @classmethod
    def none(cls, images: int, reason: str, *, period: float | None = None) -> Clusters:
        """No clusters, and why."""
        return cls(
            edges=np.empty(0),
            intervals=np.empty((0, 2)),
            ids=np.full(images, -1, np.int32),
            sizes=np.empty(0, np.int64),
            purities=np.empty(0),
            usable=np.empty(0, np.bool_),
            circular=period is not None,
            period=math.inf if period is None else period,
            reason=reason,
        )

    def assign(self, values: ArrayLike) -> NDArray[np.int32]:
        """Clusters of values of any shape, by the intervals; -1 where a value is in none."""
        numbers = _unrolled(np.asarray(values, np.float64), self.origin, self.period)
        return _assign(numbers, self.intervals - self.origin)

    def only(self, kept: NDArray[np.bool_]) -> Clusters:
        """The same clusters, with the images for which `kept`, (N,), is false in none of them."""
        ids = np.where(kept, self.ids, -1).astype(np.int32)
        sizes = np.bincount(ids + 1, minlength=self.count + 1)[1:].astype(np.int64)
        coverage = float(sizes[self.usable].sum() / max(len(ids), 1))
        return replace(self, ids=ids, sizes=sizes, coverage=coverage)


def find_clusters(
    values: ArrayLike,
    *,
    period: float | None = None,
    depth: float = 0.7,
    significance: float = 4.0,
    sure: float = 0.9,
    share: float = 0.25,
    smallest: int = 10,
) -> Clusters:
    """The clusters of values along a line or around a circle.

    Valleys of the density part them; a mixture of one normal distribution each, and a uniform one
    for outliers, that starts there then tells with which probability a value is a cluster's.

    Where the density has one peak, as that of a continuous factor, there are no clusters.

    Args:
        values: (N,), finite.
        period: Length of the circle, for values from 0 to below it.
        depth: Density of a valley by that of the lower peak beside it, at most.
        significance: Standard deviations by which a valley is lower than both.
        sure: Probability from which on a value is in the interval of its cluster.
        share: Size of a usable cluster by the mean size, at least.
        smallest: Images of a usable cluster, at least.

    Raises:
        DataError: The values are not a finite vector, or out of the circle.
        SpecError: A setting is out of range.
    """
    for name, number in (("depth", depth), ("sure", sure)):
        if not 0 < number < 1:
            raise SpecError(f"{name} must be more than 0 and less than 1, but is {number}.")
    for name, number in (("significance", significance), ("share", share), ("smallest", smallest)):
        if not number >= 0:
            raise SpecError(f"{name} must be at least 0, but is {number}.")
    numbers = np.asarray(values, np.float64)
    if numbers.ndim != 1 or not len(numbers) or not np.isfinite(numbers).all():
        raise DataError(f"Clusters are found in finite values (N,), not {numbers.shape}.")
    origin = 0.0
    histogram: Histogram | None
    if period is None:
        histogram = Histogram.of(numbers)
    else:
        if numbers.min() < 0 or numbers.max() >= period:
            raise DataError(f"Values on a circle lie from 0 to below {period:g}.")
        # Cut open where there is least, a circle is a line.
        around = Histogram.over(numbers, 0.0, period)
        density = smooth(around.counts, bandwidth(around.counts), circular=True)
        origin = float(around.at(np.array([density.argmin()]))[0])
        numbers = _unrolled(numbers, origin, period)
        histogram = Histogram.over(numbers, 0.0, period)
    if histogram is None:
        return Clusters.none(len(numbers), "its values are all but equal")
    cuts = valleys(histogram.counts, depth=depth, significance=significance)
    if not len(cuts):
        return Clusters.none(len(numbers), "the density of its values has one peak", period=period)
    own = np.searchsorted(cuts, np.arange(BINS), side="right")
    probability = _probabilities(histogram.counts, own)
    intervals = histogram.at(_intervals(histogram.counts, own, probability, sure))
    ids = _assign(numbers, intervals)
    sizes = np.bincount(ids + 1, minlength=len(intervals) + 1)[1:].astype(np.int64)
    usable = sizes >= max(smallest, share * len(numbers) / len(intervals), 1)
    bins = np.clip((numbers - histogram.low) // histogram.width, 0, BINS - 1).astype(np.int64)
    each = probability[bins]
    sums = np.bincount(ids + 1, weights=each, minlength=len(intervals) + 1)[1:]
    return Clusters(
        edges=histogram.at(cuts) + origin,
        intervals=intervals + origin,
        ids=ids,
        sizes=sizes,
        purities=sums / np.maximum(sizes, 1),
        usable=usable,
        purity=min(float(each.mean()), 1.0),
        coverage=float(sizes[usable].sum() / len(numbers)),
        circular=period is not None,
        origin=origin,
        period=math.inf if period is None else period,
    )


def _probabilities(counts: Floats, own: NDArray[np.int64]) -> Floats:
    """Probability with which each bin belongs to the cluster that it lies in, (BINS,).

    Expectation maximisation on the histogram, from the moments of each cluster between valleys.
    """
    bins = np.arange(BINS, dtype=np.float64)
    clusters = int(own.max()) + 1
    total = counts.sum()
    used = np.flatnonzero(counts)
    places, weights = bins[used, None], counts[used, None]

    def moments(shares: Floats) -> tuple[Floats, Floats, Floats]:
        mass = np.maximum(shares.sum(axis=0), 1e-12)
        mean = (shares * places).sum(axis=0) / mass
        # Values are spread over their bin.
        variance = (shares * (places - mean) ** 2).sum(axis=0) / mass + 1 / 12
        return mass / total, mean, np.sqrt(variance)

    def densities(at: Floats, mass: Floats, mean: Floats, deviation: Floats) -> Floats:
        scaled = (at - mean) / deviation
        return np.asarray(mass * np.exp(-0.5 * scaled**2) / (deviation * math.sqrt(2 * math.pi)))

    mass, mean, deviation = moments(weights * (own[used, None] == np.arange(clusters)))
    noise = 0.01
    for _ in range(_ITERATIONS):
        parts = densities(places, mass, mean, deviation)
        whole = parts.sum(axis=1, keepdims=True) + noise / BINS
        left = float((weights * (noise / BINS) / whole).sum() / total)
        mass, mean, deviation = moments(weights * parts / whole)
        noise = min(max(left, 1e-6), _MOST_NOISE)
    parts = densities(bins[:, None], mass, mean, deviation)
    whole = parts.sum(axis=1) + noise / BINS
    return np.asarray(np.take_along_axis(parts, own[:, None], axis=1)[:, 0] / whole, np.float64)


def _intervals(
    counts: Floats, own: NDArray[np.int64], probability: Floats, sure: float
) -> NDArray[np.int64]:
    """First bin of each cluster's interval, and the one behind its last, (K, 2)."""
    inside = probability >= sure
    found = []
    for cluster in range(int(own.max()) + 1):
        start, end = np.searchsorted(own, [cluster, cluster + 1]).tolist()
        # The run of bins that holds most images.
        marks = np.flatnonzero(np.diff(np.pad(inside[start:end].astype(np.int8), 1)))
        runs = marks.reshape(-1, 2) + start
        if not len(runs):
            found.append((start, start))
            continue
        images = [counts[first:last].sum() for first, last in runs]
        found.append(tuple(runs[int(np.argmax(images))].tolist()))
    return np.array(found, np.int64)


def _unrolled(numbers: Floats, origin: float, period: float) -> Floats:
    """Values from the origin on; a circle is cut open there."""
    if math.isinf(period):
        return numbers
    turned = (numbers - origin) % period
    # A tiny negative number comes out as the period itself.
    return np.asarray(np.where(turned >= period, 0.0, turned), np.float64)


def _assign(numbers: Floats, intervals: Floats) -> NDArray[np.int32]:
    if not len(intervals):
        return np.full(numbers.shape, -1, np.int32)
    ids = np.searchsorted(intervals[:, 0], numbers, side="right") - 1
    inside = (ids >= 0) & (numbers < intervals[np.maximum(ids, 0), 1])
    return np.where(inside, ids, -1).astype(np.int32)
