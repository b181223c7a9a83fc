"""SAP of classes and of numbers: an optimiser, plain correlations, published values."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from reference import predictability_reference as plain
from reference import tables
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import SAP, Metric, SAPContinuous
from unweave.metrics.draws import Draws
from unweave.metrics.predictive.sap import gaps, svc_accuracies
from unweave.metrics.predictive.sap_continuous import squared_correlations
from unweave.representation import Representation
from unweave.spec import parse

BOTH = pytest.mark.parametrize("metric", [SAP(), SAPContinuous()], ids=str)


def space_of(*sizes):
    return FactorSpace(tuple(Factor(f"f{k}", size) for k, size in enumerate(sizes)))


SPACE = space_of(2, 3, 4)


def grid(space=SPACE, repeats=20):
    return space.unravel(np.tile(np.arange(space.size), repeats))


def score(metric, codes, factors=None, space=SPACE, seed=0):
    factors = grid(space) if factors is None else factors
    codes = np.asarray(codes, dtype=np.float32)
    table = Representation(mean=codes, factors=factors, factor_space=space)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return metric.score(table, Draws(seed, metric.name))


def followed(noise, seed=0):
    """Three latents that follow the factors under noise, and one that follows the first two."""
    rng = np.random.default_rng(seed)
    factors = grid()
    codes = factors + rng.normal(0, noise, factors.shape)
    return np.column_stack([codes, factors[:, 0] - factors[:, 1] + rng.normal(size=len(factors))])


# Independent computation


def test_accuracies_are_those_of_classifiers_that_a_general_optimiser_finds():
    codes, factors = followed(0.5), grid()
    train, test = np.arange(0, 480, 2), np.arange(1, 480, 2)
    found = svc_accuracies((codes[train], factors[train]), (codes[test], factors[test]))
    for j in range(4):
        for k in range(3):
            expected = plain.svc_accuracy(
                codes[train, j].tolist(),
                factors[train, k].tolist(),
                codes[test, j].tolist(),
                factors[test, k].tolist(),
            )
            assert found[j, k] == pytest.approx(expected, abs=1.5 / len(test)), (j, k)


def test_the_dual_solver_finds_the_same_classifiers_whatever_its_draws():
    codes, factors = followed(0.5), grid()
    sets = (codes[::2], factors[::2]), (codes[1::2], factors[1::2])
    primal = svc_accuracies(*sets)
    for seed in (0, 1):
        dual = svc_accuracies(*sets, np.random.RandomState(seed))
        np.testing.assert_allclose(dual, primal, atol=1.5 / len(sets[1][0]))


def test_the_dual_solver_gives_the_same_score_each_time():
    # Its generator is one for the process, so that fits side by side would take from each other.
    scores = {
        SAP(compat="dlib2019").score(tables.table("g2_missing"), Draws(1, "sap")).value
        for _ in range(4)
    }
    assert len(scores) == 1


def test_without_compat_the_scale_of_a_latent_does_not_matter():
    codes = followed(0.5)
    expected = score(SAP(), codes)
    for scale in ([1e-18, 1, 1e6, 1e12], [1e-30, 1e30, 1, 1]):
        assert score(SAP(), codes * scale).parts == pytest.approx(expected.parts, abs=1e-9)


def test_with_compat_codes_on_which_the_solver_would_not_end_are_refused():
    codes, factors = followed(0.5), grid()
    rows = Representation(mean=codes * 1e150, factors=factors, factor_space=SPACE)
    with pytest.raises(DataError, match="does not end on codes above 1e\\+30"):
        SAP(share=0.9, compat="dlib").score(rows, Draws(0, "sap"))


def test_correlations_are_plain_ones():
    codes, factors = followed(0.5), grid()
    found = squared_correlations(np.float32(codes), factors)
    for j in range(4):
        for k in range(3):
            expected = plain.squared_correlation(np.float32(codes[:, j]), factors[:, k])
            assert found[j, k] == pytest.approx(expected, abs=1e-12)


def test_correlations_of_constants():
    factors = grid(space_of(2, 1, 3))
    codes = np.stack([factors[:, 0] * 1e-30, np.full(len(factors), 0.1), factors[:, 2]], axis=1)
    found = squared_correlations(codes, factors)
    assert found[:, 0].tolist() == pytest.approx([1, 0, 0], abs=1e-12)
    assert np.isnan(found[:, 1]).all()
    for scale in (1e-160, 1e160):
        np.testing.assert_allclose(squared_correlations(codes * scale, factors), found, atol=1e-12)
    # The reference takes a latent of such a small variance for constant.
    assert squared_correlations(codes, factors, 1e-12)[0, 0] == 0


def test_a_gap_is_between_the_best_two():
    assert gaps(np.array([[0.1, 0.9], [0.7, 0.2], [0.4, 0.9]])) == pytest.approx([0.3, 0.0])


# Closed forms


def test_numbers_that_copy_the_factors_score_one_and_twice_the_same_zero():
    assert score(SAPContinuous(), grid()).value == pytest.approx(1.0)
    twice = np.concatenate([grid(), -2 * grid()], axis=1)
    assert score(SAPContinuous(), twice).value == pytest.approx(0.0, abs=1e-12)


def test_a_latent_that_copies_a_factor_of_two_values_parts_them():
    codes = np.column_stack([10 * grid()[:, 0], np.zeros(480)])
    found = score(SAP(train=240, test=240), codes)
    assert found.matrix.values[0, 0] == 1.0
    # A constant code gives one answer, which is right where that value stands.
    assert found.parts["f0"] == pytest.approx(0.5, abs=0.1)
    assert found.parts["f0"] == pytest.approx(1 - found.matrix.values[1, 0])


def test_two_equal_latents_score_zero():
    found = score(SAP(), np.concatenate([grid(), grid()], axis=1))
    assert found.value == 0.0
    assert found.parts == {"f0": 0.0, "f1": 0.0, "f2": 0.0}


def test_the_value_is_the_mean_of_the_gaps_of_the_matrix():
    for metric in (SAP(), SAPContinuous()):
        found = score(metric, followed(0.4))
        ranked = np.sort(found.matrix.values, axis=0)
        assert list(found.parts.values()) == pytest.approx(ranked[-1] - ranked[-2])
        assert found.value == pytest.approx(np.mean(ranked[-1] - ranked[-2]))


def test_classes_are_tested_on_rows_that_were_not_fitted():
    # Codes that tell every row, and nothing that carries over to others.
    rng = np.random.default_rng(0)
    factors = rng.integers(4, size=(400, 1))
    found = score(SAP(), rng.normal(size=(400, 8)), factors, space_of(4))
    assert found.matrix.values.max() < 0.5


# The sign, the order, and the fixed share


@BOTH
def test_neither_sign_nor_order_of_latents_matters(metric):
    codes = followed(0.4)
    again = score(metric, codes[:, [2, 3, 0, 1]] * [1, -1, -1, 1])
    assert again.value == pytest.approx(score(metric, codes).value, abs=1e-9)


def test_a_share_takes_the_first_rows_as_they_stand():
    codes, factors = followed(0.5)[:105], grid()[:105]
    found = score(SAP(share=0.9), codes, factors)
    # 94.5 rows are rounded up.
    mean, spread = np.float32(codes[:95]).mean(axis=0), np.float32(codes[:95]).std(axis=0)
    scaled = (np.float32(codes) - mean) / spread
    expected = svc_accuracies((scaled[:95], factors[:95]), (scaled[95:], factors[95:]))
    np.testing.assert_allclose(found.matrix.values, expected, atol=1e-12)
    assert score(SAP(share=0.9), codes, factors, seed=5).value == found.value
    published = score(SAP(share=0.9, compat="dlib"), codes, factors)
    raw = np.float32(codes)
    accuracies = svc_accuracies((raw[:95], factors[:95]), (raw[95:], factors[95:]))
    assert published.parts == {"SAP_score": gaps(accuracies).mean()}


# Degenerate input


@BOTH
def test_a_factor_that_is_constant_is_left_out(metric):
    space = space_of(3, 1, 4)
    found = score(metric, grid(space) + 0.0, grid(space), space)
    assert list(found.parts) == ["f0", "f2"]
    assert found.matrix.values[:, 1].tolist() == [0, 0, 0]
    assert found.value == pytest.approx(np.mean(list(found.parts.values())))


@BOTH
def test_one_latent_is_refused(metric):
    with pytest.raises(DataError, match="compares two latents, but the representation has only"):
        score(metric, grid()[:, :1])


@BOTH
def test_factors_that_are_all_constant_are_refused(metric):
    with pytest.raises(DataError, match="every factor is constant here"):
        score(metric, np.random.default_rng(0).normal(size=(9, 2)), np.zeros((9, 3), np.int64))


@BOTH
@pytest.mark.parametrize("compat", ["dlib", "dlib2019"])
def test_published_draws_need_the_full_grid(metric, compat):
    settings = {"samples": 50} if isinstance(metric, SAPContinuous) else {}
    with pytest.raises(DataError, match="draw from the full grid of 24"):
        score(type(metric)(compat=compat, **settings), grid()[:20], grid()[:20])


def test_a_value_that_training_lacks_is_never_found():
    factors = np.repeat([[0], [1], [2]], [50, 50, 12], axis=0)
    found = score(
        SAP(share=0.9), np.concatenate([factors, -factors], axis=1), factors, space_of(3)
    )
    assert found.value == 0.0
    assert found.matrix.values.tolist() == [[0.0], [0.0]]


def test_training_rows_of_one_value_are_refused():
    factors = np.array([[0]] * 9 + [[1]])
    with pytest.raises(DataError, match="in these 9 rows every factor is constant"):
        score(SAP(share=0.9), np.random.default_rng(0).normal(size=(10, 2)), factors, space_of(2))


def test_a_share_that_leaves_no_row_to_test_on_is_refused():
    with pytest.raises(DataError, match=r"0\.9 of 5 rows to fit on leaves none to test on"):
        score(SAP(share=0.9), grid()[:5], grid()[:5])


@pytest.mark.parametrize("text", ["sap(train=1)", "sap(test=0)", "sap(share=1)", "sap(share=0)"])
def test_settings_that_are_refused(text):
    with pytest.raises(SpecError, match=r"sap: (train|test|share) "):
        parse(text, Metric)


# Published values, seed 0 where no other is said


PUBLISHED = [
    (SAP(compat="dlib"), "g1_dup", 0.0366),
    (SAP(compat="dlib"), "g2_noisy", 0.32845),
    (SAP(compat="dlib"), "g2_mixed", 0.346),
    (SAP(compat="dlib"), "g2_missing", 0.3822),
    (SAP(compat="dlib2019"), "g2_noisy", 0.32845),
    (SAPContinuous(samples=10_000, compat="dlib"), "g1_perfect", 0.9993911300086806),
    (SAPContinuous(samples=10_000, compat="dlib"), "g1_dup", 0.00039325733989024057),
    (SAPContinuous(samples=10_000, compat="dlib"), "g2_noisy", 0.829443641734432),
    (SAPContinuous(samples=10_000, compat="dlib2019"), "g2_mixed", 0.710145127683487),
    (SAPContinuous(samples=10_000, compat="dlib"), "g2_missing", 0.7108681674521852),
]


@pytest.mark.parametrize(("metric", "name", "published"), PUBLISHED, ids=str)
def test_it_is_the_published_value(metric, name, published):
    found = metric.score(tables.table(name), Draws(0, metric.name))
    assert found.parts == pytest.approx({"SAP_score": published}, abs=1e-9)
    assert found.value == found.parts["SAP_score"]


@pytest.mark.parametrize(
    ("metric", "key", "protocol", "tolerance"),
    [
        (SAP(compat="dlib"), "sap", "dlib", 1e-9),
        # The dual solver of 2019 shuffled with the C library's generator: a few test rows that
        # lie on a boundary, of 5,000 for each factor.
        (SAP(compat="dlib2019"), "sap", "dlib2019", 2e-4),
        (SAPContinuous(samples=10_000, compat="dlib"), "sap_continuous", "dlib", 1e-9),
        (SAPContinuous(samples=10_000, compat="dlib2019"), "sap_continuous", "dlib2019", 1e-9),
    ],
    ids=str,
)
@tables.SEEDS
def test_every_published_value(reference, name, metric, key, protocol, tolerance, seeds):
    published = tables.published(reference, name, key, protocol)
    assert len(published) == 5
    for seed, values in list(published.items())[seeds]:
        found = metric.score(tables.table(name), Draws(seed, metric.name)).parts
        assert found == pytest.approx(values, abs=tolerance)
