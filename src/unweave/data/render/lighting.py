"""Light of the room of 3DShapes: how bright a point is, and the pattern of walls and floor.

The light is that of a fixed-function renderer: constant light, a lamp at the camera that shines
straight ahead, and a lamp under the sky that shines straight down and casts the shadow on the
floor. Brightness is computed at the corners of a mesh and interpolated between them, which is what
makes the edges of highlights on round things jagged.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unweave.data.render.solids import CUBE, CYLINDER

__all__ = ["CONSTANT", "LAMP", "shade_flat", "shade_solid", "tiles"]

LAMP: Final = (-6.0, 2.0, 30.0)
"""Where the upper lamp hangs."""

CONSTANT: Final = 0.35
"""Brightness of whatever no lamp reaches, such as the floor in the shadow."""

_CAMERA = 0.6
_LAMP = 0.98
_FOCUS = 10
_GLOSS = 0.15
"""White added where the lamp reaches an object: a highlight so wide that it has one strength."""

# The mesh of a round solid: corners around the axis, and from pole to pole.
_SLICES = 28
_STACKS = 16

# The pattern, which repeats after 10 half steps to the right and 16 upwards, and the places of its
# grey hexagons in half steps.
_WIDTH = 1.6
_COLUMNS, _ROWS = 10, 16
_GREY = np.zeros((_COLUMNS, _ROWS), dtype=np.bool_)
_GREY[[0, 1, 0, 1, 2], [10, 9, 8, 7, 6]] = True
_GREY_SHARE = 0.055
_JOINT_SHARE = 0.054
_JOINT_FROM = 0.6
_BRIGHTNESS = 1.004

_Floats: TypeAlias = NDArray[np.float64]


def shade_flat(points: _Floats, normal: tuple[float, float, float], ahead: _Floats) -> _Floats:
    """Brightness of points of a wall or the floor, which have no highlights.

    Args:
        points: (n, 3).
        normal: Of the plane.
        ahead: Where the camera looks, (3,).

    Returns:
        (n,): what the colour is multiplied with, without the pattern and without shadow.
    """
    towards, focus = _lamp(points)
    diffuse, _ = _brightness(np.broadcast_to(normal, points.shape), ahead, towards, focus)
    return diffuse


def shade_solid(
    solid: int, points: _Floats, normals: _Floats, ahead: _Floats
) -> tuple[_Floats, _Floats]:
    """Brightness of points of an object.

    Args:
        solid: What it is, as `solids` names it.
        points: (n, 3).
        normals: (n, 3).
        ahead: Where the camera looks, (3,).

    Returns:
        What the colour is multiplied with, and what is added of white, (n,) each.
    """
    towards, focus = _lamp(points)
    flat = np.full(len(points), solid == CUBE)
    if solid == CYLINDER:
        flat = normals[:, 2] > 0.5
    diffuse, gloss = _brightness(normals, ahead, towards, focus)
    turn = np.arctan2(normals[:, 1], normals[:, 0]) / (2 * np.pi) * _SLICES
    rise = np.arcsin(np.clip(normals[:, 2], -1, 1)) / np.pi * _STACKS
    if solid == CYLINDER:
        rise = np.zeros_like(rise)
    corner_turn, corner_rise = np.floor(turn), np.floor(rise)
    sums = np.zeros((2, len(points)))
    for right in (0, 1):
        for up in (0, 1):
            share = np.abs(1 - right - (turn - corner_turn)) * np.abs(
                1 - up - (rise - corner_rise)
            )
            around = (corner_turn + right) * (2 * np.pi / _SLICES)
            over = (corner_rise + up) * (np.pi / _STACKS)
            corner = np.stack(
                [np.cos(over) * np.cos(around), np.cos(over) * np.sin(around), np.sin(over)], 1
            )
            sums += share * np.stack(_brightness(corner, ahead, towards, focus))
    return np.where(flat, diffuse, sums[0]), np.where(flat, gloss, sums[1])


def tiles(right: _Floats, up: _Floats) -> _Floats:
    """The pattern of walls and floor: hexagons with dark joints, five in each period greyish.

    Args:
        right: Place on the plane, (n,).
        up: Place on the plane, at right angles to it, (n,).

    Returns:
        (n,): what the brightness is multiplied with.
    """
    joint = np.full(len(right), np.inf)
    grey = np.zeros(len(right), dtype=np.bool_)
    # Two grids of hexagons, one half a step right of and above the other: the nearer one counts.
    for shift in (0.0, 0.5):
        column = np.round(right / _WIDTH - shift) + shift
        row = np.round(up - shift) + shift
        # As of a regular hexagon, level above and below: 0 in its middle, 1 at its joints.
        across, along = np.abs(right / _WIDTH - column) * np.sqrt(3), np.abs(up - row)
        distance = 2 * np.maximum(along, across * np.sqrt(3) / 2 + along / 2)
        # Places in half steps.
        place = (2 * column).astype(int) % _COLUMNS, (2 * row).astype(int) % _ROWS
        nearer = distance < joint
        joint = np.where(nearer, distance, joint)
        grey = np.where(nearer, _GREY[place], grey)
    depth = np.clip((joint - _JOINT_FROM) / (1 - _JOINT_FROM), 0, 1)
    return np.asarray(_BRIGHTNESS * (1 - _JOINT_SHARE * depth - _GREY_SHARE * grey))


def _lamp(points: _Floats) -> tuple[_Floats, _Floats]:
    """Direction to the lamp, (n, 3), and how much of it arrives: it is brightest straight down."""
    towards = np.array(LAMP) - points
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    return towards, towards[:, 2] ** _FOCUS


def _brightness(
    normals: _Floats, ahead: _Floats, towards: _Floats, focus: _Floats
) -> tuple[_Floats, _Floats]:
    """What the colour is multiplied with, and what is added of white where the lamp reaches."""
    slope = np.einsum("ij,ij->i", normals, towards)
    facing = np.maximum(-(normals @ ahead), 0)
    diffuse = CONSTANT + _CAMERA * facing + _LAMP * np.maximum(slope, 0) * focus
    return diffuse, np.where(slope > 0, _GLOSS * focus, 0)
