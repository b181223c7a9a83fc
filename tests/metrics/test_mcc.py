"""The mean correlation coefficient: all matchings tried, closed forms, edges."""

from __future__ import annotations

import numpy as np
import pytest

from reference import information_reference
from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import MCC, Draws
from unweave.metrics.columns import within_one
from unweave.metrics.predictive.mcc import correlations, matched
from unweave.representation import Representation


def table_of(codes, factors):
    sizes = np.max(factors, axis=0) + 1
    space = FactorSpace(tuple(Factor(f"f{k}", int(size)) for k, size in enumerate(sizes)))
    return Representation(
        mean=np.asarray(codes, np.float32), factors=np.asarray(factors), factor_space=space
    )


def score(metric, table, seed=0):
    return metric.score(table, Draws(seed, "mcc"))


def messy(latents=5, rows=400, seed=0):
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, [3, 4, 6], size=(rows, 3))
    return table_of(
        factors @ rng.normal(size=(3, latents)) + rng.normal(size=(rows, latents)), factors
    )


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_best_of_all_matchings(seed):
    table = messy(seed=seed)
    joined = np.corrcoef(table.mean.T.astype(np.float64), table.factors.T)
    expected = np.abs(joined[:5, 5:])
    found = score(MCC(), table)
    np.testing.assert_allclose(found.matrix.values, expected, atol=1e-12)
    best = information_reference.matching(expected.tolist())
    assert list(found.parts.values()) == pytest.approx(best)
    assert found.value == pytest.approx(np.mean(best))


def test_ranks_are_those_of_spearman():
    from scipy.stats import spearmanr

    table = messy()
    expected = np.abs(spearmanr(table.mean, table.factors).statistic[:5, 5:])
    found = correlations(table.mean, table.factors, ranks=True)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_monotone_code_is_perfect_by_ranks_alone():
    factors = np.indices((6, 8)).reshape(2, -1).T
    table = table_of(np.exp(factors[:, ::-1]), factors)
    assert score(MCC(correlation="spearman"), table).value == pytest.approx(1.0)
    assert score(MCC(), table).value < 0.9


def test_one_latent_cannot_stand_for_two_factors():
    factors = np.indices((5, 5)).reshape(2, -1).T
    both = table_of(factors.sum(1, keepdims=True), factors)
    assert score(MCC(), both).parts == pytest.approx({"f0": 0.5**0.5, "f1": 0.0})
    # Greedy would take 0.9 and 0.0 here.
    np.testing.assert_allclose(matched(np.array([[0.9, 0.8], [0.7, 0.0]])), [0.7, 0.8])


def test_turned_codes_lose_their_share():
    factors = np.indices((5, 5)).reshape(2, -1).T - 2.0
    turned = factors @ np.array([[1, -1], [1, 1]])
    table = table_of(turned, (factors + 2).astype(int))
    assert score(MCC(), table).value == pytest.approx(0.5**0.5)


def test_what_is_constant_has_no_correlation():
    table = messy()
    codes = np.concatenate([table.mean, np.full((400, 1), 0.1)], axis=1)
    factors = np.concatenate([table.factors, np.full((400, 1), 2)], axis=1)
    found = score(MCC(), table_of(codes, factors))
    assert found.parts == pytest.approx(score(MCC(), table).parts)
    np.testing.assert_array_equal(found.matrix.values[5], 0)
    np.testing.assert_array_equal(found.matrix.values[:, 3], 0)
    with pytest.raises(DataError, match="mcc needs a factor that varies"):
        score(MCC(), table_of(codes, factors[:, 3:]))


def test_samples_are_drawn_by_the_seed():
    one, again, other = (score(MCC(samples=100), messy(), seed=seed).value for seed in (1, 1, 2))
    assert one == again != other
    assert score(MCC(samples=10**6), messy()).value == score(MCC(), messy()).value


def test_columns_are_scaled_by_powers_of_two():
    columns = np.array([[3.0, 0, -1e300, 5e-324, 1], [1.5, 0, 1e299, 0, -0.5]])
    found = within_one(columns)
    assert np.abs(found).max() <= 1
    assert (np.abs(found).max(axis=0)[[0, 2, 3, 4]] >= 0.5).all()
    np.testing.assert_array_equal(found[:, 0], [0.75, 0.375])
    np.testing.assert_array_equal(found[:, 1], 0)
    assert within_one(columns[:0]).shape == (0, 5)
    table = messy()
    np.testing.assert_array_equal(
        correlations(table.mean.astype(np.float64) * 2.0**900, table.factors),
        correlations(table.mean, table.factors),
    )
