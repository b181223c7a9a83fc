"""Estimates of information: counted, by all pairs, against scikit-learn, by closed form."""

from __future__ import annotations

import numpy as np
import pytest

from reference import information_reference
from reference.metrics_reference import entropy, mutual_information
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import (
    Distinct,
    Draws,
    Histogram,
    InformationEstimator,
    NearestNeighbours,
    PosteriorSampling,
)
from unweave.metrics.information.joint import joint_information
from unweave.metrics.information.knn import knn_information
from unweave.metrics.synthetic import rotated_codes, synthetic_codes
from unweave.representation import Representation
from unweave.spec import parse

DRAWS = Draws(0, "test")


def table_of(codes, factors, logvar=None):
    codes = np.asarray(codes, np.float32)
    sizes = np.max(factors, axis=0) + 1
    space = FactorSpace(tuple(Factor(f"f{k}", int(size)) for k, size in enumerate(sizes)))
    logvar = None if logvar is None else np.full(codes.shape, logvar, np.float32)
    return Representation(
        mean=codes, factors=np.asarray(factors), factor_space=space, logvar=logvar
    )


def mixed(rows=900, seed=0):
    """Latents with much, little and no information, one discrete, one constant."""
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, [3, 4, 6], size=(rows, 3))
    codes = rng.normal(size=(rows, 5))
    codes[:, 0] += 2 * factors[:, 2]
    codes[:, 1] += 0.5 * factors[:, 1]
    codes[:, 3] = factors[:, 0]
    codes[:, 4] = 0.3
    return table_of(codes, factors)


# Plug-in estimates


def test_bins_of_equal_width_are_counted():
    table = mixed()
    found = Histogram(bins=7).estimate(table, DRAWS)
    rows, factor, code = information_reference.information(table.mean, table.factors, 7)
    np.testing.assert_allclose(found.information, rows, atol=1e-12)
    np.testing.assert_allclose(found.factor_entropy, factor)
    np.testing.assert_allclose(found.code_entropy, code, atol=1e-12)
    assert found.levels.tolist() == [7] * 5
    assert found.alive.tolist() == [True] * 4 + [False]


def test_each_value_is_a_class():
    table = mixed()
    codes = np.round(table.mean, 1)
    found = Distinct().estimate(table_of(codes, table.factors), DRAWS)
    rows, factor, code = information_reference.information(codes, table.factors)
    np.testing.assert_allclose(found.information, rows, atol=1e-12)
    np.testing.assert_allclose(found.code_entropy, code, atol=1e-12)
    assert found.levels.tolist() == [len(set(column.tolist())) for column in codes.T]
    np.testing.assert_allclose(found.relative * factor, rows, atol=1e-12)


def test_bins_of_equal_mass_hold_as_many_rows_each_and_part_no_equal_codes():
    table = mixed(rows=800)
    labels, levels = Histogram(bins=8, spacing="quantile").labels(table.mean)
    assert levels.tolist() == [8] * 5
    for j in range(3):
        assert np.bincount(labels[:, j]).tolist() == [100] * 8
        # Bins are in the order of codes.
        order = np.argsort(table.mean[:, j], kind="stable")
        assert (np.diff(labels[order, j]) >= 0).all()
    assert len(set(zip(labels[:, 3], table.mean[:, 3], strict=True))) == 3
    assert len(set(labels[:, 4])) == 1
    found = Histogram(bins=8, spacing="quantile").estimate(table, DRAWS)
    expected = mutual_information(labels[:, 0].tolist(), table.factors[:, 2].tolist())
    assert found.information[0, 2] == pytest.approx(expected)


def test_a_monotone_change_of_codes_does_not_move_quantile_bins():
    table = mixed()
    bent = table_of(np.exp(3 * np.asarray(table.mean, np.float64)), table.factors)
    estimator = Histogram(spacing="quantile")
    one, other = estimator.estimate(table, DRAWS), estimator.estimate(bent, DRAWS)
    np.testing.assert_allclose(one.information, other.information, atol=0.01)
    widths = Histogram()
    assert (
        widths.estimate(bent, DRAWS).information[0, 2]
        < widths.estimate(table, DRAWS).information[0, 2] - 0.3
    )


@pytest.mark.parametrize("rows", [500, 2000])
def test_the_bias_of_random_codes_is_taken_off(rows):
    rng = np.random.default_rng(rows)
    factors = rng.integers(0, 8, size=(rows, 6))
    table = table_of(rng.uniform(size=(rows, 10)), factors)
    plain = Histogram(bins=10).estimate(table, DRAWS).information.mean()
    # 9 times 7 over 2 N nats.
    assert plain == pytest.approx(63 / (2 * rows), rel=0.1)
    left = Histogram(bins=10, debiased=True).estimate(table, DRAWS).information.mean()
    # What is below 0 counts as 0, so that half of the scatter is left.
    assert left < plain / 8


def test_the_bias_taken_off_is_that_of_the_entropies_of_miller_and_madow():
    table = mixed(rows=300)
    found = Histogram(bins=6, debiased=True).estimate(table, DRAWS).information
    labels, _ = Histogram(bins=6).labels(table.mean)

    def corrected(*columns):
        cells = list(zip(*columns, strict=True))
        return entropy(cells) + (len(set(cells)) - 1) / (2 * len(cells))

    for j, k in [(0, 2), (1, 1), (3, 0)]:
        one, other = labels[:, j].tolist(), table.factors[:, k].tolist()
        expected = corrected(one) + corrected(other) - corrected(one, other)
        expected = min(expected, entropy(other))
        assert found[j, k] == pytest.approx(expected, abs=1e-12)


def test_no_latent_knows_more_than_there_is():
    for estimator in (Histogram(), Distinct(), NearestNeighbours(), PosteriorSampling()):
        table = table_of(mixed().mean, mixed().factors, logvar=-6.0)
        found = estimator.estimate(table, DRAWS)
        assert (found.information >= 0).all()
        assert (found.information <= found.factor_entropy + 1e-12).all()
        assert found.information[0, 2] > 0.5


# Nearest neighbours


@pytest.mark.parametrize("k", [1, 3, 10])
def test_it_is_the_estimate_by_all_pairs(k):
    rng = np.random.default_rng(k)
    labels = rng.integers(0, 4, 120)
    labels[:2] = 7, 8  # values that occur once
    labels[2:5] = 9  # fewer rows than neighbours
    codes = np.stack([rng.normal(size=120) + labels / 2, rng.exponential(size=120)], axis=1)
    found = knn_information(codes, labels[:, None], k, np.random.RandomState(0))
    for j in range(2):
        expected = information_reference.kth_neighbour_information(
            codes[:, j].tolist(), labels.tolist(), k
        )
        assert found[j, 0] == pytest.approx(max(expected, 0.0), abs=1e-6)


@pytest.mark.parametrize("k", [3, 10])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_the_estimate_of_scikit_learn(k, dtype):
    from sklearn.feature_selection import mutual_info_classif

    table = mixed(rows=1500, seed=k)
    codes = table.mean[:, :4].astype(dtype)
    found = knn_information(codes, table.factors, k, np.random.RandomState(5))
    for factor in range(3):
        expected = mutual_info_classif(
            codes,
            table.factors[:, factor],
            discrete_features=False,
            n_neighbors=k,
            random_state=np.random.RandomState(5),
        )
        np.testing.assert_allclose(found[:, factor], expected, atol=1e-12)


def test_the_estimate_is_near_the_truth():
    # Two values, codes N(+-1, 1): H(code) - H(code | value) by quadrature.
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 20_000)
    codes = (rng.normal(size=20_000) + 2 * labels)[:, None]
    x = np.linspace(-8, 10, 20_001)
    halves = np.exp(-0.5 * np.stack([x, x - 2]) ** 2) / np.sqrt(2 * np.pi)
    density = halves.mean(0)
    truth = -(density * np.log(density)).sum() * (x[1] - x[0]) - 0.5 * np.log(2 * np.pi * np.e)
    for k in (3, 10):
        found = knn_information(codes, labels[:, None], k, np.random.RandomState(0))
        assert found[0, 0] == pytest.approx(truth, abs=0.02)


def test_neighbours_need_company():
    unique = np.arange(5)[:, None]
    codes = np.random.default_rng(0).normal(size=(5, 2))
    assert (knn_information(codes, unique, 3, np.random.RandomState(0)) == 0).all()
    constant = np.ones((6, 1))
    pairs = np.repeat(np.arange(3), 2)[:, None]
    assert (knn_information(constant, pairs, 3, np.random.RandomState(0)) == 0).all()


def test_the_seed_decides_how_ties_are_broken():
    table = mixed()
    one, again, other = (
        NearestNeighbours().estimate(table, Draws(seed, "test")).information for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    np.testing.assert_allclose(one, other, atol=0.05)


def test_a_shift_of_codes_does_not_matter_to_neighbours():
    table = mixed()
    moved = table_of(table.mean * 4 + 1024, table.factors)
    np.testing.assert_allclose(
        NearestNeighbours().estimate(table, DRAWS).information[:3],
        NearestNeighbours().estimate(moved, DRAWS).information[:3],
        atol=0.01,
    )


# Sampling


def test_sampled_information_of_narrow_posteriors_is_the_entropy_of_the_factor():
    factors = np.indices((4, 5)).reshape(2, -1).T
    table = table_of(factors, factors, logvar=-8.0)
    found = PosteriorSampling(samples=2000).estimate(table, DRAWS)
    expected = np.diag(np.log([4.0, 5.0]))
    np.testing.assert_allclose(found.information, expected, atol=0.01)
    assert found.code_entropy is None


def test_sampling_needs_posteriors():
    with pytest.raises(DataError, match="samples from posteriors, but the representation has no"):
        PosteriorSampling().estimate(mixed(), DRAWS)
    with pytest.raises(DataError, match="no logvars"):
        PosteriorSampling().cost(mixed())


def test_only_exact_or_long_sampling_says_its_cost():
    table = table_of(mixed().mean, mixed().factors, logvar=-2.0)
    assert PosteriorSampling(samples=100).cost(table) is None
    assert "densities to evaluate" in PosteriorSampling(components="all").cost(table)
    assert Histogram().cost(table) is None


# All latents together


@pytest.mark.parametrize("name", ["m1c1i1", "m0c0i1", "m1c0i1"])
def test_all_latents_together_tell_all_of_a_factor(name):
    table = synthetic_codes(name, 4000)
    for k in range(2):
        found = bound(table, k)
        assert found == pytest.approx(np.log(9), abs=0.05)


def test_rotated_codes_tell_together_what_none_tells_alone():
    table = rotated_codes(45, 4000)
    alone = Histogram(bins=40).estimate(table, DRAWS).information.max()
    assert alone < 1.3
    assert bound(table, 0) == pytest.approx(np.log(9), abs=0.1)


def test_random_codes_tell_nothing_together():
    rng = np.random.default_rng(0)
    table = table_of(rng.normal(size=(3000, 6)), rng.integers(0, 5, size=(3000, 1)))
    assert bound(table, 0) < 0.01


def test_a_bound_of_nothing_is_nothing():
    assert bound(table_of(np.ones((1, 2)), [[0]]), 0) == 0
    assert bound(table_of(np.random.default_rng(0).normal(size=(9, 2)), [[3]] * 9), 0) == 0
    # A value that the half fitted to may lack.
    factors = np.arange(40)[:, None] // 39
    assert 0 <= bound(table_of(np.random.default_rng(0).normal(size=(40, 2)), factors), 0) < 0.2


def bound(table, factor):
    return joint_information(
        table.mean,
        table.factors[:, factor],
        trees=10,
        leaf=5,
        random_state=np.random.RandomState(0),
    )


@pytest.mark.parametrize(
    "text",
    ["histogram(bins=1)", "knn(neighbours=0)", "histogram(spacing=log)", "posterior(samples=0)"],
)
def test_settings_that_are_refused(text):
    with pytest.raises(SpecError, match=r"(bins|neighbours|spacing|samples)"):
        parse(text, InformationEstimator)
