"""Readouts of factors against exact fractions, scikit-learn, and codes that are known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import r2_score

import unweave
from reference import readouts_reference as slow
from reference.hand_made import HandMade, subject_of
from session.runs import MINI, TINY, cli
from unweave.analysis import FactorR2
from unweave.analysis.readouts import fit_readout, targets_of
from unweave.analysis.tables import CodeTable
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.objectives import parse_objective

WHOLE = "dsprites(grid=(3, 1, 1, 8, 8))"
RULE = "shape == 'square' and pos_x > 0.5"
TRAINED = f"without(data={WHOLE}, where={RULE!r})"
HELD_OUT = f"only(data={WHOLE}, where={RULE!r})"
LINEAR = FactorR2(readout="linear")

SPACE = FactorSpace(
    (
        Factor("hue", 5, None, "circular"),
        Factor("shape", 4, None, "categorical", labels=("cube", "ball", "cone", "ring")),
        Factor("size", 3, (0.5, 0.75, 1.5)),
        Factor("fixed", 2),
    )
)


def drawn(count, seed, values=(5, 4, 3, 1)):
    """Rows with these factors, and codes that say something of each."""
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, values, (count, 4))
    turn = 2 * np.pi * factors[:, 0] / 5
    codes = np.stack(
        [np.sin(turn), factors[:, 1] ** 2, factors[:, 2] + np.cos(turn), 3 * factors[:, 1]], axis=1
    )
    codes += rng.normal(0, 0.4, codes.shape)
    return CodeTable(np.float32(codes).astype(np.float64), factors, SPACE)


def linear(train, test):
    wanted = targets_of(train, test)
    return wanted, fit_readout("linear", train, test, wanted, 0)


@pytest.mark.parametrize("seen", [4, 3], ids=["every shape", "a shape that is not trained on"])
def test_the_linear_readout_is_that_of_exact_fractions(seen):
    train, test = drawn(60, 0, (5, seen, 3, 1)), drawn(25, 1)
    wanted, found = linear(train, test)
    assert [target.factor.name for target in wanted] == ["hue", "shape", "size"]
    for k, (target, numbers) in enumerate(zip(wanted, found, strict=True)):
        factor = SPACE.factors[k]
        values = factor.values or range(factor.size)
        told, true = (
            [slow.numbers(factor.kind, values, index) for index in table.factors[:, k]]
            for table in (train, test)
        )
        columns = [
            slow.least_squares(train.codes, [row[t] for row in told], test.codes)
            for t in range(len(told[0]))
        ]
        hand = list(zip(*columns, strict=True))
        np.testing.assert_allclose(numbers, hand, rtol=1e-9, atol=1e-9)
        assert target.r2(numbers) == pytest.approx(slow.r2(hand, true, told), rel=1e-9)
        if factor.kind == "categorical":
            expected = slow.accuracy(hand, test.factors[:, k], set(train.factors[:, k].tolist()))
            assert target.accuracy(numbers) == pytest.approx(expected)
            assert 0 < expected < 1
        else:
            assert target.accuracy(numbers) is None


def test_it_is_the_usual_coefficient_where_variances_are_equal():
    table = drawn(200, 2)
    for target, numbers in zip(*linear(table, table), strict=True):
        usual = r2_score(target.test, numbers, multioutput="variance_weighted")
        assert target.r2(numbers) == pytest.approx(usual, rel=1e-12)
        assert 0.05 < usual < 1


def test_the_variance_is_that_of_the_rows_fitted_to():
    # Two sizes of three, a step of 0.25 apart: half of it is the error of their mean.
    train = drawn(500, 3)
    test = drawn(40, 4, (5, 4, 1, 1))
    [target] = [each for each in targets_of(train, test) if each.factor.name == "size"]
    variance = np.var(np.array([0.5, 0.75, 1.5])[train.factors[:, 2]])
    found = np.full((40, 1), 0.6)
    assert target.r2(found) == pytest.approx(1 - 0.01 / variance)


@pytest.mark.parametrize("turn", [0, 1, 3])
def test_r2_of_a_circle_does_not_depend_on_where_it_begins(turn):
    # Only three of five hues are trained on, so that cosine and sine vary differently.
    train, test = drawn(300, 5, (3, 4, 3, 1)), drawn(80, 6)
    for table in (train, test):
        table.factors[:, 0] = (table.factors[:, 0] + turn) % 5
    wanted, found = linear(train, test)
    assert wanted[0].factor.name == "hue"
    before = drawn(300, 5, (3, 4, 3, 1)), drawn(80, 6)
    plain = linear(*before)
    assert wanted[0].r2(found[0]) == pytest.approx(plain[0][0].r2(plain[1][0]), rel=1e-9)


def test_scale_and_shift_of_latents_are_nothing_and_one_that_never_moves_says_nothing():
    train, test = drawn(300, 7), drawn(80, 8)
    moved = [
        dataclasses.replace(
            table,
            codes=np.c_[table.codes * [1e-4, 1, 50, -3] + [0, 9, 0, 1], np.full(len(table), 7)],
        )
        for table in (train, test)
    ]
    moved[1].codes[:, 4] = 1e9
    for plain, other in zip(linear(train, test)[1], linear(*moved)[1], strict=True):
        np.testing.assert_allclose(plain, other, rtol=1e-8, atol=1e-8)


def test_a_network_finds_what_no_line_finds():
    rng = np.random.default_rng(9)
    space = FactorSpace((Factor("pos", 9), Factor("side", 2, None, "categorical")))

    def table(count):
        factors = rng.integers(0, (9, 2), (count, 2))
        # The sign is that of the side: pos is an absolute value, and side a sign.
        codes = (factors[:, :1] + 1.0) * (2 * factors[:, 1:] - 1)
        return CodeTable(codes + rng.normal(0, 0.05, codes.shape), factors, space)

    train, test = table(2000), table(500)
    wanted = targets_of(train, test)
    by_line, by_network = (
        [target.r2(each) for target, each in zip(wanted, fit_readout(*given), strict=True)]
        for given in (
            ("linear", train, test, wanted, 0), ("mlp", train, test, wanted, 3),
        )
    )  # fmt: skip
    assert abs(by_line[0]) < 0.05
    assert by_line[1] < 0.9
    assert min(by_network) > 0.97
    again = fit_readout("mlp", train, test, wanted, 3)
    other = fit_readout("mlp", train, test, wanted, 4)
    assert [t.r2(each) for t, each in zip(wanted, again, strict=True)] == by_network
    assert wanted[0].r2(other[0]) != by_network[0]


# Analyses of a model that encodes images as a table says.


@pytest.fixture(scope="module")
def images():
    whole = unweave.load_dataset(WHOLE)
    rows = np.arange(len(whole))
    shape = np.eye(3)[whole.factors(rows)[:, 0]][:, :2]
    # A number for each shape but the last, and the position.
    return whole, whole.images(rows), np.concatenate([shape, whole.values(rows)[:, 3:]], axis=1)


@pytest.mark.parametrize("tested", [TRAINED, HELD_OUT])
def test_codes_that_say_all_are_read_without_error_in_all_parts(images, tested):
    _, pixels, perfect = images
    model = HandMade(pixels, perfect)
    subject = subject_of(model, unweave.load_dataset(tested), unweave.load_dataset(TRAINED))
    score = LINEAR.score(subject)
    # Held out are squares alone, which the part calls its only shape, at the right half.
    assert score.parts == pytest.approx(
        {
            "linear": 1.0,
            **dict.fromkeys(("linear.shape", "linear.pos_x", "linear.pos_y"), 1.0),
            "linear_accuracy.shape": 1.0,
        }
    )
    assert score.value == score.parts["linear"]


def test_an_encoder_that_misplaces_what_it_has_not_seen(images):
    whole, pixels, perfect = images
    shape, x = whole.factors(np.arange(len(whole)))[:, 0], perfect[:, 2]
    # Held-out squares are encoded as hearts that are too far to the left.
    codes = perfect.copy()
    held = (shape == 0) & (x > 0.5)
    codes[held, :2] = 0
    codes[held, 2] -= 0.25
    model = HandMade(pixels, codes)
    trained = unweave.load_dataset(TRAINED)
    found = LINEAR.score(subject_of(model, unweave.load_dataset(HELD_OUT), trained)).parts
    rows = trained.factors(np.arange(len(trained)))
    values = np.array(trained.factor_space.factors[3].values)[rows[:, 3]]
    assert found["linear.pos_x"] == pytest.approx(1 - 0.25**2 / values.var())
    # Two indicators are wrong by 1, of three that vary as often as there are the shapes.
    shares = np.bincount(rows[:, 0]) / len(rows)
    assert found["linear.shape"] == pytest.approx(1 - 2 / (shares * (1 - shares)).sum())
    assert found["linear_accuracy.shape"] == 0
    assert found["linear.pos_y"] == pytest.approx(1)
    mean = np.mean([found[f"linear.{name}"] for name in ("shape", "pos_x", "pos_y")])
    assert found["linear"] == pytest.approx(mean)
    same = LINEAR.score(subject_of(model, trained, trained))
    assert same.value == pytest.approx(1)


def test_a_shape_that_is_never_trained_on_is_never_found(images):
    _, pixels, perfect = images
    rule = "shape == 'heart'"
    trained = unweave.load_dataset(f"without(data={WHOLE}, where={rule!r})")
    tested = unweave.load_dataset(f"only(data={WHOLE}, where={rule!r})")
    parts = LINEAR.score(subject_of(HandMade(pixels, perfect), tested, trained)).parts
    assert parts["linear_accuracy.shape"] == 0
    assert parts["linear.shape"] < 0
    assert parts["linear.pos_x"] == pytest.approx(1)


def test_positions_beyond_those_trained_on_are_extrapolated(images):
    _, pixels, perfect = images
    trained = unweave.load_dataset(f"without(data={WHOLE}, where='pos_x > 0.5')")
    tested = unweave.load_dataset(f"only(data={WHOLE}, where='pos_x > 0.5')")
    score = LINEAR.score(subject_of(HandMade(pixels, perfect), tested, trained))
    assert score.value == pytest.approx(1)


def test_both_readouts_have_their_parts(images):
    _, pixels, perfect = images
    trained = unweave.load_dataset(TRAINED)
    subject = subject_of(HandMade(pixels, perfect), trained, trained)
    score = FactorR2().score(subject)
    names = ("shape", "pos_x", "pos_y")
    assert list(score.parts) == [
        "linear", "mlp",
        *(f"linear.{name}" for name in names), "linear_accuracy.shape",
        *(f"mlp.{name}" for name in names), "mlp_accuracy.shape",
    ]  # fmt: skip
    assert score.value == score.parts["linear"]
    alone = FactorR2(readout="mlp").score(subject)
    assert alone.value == alone.parts["mlp"] == score.parts["mlp"]
    other = FactorR2(readout="mlp").score(dataclasses.replace(subject, seed=1))
    assert other.value != alone.value


def test_at_most_so_many_images_are_drawn(images):
    _, pixels, perfect = images
    trained = unweave.load_dataset(TRAINED)
    asked = []
    subject = subject_of(HandMade(pixels, perfect), trained, trained)
    plain = subject.trained
    subject = dataclasses.replace(subject, trained=lambda most: asked.append(most) or plain(most))
    score = FactorR2(train_images=100, images=20, readout="linear")
    rows = score.rows(subject)
    assert len(np.unique(rows)) == 20
    assert (rows == np.sort(rows)).all()
    np.testing.assert_array_equal(rows, score.rows(subject))
    assert (rows != score.rows(dataclasses.replace(subject, seed=1))).any()
    assert np.isfinite(score.score(subject).value)
    assert asked == [100]
    np.testing.assert_array_equal(LINEAR.rows(subject), subject.flat)


def test_what_is_refused(images):
    _, pixels, perfect = images
    trained = unweave.load_dataset(TRAINED)
    subject = subject_of(HandMade(pixels, perfect), trained, trained)
    with pytest.raises(SpecError, match=r"codes must be mean for factor_r2, .* but is sampled"):
        LINEAR.check("all", "sampled")
    LINEAR.check("holdout", "mean")
    with pytest.raises(DataError, match="needs images, but there are 0"):
        LINEAR.rows(dataclasses.replace(subject, flat=np.arange(0)))
    decoder = dataclasses.replace(subject, objective=parse_objective("ground_truth_decoder"))
    with pytest.raises(SpecError, match="factor_r2 needs codes of images, and this model has no"):
        LINEAR.rows(decoder)
    other = unweave.load_dataset("xysquares(places=2)")
    with pytest.raises(DataError, match=r"has the factors pos_x_red, .* have shape, scale"):
        LINEAR.rows(dataclasses.replace(subject, dataset=other, flat=np.arange(5)))
    finer = unweave.load_dataset("dsprites(grid=(3, 1, 1, 32, 8))")
    with pytest.raises(DataError, match=r"has the value 0\.0\d+ of pos_x, which is none of the 8"):
        LINEAR.rows(dataclasses.replace(subject, dataset=finer, flat=np.arange(len(finer))))
    one = unweave.load_dataset("dsprites(grid=(3, 1, 1, 1, 1))")
    single = unweave.load_dataset("only(data=dsprites(grid=(3, 1, 1, 1, 1)), where='shape == 1')")
    still = HandMade(one.images(np.arange(3)), np.eye(3))
    with pytest.raises(DataError, match="every factor is constant in 1 images"):
        LINEAR.score(subject_of(still, one, single))


@pytest.mark.parametrize(
    ("objective", "latents"), [("vae", 5), ("cvae", 5), ("composer", 5), ("lie_group_vae", 10)]
)
def test_a_run_and_its_table_of_results(tmp_path, objective, latents):
    hole = f"without(data={MINI}, where={RULE!r})"
    settings = ["--steps", "2", "--latents", latents, "--holdout", "0.1", "--seed", "4"]
    tiny = [
        word for name, value in TINY.items() for word in (f"--{name}".replace("_", "-"), value)
    ]
    folder = tmp_path / "run"
    assert cli("train", hole, objective, *settings, *tiny, "--out", folder).code == 0
    found = cli("evaluate", folder, "--metrics", "factor_r2", "--part", "holdout", "--json").json
    score = found["scores"]["factor_r2"]
    assert score["text"] == "factor_r2"
    assert score["samples"] == 128  # a tenth of 1,536 less 256 squares
    assert score["value"] == score["parts"]["linear"] <= 1
    run = unweave.load_run(folder)
    codes, factors = (
        (run.representation(part=part) for part in ("train", "holdout")),
        run.dataset.factor_space,
    )
    train, test = (
        CodeTable(np.asarray(table.mean, np.float64), table.factors, factors) for table in codes
    )
    wanted, numbers = linear(train, test)
    for target, each in zip(wanted, numbers, strict=True):
        expected = target.r2(each)
        assert score["parts"][f"linear.{target.factor.name}"] == pytest.approx(expected, rel=1e-6)
    names = "factor_r2,factor_r2.linear.shape,factor_r2.mlp_accuracy.shape"
    table = cli("results", tmp_path, "--metrics", names, "--json")
    assert table.code == 0, table.err
    assert "factor_r2.linear.shape" in table.out
