"""Kinds are those of the definitions, and borders those that can be seen, of any split."""

from __future__ import annotations

import numpy as np
import pytest

from reference.conditions_reference import kind_of
from unweave.conditions import split_of
from unweave.conditions.kinds import Cells, find_kind
from unweave.data.labels import Labels
from unweave.data.views.table import Table
from unweave.factors import Factor, FactorSpace

SMALL = "dsprites(grid=(3, 3, 4, 8, 8))"
SHAPE = Factor("shape", 3, kind="categorical", labels=("square", "ellipse", "heart"))
HUE = Factor("hue", 6, tuple(k / 6 for k in range(6)), "circular")
ANGLE = Factor("angle", 7, tuple(np.linspace(0, 360, 7).tolist()), "circular", closed=True)
SIZE = Factor("size", 5, (1.0, 2.0, 4.0, 8.0, 16.0))
ONE = Factor("one", 1)
SPACES = [
    FactorSpace((SHAPE, SIZE)),
    FactorSpace((HUE, SIZE)),
    FactorSpace((ANGLE, SHAPE, ONE)),
    FactorSpace((SIZE, HUE, Factor("pos", 2))),
]
PERIODS = {"hue": 1.0, "angle": 360.0}


def their_kind(space, trained, held):
    return kind_of(
        {tuple(row) for row in trained.tolist()},
        {tuple(row) for row in held.tolist()},
        [(f.kind, f.values or tuple(range(f.size))) for f in space.factors],
        [PERIODS.get(name) for name in space.names],
    )


def found_kind(table, trained, held, compared):
    return find_kind(Cells(table, trained, held, compared), PERIODS).kind


@pytest.mark.parametrize("space", SPACES)
def test_kinds_of_random_splits(space):
    rng = np.random.default_rng(space.size)
    rows = space.unravel(np.arange(space.size))
    every = tuple(range(len(space.sizes)))
    kinds = set()
    for many in rng.uniform(0.1, 0.9, 150):
        states = rng.choice(3, space.size, p=[many, (1 - many) * 0.8, (1 - many) * 0.2])
        trained, held = states == 0, states == 1
        if not trained.any() or not held.any():
            continue
        expected = their_kind(space, rows[trained], rows[held])
        kinds.add(expected)
        assert found_kind(Table(space.size, space, None), trained, held, every) == expected
        # The same images in another order, as one that has labels has them.
        order = rng.permutation(space.size)
        table = Table(space.size, space, Labels(rows[order], None))
        assert found_kind(table, trained[order], held[order], every) == expected
    assert len(kinds) >= 3


@pytest.mark.parametrize("compared", [(0,), (1,), (0, 1), (1, 2)])
def test_kinds_of_grids_whose_rules_leave_factors_out(compared):
    space = SPACES[3]
    rng = np.random.default_rng(sum(compared))
    shape = [size if k in compared else 1 for k, size in enumerate(space.sizes)]
    rows = space.unravel(np.arange(space.size))
    for _ in range(40):
        states = np.broadcast_to(rng.choice(3, shape, p=[0.6, 0.3, 0.1]), space.sizes).reshape(-1)
        trained, held = states == 0, states == 1
        if trained.any() and held.any():
            found = found_kind(Table(space.size, space, None), trained, held, compared)
            assert found == their_kind(space, rows[trained], rows[held])


@pytest.mark.parametrize(
    ("data", "rule", "kind", "reason"),
    [
        ("circles", "0.3 < pos_x < 0.5", "interpolation", "pos_x 8 (0.306) to 15 (0.487)"),
        ("circles", "pos_x < 0.3", "extrapolation", "pos_x 0 (0.1) to 7 (0.281)"),
        # On a circle of hues half is missing, or less than half.
        ("shapes3d", "floor_hue >= 0.5", "extrapolation", "floor_hue 5 (0.5) to 9 (0.9)"),
        ("shapes3d", "floor_hue >= 0.6", "extrapolation", "floor_hue 6 (0.6) to 9 (0.9)"),
        ("shapes3d", "floor_hue >= 0.7", "interpolation", "floor_hue 7 (0.7) to 9 (0.9)"),
        # A part of a circle has no end that meets its beginning.
        (
            "only(data=shapes3d, where='floor_hue < 0.5')",
            "floor_hue == 0.4",
            "extrapolation",
            "floor_hue 4 (0.4)",
        ),
        (
            "only(data=shapes3d, where='floor_hue < 0.5')",
            "floor_hue == 0.2",
            "interpolation",
            "floor_hue 2 (0.2)",
        ),
        # The first and the last orientation are one pose, so that it lies between its neighbours.
        (
            "dsprites",
            "index(orientation) in (0, 39)",
            "interpolation",
            "orientation 0 (0), 39 (6.28)",
        ),
        ("dsprites", "shape == 'heart'", "extrapolation", "shape 'heart'"),
        (
            "dsprites",
            "shape == 'heart' and pos_x > 0.5 or 0.3 < pos_y < 0.4",
            "interpolation",
            "pos_y 10 (0.323) to 12 (0.387)",
        ),
        (SMALL, "shape == 3 and pos_x > 0.5", "recombination_to_range", "shape and pos_x never"),
        (
            SMALL,
            "shape == 3 and scale > 0.9 and orientation > 4 and pos_x > 0.5 and pos_y > 0.5",
            "recombination_to_element",
            "whichever factor is set aside",
        ),
        # Without the factors that have one value it is all of them.
        (
            "dsprites(grid=(3, 1, 1, 8, 1))",
            "shape == 3 and pos_x > 0.5",
            "recombination_to_element",
            "whichever factor is set aside",
        ),
    ],
)
def test_kinds_and_their_reasons(data, rule, kind, reason):
    finding = split_of(rule, data).finding
    assert finding.kind == kind
    assert reason in finding.reason


@pytest.mark.parametrize(
    ("data", "rule", "borders"),
    [
        ("dsprites", "shape2tx", [
            "shape: held out is 'square'; trained on in its place 'ellipse', 'heart'",
            "pos_x: the last trained value is 15 (0.484), the first held out 16 (0.516)",
        ]),
        ("mpi3d", "horz_gt20", [
            "horizontal_axis: the last trained value is 19, the first held out 21, and 20 is "
            "neither",
        ]),
        ("shapes3d", "ohue+whue2fhue", [
            "wall_hue: the last held-out value is 2 (0.2), the first trained 3 (0.3); on the "
            "circle 9 (0.9) is next to 0 (0)",
            "object_hue: the last trained value is 7 (0.7), the first held out 8 (0.8); on the "
            "circle 9 (0.9) is next to 0 (0)",
        ]),
        ("dsprites", "shape != 'heart' and 0.3 < pos_y < 0.4", [
            "shape: held out is 'square', 'ellipse'; trained on in its place 'heart'",
            "pos_y: the last trained value is 9 (0.29), the first held out 10 (0.323); the last "
            "held-out value is 12 (0.387), the first trained 13 (0.419)",
        ]),
        ("shapes3d", "odd_ohue", [
            "object_hue: held out is 1 (0.1), 3 (0.3), 5 (0.5), 7 (0.7), 9 (0.9); trained on in "
            "its place 0 (0), 2 (0.2), 4 (0.4), 6 (0.6), 8 (0.8)",
        ]),
        ("shapes3d", "odd_wnf_hue", [
            f"{name}: held out with every value, trained on only with 0 (0), 2 (0.2), 4 (0.4), "
            "6 (0.6), 8 (0.8)"
            for name in ("floor_hue", "wall_hue")
        ]),
        ("shapes3d(grid=(1, 2, 2, 2, 4, 2))", "shape == 3 and floor_hue < 0.5 and scale > 1", [
            "scale: the last trained value is 0 (0.75), the first held out 1 (1.25)",
            "shape: held out is 'pill'; trained on in its place 'cube', 'cylinder', 'sphere'",
        ]),
        # A pair of values in a row of many.
        ("circles(grid=(16, 2))", "index(pos_x) % 3 == 0", [
            "pos_x: held out is 0 (0.1), 3 (0.26), 6 (0.42), 9 (0.58), 12 (0.74), 15 (0.9); "
            "trained on in its place 1 (0.153) to 2 (0.207), 4 (0.313) to 5 (0.367), 7 (0.473) to "
            "8 (0.527), 10 (0.633) to 11 (0.687), 13 (0.793) to 14 (0.847)",
        ]),
    ],
)  # fmt: skip
def test_borders(data, rule, borders):
    assert split_of(rule, data).borders == borders


def test_borders_of_images_with_labels_are_those_of_the_grid():
    rule = "shape == 'square' and pos_x > 0.5"
    grid = split_of(rule, SMALL)
    some = split_of(rule, f"subset(data={SMALL}, images=2000, seed=1)")
    assert some.table.labels is not None
    assert some.borders == grid.borders
    assert some.finding.kind == grid.finding.kind
    assert len(some.train) + len(some.held_out) == 2000
