"""WSEPIN and WINDIN: quadrature over a plane, closed forms of normal codes, edges."""

from __future__ import annotations

import numpy as np
import pytest

from reference import information_reference
from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import WINDIN, WSEPIN, Draws, evaluate
from unweave.metrics.posterior.separability import separability
from unweave.representation import Representation


def table_of(mean, logvar):
    mean = np.asarray(mean, np.float32)
    space = FactorSpace((Factor("f", len(mean)),))
    logvar = None if logvar is None else np.broadcast_to(np.float32(logvar), mean.shape)
    return Representation(
        mean=mean, factors=np.arange(len(mean))[:, None], factor_space=space, logvar=logvar
    )


def estimate(mean, logvar, samples=20_000, components=None, seed=0):
    logvar = np.broadcast_to(np.float64(logvar), np.shape(mean))
    return separability(
        np.asarray(mean, np.float64),
        logvar,
        samples=samples,
        components=components,
        rng=np.random.default_rng(seed),
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_is_the_integral_over_the_plane(seed):
    rng = np.random.default_rng(seed)
    mean = rng.normal(0, 1.5, size=(5, 2))
    mean[:, 1] += mean[:, 0]
    logvar = rng.normal(-0.5, 0.7, size=(5, 2))
    alone, beyond = information_reference.mixture_information(mean, logvar)
    found = estimate(mean, logvar, samples=100_000)
    np.testing.assert_allclose(found.alone, alone, atol=0.012)
    np.testing.assert_allclose(found.beyond, beyond, atol=0.012)
    # What a latent shares with the other is the same seen from both sides.
    np.testing.assert_allclose(found.shared, [alone[0] - beyond[0]] * 2, atol=0.012)
    weight = alone / alone.sum()
    table = table_of(mean, 0.0)
    table = Representation(
        mean=table.mean,
        factors=table.factors,
        factor_space=table.factor_space,
        logvar=logvar.astype(np.float32),
    )
    for metric in (WSEPIN(samples=50_000), WINDIN(samples=50_000)):
        score = metric.score(table, Draws(seed, "separability"))
        assert score.value == pytest.approx(float(weight @ beyond), abs=0.02)
        assert score.unit == "nats"
        assert list(score.parts.values()) == pytest.approx(beyond.tolist(), abs=0.02)


def test_independent_normal_codes_have_the_capacity_of_a_noisy_channel():
    mean = np.random.default_rng(0).normal(size=(3000, 2))
    # Standard deviation 1 of the means, variance 0.5 of the posteriors.
    found = estimate(mean, np.log(0.5), samples=4000)
    expected = 0.5 * np.log(1 + 1 / 0.5)
    np.testing.assert_allclose(found.alone, expected, atol=0.04)
    np.testing.assert_allclose(found.beyond, expected, atol=0.04)
    np.testing.assert_allclose(found.shared, 0, atol=0.03)


def test_a_latent_and_its_copy_share_nearly_all():
    mean = np.random.default_rng(0).normal(size=(3000, 1)).repeat(2, axis=1)
    found = estimate(mean, np.log(0.5), samples=4000)
    alone, both = 0.5 * np.log(1 + 1 / 0.5), 0.5 * np.log(1 + 2 / 0.5)
    np.testing.assert_allclose(found.alone, alone, atol=0.04)
    np.testing.assert_allclose(found.beyond, both - alone, atol=0.04)
    np.testing.assert_allclose(found.shared, 2 * alone - both, atol=0.04)


def test_the_two_scores_are_one_where_posteriors_are_diagonal():
    table = table_of(np.random.default_rng(0).normal(size=(200, 4)), -1.0)
    draws = Draws(0, "separability")
    one, other = WSEPIN().score(table, draws), WINDIN().score(table, draws)
    assert one.value == pytest.approx(other.value, abs=1e-10)


def test_a_choice_of_posteriors_stands_for_all():
    mean = np.random.default_rng(0).normal(size=(2000, 2))
    whole = estimate(mean, -1.0, samples=2000)
    half = estimate(mean, -1.0, samples=2000, components=500)
    for name in ("alone", "beyond", "shared"):
        np.testing.assert_allclose(getattr(half, name), getattr(whole, name), atol=0.08)
    # With as many as there are images, it is the same sum.
    full = estimate(mean, -1.0, samples=2000, components=2000)
    np.testing.assert_array_equal(full.beyond, whole.beyond)


def test_densities_of_a_choice_are_unbiased_given_the_draw():
    # Every choice of two of three images: the mean density is that of all.
    mean, logvar = np.array([[0.0], [1.0], [3.0]]), np.zeros((3, 1))
    densities = []
    for seed in range(400):
        found = estimate(mean, logvar, samples=1, components=2, seed=seed)
        rng = np.random.default_rng(seed)
        row = rng.integers(3, size=1)
        point = mean[row, 0] + rng.standard_normal((1, 1))[:, 0]
        each = np.exp(-0.5 * (point - mean[:, 0]) ** 2) / np.sqrt(2 * np.pi)
        mixed = each[row[0]] * np.exp(-found.alone[0])
        densities.append(mixed / each.mean())
    assert np.mean(densities) == pytest.approx(1, abs=0.05)
    assert np.std(densities) > 0.1


def test_one_latent_has_all_that_it_tells_to_itself():
    table = table_of(np.arange(8.0)[:, None], -8.0)
    score = WSEPIN().score(table, Draws(0, "separability"))
    assert score.value == pytest.approx(np.log(8), abs=0.01)


def test_posteriors_that_are_all_the_prior_tell_nothing():
    table = table_of(np.zeros((50, 3)), 0.0)
    for metric in (WSEPIN(), WINDIN()):
        assert metric.score(table, Draws(0, "separability")).value == pytest.approx(0, abs=1e-10)


def test_one_image_tells_nothing():
    found = estimate(np.ones((1, 2)), 0.0, samples=10)
    np.testing.assert_allclose(found.alone, 0, atol=1e-12)


def test_posteriors_are_needed_and_labels_are_not():
    with pytest.raises(DataError, match="wsepin samples from posteriors"):
        WSEPIN().score(table_of(np.ones((4, 2)), None), Draws(0, "separability"))
    with pytest.raises(DataError, match="windin needs logvars from -500 to 500"):
        WINDIN().cost(table_of(np.ones((4, 2)), 1e6))
    assert WSEPIN.needs == ("codes", "logvar")
    constant = table_of(np.random.default_rng(0).normal(size=(30, 2)), -2.0)
    constant = Representation(
        mean=constant.mean,
        factors=constant.factors * 0,
        factor_space=constant.factor_space,
        logvar=constant.logvar,
    )
    assert WSEPIN().score(constant, Draws(0, "separability")).value > 0


def test_exact_estimates_say_their_cost_and_both_share_one():
    table = table_of(np.random.default_rng(0).normal(size=(300, 2)), -1.0)
    assert WSEPIN().cost(table) is None
    assert "4.5e+05 densities" in WSEPIN(samples=300, components="all").cost(table)
    told = []
    evaluate(table, metrics="wsepin", progress=lambda *values: told.append(values))
    assert ("wsepin: draws", 2000, 2000) in told


@pytest.mark.parametrize("seed", [0, 1])
def test_the_seed_decides(seed):
    table = table_of(np.random.default_rng(0).normal(size=(300, 2)), -1.0)
    one, again, other = (
        WSEPIN(samples=100).score(
            Representation(
                mean=table.mean,
                factors=table.factors,
                factor_space=table.factor_space,
                logvar=table.logvar,
            ),
            Draws(s, "separability"),
        )
        for s in (seed, seed, seed + 1)
    )
    assert one.value == again.value != other.value


def test_densities_that_are_far_apart_do_not_swallow_others():
    # Of the first latent the others' densities are e^-1e8; the second is another matter.
    mean = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 1.0]])
    logvar = np.array([-2 * np.log(1e4), 0.0])
    found = estimate(mean, logvar, samples=40_000)
    single = estimate(mean[:, 1:], 0.0, samples=40_000)
    assert found.alone[0] == pytest.approx(np.log(3), abs=1e-6)
    # The first tells the image, so the second has nothing to add.
    assert found.beyond[1] == pytest.approx(0, abs=1e-6)
    assert found.beyond[0] == pytest.approx(np.log(3) - single.alone[0], abs=0.02)
