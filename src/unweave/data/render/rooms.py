"""The images of 3DShapes, drawn by casting rays: an object in a room under the sky, 64 by 64.

The data set is Burgess and Kim (2018), "3D Shapes Dataset". Its images are not copied here:
camera, room, objects and light were fitted to 50 published images, from which these images differ
by half a step of 255 on average.

A ray is cast through each of 192 by 192 points, without anti-aliasing, and the result is made
smaller by Lanczos interpolation, as the published images seem to have been. The factors are
floor_hue, wall_hue, object_hue, scale, shape and orientation. Only the last three change where
things are, so what is drawn are *layers*: floor, walls and object of a scene, each in every hue.
An image is the sum of one layer of each.

Lengths are in units of the room: x to the right, y away from a camera that looks straight on, z
upwards. The object stands at 0, and the camera goes around it.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave.data.render import lighting, solids
from unweave.data.render.sums import cut_off
from unweave.factors import Factor, FactorSpace

__all__ = [
    "FACTOR_SPACE",
    "FRACTION",
    "PARTS",
    "REVISION",
    "SIDE",
    "layers",
    "regions",
    "render",
    "sum_layers",
]

REVISION: Final = 1
"""Raised when an image changes, so that stores drawn before are not taken for the new images."""

SIDE: Final = 64

FACTOR_SPACE: Final = FactorSpace(
    (
        Factor("floor_hue", 10, tuple((np.arange(10) / 10).tolist()), "circular"),
        Factor("wall_hue", 10, tuple((np.arange(10) / 10).tolist()), "circular"),
        Factor("object_hue", 10, tuple((np.arange(10) / 10).tolist()), "circular"),
        Factor("scale", 8, tuple(np.linspace(0.75, 1.25, 8).tolist()), "ordinal"),
        Factor(
            "shape",
            4,
            (0.0, 1.0, 2.0, 3.0),
            "categorical",
            labels=("cube", "cylinder", "sphere", "pill"),
        ),
        Factor("orientation", 15, tuple(np.linspace(-30, 30, 15).tolist()), "ordinal"),
    )
)

PARTS: Final = ("floor", "wall", "object")
"""What has a hue of its own, in the order of the first three factors; the sky is a wall here."""

FRACTION: Final = 4
"""Bits of a layer below one step of 255: the sum of layers is rounded, not each of them."""

# The camera: how far from the object and how high, level, and the width of its view.
_DISTANCE = 10.0
_HEIGHT = 3.0
_FOCAL = 1 / np.tan(np.deg2rad(25))

# Half the width of the room, and the height of its walls.
_ROOM = 14.02
_WALL = 8.0

# Radius and height at scale 1, in the order of the shapes.
_SIZES = ((1.4, 2.8), (1.493, 3.0), (1.694, 3.388), (1.291, 5.195))

_SKY = (153, 226, 249)

# Rays along a side, and how far the Lanczos filter reaches, in pixels.
_FINE = 3 * SIDE
_REACH = 3

# The wall behind, to the right and to the left; the floor; what has no colour of its own.
_BACK, _RIGHT, _LEFT, _FLOOR, _OPEN = range(5)
_INWARDS = ((0.0, -1.0, 0.0), (-1.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0))
# No shadow is longer.
_SHADOW = 9.0

# Hues are of full strength, so a channel has one of six levels.
_LEVELS = np.linspace(0, 1, 6)
_HUES = np.array([colorsys.hsv_to_rgb(hue / 10, 1, 1) for hue in range(10)])
_LEVEL_OF = np.abs(_HUES[:, :, np.newaxis] - _LEVELS).argmin(axis=2)

_Floats: TypeAlias = NDArray[np.float64]


@final
@dataclass(frozen=True)
class _View:
    """The empty room, as seen from one orientation.

    Attributes:
        origin: Where the camera is, (3,).
        ahead: Where it looks, (3,).
        directions: Of the rays, (n, 3), row by row from the top left.
        region: What each ray meets, (n,).
        distance: Where on the ray that is, (n,), infinite for the sky.
        brightness: What its colour is multiplied with, (n,).
        near: Rays that meet the floor where a shadow can fall.
        ground: Where those meet it, (m, 3).
        shaded: Brightness there in the shadow, (m,).
    """

    origin: _Floats
    ahead: _Floats
    directions: _Floats
    region: NDArray[np.int64]
    distance: _Floats
    brightness: _Floats
    near: NDArray[np.int64]
    ground: _Floats
    shaded: _Floats


def render(indices: ArrayLike) -> NDArray[np.uint8]:
    """Draw images one by one; for many of a scene, `layers` is faster.

    Args:
        indices: Factor indices, (n, 6), columns as in `FACTOR_SPACE`.

    Returns:
        (n, 64, 64, 3) of 0 to 255.

    Raises:
        FactorIndexError: The array has another shape or type, or an index is out of range.
    """
    rows = FACTOR_SPACE.check_indices(indices)
    images = np.empty((len(rows), SIDE, SIDE, 3), dtype=np.uint8)
    for place, (floor, wall, thing, *scene) in enumerate(rows.tolist()):
        parts = _scene_layers(*scene)
        images[place] = sum_layers(parts[[0, 1, 2], [floor, wall, thing]])
    return images


def layers(kept: Sequence[ArrayLike]) -> Iterator[NDArray[np.int16]]:
    """Draw the layers of a grid, scene by scene in C order of the kept values.

    Args:
        kept: Indices of each of the six factors.

    Yields:
        (k_0 + k_1 + k_2, 64, 64, 3): the floor in each kept hue, the walls with the sky, the
        object. `sum_layers` makes images of them.

    Raises:
        FactorIndexError: An index is out of range.
    """
    FACTOR_SPACE.subspace(kept)
    columns = [np.asarray(indices, dtype=np.int64) for indices in kept]
    for scene in product(*(column.tolist() for column in columns[3:])):
        parts = _scene_layers(*scene)
        yield np.concatenate([parts[part, columns[part]] for part in range(len(PARTS))])


def sum_layers(parts: NDArray[np.int16]) -> NDArray[np.uint8]:
    """Images of 0 to 255 from a layer of each part, (3, ...)."""
    sums = parts.sum(axis=0, dtype=np.int16)
    cut_off(sums, FRACTION)
    return np.asarray(sums, np.uint8)


def regions(scale: int, shape: int, orientation: int) -> dict[str, NDArray[np.float64]]:
    """Which share of each pixel shows what: for measurements.

    Args:
        scale: Index of the scale.
        shape: Index of the shape.
        orientation: Index of the orientation.

    Returns:
        (64, 64) each: `sky`, `back wall`, `right wall`, `left wall`, `floor`, `object`, `shadow`.
    """
    view = _view(orientation)
    radius, height = _size(scale, shape)
    entered, _ = solids.first_hit(shape, radius, height, view.origin, view.directions)
    region = np.where(entered < view.distance, -1, view.region)
    dark = np.zeros(len(region), dtype=np.bool_)
    dark[view.near] = solids.blocked(shape, radius, height, view.ground, np.array(lighting.LAMP))
    masks = {
        "sky": region == _OPEN,
        "back wall": region == _BACK,
        "right wall": region == _RIGHT,
        "left wall": region == _LEFT,
        "floor": (region == _FLOOR) & ~dark,
        "object": region == -1,
        "shadow": (region == _FLOOR) & dark,
    }
    step = _FINE // SIDE
    return {
        name: mask.reshape(SIDE, step, SIDE, step).mean(axis=(1, 3))
        for name, mask in masks.items()
    }


def _scene_layers(scale: int, shape: int, orientation: int) -> NDArray[np.int16]:
    """Layers of a scene, (3, 10, 64, 64, 3): part and hue first."""
    view = _view(orientation)
    radius, height = _size(scale, shape)
    entered, normals = solids.first_hit(shape, radius, height, view.origin, view.directions)
    hit = np.flatnonzero(entered < view.distance)
    points = view.origin + entered[hit, np.newaxis] * view.directions[hit]
    diffuse, gloss = lighting.shade_solid(shape, points, normals[hit], view.ahead)
    dark = solids.blocked(shape, radius, height, view.ground, np.array(lighting.LAMP))

    brightness = view.brightness.copy()
    brightness[view.near[dark]] = view.shaded[dark]
    free = np.ones(len(brightness), dtype=np.bool_)
    free[hit] = False
    fine = np.zeros((len(PARTS), len(_LEVELS), _FINE * _FINE), dtype=np.float32)
    for part, chosen in enumerate((view.region == _FLOOR, view.region < _FLOOR)):
        seen = np.flatnonzero(chosen & free)
        fine[part][:, seen] = _colour(brightness[seen], np.zeros(len(seen)))
    fine[2][:, hit] = _colour(diffuse, gloss)
    sky = _shrink((free & (view.region == _OPEN)).astype(np.float32))

    levels = _shrink(fine)
    images = levels[:, _LEVEL_OF].transpose(0, 1, 3, 4, 2)
    images[1] += sky[:, :, np.newaxis] * np.array(_SKY, dtype=np.float32)
    # Half a step more, so that the sum of layers is rounded where it is cut off.
    images[1] += 0.5
    images *= 1 << FRACTION
    return np.round(images).astype(np.int16)


def _colour(brightness: _Floats, gloss: _Floats) -> NDArray[np.float32]:
    """What each of `_LEVELS` looks like, (6, n), at most 255."""
    colour = 255 * (_LEVELS[:, np.newaxis] * brightness + gloss)
    return np.minimum(colour, 255).astype(np.float32)


def _size(scale: int, shape: int) -> tuple[float, float]:
    """Radius and height of an object."""
    factor = 0.75 + scale / 14
    radius, height = _SIZES[shape]
    return radius * factor, height * factor


@cache
def _view(orientation: int) -> _View:
    """Cast the rays of an orientation into the empty room."""
    # The published pictures have no labels, so it is not known which end is which. Here the angle
    # turns the camera counter-clockwise, seen from above: at -30 it stands to the left.
    angle = np.deg2rad(30 - orientation * 60 / 14)
    ahead = np.array([np.sin(angle), np.cos(angle), 0.0])
    right = np.array([np.cos(angle), -np.sin(angle), 0.0])
    origin = np.array([0.0, 0.0, _HEIGHT]) - _DISTANCE * ahead
    across = ((np.arange(_FINE) + 0.5) / _FINE * 2 - 1) / _FOCAL
    grid_x, grid_y = np.meshgrid(across, across)
    directions = ahead + grid_x.reshape(-1, 1) * right - grid_y.reshape(-1, 1) * [0.0, 0.0, 1.0]

    # Planes are reached from inside, so a ray meets the nearest of those that lie ahead of it.
    ends = np.stack(
        [
            (_ROOM - origin[1]) / directions[:, 1],
            (_ROOM - origin[0]) / directions[:, 0],
            (-_ROOM - origin[0]) / directions[:, 0],
            -origin[2] / directions[:, 2],
        ]
    )
    ends[ends <= 0] = np.inf
    region = ends.argmin(axis=0)
    distance = ends.min(axis=0)
    points = origin + distance[:, np.newaxis] * directions
    above = (region < _FLOOR) & (points[:, 2] > _WALL)
    region[above] = _OPEN
    distance[above] = np.inf

    brightness, pattern = np.zeros(len(region)), np.zeros(len(region))
    # Seen from inside, the pattern runs to the right and upwards on every wall; on the floor it is
    # turned by a quarter and begins half a period off.
    places = (
        (points[:, 0], points[:, 2]),
        (-points[:, 1], points[:, 2]),
        (points[:, 1], points[:, 2]),
        (-points[:, 1], points[:, 0] + 4),
    )
    for plane, (to_right, upwards) in enumerate(places):
        seen = region == plane
        pattern[seen] = lighting.tiles(to_right[seen], upwards[seen])
        brightness[seen] = pattern[seen] * lighting.shade_flat(
            points[seen], _INWARDS[plane], ahead
        )
    near = np.flatnonzero((region == _FLOOR) & (np.hypot(points[:, 0], points[:, 1]) < _SHADOW))
    return _View(
        origin=origin,
        ahead=ahead,
        directions=directions,
        region=region,
        distance=distance,
        brightness=brightness,
        near=near,
        ground=points[near],
        shaded=lighting.CONSTANT * pattern[near],
    )


def _shrink(fine: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images of 192 by 192 values, (..., n), to 64 by 64, (..., 64, 64)."""
    weights = _weights().T
    # Two large products: of many small ones, threads of the library spend most of the time waiting
    # for one another.
    across = fine.reshape(-1, _FINE) @ weights
    upright = np.ascontiguousarray(across.reshape(-1, _FINE, SIDE).swapaxes(1, 2))
    small = (upright.reshape(-1, _FINE) @ weights).reshape(*fine.shape[:-1], SIDE, SIDE)
    return np.asarray(small.swapaxes(-1, -2))


@cache
def _weights() -> NDArray[np.float32]:
    """What each of 192 values counts in each of 64, (64, 192): Lanczos, cut off at the rim."""
    step = _FINE / SIDE
    centres = (np.arange(SIDE) + 0.5) * step
    offsets = (np.arange(_FINE) + 0.5 - centres[:, np.newaxis]) / step
    window = np.where(np.abs(offsets) < _REACH, np.sinc(offsets) * np.sinc(offsets / _REACH), 0)
    return np.asarray(window / window.sum(axis=1, keepdims=True), dtype=np.float32)
