"""From a dataset that is trained on back to the split that left it."""

from __future__ import annotations

import numpy as np
import pytest

from unweave.conditions.split import HELD_OUT, NEITHER, TRAINED, split_of
from unweave.conditions.trained_split import trained_split
from unweave.data import parse_dataset

GRID = "dsprites(grid=(3, 2, 2, 4, 4))"
SQUARES = "shape == 'square' and pos_x > 0.5"
HOLE = f"without(data={GRID}, where={SQUARES!r})"


def found_of(text):
    return trained_split(parse_dataset(text))


@pytest.mark.parametrize(
    "asked",
    [
        ("shape2tx", GRID, None),
        ("index(scale) == 1 and pos_y > 0.5", GRID, None),
        ("horz_gt20", None, None),
        ("cyl2vx", None, "fix_hx"),
        ("shape2ohue", None, "even_ohues"),
    ],
)
def test_it_is_the_split_whose_part_is_trained_on(asked):
    split = split_of(*asked)
    found = found_of(split.train_text)
    assert found.data == split.data
    assert found.condition.held_out == split.condition.held_out
    np.testing.assert_array_equal(found.states, split.states)


def test_images_that_are_neither_stay_out():
    """Index 20 of MPI3D's axis, with which a published condition does nothing."""
    found = found_of(split_of("horz_gt20").train_text)
    column = found.space.position("horizontal_axis")
    positions = found.space.unravel(np.arange(found.space.size))[:, column]
    np.testing.assert_array_equal(found.states == TRAINED, positions < 20)
    np.testing.assert_array_equal(found.states == NEITHER, positions == 20)
    np.testing.assert_array_equal(found.states == HELD_OUT, positions > 20)


def test_a_part_of_what_a_condition_leaves():
    """What it has not is neither, to any depth; what is held out stays so."""
    part = f"only(data=subset(data={HOLE}, images=70, seed=3), where='pos_y < 0.5')"
    found, whole = found_of(part), split_of(SQUARES, GRID)
    assert found.data == whole.data
    np.testing.assert_array_equal(found.held_out, whole.held_out)
    subset = parse_dataset(f"subset(data={HOLE}, images=70, seed=3)").part().rows
    rows = whole.train[subset]
    lower = [row for row in rows if whole.space.unravel(np.array([row]))[0, 4] < 2]
    np.testing.assert_array_equal(found.train, lower)
    assert 0 < len(lower) < 70
    assert len(found.states) == whole.space.size


def test_odds_change_nothing():
    found = found_of(f"correlated(data={HOLE}, pairs=((pos_x, pos_y),))")
    np.testing.assert_array_equal(found.states, split_of(SQUARES, GRID).states)


@pytest.mark.parametrize(
    "text",
    [
        GRID,
        f"only(data={GRID}, where='pos_x < 0.5')",
        f"subset(data={GRID}, images=9)",
        f"correlated(data={GRID}, pairs=((pos_x, pos_y),))",
        f"color_dsprites(data={GRID})",
    ],
)
def test_nothing_that_is_known_to_be_held_out(text):
    assert found_of(text) is None
