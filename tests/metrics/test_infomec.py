"""InfoM, InfoC and InfoE: loops over definitions, active latents, Newton's method, edges."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from reference import information_reference, tables
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import Draws, InfoC, InfoE, InfoM, Metric, NearestNeighbours, evaluate
from unweave.metrics.information.active import active_latents
from unweave.metrics.information.info_e import features_of, relative_gain
from unweave.metrics.information.infomec import concentrations, is_discrete
from unweave.representation import Representation
from unweave.spec import parse


def table_of(codes, factors):
    sizes = np.max(factors, axis=0) + 1
    space = FactorSpace(tuple(Factor(f"f{k}", int(size)) for k, size in enumerate(sizes)))
    return Representation(
        mean=np.asarray(codes, np.float32), factors=np.asarray(factors), factor_space=space
    )


def score(metric, table, seed=0):
    return metric.score(table, Draws(seed, metric.stream or metric.name))


def messy(rows=1500, seed=0):
    """Six latents, of which one hardly varies and another only in a few rows."""
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, [3, 4, 6], size=(rows, 3))
    codes = factors @ rng.normal(size=(3, 6)) + 0.5 * rng.normal(size=(rows, 6))
    codes[:, 4] *= 0.02
    codes[:, 5] = np.where(rng.random(rows) < 0.05, codes[:, 5], 0.0)
    return table_of(codes, factors)


# Which latents are active


def test_ranges_decide():
    codes = np.array([[0.0, 0, 0, 0, 2], [20, 1, 1.1, 3, 2]])
    assert active_latents(codes, "range20", False).tolist() == [True, False, True, True, False]
    assert active_latents(codes, "range8", False).tolist() == [True, False, False, True, False]


def test_ranges_between_quartiles_decide():
    # The second has a wide range, and three quarters of it in one place.
    codes = np.stack([np.arange(101.0), np.where(np.arange(101) > 90, 100.0, 0), np.full(101, 3)])
    assert active_latents(codes.T, "iqr", False).tolist() == [True, False, False]
    assert active_latents(codes.T / 1000, "iqr", True).tolist() == [False, False, False]
    assert active_latents(codes.T / 400, "iqr", True).tolist() == [True, False, False]


@pytest.mark.parametrize("rule", ["range20", "range8", "iqr"])
def test_constant_codes_are_not_active(rule):
    assert not active_latents(np.ones((5, 3)), rule, False).any()


def test_few_values_make_codes_discrete():
    few = np.tile(np.arange(10.0), (3, 100)).T
    assert is_discrete(few)
    assert not is_discrete(few, "continuous")
    many = np.random.default_rng(0).normal(size=(1000, 3))
    assert not is_discrete(many)
    assert is_discrete(many, "discrete")
    many[:, :2] = few[:, :2]
    assert not is_discrete(many), "one latent is continuous"
    assert not is_discrete(few[:20]), "ten values in twenty rows"


# InfoM and InfoC


@pytest.mark.parametrize("rule", ["range20", "range8", "iqr"])
def test_they_are_what_loops_over_their_definitions_give(rule):
    table = messy()
    settings = {"active": rule, "least": 0.0, "codes": "continuous"}
    one, other = score(InfoM(**settings), table), score(InfoC(**settings), table)
    matrix = one.matrix.values
    np.testing.assert_array_equal(matrix, other.matrix.values)
    active = np.flatnonzero(active_latents(table.mean, rule, False)).tolist()
    assert (
        active
        == {"range20": [0, 1, 2, 3, 5], "range8": [0, 1, 2, 3, 5], "iqr": [0, 1, 2, 3]}[rule]
    )
    entropy = information_reference.information(table.mean[:, :0], table.factors)[1]
    assert one.value == pytest.approx(
        information_reference.info_m(matrix.tolist(), entropy, active)
    )
    assert other.value == pytest.approx(information_reference.info_c(matrix.tolist(), active))
    assert list(one.parts) == [f"z{j}" for j in active]
    assert list(other.parts) == ["f0", "f1", "f2"]


def test_information_is_that_of_ten_neighbours_of_standardised_codes():
    from sklearn.feature_selection import mutual_info_classif

    table = messy()
    found = score(InfoM(), table).matrix.values
    codes = table.mean.astype(np.float64)[:, :5]
    codes = (codes - codes.mean(0)) / codes.std(0)
    for k in range(3):
        labels = table.factors[:, k]
        expected = mutual_info_classif(codes, labels, n_neighbors=10, random_state=0)
        np.testing.assert_allclose(found[:5, k], expected, atol=1e-6)


def test_chance_does_not_count_unless_it_is_published():
    rng = np.random.default_rng(1)
    factors = rng.integers(0, 4, size=(2000, 2))
    codes = rng.normal(size=(2000, 3))
    codes[:, 0] += 5 * factors[:, 0]
    table = table_of(codes, factors)
    assert score(InfoM(), table).parts["z1"] == 0.0
    published = score(InfoM(least=0.0), table)
    matrix = published.matrix.values[1]
    assert 0 < matrix.max() / np.log(4) < 0.02
    assert published.parts["z1"] > 0.0
    # No latent knows the second factor.
    assert score(InfoC(), table).parts == pytest.approx({"f0": 1.0, "f1": 0.0}, abs=0.05)


def test_concentration_runs_from_equal_shares_to_one_share():
    rows = np.array([[1.0, 1, 1], [0, 5, 0], [1, 1, 0], [0, 0, 0]])
    np.testing.assert_allclose(concentrations(rows), [0, 1, 0.25, 0])
    np.testing.assert_allclose(concentrations(np.array([[0.3], [0.0]])), [1, 0])


def test_one_active_latent_is_compact_about_what_it_knows():
    factors = np.indices((4, 5)).reshape(2, -1).T.repeat(20, axis=0)
    codes = np.concatenate([factors[:, :1], np.zeros((400, 2))], axis=1)
    assert score(InfoC(), table_of(codes, factors)).parts == {"f0": 1.0, "f1": 0.0}
    assert score(InfoM(), table_of(codes, factors)).value == 1.0
    one = table_of(codes, factors[:, :1])
    assert score(InfoM(), one).value == score(InfoC(), one).value == 1.0


# InfoE


def test_the_gain_is_that_of_the_best_linear_classifier():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [30, 60, 90])
    features = rng.normal(size=(180, 2)) + np.stack([labels == 1, labels == 2], axis=1)
    loss = information_reference.cross_entropy(features, labels, by_rows=True)
    found = relative_gain(features, labels, 100)
    assert 0.1 < found < 0.9
    assert found == pytest.approx(1 - loss / np.log(3), abs=1e-4)


def test_two_classes_are_as_any_other_number():
    labels = np.tile([0, 1, 1], 60)
    features = np.random.default_rng(0).normal(size=(180, 2)) + labels[:, None]
    loss = information_reference.cross_entropy(features, labels, by_rows=True)
    assert relative_gain(features, labels, 100) == pytest.approx(1 - loss / np.log(2), abs=1e-4)


@pytest.mark.filterwarnings("error")
def test_classes_that_are_far_apart_are_scored_in_silence():
    # Of some classes the probability is below the smallest number.
    table = tables.table("g1_warp")
    features = features_of(table.mean, discrete=False)
    assert relative_gain(features, table.factors[:, 1], 100) > 0.99


def test_codes_are_standardised_or_given_one_hot():
    codes = np.array([[1.0, 5, 2], [3, 5, 2.5], [1, 5, 4.5], [3, 5, 3]], np.float32)
    found = features_of(codes, discrete=False)
    np.testing.assert_allclose(found[:, 0], [-1, 1, -1, 1])
    np.testing.assert_array_equal(found[:, 1], 0)
    np.testing.assert_allclose([found[:, 2].mean(), found[:, 2].std()], [0, 1], atol=1e-12)
    found = features_of(codes, discrete=True)
    np.testing.assert_array_equal(found[:, :3], [[1, 0, 1], [0, 1, 1], [1, 0, 1], [0, 1, 1]])
    np.testing.assert_array_equal(found[:, 3:].sum(1), 1)
    assert found.shape == (4, 7)


def test_parity_is_explicit_one_hot_and_not_on_a_line():
    codes = np.repeat(np.arange(8), 50)[:, None]
    table = table_of(codes, codes % 2)
    assert score(InfoE(codes="discrete"), table).value > 0.99
    assert score(InfoE(codes="continuous"), table).value < 0.1


def test_it_is_the_log_loss_of_the_published_code():
    # Classes weigh the same in the fit, rows in the score; nothing known is the fit to nothing.
    table = messy()
    features = features_of(table.mean, discrete=False)
    expected = {}
    for name, labels in zip(table.factor_space.names, table.factors.T, strict=True):
        balanced = LogisticRegression(C=np.inf, class_weight="balanced")
        known, nothing = (
            log_loss(labels, balanced.fit(seen, labels).predict_proba(seen))
            for seen in (features, np.zeros_like(features))
        )
        expected[name] = (nothing - known) / nothing
    assert score(InfoE(), table).parts == pytest.approx(expected, abs=1e-9)


def test_classes_weigh_the_same_and_random_codes_gain_little():
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(4000) < 0.02, 1, 0)
    table = table_of(rng.normal(size=(4000, 3)), labels[:, None])
    assert 0 <= score(InfoE(), table).value < 0.05


def test_constant_factors_are_left_out_and_all_of_them_refused():
    table = messy()
    space = FactorSpace((*table.factor_space.factors, Factor("f3", 2)))
    factors = np.concatenate([table.factors, np.zeros((len(table), 1), np.int64)], axis=1)
    more = Representation(mean=table.mean, factors=factors, factor_space=space)
    assert score(InfoE(), more).parts == score(InfoE(), table).parts
    constant = Representation(
        mean=table.mean, factors=factors[:, :3] * 0, factor_space=table.factor_space
    )
    with pytest.raises(DataError, match="info_e needs a factor that varies"):
        score(InfoE(), constant)


def test_constant_codes_explain_nothing():
    table = messy()
    dead = table_of(np.zeros((len(table), 2)), table.factors)
    for codes in ("continuous", "discrete"):
        assert score(InfoE(codes=codes), dead).value == pytest.approx(0, abs=1e-6)


def test_linear_classifiers_say_their_number():
    assert InfoE().cost(messy()) == "3 linear classifiers of 1,500 rows to fit"
    assert "of 700 rows" in InfoE(samples=700).cost(messy())


# Protocols


def test_the_two_papers_differ_in_which_latents_count():
    table = messy()
    names = ("info_m", "info_c", "info_e")
    qlae = evaluate(table, metrics=names, protocol="qlae2023")
    tripod = evaluate(table, metrics=names, protocol="tripod2024")
    assert list(qlae["info_m"].parts) == ["z0", "z1", "z2", "z3", "z5"]
    assert list(tripod["info_m"].parts) == ["z0", "z1", "z2", "z3"]
    assert qlae["info_e"].value == tripod["info_e"].value
    found = NearestNeighbours(neighbours=10).estimate(table, Draws(0, "x"))
    np.testing.assert_allclose(qlae["info_m"].matrix.values, found.information, atol=0.02)


@pytest.mark.parametrize(
    "text", ["info_m(neighbours=0)", "info_c(active=all)", "info_e(codes=maybe)"]
)
def test_settings_that_are_refused(text):
    with pytest.raises(SpecError, match=r"(neighbours|active|codes)"):
        parse(text, Metric)
