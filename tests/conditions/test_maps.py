"""Which factors have the rows and the columns of a map."""

from __future__ import annotations

import pytest

from unweave.conditions import find_condition, split_of
from unweave.conditions.maps import MOST_VALUES, axes_of, maps_of
from unweave.factors import Factor, FactorSpace


def names_of(condition, data=None):
    split = split_of(condition, data)
    return tuple(split.space.names[k] for k in axes_of(split.condition, split.space))


@pytest.mark.parametrize(
    ("condition", "data", "names"),
    [
        ("shape2tx", "dsprites", ("shape", "pos_x")),
        # Two alone, though a modifier or the rule of what is trained on may name others.
        ("shape2ohue", "shapes3d", ("shape", "object_hue")),
        ("blank_side", "dsprites", ("pos_x",)),
        # Of five the two with most values, 40 and 32, of which pos_x comes first.
        ("leave1out", "dsprites", ("pos_x", "orientation")),
        # Six: 15 orientations, and the first of three hues with 10 values each.
        ("leave1out", "shapes3d", ("floor_hue", "orientation")),
        # As many values: the first has the columns, as in all maps.
        ("pos_x > 0.5 and pos_y > 0.5", "dsprites", ("pos_y", "pos_x")),
        # A factor with one value has no part in it.
        ("shape == 'square' and pos_x > 0.5 and scale > 0.4", "dsprites(grid=(3, 1, 2, 8, 8))",
         ("shape", "pos_x")),
    ],
)  # fmt: skip
def test_the_axes_of_a_condition(condition, data, names):
    assert names_of(condition, data) == names


@pytest.mark.parametrize("condition", ["shape2tx", "ell2tx"])
def test_they_are_those_of_the_map_of_counts(condition):
    split = split_of(condition)
    assert names_of(condition) in maps_of(split)


def test_factors_with_very_many_values_are_passed_over():
    sizes = {"shape": 3, "angle": MOST_VALUES + 1, "size": MOST_VALUES}
    space = FactorSpace(tuple(Factor(name, size) for name, size in sizes.items()))
    condition = find_condition("index(shape) == 0 and index(angle) > 3", "dsprites")
    assert axes_of(condition, space) == (0,)
    condition = find_condition("index(angle) > 3 and index(size) > 3 and index(shape) > 0",
                               "dsprites")  # fmt: skip
    assert axes_of(condition, space) == (0, 2)
    condition = find_condition("index(angle) > 3", "dsprites")
    assert axes_of(condition, space) == ()
