"""Effects of values on codes, and what codes have beyond them, against taking turns."""

from __future__ import annotations

import numpy as np
import pytest

from reference import positions_reference as slow
from unweave.analysis.displacement import displaced, main_effects
from unweave.analysis.tables import CodeTable
from unweave.factors import Factor, FactorSpace

SPACE = FactorSpace((Factor("a", 3), Factor("b", 4), Factor("c", 2), Factor("fixed", 2)))
RNG = np.random.default_rng(0)
EFFECTS = [RNG.normal(size=(size, 3)) for size in (3, 4, 2)]


def rows(count, seed, sizes=(3, 4, 2, 1)):
    return np.random.default_rng(seed).integers(0, sizes, (count, 4))


def summed(factors):
    """Codes that are sums of effects."""
    return sum(table[factors[:, k]] for k, table in enumerate(EFFECTS))


def hole(factors):
    return (factors[:, 0] == 2) & (factors[:, 1] > 1)


def predicted(effects, factors):
    return sum(table[factors[:, k]] for k, table in effects.items())


@pytest.mark.parametrize("chosen", [(0,), (0, 1), (0, 1, 2, 3)])
def test_sums_of_effects_are_those_of_taking_turns(chosen):
    factors = rows(70, 1)
    factors = factors[~hole(factors)]
    codes = RNG.normal(size=(len(factors), 3)) + summed(factors)
    found = predicted(main_effects(codes, factors, SPACE.sizes, chosen), factors)
    for latent in range(3):
        hand = slow.additive(codes[:, latent], factors, chosen)
        expected = [hand(row) for row in factors]
        np.testing.assert_allclose(found[:, latent], expected, rtol=1e-8, atol=1e-8)


def test_of_all_combinations_once_effects_are_differences_of_means():
    factors = np.stack(np.unravel_index(np.arange(24), (3, 4, 2, 1)), axis=1)
    codes = RNG.normal(size=(24, 2))
    found = predicted(main_effects(codes, factors, SPACE.sizes, (0, 1)), factors)
    by_a = np.array([codes[factors[:, 0] == value].mean(axis=0) for value in range(3)])
    by_b = np.array([codes[factors[:, 1] == value].mean(axis=0) for value in range(4)])
    expected = by_a[factors[:, 0]] + by_b[factors[:, 1]] - codes.mean(axis=0)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_without_factors_there_is_a_mean():
    codes = RNG.normal(size=(9, 2))
    [(place, mean)] = main_effects(codes, rows(9, 2), SPACE.sizes, ()).items()
    assert place == -1
    np.testing.assert_allclose(mean, [codes.mean(axis=0)])
    # What has a value of its own for nearly each row is no factor to go by.
    many = rows(9, 2)
    [(place, _)] = main_effects(codes, many, (2000, 4, 2, 2), (0,)).items()
    assert place == -1


def test_rows_that_were_trained_on_are_not_displaced():
    factors = rows(200, 3)
    codes = RNG.normal(size=(200, 4)) * (1 + factors[:, :1] * factors[:, 1:2])
    table = CodeTable(codes, factors, SPACE)
    found = displaced(table, table, np.ones(200, np.bool_), (0, 1))
    np.testing.assert_allclose(found, 0, atol=1e-10)


@pytest.mark.parametrize("by_value", [False, True])
def test_the_displacement_of_what_was_held_out_is_found_exactly(by_value):
    factors = rows(300, 4)
    codes = summed(factors)
    out = hole(factors)
    shift = np.outer(factors[:, 1] if by_value else np.ones(300), [1.0, -2.0, 0.5])
    codes[out] += shift[out]
    train = CodeTable(codes[~out], factors[~out], SPACE)
    test = CodeTable(codes, factors, SPACE)
    found = displaced(train, test, out, (0, 1))
    np.testing.assert_allclose(found, shift[out], atol=1e-9)
    np.testing.assert_allclose(codes[out] - found, summed(factors)[out], atol=1e-9)


def test_what_other_factors_do_to_held_out_rows_is_kept():
    # Of these rows alone, c turns a latent the other way round.
    factors = np.repeat(rows(60, 5), 2, axis=0)
    factors[:, 2] = np.arange(120) % 2
    codes, out = summed(factors), hole(factors)
    turned = np.outer(2 * factors[:, 2] - 1, [3.0, 0, 0])
    codes[out] += turned[out]
    train = CodeTable(codes[~out], factors[~out], SPACE)
    found = displaced(train, CodeTable(codes, factors, SPACE), out, (0, 1))
    np.testing.assert_allclose(found, 0, atol=1e-9)


def test_displacements_are_those_of_taking_turns():
    factors = rows(120, 6)
    out = hole(factors)
    codes = summed(factors) * (1 + 0.3 * factors[:, :1]) + RNG.normal(0, 0.5, (120, 3))
    train, test = (CodeTable(codes[each], factors[each], SPACE) for each in (~out, out))
    found = displaced(train, test, np.ones(len(test), np.bool_), (0, 1))
    for latent in range(3):
        hand = slow.displacement(
            (train.codes[:, latent], train.factors),
            (test.codes[:, latent], test.factors),
            (0, 1, 2),
            (0, 1),
        )
        np.testing.assert_allclose(found[:, latent], hand, rtol=1e-7, atol=1e-7)
