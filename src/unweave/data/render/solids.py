"""Rays against a cube, a cylinder, a ball or a pill that stands on the floor.

Coordinates are (x, y, z), z upwards; the solid stands on z = 0 with its axis at x = y = 0. A ray
is every point origin + t * direction with t > 0. Solids are described by a radius and a height:
half the edge and the edge of a cube; the height of a ball is twice its radius.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["BALL", "CUBE", "CYLINDER", "PILL", "blocked", "first_hit"]

CUBE: Final = 0
CYLINDER: Final = 1
BALL: Final = 2
PILL: Final = 3

_Floats: TypeAlias = NDArray[np.float64]


def first_hit(
    solid: int, radius: float, height: float, origin: _Floats, directions: _Floats
) -> tuple[_Floats, _Floats]:
    """Where rays from one point outside enter a solid.

    Args:
        solid: `CUBE`, `CYLINDER`, `BALL` or `PILL`.
        radius: Its radius.
        height: Its height.
        origin: Where the rays begin, (3,).
        directions: Where they go, (n, 3).

    Returns:
        t of the point where each enters, (n,), infinite where it misses; and the outer normal
        there, (n, 3), of length 1, zero where it misses.
    """
    origins = np.broadcast_to(origin, directions.shape)
    enter, leave = _span(solid, radius, height, origins, directions)
    hit = (enter < leave) & (enter > 0)
    normals = np.zeros_like(directions)
    points = origins[hit] + enter[hit, np.newaxis] * directions[hit]
    normals[hit] = _normals(solid, radius, height, points)
    return np.where(hit, enter, np.inf), normals


def blocked(
    solid: int, radius: float, height: float, points: _Floats, light: _Floats
) -> NDArray[np.bool_]:
    """Whether a solid stands between points outside it, (n, 3), and a light, (3,)."""
    enter, leave = _span(solid, radius, height, points, light - points)
    return np.logical_and(enter < leave, leave > 0)


def _span(
    solid: int, radius: float, height: float, origins: _Floats, directions: _Floats
) -> tuple[_Floats, _Floats]:
    """Both ends of each line's part inside the solid, (n,); the first is larger if none is."""
    if solid == BALL:
        return _ball(radius, radius, origins, directions)
    if solid == CUBE:
        spans = [_slab(-radius, radius, origins[:, k], directions[:, k]) for k in (0, 1)]
        return _common(*spans, _slab(0, height, origins[:, 2], directions[:, 2]))
    low, high = (0.0, height) if solid == CYLINDER else (radius, height - radius)
    enter, leave = _common(
        _round(radius, origins, directions, 2), _slab(low, high, origins[:, 2], directions[:, 2])
    )
    if solid == PILL:
        # A pill is convex, so the union of its three parts on a line is one piece.
        for centre in (low, high):
            first, last = _ball(radius, centre, origins, directions)
            missed = enter >= leave
            both = ~missed & (first < last)
            enter = np.where(missed, first, np.where(both, np.minimum(enter, first), enter))
            leave = np.where(missed, last, np.where(both, np.maximum(leave, last), leave))
    return enter, leave


def _common(*spans: tuple[_Floats, _Floats]) -> tuple[_Floats, _Floats]:
    enter, leave = spans[0]
    for first, last in spans[1:]:
        enter, leave = np.maximum(enter, first), np.minimum(leave, last)
    return enter, leave


def _slab(low: float, high: float, start: _Floats, step: _Floats) -> tuple[_Floats, _Floats]:
    """Between two parallel planes."""
    # A line along the planes is inside for all t or for none: a step that is nearly 0 says both.
    step = np.where(step == 0, 1e-300, step)
    one, other = (low - start) / step, (high - start) / step
    return np.minimum(one, other), np.maximum(one, other)


def _ball(
    radius: float, centre: float, origins: _Floats, directions: _Floats
) -> tuple[_Floats, _Floats]:
    """Inside a ball around (0, 0, centre)."""
    return _round(radius, origins - np.array([0.0, 0.0, centre]), directions, 3)


def _round(
    radius: float, origins: _Floats, directions: _Floats, axes: int
) -> tuple[_Floats, _Floats]:
    """Nearer to 0 than the radius, counting the first `axes` coordinates: 2 is an endless pipe."""
    start, step = origins[:, :axes], directions[:, :axes]
    square = np.einsum("ij,ij->i", step, step)
    middle = np.einsum("ij,ij->i", start, step)
    rest = np.einsum("ij,ij->i", start, start) - radius * radius
    inside = middle * middle - square * rest
    square = np.where(square == 0, 1e-300, square)
    half = np.sqrt(np.maximum(inside, 0))
    enter, leave = (-middle - half) / square, (-middle + half) / square
    return np.where(inside > 0, enter, np.inf), np.where(inside > 0, leave, -np.inf)


def _normals(solid: int, radius: float, height: float, points: _Floats) -> _Floats:
    """Outer normals at points of the surface, (n, 3) each."""
    if solid == CUBE:
        # The face is the one that the point lies on: its coordinate is the farthest out.
        local = (points - np.array([0.0, 0.0, height / 2])) / np.array(
            [radius, radius, height / 2]
        )
        face = np.abs(local).argmax(axis=1)
        normals = np.zeros_like(points)
        rows = np.arange(len(points))
        normals[rows, face] = np.sign(local[rows, face])
        return normals
    if solid == CYLINDER:
        top = points[:, 2] > height * (1 - 1e-9)
        normals = np.where(top[:, np.newaxis], [0.0, 0.0, 1.0], points * [1.0, 1.0, 0.0] / radius)
        return np.asarray(normals)
    # The nearest point of the axis of a pill, or the centre of a ball.
    low, high = (radius, radius) if solid == BALL else (radius, height - radius)
    axis = np.clip(points[:, 2], low, high)
    normals = points.copy()
    normals[:, 2] -= axis
    return np.asarray(normals / radius)
