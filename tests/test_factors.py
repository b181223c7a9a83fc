"""Factor spaces: flat indices, values, samples and grids."""

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unweave.errors import SpecError, UnweaveError
from unweave.factors import Factor, FactorIndexError, FactorSpace

sizes = st.lists(st.integers(1, 7), min_size=1, max_size=5)


def space_of(sizes):
    return FactorSpace(tuple(Factor(f"f{k}", size) for k, size in enumerate(sizes)))


@given(sizes)
def test_flat_indices_count_combinations_with_the_last_factor_fastest(sizes):
    space = space_of(sizes)
    combinations = np.array(list(product(*map(range, sizes))))
    flat = np.arange(len(combinations))
    assert space.size == len(combinations)
    np.testing.assert_array_equal(space.unravel(flat), combinations)
    np.testing.assert_array_equal(space.ravel(combinations), flat)
    assert space.unravel(flat).dtype == space.ravel(combinations).dtype == np.int64


@given(sizes, st.data())
def test_indices_out_of_range_are_refused(sizes, data):
    space = space_of(sizes)
    outside = st.one_of(st.integers(-(2**40), -1), st.integers(0, 2**40))
    beyond = data.draw(outside)
    flat = beyond if beyond < 0 else space.size + beyond
    with pytest.raises(FactorIndexError, match=f"flat index: {flat} is out of range"):
        space.unravel([0, flat])
    column = data.draw(st.integers(0, len(sizes) - 1))
    row = [0] * len(sizes)
    row[column] = beyond if beyond < 0 else sizes[column] + beyond
    with pytest.raises(FactorIndexError, match=f"f{column}: {row[column]} is out of range"):
        space.ravel([row])


def test_errors_are_for_users_and_for_python():
    assert issubclass(FactorIndexError, UnweaveError)
    assert issubclass(FactorIndexError, IndexError)


@pytest.mark.parametrize("flat", [3, [[1, 2]], [0.0], ["a"], [True]])
def test_flat_indices_of_another_kind_are_refused(flat):
    with pytest.raises(FactorIndexError, match="must"):
        space_of([2, 3]).unravel(flat)


@pytest.mark.parametrize("indices", [[1, 2], [[1]], [[1, 2, 3]], [[0.5, 1.0]]])
def test_factor_indices_of_another_kind_are_refused(indices):
    with pytest.raises(FactorIndexError, match="must"):
        space_of([2, 3]).ravel(indices)


def test_nothing_is_a_valid_number_of_indices():
    space = space_of([2, 3])
    assert space.unravel([]).shape == (0, 2)
    assert space.ravel(np.empty((0, 2), dtype=int)).shape == (0,)
    assert space.sample(0, np.random.default_rng(0)).shape == (0, 2)


def test_values_are_looked_up_and_default_to_the_index():
    space = FactorSpace((Factor("scale", 3, (0.5, 0.75, 1.0)), Factor("shape", 2)))
    values = space.values([[0, 1], [2, 0]])
    assert values.tolist() == [[0.5, 1.0], [1.0, 0.0]]
    assert values.dtype == np.float64


@given(sizes, st.integers(0, 2**32))
def test_samples_lie_in_the_space_and_depend_on_the_generator_alone(sizes, seed):
    space = space_of(sizes)
    rows = space.sample(20, np.random.default_rng(seed))
    assert space.unravel(space.ravel(rows)).tolist() == rows.tolist()
    assert space.sample(20, np.random.default_rng(seed)).tolist() == rows.tolist()


def test_samples_are_uniform():
    rows = space_of([2, 3]).sample(60_000, np.random.default_rng(0))
    counts = np.bincount(space_of([2, 3]).ravel(rows), minlength=6)
    # A binomial count of mean 10,000 has a standard deviation of 91.
    assert np.abs(counts - 10_000).max() < 5 * 91


def test_fixed_factors_stay_fixed_and_leave_the_others_free():
    space = space_of([4, 5, 6])
    rows = space.sample(200, np.random.default_rng(0), fixed={"f1": 3})
    assert set(rows[:, 1]) == {3}
    assert set(rows[:, 0]) == set(range(4))
    assert set(rows[:, 2]) == set(range(6))


def test_fixed_factors_are_checked():
    space = space_of([4, 5])
    rng = np.random.default_rng(0)
    with pytest.raises(SpecError, match=r"Unknown factor 'g1'.*f1"):
        space.sample(1, rng, fixed={"g1": 0})
    with pytest.raises(FactorIndexError, match="f1: 5 is out of range; 0 to 4"):
        space.sample(1, rng, fixed={"f1": 5})
    with pytest.raises(FactorIndexError, match="-1"):
        space.sample(-1, rng)


@pytest.mark.parametrize(
    ("factor", "poses"),
    [
        (Factor("f", 40, kind="circular", closed=True), 39),
        (Factor("f", 40, kind="circular"), 40),
        (Factor("f", 1, kind="circular", closed=True), 1),
        (Factor("f", 5), 5),
    ],
)
def test_the_last_pose_of_a_closed_circle_is_its_first(factor, poses):
    assert factor.poses == poses


@pytest.mark.parametrize(
    ("factor", "count", "kept"),
    [
        (Factor("f", 6), 1, [3]),
        (Factor("f", 6), 2, [0, 5]),
        (Factor("f", 6), 4, [0, 2, 3, 5]),
        (Factor("f", 6), 6, [0, 1, 2, 3, 4, 5]),
        (Factor("f", 3, kind="categorical"), 2, [0, 2]),
        (Factor("f", 40, kind="circular", closed=True), 1, [0]),
        (Factor("f", 40, kind="circular", closed=True), 4, [0, 9, 19, 29]),
        (Factor("f", 40, kind="circular", closed=True), 39, list(range(39))),
        (Factor("f", 40, kind="circular", closed=True), 40, list(range(40))),
        (Factor("f", 10, kind="circular"), 5, [0, 2, 4, 6, 8]),
    ],
)
def test_evenly_spaced_values(factor, count, kept):
    assert factor.evenly_spaced(count).tolist() == kept


@given(st.integers(1, 200), st.data())
def test_evenly_spaced_values_are_different_ascending_and_even(size, data):
    count = data.draw(st.integers(1, size))
    kept = Factor("f", size).evenly_spaced(count)
    assert len(kept) == count
    assert kept[0] >= 0
    assert kept[-1] < size
    if count > 1:
        assert (kept[0], kept[-1]) == (0, size - 1)
        steps = np.diff(kept)
        assert steps.min() >= 1
        assert np.abs(kept - np.arange(count) * (size - 1) / (count - 1)).max() <= 0.5


@pytest.mark.parametrize("count", [0, -1, 7, 2.0, True])
def test_counts_out_of_range_are_refused(count):
    with pytest.raises(SpecError, match="1 to 6 of them can be kept"):
        Factor("f", 6).evenly_spaced(count)


def test_a_subspace_keeps_names_kinds_and_values():
    space = FactorSpace(
        (
            Factor("shape", 3, None, "categorical"),
            Factor("turn", 5, (0.0, 1.0, 2.0, 3.0, 4.0), "circular", True),
        )
    )
    small = space.subspace(space.grid((2, 2)))
    assert small.names == space.names
    assert small.sizes == (2, 2)
    assert small.values(small.unravel(np.arange(4))).tolist() == [[0, 0], [0, 2], [2, 0], [2, 2]]
    assert [f.kind for f in small.factors] == ["categorical", "circular"]
    assert not small.factors[1].closed
    assert space.subspace(space.grid((3, 5))).factors[1].closed


def test_a_grid_needs_one_count_a_factor():
    with pytest.raises(SpecError, match="2 numbers, one each for f0, f1, not 3"):
        space_of([2, 3]).grid((1, 1, 1))


def test_kept_indices_are_checked():
    with pytest.raises(FactorIndexError, match="f1: 3 is out of range"):
        space_of([2, 3]).subspace(([0], [3]))


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("not a name", 2), "identifier"),
        (("f", 0), "at least 1"),
        (("f", 2.0), "whole number"),
        (("f", True), "whole number"),
        (("f", 2, (1.0,)), "1 values for a size of 2"),
        (("f", 2, None, "round"), "ordinal, circular, categorical"),
        (("f", 2, None, "ordinal", True), "only a circular factor"),
        (
            ("f", 2, None, "categorical", False, ("a",)),
            "2 values need 2 different labels, not 'a'",
        ),
        (("f", 2, None, "categorical", False, ("a", "a")), "2 different labels"),
    ],
)
def test_impossible_factors_are_refused(arguments, part):
    with pytest.raises(SpecError, match=part):
        Factor(*arguments)


def test_labels_are_kept_with_their_values_and_in_the_form():
    shape = Factor("shape", 3, None, "categorical", labels=("square", "ellipse", "heart"))
    kept = shape.keep([2, 0])
    assert kept.labels == ("heart", "square")
    assert kept.values == (2.0, 0.0)
    space = FactorSpace((shape, Factor("pos_x", 4)))
    form = space.to_list()
    assert FactorSpace.from_list(json.loads(json.dumps(form))) == space
    assert form[0]["labels"] == ["square", "ellipse", "heart"]
    # As written before factors had labels.
    assert set(form[1]) == {"name", "size", "values", "kind", "closed"}


def test_impossible_spaces_are_refused():
    with pytest.raises(SpecError, match="at least one factor"):
        FactorSpace(())
    with pytest.raises(SpecError, match="its own name"):
        FactorSpace((Factor("f", 2), Factor("f", 3)))
    with pytest.raises(SpecError, match="cannot be indexed"):
        FactorSpace((Factor("f", 2**40), Factor("g", 2**40)))
