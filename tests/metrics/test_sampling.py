"""Rows drawn for a metric: the reference's draws from a grid, and fair draws from any table."""

from __future__ import annotations

import numpy as np
import pytest

from reference.sampling_reference import Plain
from unweave.errors import DataError, UnweaveError
from unweave.factors import Factor, FactorSpace
from unweave.metrics.draws import Draws
from unweave.metrics.sampling import GridSampler, RowSampler, grid_rows, in_order, sampler
from unweave.representation import Representation


def space_of(*sizes):
    return FactorSpace(tuple(Factor(f"f{k}", size) for k, size in enumerate(sizes)))


def grid(space):
    return space.unravel(np.arange(space.size))


def on_grid(sizes, seed, order=None):
    space = space_of(*sizes)
    factors = grid(space)
    return GridSampler(factors if order is None else factors[order], space, Draws(seed, "any"))


def flat(sizes, combinations):
    return np.ravel_multi_index(tuple(np.moveaxis(combinations, -1, 0)), sizes)


# Sizes of which the bounds of a draw are a power of two, are not, and are one.
SIZES = [(3, 6, 10, 8, 8), (4, 5, 6, 7), (1, 3, 6, 40, 4), (2,), (1, 1)]
every_size = pytest.mark.parametrize("sizes", SIZES, ids=str)


# The reference's draws


@every_size
@pytest.mark.parametrize("count", [1, 15, 16, 17, 1000])
def test_a_sample_is_that_of_a_plain_loop(sizes, count):
    found, plain = on_grid(sizes, 7), Plain(sizes, 7)
    for _ in range(2):
        np.testing.assert_array_equal(found.sample(count), flat(sizes, plain.sample(count)))


@every_size
def test_training_rows_are_drawn_before_test_rows(sizes):
    train, test = on_grid(sizes, 2).split(100, 37)
    plain = Plain(sizes, 2)
    np.testing.assert_array_equal(train, flat(sizes, plain.sample(100)))
    np.testing.assert_array_equal(test, flat(sizes, plain.sample(37)))


@every_size
def test_rows_at_once_are_those_of_one_call_a_factor(sizes):
    np.testing.assert_array_equal(
        on_grid(sizes, 4).at_once(333), flat(sizes, Plain(sizes, 4).factors(333))
    )


@every_size
@pytest.mark.parametrize(("points", "batch"), [(1, 1), (40, 5), (1100, 64)])
def test_pairs_are_those_of_a_plain_loop(sizes, points, batch):
    found, plain = on_grid(sizes, 11), Plain(sizes, 11)
    for count in (points, 3):
        pairs = found.pairs(count, batch)
        assert pairs.first.shape == pairs.second.shape == (count, batch)
        for factor, first, second in zip(pairs.factor, pairs.first, pairs.second, strict=True):
            shared, one, other = plain.pair(batch)
            assert factor == shared
            assert first.tolist() == flat(sizes, one).tolist()
            assert second.tolist() == flat(sizes, other).tolist()


@every_size
@pytest.mark.parametrize(("votes", "batch"), [(1, 1), (40, 5), (1100, 64)])
def test_groups_are_those_of_a_plain_loop(sizes, votes, batch):
    found, plain = on_grid(sizes, 12), Plain(sizes, 12)
    for count in (votes, 3):
        groups = found.groups(count, batch)
        assert groups.rows.shape == (count, batch)
        for factor, rows in zip(groups.factor, groups.rows, strict=True):
            fixed, combinations = plain.group(batch)
            assert factor == fixed
            assert rows.tolist() == flat(sizes, combinations).tolist()


@every_size
def test_estimators_go_on_where_the_rows_ended(sizes):
    found, plain = on_grid(sizes, 5), Plain(sizes, 5)
    found.at_once(10)
    found.pairs(7, 3)
    found.sample(20)
    found.groups(6, 3)
    plain.factors(10)
    for _ in range(7):
        plain.pair(3)
    plain.sample(20)
    for _ in range(6):
        plain.group(3)
    assert found.random_state.randint(2**31) == plain.state.randint(2**31)
    assert found.random_state.normal() == plain.state.normal()


def test_first_rows_of_a_known_stream():
    # The Mersenne Twister of seed 0 begins 2357136044, 2546248239, 3071714933, 3626093760,
    # 2588848963. Their last two bits are 0, 3, 1, 0, 3. Below 3 the second is thrown away, so that
    # the first factor is 0, 1; below 4 all count, so that the second is 0, 3.
    assert on_grid((3, 4), 0).sample(2).tolist() == [0 * 4 + 0, 1 * 4 + 3]


def test_rows_in_another_order_are_found_by_their_factors():
    order = np.random.default_rng(0).permutation(60)
    found = on_grid((3, 4, 5), 9, order)
    np.testing.assert_array_equal(order[found.sample(100)], on_grid((3, 4, 5), 9).sample(100))


# The grid of a table


def test_rows_of_a_grid_in_any_order():
    space = space_of(2, 3)
    assert grid_rows(grid(space), space).tolist() == list(range(6))
    order = np.array([4, 0, 5, 1, 3, 2])
    assert grid_rows(grid(space)[order], space).tolist() == [1, 3, 5, 4, 0, 2]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([0, 1, 2, 3, 4], "has 5 rows, and 1 are missing"),
        ([0, 1, 2, 3, 4, 4], "has 6 rows, and 1 are missing"),
        ([0, 0, 1, 1], "has 4 rows, and 4 are missing"),
        ([0, 1, 2, 3, 4, 5, 5], "has 7 rows, and some stand more than once"),
        ([0, 1, 2, 3, 4, 4, 4], "has 7 rows, and 1 are missing"),
        ([], "has 0 rows, and 6 are missing"),
    ],
)
def test_tables_that_are_not_a_grid_are_refused(rows, reason):
    space = space_of(2, 3)
    factors = grid(space)[np.array(rows, np.int64)]
    with pytest.raises(DataError) as caught:
        grid_rows(factors, space)
    assert reason in str(caught.value)
    assert "full grid of 6 combinations (2 x 3)" in str(caught.value)
    assert "protocol unweave" in str(caught.value)


def test_a_missing_grid_of_great_size_takes_no_memory():
    space = space_of(10**6, 10**6, 10**6)
    with pytest.raises(DataError, match="has 1 rows, and 999,999,999,999,999,999 are missing"):
        grid_rows(np.zeros((1, 3), np.int64), space)


def test_factors_outside_their_space_are_refused():
    with pytest.raises(UnweaveError):
        grid_rows(np.array([[0, 3]]), space_of(2, 3))


# Rows of any table


def uneven(seed=0, count=500):
    """Factors of which the first has rare values, the second is constant."""
    rng = np.random.default_rng(seed)
    first = rng.choice(4, p=[0.6, 0.3, 0.08, 0.02], size=count)
    return np.stack([first, np.full(count, 2), rng.integers(6, size=count)], axis=1)


def on_rows(factors, seed=0):
    return RowSampler(factors, Draws(seed, "any"))


@pytest.mark.parametrize("draw", ["sample", "at_once"])
def test_samples_are_without_replacement(draw):
    for count in (1, 100, 499):
        rows = getattr(on_rows(uneven()), draw)(count)
        assert len(rows) == len(set(rows.tolist())) == count
        assert 0 <= rows.min() <= rows.max() < 500
    for count in (500, 10_000):
        rows = getattr(on_rows(uneven()), draw)(count)
        assert sorted(rows.tolist()) == list(range(500))
        assert rows.tolist() != list(range(500))


@pytest.mark.parametrize(
    ("train", "test", "expected"),
    [
        (300, 100, (300, 100)),
        (300, 200, (300, 200)),
        (10_000, 5_000, (333, 167)),
        (1, 10_000, (1, 499)),
        (10_000, 1, (499, 1)),
    ],
)
def test_training_and_test_rows_share_none(train, test, expected):
    parts = on_rows(uneven()).split(train, test)
    assert tuple(map(len, parts)) == expected
    assert len(np.unique(np.concatenate(parts))) == sum(expected)


def test_two_rows_are_enough_to_split():
    train, test = on_rows(uneven()[:2]).split(10_000, 5_000)
    assert sorted([*train, *test]) == [0, 1]
    with pytest.raises(DataError, match="at least 2 rows, and there are 1"):
        on_rows(uneven()[:1])


def test_calls_go_on_with_one_stream_and_seeds_repeat_it():
    one, again, other = on_rows(uneven(), 1), on_rows(uneven(), 1), on_rows(uneven(), 2)
    draws = [[each.sample(50).tolist() for _ in range(2)] for each in (one, again, other)]
    assert draws[0] == draws[1]
    assert draws[0][0] != draws[0][1]
    assert draws[0] != draws[2]
    assert one.random_state.randint(2**31) == again.random_state.randint(2**31)


def test_pairs_share_the_value_of_a_factor_that_varies():
    factors = uneven()
    pairs = on_rows(factors).pairs(400, 9)
    assert pairs.first.shape == pairs.second.shape == (400, 9)
    assert set(pairs.factor) == {0, 2}
    for factor, first, second in zip(pairs.factor, pairs.first, pairs.second, strict=True):
        assert (factors[first, factor] == factors[second, factor]).all()
    # The other factor is free.
    here = pairs.factor == 0
    assert (factors[pairs.first[here], 2] != factors[pairs.second[here], 2]).mean() > 0.75


def test_groups_have_one_value_of_a_factor_that_varies():
    factors = uneven()
    groups = on_rows(factors).groups(400, 9)
    assert groups.rows.shape == (400, 9)
    assert set(groups.factor) == {0, 2}
    for factor, rows in zip(groups.factor, groups.rows, strict=True):
        assert len(set(factors[rows, factor])) == 1
    # Rows are drawn one by one: a group of a common value repeats few.
    assert np.mean([len(set(rows)) for rows in groups.rows.tolist()]) > 8


def test_every_row_with_the_value_is_as_likely():
    factors = np.array([[0, 0]] * 2 + [[1, 1]] * 3 + [[2, 2]])
    pairs = on_rows(factors, 3).pairs(20_000, 3)
    assert pairs.factor.mean() == pytest.approx(0.5, abs=0.02)
    firsts = np.bincount(pairs.first.ravel(), minlength=6) / pairs.first.size
    np.testing.assert_allclose(firsts, 1 / 6, atol=0.01)
    together = np.zeros((6, 6))
    np.add.at(together, (pairs.first.ravel(), pairs.second.ravel()), 1)
    together /= together.sum(1, keepdims=True)
    expected = np.zeros((6, 6))
    expected[:2, :2], expected[2:5, 2:5], expected[5, 5] = 1 / 2, 1 / 3, 1
    np.testing.assert_allclose(together, expected, atol=0.02)
    groups = on_rows(factors, 3).groups(20_000, 3).rows
    # A row gives a group its value, so values are as frequent as in the table.
    share = np.bincount(factors[groups[:, 0], 0], minlength=3) / len(groups)
    np.testing.assert_allclose(share, [2 / 6, 3 / 6, 1 / 6], atol=0.02)


@pytest.mark.parametrize("draw", ["pairs", "groups"])
def test_pairs_and_groups_need_a_factor_that_varies(draw):
    with pytest.raises(DataError, match="every factor is constant"):
        getattr(on_rows(np.ones((10, 2), np.int64)), draw)(5, 4)


# Which one


def test_compat_chooses_the_sampler():
    space = space_of(2, 3)
    table = Representation(
        mean=np.zeros((6, 1), np.float32), factors=grid(space), factor_space=space
    )
    draws = Draws(0, "any")
    assert type(sampler(table, draws, "none")) is RowSampler
    assert type(sampler(table, draws, "dlib")) is GridSampler
    assert type(sampler(table, draws, "dlib2019")) is GridSampler
    part = table.subset(np.arange(5))
    assert type(sampler(part, draws, "none")) is RowSampler
    with pytest.raises(DataError, match="full grid"):
        sampler(part, draws, "dlib")


# A labelled set as it stands


@pytest.mark.parametrize(
    ("count", "share", "train"), [(100, 0.9, 90), (1000, 0.9, 900), (11, 0.9, 10), (3, 0.01, 1)]
)
def test_a_labelled_set_is_parted_where_it_stands(count, share, train):
    first, rest = in_order(count, share)
    assert first.tolist() == list(range(train))
    assert rest.tolist() == list(range(train, count))


def test_a_labelled_set_too_small_to_part_is_refused():
    with pytest.raises(DataError, match=r"0\.9 of 9 rows to fit on leaves none"):
        in_order(9, 0.9)
