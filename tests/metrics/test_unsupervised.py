"""Unsupervised scores: closed forms, independent routes, published values, dead latents."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from reference import metrics_reference, tables
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import Metric, Unsupervised
from unweave.metrics.draws import Draws
from unweave.metrics.label_free.unsupervised import (
    gaussian_total_correlation,
    gaussian_wasserstein_correlation,
    mean_pairwise_information,
)
from unweave.representation import Representation
from unweave.spec import parse

TC = "gaussian_total_correlation"
WASSERSTEIN = "gaussian_wasserstein_correlation"
NORM = "gaussian_wasserstein_correlation_norm"
INFORMATION = "mutual_info_score"

SPACE = FactorSpace((Factor("f0", 3), Factor("f1", 4), Factor("f2", 5)))
GRID = SPACE.unravel(np.arange(SPACE.size))


def score(codes, factors=None, seed=0, **settings):
    codes = np.asarray(codes, dtype=np.float32)
    factors = SPACE.unravel(np.arange(len(codes)) % SPACE.size) if factors is None else factors
    table = Representation(mean=codes, factors=factors, factor_space=SPACE)
    return Unsupervised(**settings).score(table, Draws(seed, "unsupervised"))


def random_covariance(seed, latents=5):
    mixing = np.random.default_rng(seed).normal(size=(latents, latents))
    return mixing @ mixing.T


# Published values


def published_score(name, seed, compat="dlib"):
    metric = Unsupervised(bins=20, samples=10_000, compat=compat)
    return metric.score(tables.table(name), Draws(seed, "unsupervised"))


# disentanglement_lib, 10,000 samples.
@pytest.mark.parametrize(
    ("name", "seed", "values"),
    [
        (
            "g1_rot",
            0,
            (19.83902716490033, 3.266747792129074, 0.48725581523675854, 0.17990731025517484),
        ),
        (
            "g1_dup",
            1,
            (19.62250226136691, 7.061985221153396, 0.4912761559746752, 0.21157301187413696),
        ),
        (
            "g2_mixed",
            2,
            (0.22415201233894422, 0.12178792744319722, 0.03514135458241, 0.2706272723578473),
        ),
        (
            "g2_noisy",
            3,
            (0.015482645587640675, 0.005028201504760688, 0.0010747321050043142, 0.20196112488),
        ),
    ],
)
def test_published_values(name, seed, values):
    found = published_score(name, seed)
    expected = dict(zip((TC, WASSERSTEIN, NORM, INFORMATION), values, strict=True))
    assert found.parts == pytest.approx(expected, abs=1e-6)
    assert found.value == pytest.approx(expected[TC], abs=1e-6)
    assert found.unit == "nats"


def test_what_is_no_number_in_published_code_is_left_out():
    # One latent of the table is exactly constant.
    found = published_score("g2_missing", 0)
    expected = {
        WASSERSTEIN: 0.00018631198369778446,
        NORM: 5.949429513741151e-05,
        INFORMATION: 0.14622697841930077,
    }
    assert found.parts == pytest.approx(expected, abs=1e-6)
    # The value is the total correlation of the others.
    rows = metrics_reference.draw_rows((4, 5, 6, 7), 10_000, 0)
    correlation = np.corrcoef(tables.table("g2_missing").mean[rows, :5].T)
    assert found.value == pytest.approx(-0.5 * np.linalg.slogdet(correlation)[1])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("factor", [1, 3])
def test_of_a_copy_of_a_latent_it_is_the_rounding_of_published_code(factor):
    noisy = tables.table("g2_noisy").mean
    copied = np.concatenate([noisy, np.float32(factor) * noisy[:, :1]], axis=1)
    grid = tables.table("g2_noisy")
    table = Representation(mean=copied, factors=grid.factors, factor_space=grid.factor_space)
    found = Unsupervised(samples=10_000, compat="dlib").score(table, Draws(0, "unsupervised"))
    rows = metrics_reference.draw_rows((4, 5, 6, 7), 10_000, 0)
    covariance = np.cov(copied[rows].T)
    sign, logarithm = np.linalg.slogdet(covariance)
    # What is left of the copy is nothing, or some digits of rounding.
    expected = {0.5 * (np.log(np.diag(covariance)).sum() - logarithm)} if sign else set()
    assert {value for name, value in found.parts.items() if name == TC} == expected
    # Eigenvalues 2, and 0 for which the floor counts.
    alive = Unsupervised(samples=10_000, compat="dlib").score(grid, Draws(0, "unsupervised")).value
    eps = np.finfo(np.float32).eps
    assert found.value - alive == pytest.approx(-0.5 * np.log(2 * eps), abs=0.01)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("compat", ["dlib", "dlib2019"])
@pytest.mark.parametrize("name", tables.NAMES)
def test_every_published_value(reference, name, compat):
    expected = tables.published(reference, name, "unsupervised_metrics", compat)
    assert len(expected) == 5
    for seed, values in expected.items():
        finite = {key: value for key, value in values.items() if np.isfinite(value)}
        assert len(finite) == (3 if name == "g2_missing" else 4)
        assert published_score(name, seed, compat).parts == pytest.approx(finite, abs=1e-6)


# Gaussian total correlation


def test_uncorrelated_gaussians_have_no_total_correlation():
    assert gaussian_total_correlation(np.eye(4)) == pytest.approx(0, abs=1e-12)
    assert gaussian_total_correlation(np.diag([1e-6, 2.0, 3e8])) == pytest.approx(0, abs=1e-12)


def test_two_correlated_gaussians_have_a_closed_form():
    covariance = np.array([[1, 0.9], [0.9, 1]])
    assert gaussian_total_correlation(covariance) == pytest.approx(-0.5 * np.log(1 - 0.81))
    assert gaussian_total_correlation(covariance) == pytest.approx(0.8304, abs=1e-4)
    scale = np.diag([1e-3, 50.0])
    assert gaussian_total_correlation(scale @ covariance @ scale) == pytest.approx(
        0.8304, abs=1e-4
    )


@pytest.mark.parametrize("seed", range(5))
def test_total_correlation_is_the_kl_to_the_product_of_marginals(seed):
    covariance = random_covariance(seed)
    marginals = np.diag(np.diag(covariance))
    # KL between two Gaussians of zero mean.
    kl = 0.5 * (
        np.trace(np.linalg.solve(marginals, covariance))
        - len(covariance)
        + np.linalg.slogdet(marginals)[1]
        - np.linalg.slogdet(covariance)[1]
    )
    assert gaussian_total_correlation(covariance) == pytest.approx(kl)
    assert gaussian_total_correlation(covariance, floor=1e-7) == pytest.approx(kl)


@pytest.mark.filterwarnings("error")
def test_dependence_without_end_is_infinite_or_ends_at_a_floor():
    same = np.ones((2, 2))
    assert gaussian_total_correlation(same) > 15
    # Eigenvalues 2 and 0, which counts as the floor.
    assert gaussian_total_correlation(same, floor=1e-6) == pytest.approx(-0.5 * np.log(2e-6))
    assert gaussian_total_correlation(np.zeros((3, 3))) == 0.0
    assert gaussian_total_correlation(np.diag([0.0, 1.0])) == pytest.approx(0.0)


# Gaussian Wasserstein correlation


def test_uncorrelated_gaussians_are_at_no_distance():
    assert gaussian_wasserstein_correlation(np.eye(3)) == pytest.approx(0, abs=1e-12)
    assert gaussian_wasserstein_correlation(np.diag([4.0, 0, 9.0])) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("r", [-0.9, 0.3, 1.0])
def test_two_gaussians_of_equal_variance_have_a_closed_form(r):
    covariance = 4 * np.array([[1, r], [r, 1]])
    expected = 4 * (4 - 2 * np.sqrt(1 + r) - 2 * np.sqrt(1 - r))
    assert gaussian_wasserstein_correlation(covariance) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("seed", range(5))
def test_the_distance_is_that_of_a_matrix_square_root(seed):
    covariance = random_covariance(seed)
    marginals = np.diag(np.diag(covariance))
    root = scipy.linalg.sqrtm(marginals @ covariance)
    expected = 2 * np.trace(covariance) - 2 * np.trace(root).real
    assert gaussian_wasserstein_correlation(covariance) == pytest.approx(expected)


# Mutual information of latents


def test_the_mean_leaves_the_diagonal_out():
    table = np.array([[9.0, 1.0, 2.0], [1.0, 9.0, 3.0], [2.0, 3.0, 9.0]])
    assert mean_pairwise_information(table) == pytest.approx(2.0)


def test_information_is_counted():
    rng = np.random.default_rng(3)
    codes = np.float32(rng.normal(size=(300, 3)))
    codes[:, 1] += codes[:, 0]
    found = score(codes, bins=6)
    labels = [metrics_reference.bin_labels(codes[:, j], 6) for j in range(3)]
    pairs = [(0, 1), (0, 2), (1, 2)]
    counted = [metrics_reference.mutual_information(labels[i], labels[j]) for i, j in pairs]
    assert found.parts[INFORMATION] == pytest.approx(np.mean(counted))
    assert found.matrix.values[0, 2] == pytest.approx(counted[1])
    assert found.matrix.values[1, 1] == pytest.approx(metrics_reference.entropy(labels[1]))
    assert found.matrix.rows == found.matrix.columns == ("z0", "z1", "z2")


# Codes


def test_scores_are_those_of_the_sample_covariance():
    rng = np.random.default_rng(4)
    codes = np.float32(rng.normal(3, 2, size=(500, 4)) @ rng.normal(size=(4, 4)))
    covariance = np.cov(codes.T)
    found = score(codes)
    assert found.value == pytest.approx(gaussian_total_correlation(covariance))
    distance = gaussian_wasserstein_correlation(covariance)
    assert found.parts[WASSERSTEIN] == pytest.approx(distance)
    assert found.parts[NORM] == pytest.approx(distance / np.trace(covariance))


def test_a_latent_for_each_factor_has_none_of_it():
    assert score(GRID).parts == pytest.approx(
        dict.fromkeys([TC, WASSERSTEIN, NORM, INFORMATION], 0.0), abs=1e-9
    )


@pytest.mark.filterwarnings("error")
def test_a_latent_that_follows_from_others_adds_a_bounded_amount():
    codes = np.concatenate([GRID, GRID[:, :1]], axis=1)
    eps = np.finfo(np.float32).eps
    found = score(codes)
    # Eigenvalues 2, 1, 1 and 0.
    assert found.value == found.parts[TC] == pytest.approx(-0.5 * np.log(2 * eps))
    again = score(np.concatenate([GRID, GRID[:, :1], GRID[:, :1]], axis=1))
    assert again.value - found.value < 8


@pytest.mark.filterwarnings("error")
def test_constant_latents_depend_on_nothing():
    rng = np.random.default_rng(5)
    codes = np.float32(rng.normal(size=(500, 3)) @ rng.normal(size=(3, 3)))
    dead = np.concatenate([codes[:, :1], np.full((500, 2), [0.1, -7.3]), codes[:, 1:]], axis=1)
    alive, found = score(codes), score(dead)
    for name in (TC, WASSERSTEIN, NORM):
        assert found.parts[name] == pytest.approx(alive.parts[name])
    # Of 10 pairs, 3 can have any.
    assert found.parts[INFORMATION] == pytest.approx(alive.parts[INFORMATION] * 3 / 10)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("settings", [{}, {"compat": "dlib", "samples": 200}])
def test_collapsed_codes_depend_on_nothing(settings):
    found = score(np.full((60, 3), 0.1), **settings)
    assert found.value == 0.0
    expected = {TC, WASSERSTEIN, NORM, INFORMATION} - ({TC} if settings else set())
    assert found.parts == dict.fromkeys(expected, 0.0)
    one = score(np.concatenate([np.full((60, 2), 0.1), GRID[:, :1]], axis=1), **settings)
    assert one.value == one.parts[WASSERSTEIN] == pytest.approx(0.0)


def test_units_are_said():
    found = score(GRID)
    assert (found.unit, found.units[WASSERSTEIN], found.units[NORM]) == (
        "nats",
        "squared code units",
        "",
    )


# What is refused


def test_one_latent_is_refused():
    with pytest.raises(DataError, match="compare latents, but the representation has only one"):
        score(GRID[:, :1])


def test_a_part_of_the_grid_has_no_published_score():
    with pytest.raises(DataError, match="full grid"):
        score(GRID[:-1], GRID[:-1], compat="dlib", samples=10)


def test_published_draws_need_a_number():
    with pytest.raises(SpecError, match="compat=dlib draws samples, so give their number"):
        Unsupervised(compat="dlib")


@pytest.mark.parametrize("text", ["unsupervised(bins=1)", "unsupervised(samples=1)"])
def test_settings_that_are_refused(text):
    with pytest.raises(SpecError, match=r"unsupervised: (bins|samples) "):
        parse(text, Metric)
