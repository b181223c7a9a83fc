"""Who is to blame, asked of models whose encoder or decoder is wrong on purpose."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np
import pytest

import unweave
from reference import positions_reference as slow
from reference.hand_made import SHARP, HandMade, subject_of
from session.runs import MINI, TINY, cli
from unweave.analysis import Attribution
from unweave.analysis.placing import compared_factors, place
from unweave.data import parse_dataset
from unweave.errors import DataError, SpecError
from unweave.objectives import parse_objective
from unweave.plots import latent_positions
from unweave.session import training_rows

WHOLE = "dsprites(grid=(3, 1, 1, 8, 8))"
RULE = "shape == 'square' and pos_x > 0.5"
TRAINED = f"without(data={WHOLE}, where={RULE!r})"
HELD_OUT = f"only(data={WHOLE}, where={RULE!r})"
ALWAYS = {"nll", "excess", "placed"}
POSITIONED = {
    "excess_placed", "nll_swapped", "excess_swapped", "recovered", "swap_better", "nll_expected",
    "excess_expected", "distance", "nearest_expected", "distance.shape", "distance.pos_x",
}  # fmt: skip


@pytest.fixture(scope="module")
def whole():
    return unweave.load_dataset(WHOLE)


@pytest.fixture(scope="module")
def trained():
    return unweave.load_dataset(TRAINED)


@pytest.fixture(scope="module")
def tested():
    return unweave.load_dataset(HELD_OUT)


@pytest.fixture(scope="module")
def images(whole):
    return whole.images(np.arange(len(whole)))


@pytest.fixture(scope="module")
def held(whole):
    """Which of all images are held out."""
    rows = np.arange(len(whole))
    return (whole.factors(rows)[:, 0] == 0) & (whole.values(rows)[:, 3] > 0.5)


@pytest.fixture(scope="module")
def places(whole):
    """A latent for each factor, in a mixed order, and one for none."""
    factors = whole.factors(np.arange(len(whole))).astype(float)
    nothing = np.zeros(len(whole))
    return np.stack([factors[:, 4], 3 * factors[:, 0], nothing, factors[:, 3]], axis=1)


@pytest.fixture(scope="module")
def noise(whole):
    rng = np.random.default_rng(0)
    return rng.normal(0, 1, (len(whole), 4)) * [0.1, 0.1, 1.0, 0.1]


def matched(images, rows):
    """Where images of a part stand among all."""
    known = {image.tobytes(): k for k, image in enumerate(images)}
    return np.array([known[image.tobytes()] for image in rows])


def by_hand(images, trained, tested, codes):
    """Distances and the share that is nearest, of latent 1 for shape and latent 3 for pos_x."""
    own, other = (matched(images, each.images(np.arange(len(each)))) for each in (trained, tested))
    factors = np.stack(np.unravel_index(np.arange(192), (3, 8, 8)), axis=1)
    pairs = ((0, 1), (1, 3))
    tables = [(k, lt, slow.of_values(codes[own, lt], factors[own, k])) for k, lt in pairs]
    spreads = [slow.spread(codes[own, lt], factors[own, k]) for k, lt in pairs]
    arguments = (codes[other], factors[other])
    return {
        "distance": slow.distance(*arguments, tables),
        "distance.shape": slow.distance(*arguments, tables[:1]),
        "distance.pos_x": slow.distance(*arguments, tables[1:]),
        "nearest_expected": slow.nearest_expected(*arguments, factors[own], tables, spreads),
    }


@pytest.mark.parametrize("part", ["trained", "tested"])
def test_a_model_that_generalises(request, trained, images, places, noise, part):
    data = request.getfixturevalue(part)
    codes = np.float32(places + noise).astype(np.float64)
    model = HandMade(images, codes, places)
    score = Attribution().score(subject_of(model, data, trained))
    assert score.parts.keys() == ALWAYS | POSITIONED
    assert score.value == score.parts["excess"]
    for name in ALWAYS | POSITIONED:
        if name == "placed" or name.startswith(("distance", "nearest")):
            continue
        assert score.parts[name] == pytest.approx(0, abs=1e-6)
    assert score.parts["placed"] == 1
    assert score.parts["nearest_expected"] == 1
    for name, expected in by_hand(images, trained, data, codes).items():
        assert score.parts[name] == pytest.approx(expected, rel=1e-6)
    if part == "trained":
        assert score.parts["distance"] == pytest.approx(1)
    assert score.unit == "nats an image"
    assert score.units == {
        "distance": "standard deviations",
        "distance.shape": "standard deviations",
        "distance.pos_x": "standard deviations",
        **dict.fromkeys(("placed", "swap_better", "nearest_expected"), ""),
    }
    assert score.matrix is not None
    assert score.matrix.values.shape == (4, 5)
    assert score.matrix.label == "correlation ratio; compared by shape z1, pos_x z3"
    assert score.matrix.values[1, 0] > 0.95


def test_an_encoder_that_takes_squares_for_hearts(trained, tested, images, places, noise, held):
    codes = np.float32(places + noise).astype(np.float64)
    codes[held, 1] += 6
    model = HandMade(images, codes, places)
    parts = Attribution().score(subject_of(model, tested, trained)).parts
    # As many pixels are wrong as differ between the squares and the hearts in their places.
    squares = np.flatnonzero(held)
    wrong = (images[squares] != images[squares + 2 * 64]).sum(axis=(1, 2, 3))
    assert parts["excess"] == pytest.approx(SHARP * wrong.mean(), rel=1e-6)
    assert parts["excess_swapped"] == pytest.approx(0, abs=1e-6)
    assert parts["excess_expected"] == pytest.approx(0, abs=1e-6)
    assert parts["recovered"] == pytest.approx(parts["excess"])
    assert parts["swap_better"] == (wrong > 0).mean() == 1
    assert parts["nearest_expected"] == 0
    for name, expected in by_hand(images, trained, tested, codes).items():
        assert parts[name] == pytest.approx(expected, rel=1e-6)
    assert parts["distance.shape"] > 30
    assert parts["distance.pos_x"] < 2
    # The images that it was trained on are encoded as before.
    same = Attribution().score(subject_of(model, trained, trained)).parts
    assert same["distance"] == pytest.approx(1)
    assert same["nearest_expected"] == 1
    assert same["excess"] == pytest.approx(0, abs=1e-6)


def test_a_decoder_that_never_draws_what_it_has_not_seen(
    trained, tested, images, places, noise, held
):
    codes = np.float32(places + noise).astype(np.float64)
    # Squares at the right are drawn as the hearts there.
    shows = np.arange(192)
    shows[held] += 2 * 64
    model = HandMade(images, codes, places, shows)
    parts = Attribution().score(subject_of(model, tested, trained)).parts
    squares = np.flatnonzero(held)
    wrong = (images[squares] != images[squares + 2 * 64]).sum(axis=(1, 2, 3))
    for name in ("excess", "excess_swapped", "excess_expected", "nll", "nll_swapped"):
        assert parts[name] == pytest.approx(SHARP * wrong.mean(), rel=1e-6)
    assert parts["recovered"] == parts["swap_better"] == 0
    assert parts["nearest_expected"] == 1
    assert parts["distance"] < 2


def test_both_at_fault_add_up(trained, tested, images, places, noise, held):
    codes = np.float32(places + noise).astype(np.float64)
    codes[held, 1] += 6
    # The encoder sees hearts at the right, and the decoder draws squares there as ellipses.
    shows = np.arange(192)
    shows[held] += 64
    model = HandMade(images, codes, places, shows)
    parts = Attribution().score(subject_of(model, tested, trained)).parts
    squares = np.flatnonzero(held)
    hearts, ellipses = (
        (images[squares] != images[squares + more]).sum(axis=(1, 2, 3)) for more in (128, 64)
    )
    assert parts["excess"] == pytest.approx(SHARP * hearts.mean(), rel=1e-6)
    assert parts["excess_swapped"] == pytest.approx(SHARP * ellipses.mean(), rel=1e-6)
    assert parts["recovered"] == pytest.approx(parts["excess"] - parts["excess_swapped"])
    assert parts["swap_better"] == pytest.approx((ellipses < hearts).mean())


def test_scattered_codes_are_found_by_expected_ones_alone(
    trained, tested, images, places, noise, held
):
    codes = np.float32(places + noise).astype(np.float64)
    # Squares in every other row, of those at the right, are seen as hearts.
    codes[held & (np.arange(192) % 2 == 0), 1] += 6
    model = HandMade(images, codes, places)
    parts = Attribution().score(subject_of(model, tested, trained)).parts
    assert parts["nearest_expected"] == 0.5
    assert parts["excess_expected"] == pytest.approx(0, abs=1e-6)
    assert parts["excess"] > 100
    # All are moved by half of that, and those that were at home are no more.
    assert parts["excess_swapped"] > 100


def test_codes_that_mix_factors_are_not_displaced_where_they_were_trained(
    trained, whole, images, places
):
    # A latent that no sum of effects tells, and images that are told by it.
    rng = np.random.default_rng(1)
    codes = np.concatenate([places, rng.normal(0, 1, (192, 1)) * (places[:, :1] + 1)], axis=1)
    codes = codes @ np.linalg.qr(rng.normal(size=(5, 5)))[0]
    codes = np.float32(codes).astype(np.float64)
    model = HandMade(images, codes)
    parts = Attribution().score(subject_of(model, trained, trained)).parts
    assert parts["excess"] == pytest.approx(0, abs=1e-6)
    assert parts["recovered"] == pytest.approx(0, abs=1e-6)
    assert parts["excess_expected"] > 100


def test_grey_pixels_are_not_held_against_the_model(trained, tested, images, places, noise):
    class Grey(HandMade):
        """Sees, and draws, images whose white is 0.7."""

        def encode(self, images):
            return super().encode((images > 0).float())

        def decode(self, z, condition=None):
            white = super().decode(z) > 0
            return np.log(0.7 / 0.3) * white - SHARP * ~white

    class Faded:
        """The same images in grey."""

        def __init__(self, dataset):
            self.spec, self.factor_space = dataset.spec, dataset.factor_space
            self.factors, self._dataset = dataset.factors, dataset

        def gather(self, flat):
            return self._dataset.images(flat) // 255 * 7, 0.1

        def __len__(self):
            return len(self._dataset)

    codes = np.float32(places + noise).astype(np.float64)
    subject = subject_of(Grey(images, codes, places), tested, trained)
    parts = Attribution().score(dataclasses.replace(subject, dataset=Faded(tested))).parts
    entropy = -(0.7 * np.log(0.7) + 0.3 * np.log(0.3))
    white = (tested.images(np.arange(len(tested))) > 0).sum() / len(tested)
    assert parts["nll"] == pytest.approx(entropy * white, rel=1e-5)
    assert parts["excess"] == pytest.approx(0, abs=1e-4)
    assert parts["nll_swapped"] == pytest.approx(parts["nll"])


def test_values_that_training_lacks_have_no_position(whole, images, places, noise, caplog):
    trained = unweave.load_dataset(f"without(data={WHOLE}, where='pos_x > 0.5')")
    tested = unweave.load_dataset(f"only(data={WHOLE}, where='pos_x > 0.5')")
    codes = np.float32(places + noise).astype(np.float64)
    codes[:, 3] = np.minimum(codes[:, 3], 3)
    subject = subject_of(HandMade(images, codes, places), tested, trained)
    with caplog.at_level(logging.WARNING, logger="unweave"):
        score = Attribution().score(subject)
    assert score.parts.keys() == ALWAYS
    assert score.parts["placed"] == 0
    assert score.value == score.parts["excess"] > 100
    assert "no expected position of any image of only(" in caplog.text
    assert "pos_x 4 (0.581) to 7 (1)" in caplog.text
    # Of all images, those that have one.
    mixed = Attribution().score(subject_of(HandMade(images, codes, places), whole, trained))
    assert mixed.parts["placed"] == 0.5
    assert mixed.parts["excess"] == pytest.approx(score.value / 2)
    assert mixed.parts["excess_swapped"] == pytest.approx(0, abs=1e-6)
    # What lacks a position counts for none of the parts that add up.
    assert mixed.parts["excess_placed"] == pytest.approx(0, abs=1e-6)
    assert "distance.pos_x" in mixed.parts
    assert "distance.shape" not in mixed.parts


def test_what_is_recovered_and_what_remains_are_of_placed_images(whole, images, places, noise):
    trained = unweave.load_dataset(
        f"without(data={WHOLE}, where={RULE + ' or pos_x > 0.9'!r})",
    )
    codes = np.float32(places + noise).astype(np.float64)
    rows = np.arange(len(whole))
    values, shapes = whole.values(rows)[:, 3], whole.factors(rows)[:, 0]
    held = (shapes == 0) & (values > 0.5)
    # The encoder takes these squares for hearts, and the decoder draws ellipses there as squares.
    codes[held, 1] += 6
    shows = rows.copy()
    shows[held] += 64
    # The last column, of which no image was trained on, is seen and drawn as something else.
    shows[values > 0.9] = 0
    model = HandMade(images, codes, places, shows)
    parts = Attribution().score(subject_of(model, whole, trained)).parts
    placed = values <= 0.9
    assert parts["placed"] == placed.mean()
    drawn = shows[np.where(held, rows + 128, rows)]
    wrong = (images != images[drawn]).sum(axis=(1, 2, 3))
    assert parts["excess_placed"] == pytest.approx(SHARP * wrong[placed].mean(), rel=1e-6)
    assert parts["excess"] == pytest.approx(SHARP * wrong.mean(), rel=1e-6)
    assert abs(parts["excess"] - parts["excess_placed"]) > 10
    assert parts["excess_placed"] == pytest.approx(parts["recovered"] + parts["excess_swapped"])
    assert parts["recovered"] != pytest.approx(0, abs=1)


def test_assignment_by_a_lasso(trained, tested, images, places, noise):
    codes = np.float32(places + noise).astype(np.float64)
    subject = subject_of(HandMade(images, codes, places), tested, trained)
    score = Attribution(assignment="lasso").score(subject)
    assert score.matrix is not None
    assert score.matrix.label == "absolute weight in a lasso; compared by shape z1, pos_x z3"
    plain = Attribution().score(subject)
    assert score.parts == plain.parts


def test_the_arrays_of_a_figure(trained, tested, images, places, noise):
    codes = np.float32(places + noise).astype(np.float64)
    subject = subject_of(HandMade(images, codes, places), tested, trained)
    placed = place(subject, subject.flat, 1000, "correlation_ratio")
    assert placed.lacking() == ""
    assert placed.association.shape == (4, 5)
    own, other = (matched(images, each.images(np.arange(len(each)))) for each in (trained, tested))
    shown = placed.shown()
    np.testing.assert_array_equal(shown["trained"], codes[own][:, [1, 3]])
    np.testing.assert_array_equal(shown["held_out"], codes[other][:, [1, 3]])
    assert shown["labels"] == ("z1, shape", "z3, pos_x")
    assert (shown["factor"], shown["names"]) == ("shape", ["square", "ellipse", "heart"])
    shapes, columns = own // 64, own // 8 % 8
    np.testing.assert_array_equal(shown["values"], shapes)
    # Squares in each of the four columns at the right.
    square = codes[own[shapes == 0], 1]
    for k, (at, wide) in enumerate(zip(shown["expected"], shown["deviations"], strict=True)):
        column = codes[own[columns == 4 + k], 3]
        assert at == pytest.approx([square.mean(), column.mean()])
        assert wide == pytest.approx([square.std(), column.std()])
    assert len(shown["expected"]) == 4
    [axes] = latent_positions(**shown).axes
    np.testing.assert_array_equal(axes.collections[2].get_offsets(), shown["expected"])
    one = unweave.load_dataset(f"without(data={WHOLE}, where='pos_x > 0.5')")
    subject = subject_of(HandMade(images, codes, places), tested, one)
    alone = place(subject, subject.flat, 1000, "correlation_ratio")
    assert alone.shown() is None
    assert alone.lacking() == "pos_x 4 (0.581) to 7 (1)"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (WHOLE, ""),
        (TRAINED, "shape pos_x"),
        (f"subset(data={TRAINED}, images=50)", "shape pos_x"),
        (f"without(data=only(data={WHOLE}, where='scale > 0'), where='pos_y > 0.5')",
         "scale pos_y"),
        (f"correlated(data={TRAINED}, pairs=((pos_x, pos_y),))", "shape pos_x"),
        ("only(data=dsprites, where='index(orientation) < 20 and not shape == 1')",
         "orientation shape"),
    ],
)  # fmt: skip
def test_which_factors_are_compared(text, names):
    assert compared_factors(parse_dataset(text)) == set(names.split())


def test_at_most_so_many_images_are_drawn(trained, images, places, noise):
    asked = []
    subject = subject_of(HandMade(images, places + noise, places), trained, trained)
    plain = subject.trained
    subject = dataclasses.replace(subject, trained=lambda most: asked.append(most) or plain(most))
    few = Attribution(train_images=150, images=20)
    rows = few.rows(subject)
    assert len(np.unique(rows)) == 20
    assert (rows != few.rows(dataclasses.replace(subject, seed=1))).any()
    told = []
    few.score(dataclasses.replace(subject, progress=lambda *words: told.append(words)))
    assert asked == [150]
    assert told[-1] == ("attribution", 20, 20)


def test_what_is_refused(trained, images, places, noise):
    attribution = Attribution()
    subject = subject_of(HandMade(images, places + noise, places), trained, trained)
    with pytest.raises(SpecError, match="codes must be mean for attribution"):
        attribution.check("all", "sampled")
    with pytest.raises(DataError, match="needs images, but there are 0"):
        attribution.rows(dataclasses.replace(subject, flat=np.arange(0)))
    for text, words in (
        ("ground_truth_decoder", "attribution needs codes of images, and this model has no"),
        ("composer", "was trained on composed codes alone"),
    ):
        asks = dataclasses.replace(subject, objective=parse_objective(text))
        with pytest.raises(SpecError, match=words):
            attribution.rows(asks)
    attribution.rows(
        dataclasses.replace(subject, objective=parse_objective("composer(reconstruct=True)"))
    )
    told = HandMade(images, places + noise, places)
    told.conditions = object()
    with pytest.raises(SpecError, match="is told labels beside them"):
        attribution.rows(dataclasses.replace(subject, model=told))
    one = subject_of(HandMade(images, places[:, :1] + noise[:, :1]), trained, trained)
    with pytest.raises(DataError, match=r"shape, pos_x needs a latent of its own .* there is 1"):
        attribution.score(one)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    hole = f"without(data={MINI}, where={RULE!r})"
    settings = {"steps": 30, "latents": 6, "holdout": 0.1, "lr": 1e-3, **TINY}
    return unweave.train(hole, "beta_vae", out=folder, **settings)


@pytest.mark.parametrize(
    ("where", "images"),
    [
        (["--part", "holdout"], 128),
        (["--data", f"only(data={MINI}, where={RULE!r})"], 256),
    ],
)
def test_a_run_against_its_codes_and_images_by_hand(run, where, images):
    result = cli("evaluate", run.folder, "--metrics", "attribution", *where, "--json")
    assert result.code == 0, result.err
    found = result.json["scores"]["attribution"]
    assert found["text"] == "attribution"
    assert found["samples"] == images
    part, data = (where[1], None) if where[0] == "--part" else ("all", where[1])
    seen = run.representation(part="train")
    table = run.representation(part=part, data=data)
    space, own = run.dataset.factor_space, table.factor_space
    # By names and values, as each part numbers its own.
    factors = np.stack(
        [
            [s.values.index(o.values[index]) for index in table.factors[:, k]]
            for k, (s, o) in enumerate(zip(space.factors, own.factors, strict=True))
        ],
        axis=1,
    )
    varying = [k for k, size in enumerate(space.sizes) if size > 1]
    association = [
        [
            slow.correlation_ratio(seen.mean[:, latent].astype(float), seen.factors[:, k])
            if k in varying else 0.0
            for k in range(5)
        ]
        for latent in range(6)
    ]  # fmt: skip
    latents = dict(zip(varying, slow.assign(association, varying), strict=True))
    tables, spreads = [], []
    for k in (0, 3):
        column = seen.mean[:, latents[k]].astype(float)
        tables.append((k, latents[k], slow.of_values(column, seen.factors[:, k])))
        spreads.append(slow.spread(column, seen.factors[:, k]))
    codes = table.mean.astype(np.float64)
    trained = run.dataset.factors(np.arange(len(run.dataset)))
    expected = {
        "distance": slow.distance(codes, factors, tables),
        "nearest_expected": slow.nearest_expected(
            codes, factors, np.unique(trained[:, [0, 0, 0, 3]], axis=0), tables, spreads
        ),
    }
    home, swapped = codes.copy(), codes.copy()
    for k, latent, means in tables:
        home[:, latent] = [means[int(value)][0] for value in factors[:, k]]
    for latent in range(6):
        swapped[:, latent] -= slow.displacement(
            (seen.mean[:, latent], seen.factors), (codes[:, latent], factors), varying, (0, 3)
        )
    dataset = run.dataset if data is None else unweave.load_dataset(data)
    flat = np.arange(len(dataset))
    if data is None:
        flat = training_rows(run.config, len(dataset))[1]
    pixels = dataset.images(flat) / 255
    for name, z in (("nll", codes), ("nll_swapped", swapped), ("nll_expected", home)):
        shown = np.clip(run.decode(z).astype(np.float64), 1e-12, 1 - 1e-9)
        values = pixels * np.log(shown) + (1 - pixels) * np.log1p(-shown)
        expected[name] = -values.sum(axis=(1, 2, 3)).mean()
    for name, value in expected.items():
        assert found["parts"][name] == pytest.approx(value, rel=1e-4), name
    assert found["parts"]["excess"] == pytest.approx(found["parts"]["nll"])  # black and white
    assert found["value"] == found["parts"]["excess"]
