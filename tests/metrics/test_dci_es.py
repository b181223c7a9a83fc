"""Ease of use: areas under losses, probes of growing capacity, and what they say of codes."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.neural_network import MLPClassifier

from reference import ease_reference
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import (
    DCIES,
    ForestProbes,
    FourierProbes,
    NetworkProbes,
    ProbeFamily,
)
from unweave.metrics.dci import ease
from unweave.metrics.dci.curves import Curve, Examples, follow, loss
from unweave.metrics.dci.ease import ease_of_use
from unweave.metrics.dci.probes import Target
from unweave.metrics.draws import Draws
from unweave.metrics.sampling import RowSampler
from unweave.representation import Representation
from unweave.spec import parse

SPACE = FactorSpace(
    (
        Factor("shape", 3, kind="categorical"),
        Factor("size", 6),
        Factor("turn", 8, kind="circular"),
    )
)
FEW = FourierProbes(features=(0, 8, 32))


def factors_of(rows=1200, space=SPACE, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([rng.integers(size, size=rows) for size in space.sizes], axis=1)


def linear(factors):
    """Codes from which a linear model reads every factor, an indicator for each shape."""
    angle = 2 * np.pi * factors[:, 2] / 8
    shapes = factors[:, :1] == np.arange(3)
    return np.column_stack([shapes, factors[:, 1], np.cos(angle), np.sin(angle)]).astype(float)


def table_of(codes, factors, space=SPACE):
    return Representation(mean=np.float32(codes), factors=factors, factor_space=space)


def score(metric, table, seed=0):
    return metric.score(table, Draws(seed, metric.name))


# The area


@pytest.mark.parametrize(
    ("capacities", "least", "baseline", "best", "expected"),
    [
        # All at once; never; evenly, however far apart the probes are.
        ((0, 1, 5), (0.0, 0.0, 0.0), 2.0, "zero", 1.0),
        ((0, 1, 5), (2.0, 2.0, 2.0), 2.0, "zero", -1.0),
        ((0, 1, 5), (2.0, 1.6, 0.0), 2.0, "zero", 0.0),
        # Half of it at once, and no more: above 0 it is twice the triangle's half.
        ((0, 3), (0.5, 0.5), 1.0, "zero", 0.0),
        ((0, 3), (0.5, 0.5), 1.0, "least", 1.0),
        ((0, 3), (0.5, 0.5), 1.0, "released", 1.0),
        # Two trapezia, of 0.75 and 0.25, above 0; a triangle of 0.5 and nothing above 0.25.
        ((0, 1, 2), (1.0, 0.5, 0.0), 1.0, "zero", 0.0),
        ((0, 1, 2), (1.0, 0.25, 0.25), 1.0, "least", 1 - 0.375 / 0.75),
        ((0, 1, 2), (1.0, 0.25, 0.25), 1.0, "released", 1 - 0.375),
        # Nothing found: no ease without it, all there is to find where it does not count.
        ((0, 1), (1.0, 1.0), 1.0, "least", -1.0),
        ((0, 1), (1.0, 1.0), 1.0, "released", 1.0),
    ],
)
def test_areas_in_closed_form(capacities, least, baseline, best, expected):
    found = ease_of_use(np.array(capacities, float), np.array(least), baseline, best)
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_areas_are_those_of_many_strips(seed):
    rng = np.random.default_rng(seed)
    capacities = np.sort(rng.uniform(0, 9, 6))
    curve = Curve(capacities, rng.uniform(0, 1.5, 6), 1.2, np.zeros(1))
    for best, level in (("zero", 0.0), ("least", curve.losses.min())):
        found = ease_of_use(capacities, curve.least, 1.2, best)
        expected = ease_reference.ease(capacities, curve.losses, 1.2, level)
        assert found == pytest.approx(expected, abs=1e-4)
        assert -1 <= found <= 1


def test_the_loss_of_a_larger_probe_is_no_more_than_that_of_a_smaller():
    curve = Curve(np.arange(4.0), np.array([1.5, 0.4, 0.6, 0.3]), 0.9, np.zeros(1))
    assert curve.least.tolist() == [0.9, 0.4, 0.4, 0.3]


# Losses


def test_losses_by_hand():
    classes = Target(np.eye(3)[[0, 1, 2, 2]], classes=True)
    found = np.array([[0.9, 0.1, 0], [0.4, 0.5, 0.3], [0.5, 0.1, 0.4], [0, 0, 0.1]])
    assert loss(classes, found, found[0]) == 0.25
    numbers = Target(np.array([[1.0], [3.0]]), classes=False)
    assert loss(numbers, np.array([[1.0], [2.0]]), np.array([1.0])) == 0.25
    assert loss(numbers, np.array([[1.0], [1.0]]), np.array([1.0])) == 1.0


def test_the_best_constant_is_that_of_the_rows_fitted():
    codes = np.zeros((4, 1), np.float32)
    shape, size = SPACE.factors[0], SPACE.factors[1]
    fitted, tested = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 2])
    # Three of four shapes are not the commonest one; numbers have all their variance left.
    assert Examples.of(shape, fitted, codes, tested, np.arange(4)).baseline == 0.75
    assert Examples.of(size, fitted, codes, tested, np.arange(4)).baseline == 1.0


# Probes


def test_fourier_probes_are_least_squares_as_they_stand():
    factors = factors_of(300)
    rng = np.random.default_rng(1)
    codes = np.float32(rng.normal(size=(300, 4)))
    codes[:, 0] += np.float32(np.sin(factors[:, 1]))
    codes[:, 2] = 0
    examples = Examples.of(
        SPACE.factors[1], factors[:200, 1], codes[200:], factors[200:, 1], np.arange(100) - 1
    )
    family = FourierProbes(features=(0, 5, 40), frequency=0.7, ridge=0.01)
    curve = follow(examples, family.start(codes[:200], np.random.RandomState(3)))
    state = np.random.RandomState(3)
    w, b = 0.7 * state.normal(size=(4, 40)), state.uniform(0, 2 * np.pi, size=40)
    values, mean = examples.fitted.values, examples.fitted.values.mean(axis=0)

    def predict(rows, size):
        return ease_reference.fourier_probe(
            codes[:200].astype(float), values, rows, w[:, :size], b[:size], 0.01
        )

    for p, size in enumerate((0, 5, 40)):
        expected = ease_reference.unexplained(
            examples.tested.values, predict(codes[200:].astype(float), size), mean
        )
        assert curve.losses[p] == pytest.approx(expected, abs=1e-5)
        # Three latents that vary, so many features and a constant.
        assert curve.capacities[p] == pytest.approx(np.log(3 + size + 1))
    best = (0, 5, 40)[int(curve.losses.argmin())]
    expected = ease_reference.importances(
        lambda rows: predict(rows, best), codes[200:].astype(float), examples.tested.values, mean
    )
    np.testing.assert_allclose(curve.importances, expected, atol=1e-5)
    assert expected.max() > 0.1


def test_forests_and_networks_are_those_of_scikit_learn():
    factors = factors_of(400)
    codes = np.float32(linear(factors) + np.random.default_rng(0).normal(0, 0.3, (400, 6)))
    rows = (factors[:300], codes[300:], factors[300:], np.arange(100))

    def curve(k, family):
        fitted, others, tested, order = rows
        examples = Examples.of(SPACE.factors[k], fitted[:, k], others, tested[:, k], order)
        return follow(examples, family.start(codes[:300], np.random.RandomState(5)))

    found = curve(1, ForestProbes(depths=(3, 1), size=7))
    state = np.random.RandomState(5)
    assert found.capacities.tolist() == [1.0, 3.0]
    for p, depth in enumerate((1, 3)):
        forest = RandomForestRegressor(7, max_depth=depth, random_state=state)
        forest.fit(codes[:300], factors[:300, 1])
        rest = (forest.predict(codes[300:]) - factors[300:, 1]) ** 2
        whole = (factors[300:, 1] - factors[:300, 1].mean()) ** 2
        assert found.losses[p] == pytest.approx(rest.sum() / whole.sum(), abs=1e-9)

    found = curve(0, NetworkProbes(widths=(0, 2), epochs=3))
    state = np.random.RandomState(5)
    np.testing.assert_allclose(
        found.capacities, np.log([7 * 3, 7 * 2 + 3 * 2 + 3 * 3]), rtol=1e-12
    )
    for p, layers in enumerate(((), (2, 2))):
        network = MLPClassifier(
            layers, max_iter=3, n_iter_no_change=3, learning_rate_init=0.01, random_state=state
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network.fit(codes[:300], factors[:300, 0])
        wrong = network.predict(codes[300:]) != factors[300:, 0]
        assert found.losses[p] == pytest.approx(wrong.mean())


def test_classes_that_no_row_to_fit_has_are_missed():
    factors = factors_of(200)
    codes = np.float32(linear(factors))
    seen = factors[:, 0] < 2
    for family in (ForestProbes(depths=(2, 4), size=5), NetworkProbes(epochs=20)):
        examples = Examples.of(
            SPACE.factors[0], factors[seen, 0], codes, factors[:, 0], np.arange(200)
        )
        found = follow(examples, family.start(codes[seen], np.random.RandomState(0)))
        assert found.least[-1] == pytest.approx(1 - seen.mean())


@pytest.mark.parametrize("probes", [FEW, ForestProbes(size=2), NetworkProbes(epochs=2)])
@pytest.mark.parametrize("classes", [True, False])
def test_what_is_always_the_same_is_found(probes, classes):
    codes = np.random.default_rng(0).normal(size=(30, 2)).astype(np.float32)
    target = Target(np.tile([0.0, 1.0], (30, 1)), classes)
    found = [
        each.predict(codes[:4]) for each in probes.start(codes, np.random.RandomState(0))(target)
    ]
    assert len(found) == len(probes.steps)
    np.testing.assert_allclose(found, np.tile([0.0, 1.0], (len(found), 4, 1)), atol=1e-12)


@pytest.mark.parametrize(
    "text",
    ["fourier_probes(features=(4,))", "forest_probes(depths=())", "network_probes(widths=(3, 3))"],
)
def test_a_single_capacity_is_refused(text):
    with pytest.raises(SpecError, match="needs at least two different capacities, and there"):
        parse(text, ProbeFamily)


def test_latents_that_repeat_each_other_are_fitted_at_the_smallest_ridge():
    factors = factors_of(300)
    codes = np.repeat(linear(factors), 2, axis=1)
    for features in ((0, 4), (0, 500)):
        probes = FourierProbes(features=features, ridge=1e-9)
        assert score(DCIES(probes=probes), table_of(codes, factors)).value > 0.999


# The metric


def test_what_a_linear_model_reads_is_easy_and_rotation_does_not_matter():
    factors = factors_of()
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]
    for codes in (linear(factors), linear(factors) @ rotation):
        for best in ("zero", "least", "released"):
            found = score(DCIES(probes=FEW, best=best), table_of(codes, factors))
            assert found.value == pytest.approx(1, abs=1e-4)
            assert found.parts["informativeness_test"] == pytest.approx(1, abs=1e-4)
    turned = found.parts["disentanglement"]
    assert turned < 0.5 < 0.99 < score(DCIES(probes=FEW), table_of(linear(factors), factors)).value


def test_the_more_bent_codes_are_the_less_easy():
    factors = factors_of(3000)
    rng = np.random.default_rng(0)
    straight = linear(factors)
    straight = (straight - straight.mean(axis=0)) / straight.std(axis=0)
    mixed = straight @ np.linalg.qr(rng.normal(size=(6, 6)))[0]
    tables = [
        straight,
        np.sin(1.5 * mixed),
        np.sin(2 * mixed),
        np.sin(4 * mixed),
        rng.normal(size=straight.shape),
    ]
    found = [score(DCIES(), table_of(codes, factors)) for codes in tables]
    values = [each.value for each in found]
    assert all(one > other + 0.02 for one, other in pairwise(values))
    assert values[-1] < -0.9
    # All is in them, and found by the largest probes.
    assert all(each.parts["informativeness_test"] > 0.98 for each in found[:4])
    # What is found of noise is chance; it is what is missing that makes the released form full.
    noise = score(DCIES(best="released"), table_of(tables[-1], factors))
    assert noise.value > 0.9


def test_what_it_says_beside_the_value():
    factors = factors_of()
    codes = np.column_stack([linear(factors), np.zeros(len(factors)), factors[:, 0] % 2])
    found = score(DCIES(probes=FEW), table_of(codes, factors))
    assert found.parts["size"] == 3 / 8
    assert list(found.parts)[:4] == [
        "size",
        "informativeness_test",
        "disentanglement",
        "completeness",
    ]
    assert found.matrix.rows == ("shape", "size", "turn")
    assert found.matrix.columns == ("linear", "8 features", "32 features")
    for k, name in enumerate(found.matrix.rows):
        first, least = (found.parts[f"{which}_loss_{name}"] for which in ("first", "least"))
        assert first == found.matrix.values[k, 0]
        assert least == found.matrix.values[k].min()
    assert found.value == pytest.approx(
        np.mean([found.parts[f"ease_{name}"] for name in found.matrix.rows])
    )
    # No latent is of two factors; two factors are of more than one latent.
    assert found.parts["disentanglement"] > 0.99
    assert 0.5 < found.parts["completeness"] < 0.9


def test_what_is_not_found_makes_no_latent_look_disentangled():
    factors = factors_of(2000)
    codes = np.random.default_rng(1).normal(size=(2000, 6))
    found = score(DCIES(), table_of(codes, factors))
    assert found.value < -0.9
    assert found.parts["disentanglement"] < 0.3
    dead = score(DCIES(), table_of(np.zeros((2000, 2)), factors))
    assert dead.value == -1
    assert dead.parts["disentanglement"] == dead.parts["completeness"] == 0
    assert dead.parts["least_loss_size"] == 1


def test_the_rows_are_those_of_the_sampler(monkeypatch):
    factors = factors_of()
    codes = np.float32(linear(factors))
    seen, start = [], FourierProbes.start

    def seeing(self, codes, random_state):
        seen.append(codes)
        return start(self, codes, random_state)

    monkeypatch.setattr(FourierProbes, "start", seeing)
    score(DCIES(probes=FEW, train=100, test=50), table_of(codes, factors), 4)
    train, _ = RowSampler(factors, Draws(4, "dci_es")).split(100, 50)
    chosen = codes[train].astype(float)
    np.testing.assert_allclose(
        seen[0], (chosen - chosen.mean(axis=0)) / chosen.std(axis=0), atol=1e-5
    )


@pytest.mark.parametrize(
    "probes", [FEW, ForestProbes(depths=(1, 3), size=5), NetworkProbes(widths=(0, 4), epochs=2)]
)
def test_degenerate_tables_are_scored(probes):
    metric = DCIES(probes=probes)
    factors = factors_of(40)
    codes = linear(factors)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = score(metric, table_of(codes[:, 3:4], factors))
        constant = score(metric, table_of(codes, factors * [1, 1, 0]))
        few = score(metric, table_of(codes[:6], factors[:6]))
        dead = score(metric, table_of(np.zeros((40, 3)), factors))
    assert one.parts["size"] == 3
    assert constant.matrix.rows == ("shape", "size")
    assert not any("turn" in name for name in constant.parts)
    for found in (one, constant, few, dead):
        assert -1 <= found.value <= 1
        assert np.isfinite(found.matrix.values).all()


def test_tables_that_say_nothing_are_refused():
    factors = factors_of(40)
    with pytest.raises(DataError, match="every factor is constant"):
        score(DCIES(), table_of(linear(factors), factors * 0))
    # The only row with another shape is either fitted or tested.
    single = FactorSpace((Factor("shape", 3, kind="categorical"),))
    labels = np.zeros((40, 1), np.int64)
    labels[7] = 1
    with pytest.raises(DataError, match=r"dci_es (needs a factor that varies|fits 27 rows)"):
        score(DCIES(), table_of(linear(factors), labels, single))


def test_progress_counts_probes_and_cost_is_said_of_long_work(monkeypatch):
    factors = factors_of()
    table = table_of(linear(factors), factors)
    metric = DCIES(probes=FEW)
    steps = []
    metric.prepare(table, Draws(0, "dci_es"), lambda *step: steps.append(step))
    assert steps == [("probes", done, 9) for done in range(1, 10)]
    assert metric.cost(table) is None
    monkeypatch.setattr(ease, "_WORTH_SAYING", 0.0)
    monkeypatch.setattr(ease, "_FEW", 300)
    assert DCIES(probes=FEW, train=900).cost(table) == "9 probes to fit, about 1 s"
