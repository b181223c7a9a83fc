"""Peaks of the density of one variable, and the valleys between those that are no accident."""

from __future__ import annotations

__all__ = ["BINS", "Histogram", "bandwidth", "smooth", "valleys"]

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, final

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.optimize import brentq
from scipy.signal import find_peaks, peak_prominences

Floats = NDArray[np.float64]

BINS: Final = 4096
"""Bins of a histogram."""

# The density is that of all values but this share at each end, which may lie far outside.
_OUTSIDE = 0.001
_MARGIN = 0.1
# Orders of derivatives through which the bandwidth goes, as its authors chose.
_ORDERS = 7
# A kernel must be wider than a bin for a peak to be told from one.
_NARROWEST = 1.5


@final
@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts of values in bins of equal width.

    Attributes:
        counts: (BINS,).
        low: Where the first bin begins.
        width: Of a bin.
    """

    counts: Floats
    low: float
    width: float

    @classmethod
    def over(cls, values: Floats, low: float, high: float) -> Histogram:
        """Of the values from `low` to below `high`."""
        width = (high - low) / BINS
        bins = np.floor((values - low) / width)
        inside = bins[(bins >= 0) & (bins < BINS)].astype(np.int64)
        counts = np.bincount(inside, minlength=BINS).astype(np.float64)
        return cls(counts=counts, low=low, width=width)

    @classmethod
    def of(cls, values: Floats) -> Histogram | None:
        """Over the range of the values but for outliers; None where that is a single point."""
        low, high = (float(q) for q in np.quantile(values, [_OUTSIDE, 1 - _OUTSIDE]))
        margin = _MARGIN * (high - low)
        # Room for the kernel on both sides, and no more than that.
        first, last = low - margin, high + margin
        if not (last - first) / BINS > np.spacing(max(abs(first), abs(last))):
            return None
        return cls.over(values, first, last)

    def at(self, bins: NDArray[np.integer]) -> Floats:
        """Lower ends of bins."""
        ends: Floats = self.low + np.asarray(bins, np.float64) * self.width
        return ends


def bandwidth(counts: Floats) -> float:
    """Standard deviation, in bins, of the Gaussian kernel that suits a histogram.

    It is the improved Sheather-Jones rule, which takes no distribution for given, so that it does
    not smooth many narrow peaks into one.

    References:
        | Kernel density estimation via diffusion
        | (Botev et al., 2010)
        | https://arxiv.org/abs/1011.2602
    """
    total = counts.sum()
    squares = (scipy.fft.dct(counts / total)[1:] / 2) ** 2
    powers = np.arange(1, len(counts), dtype=np.float64) ** 2
    # Orders whose weights are far below rounding of the sum would only cost time.
    kept = np.flatnonzero(squares > 0)
    squares, powers = squares[kept], powers[kept]

    def roughness(order: int, time: float) -> float:
        """Squared norm of a derivative of the density smoothed for a time."""
        decay = np.exp(-powers * math.pi**2 * time)
        return float(2 * math.pi ** (2 * order) * (powers**order * squares * decay).sum())

    def excess(time: float) -> float:
        """How far a time is from the one that it asks for."""
        norm = roughness(_ORDERS, time)
        for order in range(_ORDERS - 1, 1, -1):
            odd = math.prod(range(1, 2 * order, 2)) / math.sqrt(math.pi / 2)
            factor = (1 + 0.5 ** (order + 0.5)) / 3
            if not norm > 0:
                return time - 1
            pilot = (factor * odd / (total * norm)) ** (2 / (3 + 2 * order))
            norm = roughness(order, pilot)
        return time - (2 * total * math.sqrt(math.pi) * norm) ** -0.4 if norm > 0 else time - 1

    times = np.geomspace(1e-8, 0.1, 60)
    before = excess(float(times[0]))
    for start, end in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
        after = excess(end)
        if before < 0 <= after:
            root = float(brentq(excess, start, end))
            return max(math.sqrt(root) * len(counts), _NARROWEST)
        before = after
    # Values without any spread, or too few to tell anything.
    return _NARROWEST if before >= 0 else math.sqrt(float(times[-1])) * len(counts)


def smooth(counts: Floats, width: float, *, circular: bool = False) -> Floats:
    """Counts under a Gaussian kernel, as many as a bin would have."""
    mode: Literal["wrap", "constant"] = "wrap" if circular else "constant"
    smoothed: Floats = gaussian_filter1d(counts, width, mode=mode, truncate=5.0)
    return smoothed


def valleys(counts: Floats, *, depth: float, significance: float) -> NDArray[np.int64]:
    """First bins behind the valleys of a density, ascending; none where it has one peak.

    A valley counts where the density falls to `depth` times the lower of the peaks beside it, and
    by more than chance brings: the numbers of values under the kernel at peak and saddle, whose
    square roots have a standard deviation of one half, differ by `significance` deviations.

    Args:
        counts: (BINS,).
        depth: Between 0 and 1.
        significance: Standard deviations.
    """
    width = bandwidth(counts)
    density = smooth(counts, width)
    # Values under a kernel, such that their variance is their mean.
    effective = np.pad(density * width * 2 * math.sqrt(math.pi), 1)
    peaks, _ = find_peaks(effective)
    if len(peaks) < 2:
        return np.empty(0, np.int64)
    heights = effective[peaks]
    saddles = np.maximum(heights - peak_prominences(effective, peaks)[0], 0)
    deep = saddles <= depth * heights
    certain = math.sqrt(2) * (np.sqrt(heights) - np.sqrt(saddles)) >= significance
    kept = (peaks[deep & certain] - 1).tolist()
    return np.array([_lowest(density, a, b) for a, b in pairwise(kept)], np.int64)


def _lowest(density: Floats, start: int, end: int) -> int:
    """The bin of the lowest density between two peaks; the middle one of several."""
    between = density[start : end + 1]
    lowest = np.flatnonzero(between <= between.min())
    return start + int(lowest[len(lowest) // 2])
