"""Cells as the code of rPU-VAE chooses them, off by one image, for comparison with its results."""

from __future__ import annotations

__all__ = ["PublishedEnding", "PublishedReason", "published_cell"]

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import find_peaks

from unweave.errors import DataError, SpecError
from unweave.population.recursion.cells import Cell, group

Floats = NDArray[np.float64]

PublishedReason: TypeAlias = Literal[
    "nothing_active", "too_few_images", "no_peak", "no_such_interval", "no_cell", "no_such_cell",
    "cell_too_small",
]  # fmt: skip
"""Why there is no cell: no latent is active; too few images to look for peaks, of which that code
crashes; an active latent has no peak; a latent has fewer intervals than `x_peak` asks for, of
which it may crash; no combination has more than five images; fewer cells than `x_peak` asks for;
fewer than ten images."""

_EDGE, _DISTANCE = 15, 50
_CANDIDATES = 5
_MORE_THAN, _SMALLEST = 5, 10


@final
@dataclass(frozen=True)
class PublishedEnding:
    """There is no cell, and why.

    Attributes:
        reason: Which of the known reasons.
        message: In words.
    """

    reason: PublishedReason
    message: str


@final
@dataclass(frozen=True, eq=False)
class _Interval:
    """Images whose values of one latent lie between two jumps.

    Attributes:
        images: Their positions in the order of their values, int64.
        quality: Height of the lower jump by the mean difference inside; infinite where values
            inside are equal, and 0 where one jump leaves no choice.
    """

    images: NDArray[np.int64]
    quality: float


def published_cell(
    values: NDArray[np.floating],
    *,
    level: int,
    x_peak: int = 0,
    side_cutoff: float = 0.0,
) -> Cell | PublishedEnding:
    """The cell of the next level, from the values of the active latents.

    Sorted values of a factor with few values jump between them. An interval goes from one large
    jump to the next; it has the last image before it, and not its own last one. What fails there
    with an error ends here with a reason.

    Args:
        values: (N, A).
        level: From 0, that of the whole dataset.
        x_peak: Which interval or cell is taken at level 0.
        side_cutoff: Share of the images dropped at each end of an interval, where there is one
            latent; at least 0 and less than 0.5.

    Raises:
        DataError: The values are not a finite table.
        SpecError: A setting is out of range.

    References:
        | Robust Disentanglement of a Few Factors at a Time
        | (Estermann et al., 2020)
        | https://arxiv.org/abs/2010.13527
    """
    if level < 0 or x_peak < 0 or not 0 <= side_cutoff < 0.5:
        raise SpecError(
            "level and x_peak must be at least 0 and side_cutoff at least 0 and less than 0.5, "
            f"but they are {level}, {x_peak} and {side_cutoff}."
        )
    table = np.asarray(values)
    if table.ndim != 2 or not np.isfinite(table).all():
        raise DataError(f"Values of active latents must be finite, (N, A), not {table.shape}.")
    images, latents = table.shape
    if not latents:
        return PublishedEnding("nothing_active", "No latent has enough KL to be a label.")
    if images <= _DISTANCE:
        message = f"Peaks are looked for among more than {_DISTANCE} images, not {images}."
        return PublishedEnding("too_few_images", message)
    rank = x_peak if level == 0 else 0
    candidates = []
    for column in range(latents):
        found = _intervals(table[:, column], alone=latents == 1, level=level, rank=rank)
        if isinstance(found, PublishedEnding):
            return PublishedEnding(
                found.reason, f"Of active latent {column}, counted from 0: {found.message}"
            )
        candidates.append(found)
    if latents > 1:
        return _cross(candidates, images, rank)
    chosen = candidates[0][0].images
    cut = int(side_cutoff * len(chosen))
    return _large_enough(np.sort(chosen[cut : len(chosen) - cut]), (rank,), rank, None)


def _intervals(
    values: NDArray[np.floating], *, alone: bool, level: int, rank: int
) -> list[_Interval] | PublishedEnding:
    """Candidates of one latent, the best first; one only of a latent that is alone."""
    images = len(values)
    order = np.argsort(values, kind="stable").astype(np.int64)
    jumps = np.diff(values[order])
    peaks = [int(p) for p in _peaks(jumps)]
    if not peaks:
        return PublishedEnding("no_peak", "its sorted values have no jump.")
    if len(peaks) == 1:
        peak = peaks[0]
        sides = [_Interval(order[:peak], 0.0), _Interval(order[peak:], 0.0)]
        if level > 0:
            return [sides[int(_spacing(jumps, peak, images) < _spacing(jumps, 0, peak))]]
        if rank > 1:
            message = f"one jump leaves two intervals, and none of rank {rank}."
            return PublishedEnding("no_such_interval", message)
        return [sides[rank]]
    heights = [float(jumps[p]) for p in peaks]
    if len(peaks) <= 3 and not alone:
        peaks = [0, *peaks, images - 2]
        heights = [1.0, *heights, 1.0]
    found = []
    for place, (start, end) in enumerate(pairwise(peaks)):
        spacing, height = _spacing(jumps, start, end), min(heights[place : place + 2])
        quality = height / spacing if spacing > 0 else math.inf
        found.append(_Interval(order[start:end], quality))
    found.sort(key=lambda each: -each.quality)
    if not alone:
        return found[:_CANDIDATES]
    if rank >= len(found):
        message = f"there are {len(found)} intervals, and none of rank {rank}."
        return PublishedEnding("no_such_interval", message)
    return [found[rank]]


def _peaks(jumps: NDArray[np.floating]) -> NDArray[np.int64]:
    """Positions of large jumps among the differences of sorted values, ascending."""
    edge, distance = len(jumps) // _EDGE, len(jumps) // _DISTANCE
    inner = jumps[edge : len(jumps) - edge]
    small = inner[inner < np.median(inner) + 4 * inner.std()]
    # Of equal differences none is below the bound, and the deviation of nothing is no number.
    if not len(small):
        return np.empty(0, np.int64)
    peaks, _ = find_peaks(inner, height=np.median(inner) + 7 * small.std(), distance=distance)
    return np.asarray(peaks + edge, np.int64)


def _spacing(jumps: NDArray[np.floating], start: int, end: int) -> float:
    """Mean difference of neighbouring values between two jumps; 0 where there is none."""
    inside = jumps[start + 1 : end]
    return float(inside.mean()) if len(inside) else 0.0


def _cross(candidates: list[list[_Interval]], images: int, rank: int) -> Cell | PublishedEnding:
    """The cell of a rank among all combinations of intervals, one of each latent.

    Intervals of a latent are disjoint, so that each image is in one combination at most, and one
    pass finds them all.
    """
    # Of the last latent first: the first one varies fastest.
    ids = np.full((images, len(candidates)), -1, np.int64)
    for column, intervals in enumerate(reversed(candidates)):
        for place, interval in enumerate(intervals):
            ids[interval.images, column] = place
    cells, membership, sizes = group(ids)
    kept = np.flatnonzero(sizes > _MORE_THAN)
    if not len(kept):
        message = f"No combination of intervals has more than {_MORE_THAN} images."
        return PublishedEnding("no_cell", message)
    off = np.abs(sizes[kept] - np.median(sizes[kept]))
    if rank >= len(kept):
        message = f"There are {len(kept)} cells, and none of rank {rank}."
        return PublishedEnding("no_such_cell", message)
    cell = int(kept[np.argsort(off, kind="stable")[rank]])
    places = tuple(cells[cell, ::-1].tolist())
    return _large_enough(np.flatnonzero(membership == cell), places, rank, len(kept))


def _large_enough(
    positions: NDArray[np.intp], places: tuple[int, ...], rank: int, cells: int | None
) -> Cell | PublishedEnding:
    if len(positions) < _SMALLEST:
        message = f"The cell has {len(positions)} images, fewer than {_SMALLEST}."
        return PublishedEnding("cell_too_small", message)
    return Cell(
        positions=positions.astype(np.int64),
        values={f"active {column}": place for column, place in enumerate(places)},
        purity=None,
        rank=rank,
        cells=cells,
    )
