"""Conditions in plain words: published index predicates, and kinds and twins by loops.

Written from the table of index predicates of the published code and from the definitions of the
four kinds; nothing here reads a rule.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

__all__ = ["MODIFIERS", "SPLITS", "exchanged", "kind_of", "mask_of", "nearest_turn"]

# Of each published split: dataset, name, held out by index (`g` has an index array for each
# factor), how many images are held out and trained on. None: the source gives no number.
SPLITS = {
    ("dsprites", "blank_side"): (lambda g: g["pos_x"] >= 16, 368_640, 368_640),
    ("dsprites", "shape2tx"): (
        lambda g: (g["shape"] == 0) & (g["pos_x"] >= 16), 122_880, 614_400,
    ),
    ("dsprites", "leave1out"): (
        lambda g: (g["shape"] == 1) & (g["scale"] >= 2) & (g["orientation"] >= 14)
        & (g["orientation"] <= 25) & (g["pos_x"] >= 21) & (g["pos_y"] >= 21),
        5808, 731_472,
    ),
    ("shapes3d", "fhue_gt50"): (lambda g: g["floor_hue"] >= 5, 240_000, 240_000),
    ("shapes3d", "shape2ohue"): (
        lambda g: (g["shape"] == 3) & (g["object_hue"] >= 5), 60_000, 420_000,
    ),
    ("shapes3d", "shape2fhue"): (
        lambda g: (g["shape"] == 3) & (g["floor_hue"] >= 5), 60_000, 420_000,
    ),
    ("shapes3d", "ohue+whue2fhue"): (
        lambda g: (g["object_hue"] >= 8) & (g["wall_hue"] <= 2), 28_800, 451_200,
    ),
    ("shapes3d", "leave1out"): (
        lambda g: (g["object_hue"] >= 8) & (g["wall_hue"] >= 8) & (g["floor_hue"] >= 8)
        & (g["scale"] >= 5) & (g["shape"] == 1) & (g["orientation"] >= 12),
        72, 479_928,
    ),
    ("mpi3d", "horz_gt20"): (lambda g: g["horizontal_axis"] > 20, 492_480, 518_400),
    ("mpi3d", "objc_gt3"): (lambda g: g["object_color"] > 3, 345_600, 691_200),
    ("mpi3d", "cyl2horz"): (
        lambda g: (g["horizontal_axis"] < 20) & (g["object_shape"] == 2), 86_400, 950_400,
    ),
    ("mpi3d", "objc2horz"): (
        lambda g: (g["horizontal_axis"] < 20) & (g["object_color"] == 2), 86_400, 950_400,
    ),
    ("mpi3d", "leave1out"): (
        lambda g: (g["object_color"] == 5) & (g["object_shape"] == 2) & (g["object_size"] == 1)
        & (g["camera_height"] == 1) & (g["background_color"] == 1)
        & (g["horizontal_axis"] > 35) & (g["vertical_axis"] > 35),
        16, 1_036_784,
    ),
    # The follow-up.
    ("dsprites", "ell2tx"): (
        lambda g: (g["shape"] == 1) & (g["pos_x"] >= 16), None, None,
    ),
    ("dsprites", "sqr2scl"): (
        lambda g: (g["shape"] == 0) & (g["scale"] >= 3), 122_880, None,
    ),
    ("dsprites", "sqr2tx_cent"): (
        lambda g: (g["shape"] == 0) & (g["pos_x"] >= 8) & (g["pos_x"] <= 23), 122_880, None,
    ),
    ("dsprites", "sqr2tx_flnk"): (
        lambda g: (g["shape"] == 0) & (g["pos_x"] >= 8) & (g["pos_x"] <= 23), 122_880, None,
    ),
    ("dsprites", "sqr2tx_rs"): (
        lambda g: (g["shape"] == 0) & (g["pos_x"] >= 13) & (g["pos_x"] <= 27), 115_200, None,
    ),
    ("dsprites", "sqr2tx_ls"): (
        lambda g: (g["shape"] == 1) & ((g["pos_x"] < 4) | (g["pos_x"] > 18)), 130_560, None,
    ),
    ("shapes3d", "odd_ohue"): (lambda g: g["object_hue"] % 2 == 1, None, None),
    ("shapes3d", "odd_wnf_hue"): (
        lambda g: (g["wall_hue"] % 2 == 1) | (g["floor_hue"] % 2 == 1), None, None,
    ),
    ("shapes3d", "recomb2element/shape2ohue"): (
        lambda g: (g["shape"] == 3) & (g["object_hue"] == 2), None, None,
    ),
    ("shapes3d", "ohue2whue"): (
        lambda g: (g["object_hue"] >= 8) & (g["wall_hue"] <= 5), 57_600, None,
    ),
    ("shapes3d", "fhue2whue"): (
        lambda g: (g["floor_hue"] >= 8) & (g["wall_hue"] <= 5), 57_600, None,
    ),
    ("shapes3d", "shape2ohueq"): (
        lambda g: (g["shape"] == 3) & (g["object_hue"] <= 2), 36_000, None,
    ),
    ("shapes3d", "shape2orient"): (
        lambda g: (g["shape"] == 3) & (g["orientation"] >= 7), 64_000, None,
    ),
    ("shapes3d", "shape2ohue_flnk"): (
        lambda g: (g["shape"] == 3) & (g["object_hue"] >= 3) & (g["object_hue"] <= 7),
        60_000, None,
    ),
    ("mpi3d", "cyl2vx"): (
        lambda g: (g["vertical_axis"] < 20) & (g["object_shape"] == 2), None, None,
    ),
    ("mpi3d", "bkg2cyl"): (
        lambda g: (g["object_shape"] >= 4) & (g["background_color"] == 2), None, None,
    ),
    # Positions of 32 values from 0.1 to 0.9.
    ("circles", "midpos"): (
        lambda g: _middle(g["pos_x"]) & _middle(g["pos_y"]), None, None,
    ),
    ("circles", "shape2px"): (lambda g: (g["pos_x"] >= 16) & (g["pos_y"] >= 16), None, None),
    ("simple", "midpos"): (
        lambda g: _middle(g["pos_x"]) & _middle(g["pos_y"]) & (g["shape"] == 1), None, None,
    ),
    ("simple", "shape2px"): (
        lambda g: (g["pos_x"] >= 16) & (g["pos_y"] >= 16) & (g["shape"] == 1), None, None,
    ),
    ("two_shapes", "huecomb"): (lambda g: (g["hue_1"] < 2) & (g["hue_2"] > 2), None, None),
}  # fmt: skip

MODIFIERS = {
    ("dsprites", "sparse_posX"): lambda g: np.isin(g["pos_x"], (0, 7, 15, 23, 31)),
    ("shapes3d", "even_ohues"): lambda g: g["object_hue"] % 2 == 0,
    ("shapes3d", "half_ohues"): lambda g: g["object_hue"] < 5,
    ("shapes3d", "even_wnf_hues"): lambda g: (g["wall_hue"] % 2 == 0) & (g["floor_hue"] % 2 == 0),
    ("mpi3d", "four_shapes"): lambda g: (g["object_shape"] != 0) & (g["object_shape"] != 3),
    ("mpi3d", "fix_hx"): lambda g: g["horizontal_axis"] == 0,
    ("mpi3d", "lhalf_hx"): lambda g: g["horizontal_axis"] < 20,
    ("mpi3d", "even_vx"): lambda g: g["vertical_axis"] % 2 == 1,
    # Of six positions from 0.1 to 0.9, neighbours are 0.16 apart.
    ("two_shapes", "noverlap"): lambda g: (
        (abs(g["pos_x_1"] - g["pos_x_2"]) >= 2) & (abs(g["pos_y_1"] - g["pos_y_2"]) >= 2)
    ),
}


def _middle(index):
    value = 0.1 + 0.8 * index / 31
    return (value >= 0.35) & (value <= 0.65)


def mask_of(predicate, space):
    """Whether a predicate of indices takes each combination of a space, (size,)."""
    axes = np.ogrid[tuple(slice(size) for size in space.sizes)]
    found = predicate(dict(zip(space.names, axes, strict=True)))
    return np.broadcast_to(found, space.sizes).reshape(-1)


def kind_of(trained, held, factors, periods):
    """The kind of a split, by its definition.

    Args:
        trained: Combinations that are trained on, tuples of indices.
        held: Those that are held out.
        factors: Of each column: kind, and its values.
        periods: Of each column, the length of its circle.
    """
    columns = range(len(factors))
    several = [k for k in columns if len({row[k] for row in {*trained, *held}}) > 1]
    lost = [
        (k, value)
        for k in columns
        for value in {row[k] for row in held} - {row[k] for row in trained}
    ]
    if lost:
        between = all(
            _lies_between(
                factors[k][1][value],
                {factors[k][1][row[k]] for row in trained},
                factors[k][0],
                periods[k],
            )
            for k, value in lost
        )
        return "interpolation" if between else "extrapolation"
    for count in range(1, len(several)):
        for chosen in itertools.combinations(several, count):
            seen = {tuple(row[k] for k in chosen) for row in trained}
            if any(tuple(row[k] for k in chosen) not in seen for row in held):
                return "recombination_to_range"
    return "recombination_to_element"


def _lies_between(value, seen, kind, period):
    if kind == "categorical":
        return False
    if kind == "ordinal":
        return any(one < value < other for one in seen for other in seen)

    def gap(one, other):
        ahead = (other - one) % period
        return min(ahead, period - ahead)

    # On the way from one to the other that is shorter than half a circle.
    return any(
        gap(one, other) < period / 2 - 1e-6
        and math.isclose(gap(one, value) + gap(value, other), gap(one, other), abs_tol=1e-9)
        for one in seen
        for other in seen
    )


def nearest_turn(row, trained, column, values, period):
    """Distance of a held-out image to the nearest trained one that differs in one factor alone.

    Args:
        row: The held-out combination.
        trained: Combinations that are trained on.
        column: The factor that may differ.
        values: Its values.
        period: After which an image looks the same.
    """
    found = math.inf
    for other in trained:
        if all(k == column or row[k] == other[k] for k in range(len(row))):
            for turns in range(-8, 9):
                gap = abs(values[row[column]] - values[other[column]] + turns * period)
                found = min(found, gap)
    return found


def exchanged(row):
    """A combination of two shapes with the two exchanged."""
    half = len(row) // 2
    return (*row[half:], *row[:half])
