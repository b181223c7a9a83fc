"""Positions of values of factors, against loops and by trying everything."""

from __future__ import annotations

import numpy as np
import pytest

from reference import positions_reference as slow
from unweave.analysis.positions import association_of, positions_of
from unweave.analysis.tables import CodeTable
from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace

SPACE = FactorSpace(
    (
        Factor("angle", 6, None, "circular"),
        Factor("shape", 3, None, "categorical"),
        Factor("fixed", 2),
        Factor("pos", 4, (0.1, 0.2, 0.4, 0.8)),
    )
)
LATENTS = 5


def table(count, seed, sizes=(6, 3, 1, 4)):
    """Entangled codes, whose latent 2 is dead."""
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, sizes, (count, 4))
    turn = 2 * np.pi * factors[:, 0] / 6
    codes = np.stack(
        [
            np.sin(turn) + 0.3 * factors[:, 1],
            2 * factors[:, 3] - 0.2 * factors[:, 1],
            np.zeros(count),
            (factors[:, 1] == 1) + 0.2 * factors[:, 3],
            0.6 * factors[:, 3] + np.cos(turn),
        ],
        axis=1,
    )
    codes += rng.normal(0, 0.3, codes.shape) * (np.arange(LATENTS) != 2) + 5
    return CodeTable(codes, factors, SPACE)


def found(train, compared=(1, 3), how="correlation_ratio"):
    return positions_of(train, compared, association_of(train, how))


def test_the_correlation_ratio_is_the_share_of_squares_between_values():
    train = table(300, 0)
    association = association_of(train, "correlation_ratio")
    for k in (0, 1, 3):
        for latent in (0, 1, 3, 4):
            expected = slow.correlation_ratio(train.codes[:, latent], train.factors[:, k])
            assert association[latent, k] == pytest.approx(expected, rel=1e-9)
    # Neither a dead latent nor a constant factor goes with anything.
    assert not association[2].any()
    assert not association[:, 2].any()


def test_a_lasso_sees_a_line_and_no_parabola():
    rng = np.random.default_rng(1)
    factors = np.zeros((500, 4), np.int64)
    factors[:, 3] = rng.integers(0, 4, 500)
    line = np.array(SPACE.factors[3].values)[factors[:, 3]]
    bent = (line - line.mean()) ** 2
    bent -= np.polyval(np.polyfit(line, bent, 1), line)
    codes = np.stack([line + rng.normal(0, 0.05, 500), bent], axis=1)
    train = CodeTable(codes, factors, SPACE)
    lasso = association_of(train, "lasso")[:, 3]
    ratio = association_of(train, "correlation_ratio")[:, 3]
    assert lasso[0] > 0.9
    assert lasso[1] < 0.05
    assert ratio[1] == pytest.approx(1)
    # One latent of mean 0 and deviation 1: the weight is the correlation less alpha.
    alone = CodeTable(codes[:, :1], factors, SPACE)
    correlation = np.corrcoef(codes[:, 0], line)[0, 1]
    assert association_of(alone, "lasso")[0, 3] == pytest.approx(correlation - 0.02, abs=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_factors_get_different_latents_with_the_largest_sum(seed):
    association = np.random.default_rng(seed).random((LATENTS, 4))
    positions = positions_of(table(60, seed), (1, 3), association)
    assert positions.factors == (1, 3)
    best = slow.assign(association.tolist(), [0, 1, 3])
    assert positions.latents == best[1:]


def test_with_few_latents_only_those_compared_get_one():
    train = table(200, 2)
    few = CodeTable(train.codes[:, :2], train.factors, SPACE)
    association = np.array([[0.9, 0.8, 0.0, 0.1], [0.9, 0.1, 0.0, 0.2]])
    assert positions_of(few, (1, 3), association).latents == (0, 1)
    with pytest.raises(DataError, match=r"angle, shape, pos needs a latent .* there are 2\."):
        positions_of(few, (), association)


def test_without_a_factor_that_varies_there_is_nothing_to_compare():
    train = table(50, 3, (1, 1, 1, 1))
    with pytest.raises(DataError, match="No factor varies among 50 images"):
        found(train)


def test_all_that_vary_are_compared_where_no_rule_names_one():
    train = table(200, 4)
    assert found(train, ()).factors == (0, 1, 3)
    # A factor that is constant in training has no position, but its values are asked for.
    positions = found(train, (2,))
    assert positions.factors == (0, 1, 3)
    assert positions.needed == (0, 1, 2, 3)
    rows = np.array([[0, 0, 0, 0], [0, 0, 1, 0]])
    np.testing.assert_array_equal(positions.known(rows), [True, False])


def test_means_and_deviations_are_those_of_the_images_with_each_value():
    train = table(400, 5)
    positions = found(train)
    for place, (k, latent) in enumerate(zip(positions.factors, positions.latents, strict=True)):
        column = train.codes[:, latent]
        by_value = slow.of_values(column, train.factors[:, k])
        for value, (mean, deviation) in by_value.items():
            assert positions.means[place][value] == pytest.approx(mean, rel=1e-12)
            assert positions.deviations[place][value] == pytest.approx(deviation, rel=1e-9)
        spread = slow.spread(column, train.factors[:, k])
        assert positions.spreads[place] == pytest.approx(spread, rel=1e-9)


def test_images_that_were_trained_on_are_one_deviation_away():
    train = table(400, 6)
    positions = found(train)
    away = positions.distances(train.codes, train.factors)
    np.testing.assert_allclose(np.sqrt((away**2).mean(axis=0)), 1, rtol=1e-9)


def test_distances_of_other_images_are_those_by_hand():
    train, test = table(400, 7), table(50, 8)
    positions = found(train)
    tables = [
        (k, latent, slow.of_values(train.codes[:, latent], train.factors[:, k]))
        for k, latent in zip(positions.factors, positions.latents, strict=True)
    ]
    expected = slow.distance(test.codes, test.factors, tables)
    away = positions.distances(test.codes, test.factors)
    assert np.sqrt((away**2).mean()) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("held", [[], [(1, 3)], [(0, 0), (1, 3), (2, 2)]], ids=len)
@pytest.mark.parametrize("shift", [0.0, 0.8])
def test_nearest_is_that_of_all_pairs(held, shift):
    everything = table(600, 9)
    out = np.zeros(600, np.bool_)
    for shape, pos in held:
        out |= (everything.factors[:, 1] == shape) & (everything.factors[:, 3] == pos)
    train = CodeTable(everything.codes[~out], everything.factors[~out], SPACE)
    positions = found(train)
    tables = [
        (k, latent, slow.of_values(train.codes[:, latent], train.factors[:, k]))
        for k, latent in zip(positions.factors, positions.latents, strict=True)
    ]
    spreads = [slow.spread(train.codes[:, lt], train.factors[:, k]) for k, lt, _ in tables]
    for rows in (out, ~out):
        codes, factors = everything.codes[rows][:80] + shift, everything.factors[rows][:80]
        if len(codes):
            near = positions.nearest(codes, factors, train.factors)
            expected = slow.nearest_expected(codes, factors, train.factors, tables, spreads)
            assert near.mean() == pytest.approx(expected)
            assert held or 0.2 < expected < 0.95


def test_a_code_is_nearest_to_its_own_where_there_is_no_other():
    train = table(100, 10, (1, 1, 1, 2))
    positions = found(train, (3,))
    alone = train.factors[train.factors[:, 3] == 0]
    rows = train.factors[:, 3] == 0
    assert positions.nearest(train.codes[rows], alone, alone).all()
    assert positions.nearest(train.codes[rows], alone, alone[:0]).all()


def test_latents_that_say_nothing_place_nothing():
    train = table(200, 11)
    dead = CodeTable(np.full((200, LATENTS), 3.25), train.factors, SPACE)
    positions = found(dead)
    assert not positions.distances(dead.codes, dead.factors).any()
    assert not positions.nearest(dead.codes, dead.factors, train.factors).any()


def test_codes_without_noise_have_a_least_deviation():
    factors = np.zeros((80, 4), np.int64)
    factors[:, 3] = np.arange(80) % 4
    codes = factors[:, 3:].astype(float)
    positions = found(CodeTable(codes, factors, SPACE), (3,))
    least = 1e-3 * codes.std()
    np.testing.assert_allclose(positions.deviations[0], least)
    away = positions.distances(codes + 0.5 * least, factors)
    np.testing.assert_allclose(away, 0.5, rtol=1e-6)


def test_a_value_needs_ten_images():
    factors = np.zeros((30, 4), np.int64)
    factors[:19, 3] = 1
    factors[19:28, 3] = 2
    train = CodeTable(np.random.default_rng(0).normal(size=(30, 1)), factors, SPACE)
    positions = found(train, (3,))
    rows = np.zeros((4, 4), np.int64)
    rows[:, 3] = range(4)
    np.testing.assert_array_equal(positions.known(rows), [False, True, False, False])
    assert np.isnan(positions.expected(rows)[[0, 2, 3]]).all()


def test_a_moved_code_keeps_the_other_latents():
    train, test = table(400, 12), table(20, 13)
    positions = found(train)
    moved = positions.moved(test.codes, test.factors)
    others = [latent for latent in range(LATENTS) if latent not in positions.latents]
    np.testing.assert_array_equal(moved[:, others], test.codes[:, others])
    for k, latent in zip(positions.factors, positions.latents, strict=True):
        by_value = slow.of_values(train.codes[:, latent], train.factors[:, k])
        expected = [by_value[int(value)][0] for value in test.factors[:, k]]
        np.testing.assert_allclose(moved[:, latent], expected, rtol=1e-12)
    assert positions.moved(moved, test.factors) == pytest.approx(moved)
