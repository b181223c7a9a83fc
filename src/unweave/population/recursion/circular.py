"""Pairs of latents whose joint values lie on a ring, as those of a factor that is an angle."""

from __future__ import annotations

__all__ = ["Ring", "find_rings"]

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError, SpecError
from unweave.population.recursion.clusters import Clusters, find_clusters
from unweave.splits import keyed_permutation

Floats = NDArray[np.float64]

_TURN = 2 * math.pi
# Rings are looked for among so many images; among few, some lie on one by chance.
_LOOK = 20_000
_FEW = 30
_REFINEMENTS = 5
# Beyond these quantiles of a latent there may be outliers; a ring has few images there.
_OUTSIDE = 0.03
# Combinations of two factors of two values each lie on a circle, too.
_FEWEST = 5
# On a ring as narrow as is asked for these would be this pure.
_APART = 0.97
_SECTORS = 72


@final
@dataclass(frozen=True, eq=False)
class Ring:
    """Two latents, and the angle that they tell together.

    Attributes:
        latents: Numbers of the two; the angle goes from the direction of the first to that of the
            second.
        centre: Of the ring, in codes, (2,).
        radii: Of the ring along each latent, in codes, (2,).
        spread: Standard deviation of the radii of images on the ring, by its radius.
        purity: Share of the images whose radius is within the tolerance.
        angles: Of each image, from 0 to below 2 pi, (N,).
        clusters: Clusters of the angles; images away from the ring are in none.
    """

    latents: tuple[int, int]
    centre: Floats
    radii: Floats
    spread: float
    purity: float
    angles: Floats
    clusters: Clusters


def find_rings(
    codes: NDArray[np.floating],
    latents: Sequence[int] | NDArray[np.int64] | None = None,
    *,
    spread: float = 0.12,
    tolerance: float = 0.25,
    share: float = 0.9,
    gap: float = 80.0,
    **settings: Any,
) -> list[Ring]:
    """The rings among some latents, the clearest first; no latent is in two.

    A pair is a ring where nearly all images have nearly the same distance from one point, there is
    no wide gap in the angle, and the angle does not have fewer than five clear clusters: the pair
    could then be two factors of two values each.

    Args:
        codes: (N, L), finite.
        latents: Which latents may make rings; None for all.
        spread: Standard deviation of radii by the radius, at most.
        tolerance: Distance from the ring by its radius at which an image is on it, at most.
        share: Share of images on it, at least.
        gap: Widest gap in the angle, degrees.
        **settings: Of `find_clusters`, for angles.

    Raises:
        DataError: The codes are not a finite table, or there is no such latent.
        SpecError: A setting is out of range.
    """
    for name, number, most in (
        ("spread", spread, 1), ("tolerance", tolerance, 1), ("share", share, 1), ("gap", gap, 360),
    ):  # fmt: skip
        if not 0 < number <= most:
            raise SpecError(f"{name} must be more than 0 and at most {most}, but is {number}.")
    table = np.asarray(codes)
    if table.ndim != 2 or not len(table) or not np.isfinite(table).all():
        raise DataError(f"Rings are found in finite codes (N, L), not {table.shape}.")
    chosen = range(table.shape[1]) if latents is None else [int(j) for j in latents]
    if any(not 0 <= j < table.shape[1] for j in chosen):
        raise DataError(f"There are {table.shape[1]} latents, and no {list(chosen)}.")
    # Drawn, not every so many: those of a grid lie in order.
    rows = np.sort(keyed_permutation(len(table), 0, "look for rings")[:_LOOK])
    few = table[rows].astype(np.float64)
    found = []
    for first, second in combinations(chosen, 2) if len(few) >= _FEW else ():
        fitted = _fit(few[:, [first, second]], tolerance)
        if fitted is None:
            continue
        centre, radii = fitted
        radius, angle = _polar(few[:, [first, second]], centre, radii)
        on = np.abs(radius - 1) <= tolerance
        if on.mean() < share or _widest_gap(angle[on]) > gap:
            continue
        width = float(radius[on].std())
        if width <= spread:
            found.append((width, first, second, centre, radii))
    rings: list[Ring] = []
    for width, first, second, centre, radii in sorted(found, key=lambda each: each[:3]):
        if any({first, second} & set(ring.latents) for ring in rings):
            continue
        radius, angle = _polar(table[:, [first, second]].astype(np.float64), centre, radii)
        on = np.abs(radius - 1) <= tolerance
        clusters = find_clusters(angle, period=_TURN, **settings)
        if clusters.count and clusters.usable.sum() < _FEWEST:
            if clusters.purity >= _APART:
                continue
            clusters = Clusters.none(len(table), "its few clusters overlap", period=_TURN)
        ring = Ring(
            latents=(first, second),
            centre=centre,
            radii=radii,
            spread=width,
            purity=float(on.mean()),
            angles=angle,
            clusters=clusters.only(on),
        )
        rings.append(ring)
    return rings


def _fit(pair: Floats, tolerance: float) -> tuple[Floats, Floats] | None:
    """Centre and radii of the ring on which the pairs (N, 2) lie, if they lie on one.

    It may be longer along one latent than along the other. The first guess is the range of each
    latent; an ellipse is then fitted by least squares to what is near the last one.
    """
    low, high = np.quantile(pair, [_OUTSIDE, 1 - _OUTSIDE], axis=0)
    middle, half = (low + high) / 2, (high - low) / 2
    if not (half > 0).all():
        return None
    scaled = (pair - middle) / half
    centre, radii = np.zeros(2), np.ones(2)
    for _ in range(_REFINEMENTS):
        distance = np.hypot(*((scaled - centre) / radii).T)
        near = scaled[np.abs(distance - 1) <= 2 * tolerance]
        if len(near) < len(scaled) / 2:
            return None
        # a x^2 + b y^2 + c x + d y = 1 is linear in what is sought.
        design = np.concatenate([near**2, near], axis=1)
        solution = np.linalg.lstsq(design, np.ones(len(near)), rcond=None)[0]
        if not (solution[:2] > 0).all():
            return None
        centre = -solution[2:] / (2 * solution[:2])
        radii = np.sqrt((1 + (solution[:2] * centre**2).sum()) / solution[:2])
        if not (np.abs(np.log2(radii)) < 1).all():
            return None
    return middle + half * centre, half * radii


def _polar(pair: Floats, centre: Floats, radii: Floats) -> tuple[Floats, Floats]:
    """Radii by that of the ring, and angles from 0 to below a turn, (N,)."""
    x, y = ((pair - centre) / radii).T
    angle = np.arctan2(y, x) % _TURN
    return np.hypot(x, y), np.where(angle >= _TURN, 0.0, angle)


def _widest_gap(angles: Floats) -> float:
    """Degrees between neighbouring sectors of the circle that hold more than a few outliers."""
    sectors = (angles / _TURN * _SECTORS).astype(np.int64)
    counts = np.bincount(sectors, minlength=_SECTORS)
    held = np.flatnonzero(counts > 0.1 * len(angles) / _SECTORS)
    if not len(held):
        return 360.0
    steps = np.diff(np.append(held, held[0] + _SECTORS))
    return float(steps.max() * 360 / _SECTORS)
