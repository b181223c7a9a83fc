"""The rooms of 3DShapes, drawn slowly: rays go step by step, as far as things are away."""

from __future__ import annotations

import colorsys
import math
from itertools import product

import numpy as np
from PIL import Image

LAMP = np.array([-6.0, 2.0, 30.0])
GREY = [(0.0, 5.0), (0.8, 4.5), (0.0, 4.0), (0.8, 3.5), (1.6, 3.0)]


def distance(shape: int, scale: float, points: np.ndarray) -> np.ndarray:
    """Distance of points outside, (n, 3), to the surface of an object; below 0 inside."""
    x, y, z = points.T
    around = np.hypot(x, y)
    if shape == 0:
        outside = np.stack([abs(x), abs(y), abs(z - 1.4 * scale)]) - 1.4 * scale
        corner = np.sqrt((np.maximum(outside, 0) ** 2).sum(0))
        return corner + np.minimum(outside.max(0), 0)
    if shape == 1:
        outside = np.stack([around - 1.493 * scale, abs(z - 1.5 * scale) - 1.5 * scale])
        corner = np.hypot(*np.maximum(outside, 0))
        return corner + np.minimum(outside.max(0), 0)
    if shape == 2:
        return np.sqrt(around**2 + (z - 1.694 * scale) ** 2) - 1.694 * scale
    radius, height = 1.291 * scale, 5.195 * scale
    nearest = np.clip(z, radius, height - radius)
    return np.sqrt(around**2 + (z - nearest) ** 2) - radius


def march(shape, scale, origins, directions, limit):
    """Length at which each ray comes to the object, infinite if it does not before `limit`."""
    steps = np.linalg.norm(directions, axis=1, keepdims=True)
    directions = directions / steps
    length = np.zeros(len(directions))
    for _ in range(400):
        # Those that have left stay where they are.
        under_way = np.flatnonzero(length < limit)
        places = origins[under_way] + length[under_way, None] * directions[under_way]
        away = distance(shape, scale, places)
        length[under_way] += np.maximum(away, 1e-7)
    reached = distance(shape, scale, origins + length[:, None] * directions) < 1e-4
    return np.where(reached, length / steps[:, 0], np.inf)


def normals_at(shape, scale, points):
    """Outer normals, by differences."""
    slopes = [
        distance(shape, scale, points + step) - distance(shape, scale, points - step)
        for step in 1e-5 * np.eye(3)
    ]
    normals = np.stack(slopes, axis=1)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def light(points, normals, ahead):
    """Brightness, and white that is added, at corners of a mesh, (2, n)."""
    towards = LAMP - points
    towards = towards / np.linalg.norm(towards, axis=1, keepdims=True)
    reaching = towards[:, 2] ** 10
    facing = (normals * towards).sum(axis=1)
    bright = 0.35 + 0.6 * np.maximum(0, -(normals @ ahead))
    bright += 0.98 * np.maximum(0, facing) * reaching
    return np.stack([bright, 0.15 * reaching * (facing > 0)])


def light_on_object(shape, scale, points, ahead):
    """Brightness and white between the corners of a mesh with 28 slices and 16 stacks."""
    normals = normals_at(shape, scale, points)
    flat = light(points, normals, ahead)
    if shape == 0:
        return flat
    longitude = np.degrees(np.arctan2(normals[:, 1], normals[:, 0])) * 28 / 360
    latitude = np.degrees(np.arcsin(np.clip(normals[:, 2], -1, 1))) * 16 / 180
    if shape == 1:
        latitude[:] = 0
    west, south = np.floor(longitude), np.floor(latitude)
    total = np.zeros((2, len(points)))
    for east_share, column in ((1 - longitude + west, west), (longitude - west, west + 1)):
        for north_share, row in ((1 - latitude + south, south), (latitude - south, south + 1)):
            a, b = np.radians(column * 360 / 28), np.radians(row * 180 / 16)
            corner = np.stack([np.cos(a) * np.cos(b), np.sin(a) * np.cos(b), np.sin(b)], axis=1)
            total += east_share * north_share * light(points, corner, ahead)
    return np.where((shape == 1) & (normals[:, 2] > 0.5), flat, total)


def pattern(right, up):
    """Hexagons: the nearest of a lattice is looked for among all around."""
    columns, rows = np.floor(right / 1.6), np.floor(up)
    nearest = np.full(len(right), np.inf)
    grey = np.zeros(len(right), dtype=bool)
    stretch = math.sqrt(3) / 1.6
    for shift, column, row in product((0, 0.5), range(-1, 3), range(-1, 3)):
        middle_right, middle_up = 1.6 * (columns + column + shift), rows + row + shift
        a, b = (right - middle_right) * stretch, up - middle_up
        # To a joint of a regular hexagon it is 0.5 in each of six directions.
        reach = np.max(
            [abs(a * math.sin(turn) + b * math.cos(turn)) for turn in np.deg2rad([0, 60, 120])],
            axis=0,
        )
        place = np.round(np.stack([middle_right, middle_up]), 3) % 8
        here = np.any([np.abs(place.T - other).max(axis=1) < 0.01 for other in GREY], axis=0)
        grey = np.where(reach < nearest, here, grey)
        nearest = np.minimum(nearest, reach)
    joint = np.clip((2 * nearest - 0.6) / 0.4, 0, 1)
    return 1.004 * (1 - 0.054 * joint - 0.055 * grey)


def camera(orientation):
    """Where the camera is, where it looks, and the directions of its rays, (192, 192, 3)."""
    angle = math.radians(30 - 60 * orientation / 14)
    ahead = np.array([math.sin(angle), math.cos(angle), 0.0])
    right = np.array([math.cos(angle), -math.sin(angle), 0.0])
    pixels = (np.arange(192) + 0.5) / 96 - 1
    spread = math.tan(math.radians(25)) * pixels
    directions = (
        ahead + spread[None, :, None] * right - spread[:, None, None] * np.array([0, 0, 1.0])
    )
    return -10 * ahead + [0, 0, 3], ahead, directions


def picture(floor, wall, thing, scale_index, shape, orientation):
    """One image, (64, 64, 3) of 0 to 255."""
    scale = 0.75 + 0.5 * scale_index / 7
    origin, ahead, directions = camera(orientation)
    rays = directions.reshape(-1, 3)
    colours = np.array([colorsys.hsv_to_rgb(hue / 10, 1, 1) for hue in (floor, wall, thing)])
    reached = march(shape, scale, np.broadcast_to(origin, rays.shape), rays, 30)
    planes = (
        (1, 14.02, (0, -1, 0), lambda p: (p[:, 0], p[:, 2])),
        (0, 14.02, (-1, 0, 0), lambda p: (-p[:, 1], p[:, 2])),
        (0, -14.02, (1, 0, 0), lambda p: (p[:, 1], p[:, 2])),
        (2, 0.0, (0, 0, 1), lambda p: (-p[:, 1], p[:, 0] + 4)),
    )
    ends = np.stack([(value - origin[axis]) / rays[:, axis] for axis, value, *_ in planes])
    ends[ends < 0] = np.inf
    fine = np.empty((len(rays), 3))
    for index, (_, _, normal, place) in enumerate(planes):
        met = (ends.argmin(axis=0) == index) & (ends.min(axis=0) < reached)
        points = origin + ends[index, met, None] * rays[met]
        bright, _ = light(points, np.array(normal), ahead)
        if index == 3:
            towards = LAMP - points
            dark = march(shape, scale, points + 1e-3 * towards, towards, 31) < np.inf
            bright[dark] = 0.35
        bright *= pattern(*place(points))
        fine[met] = 255 * colours[int(index < 3)] * bright[:, None]
        if index < 3:
            fine[np.flatnonzero(met)[points[:, 2] > 8]] = 153, 226, 249
    met = reached < ends.min(axis=0)
    bright, white = light_on_object(shape, scale, origin + reached[met, None] * rays[met], ahead)
    fine[met] = 255 * (colours[2] * bright[:, None] + white[:, None])
    square = np.minimum(fine, 255).reshape(192, 192, 3).astype(np.float32)
    channels = [
        Image.fromarray(square[:, :, channel]).resize((64, 64), Image.Resampling.LANCZOS)
        for channel in range(3)
    ]
    small = np.stack([np.asarray(channel) for channel in channels], axis=2)
    return np.clip(np.floor(small + 0.5), 0, 255).astype(np.uint8)
