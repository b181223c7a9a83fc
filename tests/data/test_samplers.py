"""What samplers draw, against the chance of every pair of images, listed one by one.

Each test of a law draws at a fixed seed and bounds Pearson's statistic by the quantile of its law
that is passed once in a million times.
"""

from __future__ import annotations

import functools
import itertools
from fractions import Fraction
from typing import ClassVar, final

import numpy as np
import pytest
from scipy import stats

from reference.laws_of_draws import (
    changed_columns,
    further,
    laplace_law,
    neighbours,
    other_values,
    steps,
)
from unweave.data import DrawnSpec, Labels, StoredSpec, load_dataset
from unweave.data.samplers import (
    Composition,
    Labelled,
    LaplacePairs,
    LiePairs,
    Pairs,
    Sampler,
    Triplets,
    Walk,
)
from unweave.data.samplers.lines import Lines
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.spec import build, members, option, parse

SPACE = FactorSpace(
    (
        Factor("shape", 3, kind="categorical"),
        Factor("pos_x", 4),
        Factor("angle", 5, (0.0, 0.25, 0.5, 0.75, 1.0), "circular", closed=True),
    )
)
MANY = 40_000


@final
class Grid(DrawnSpec):
    """Sixty images, a full grid; without its `thin` factor of one value, or with it."""

    name: ClassVar[str] = "grid_for_test_samplers"
    listed: ClassVar[bool] = False
    image_shape: ClassVar[tuple[int, int, int]] = (1, 1, 1)
    factor_space: ClassVar[FactorSpace] = SPACE

    def draw(self, indices):
        return SPACE.ravel(indices).astype(np.uint8).reshape(-1, 1, 1, 1)


@final
class Loose(StoredSpec):
    """Images with labels: some combinations several times, some never, or none near another."""

    name: ClassVar[str] = "loose_for_test_samplers"
    listed: ClassVar[bool] = False
    diagonal: bool = option(default=False, help="Whether any two differ in every factor.")
    count: ClassVar[int] = 90
    image_shape: ClassVar[tuple[int, int, int]] = (1, 1, 1)
    source: ClassVar[str] = "own"
    encoding: ClassVar[str] = "bytes"

    def encoded_blocks(self, first, details, progress):
        yield np.arange(90, dtype=np.uint8)[:, np.newaxis]

    def labels(self) -> tuple[FactorSpace, Labels] | None:
        if self.diagonal:
            space = FactorSpace((Factor("a", 90), Factor("b", 90)))
            return space, Labels(np.arange(90)[:, np.newaxis].repeat(2, axis=1))
        table = np.random.default_rng(3).integers(0, SPACE.sizes, (90, 3))
        return SPACE, Labels(table)


GRID = "grid_for_test_samplers"
HOLE = (
    f"without(data={GRID}, where='shape == 0 and pos_x > 1 or index(angle) == 0 and pos_x == 0')"
)
TEXTS = {
    "grid": GRID,
    "hole": HOLE,
    "labels": "loose_for_test_samplers",
    "odds": f"correlated(data={GRID}, pairs=((pos_x, angle),), strength=0.4)",
    # So strong that further images are seldom found by chance, and are drawn out of lists.
    "strong odds": f"correlated(data={GRID}, pairs=((pos_x, shape),), strength=0.06)",
    "labels with odds": "correlated(data=loose_for_test_samplers, pairs=((pos_x, angle),))",
    "odds and hole": f"correlated(data={HOLE}, pairs=((pos_x, angle),), strength=0.5)",
}


@pytest.fixture(scope="module", params=TEXTS)
def images(request, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNWEAVE_HOME", str(tmp_path_factory.mktemp("home")))
        yield load_dataset(TEXTS[request.param])


def rows_of(dataset):
    """Factors of each image as tuples, and their odds."""
    rows = [tuple(row) for row in dataset.factors(np.arange(len(dataset))).tolist()]
    weights = dataset.weights
    return rows, np.full(len(rows), 1 / len(rows)) if weights is None else weights


def check(found: np.ndarray, law: np.ndarray) -> None:
    """Compare counts with chances; what has a chance of 0 never comes."""
    assert found.shape == law.shape
    assert law.sum() == pytest.approx(1)
    assert found[law == 0].sum() == 0
    expected = law * found.sum()
    often = expected >= 5
    rare = ~often & (law > 0)
    cells = [*zip(found[often], expected[often], strict=True)]
    if expected[rare].sum() >= 5:
        cells.append((found[rare].sum(), expected[rare].sum()))
    statistic = sum((count - mean) ** 2 / mean for count, mean in cells)
    assert statistic < stats.chi2.isf(1e-6, len(cells) - 1), (statistic, len(cells))
    # Nor is the agreement better than chance allows.
    assert statistic > stats.chi2.ppf(1e-6, len(cells) - 1)


def counts(drawn: np.ndarray, total: int) -> np.ndarray:
    """How often each pair of images was drawn, (N, N)."""
    found = np.zeros((total, total))
    np.add.at(found, (drawn[:, 0], drawn[:, 1]), 1)
    return found


def drawn_by(text: str, dataset, count: int = MANY, seed: int = 0) -> np.ndarray:
    sampler = parse(text, Sampler)
    drawn = sampler.draw(dataset, count, np.random.default_rng(seed))
    assert drawn.shape == (count, sampler.per_draw)
    assert drawn.dtype == np.int64
    assert drawn.min() >= 0
    assert drawn.max() < len(dataset)
    return drawn


ALL = [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "columns", "numbers", "own"),
    [
        ("pairs", ALL, {1: 1 / 2, 2: 1 / 2}, False),
        ("pairs(changed=1)", ALL, {1: 1.0}, False),
        ("pairs(changed=3)", ALL, {3: 1.0}, False),
        ("pairs(changed=(1, 3))", ALL, {1: 1 / 3, 2: 1 / 3, 3: 1 / 3}, False),
        ("pairs(factors=(pos_x, angle))", [1, 2], {1: 1.0}, False),
        # One factor or k; with k drawn from 1 and 2 that is one in three quarters of all pairs.
        ("pairs(compat=dlib)", ALL, {1: 3 / 4, 2: 1 / 4}, True),
        ("pairs(changed=3, compat=dlib)", ALL, {1: 1 / 2, 3: 1 / 2}, True),
    ],
)
def test_pairs_have_the_law_that_they_say(images, text, columns, numbers, own):
    rows, weights = rows_of(images)
    drawn = drawn_by(text, images)
    cases = [
        (chance, other_values(SPACE.sizes, subset, own))
        for chance, subset in changed_columns(columns, numbers)
    ]
    check(counts(drawn, len(rows)), further(rows, weights, cases))
    if own:
        return
    # How many factors differ, and how often each does, has no regard to what images there are.
    factors = images.factors(drawn.reshape(-1)).reshape(MANY, 2, 3)
    differ = factors[:, 0] != factors[:, 1]
    found = np.bincount(differ.sum(axis=1), minlength=4)
    if len(numbers) > 1:
        check(found, np.array([numbers.get(number, 0.0) for number in range(4)]))
    assert set(np.flatnonzero(found)) == set(numbers)
    share = sum(number * chance for number, chance in numbers.items()) / len(columns)
    expected = [share if column in columns else 0.0 for column in ALL]
    # Six standard errors of a share of so many draws.
    np.testing.assert_allclose(differ.mean(axis=0), expected, atol=6 * 0.5 / MANY**0.5)


@pytest.mark.parametrize("rate", [1.0, 4.0])
def test_laplace_pairs_have_the_published_law(images, rate):
    rows, weights = rows_of(images)
    drawn = drawn_by(f"laplace_pairs(rate={rate})", images)
    law = further(rows, weights, [(1.0, laplace_law(SPACE.sizes, (1, 2), rate))])
    check(counts(drawn, len(rows)), law)


def test_random_rates_are_uniform_from_1_to_10(home):
    data = load_dataset(GRID)
    rows, weights = rows_of(data)
    drawn = drawn_by("laplace_pairs(rate=random, held=(pos_x,))", data)
    law = np.mean(
        [
            further(
                rows, weights, [(1.0, laplace_law(SPACE.sizes, (0, 2), 1 + 9 * (k + 0.5) / 30))]
            )
            for k in range(30)
        ],
        axis=0,
    )
    check(counts(drawn, len(rows)), law)


def test_very_large_rates_still_move_by_one(home):
    data = load_dataset(GRID)
    factors = data.factors(drawn_by("laplace_pairs(rate=1000000)", data, 500).reshape(-1))
    pairs = factors.reshape(500, 2, 3)
    assert (np.abs(pairs[:, 0] - pairs[:, 1]).sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("text", "length", "poses", "columns"),
    [
        ("lie_pairs", (1, 2, 2), (3, 4, 4), [1, 2]),
        ("lie_pairs(compat=clg)", (1, 2, 2), (3, 4, 5), [1, 2]),
        ("lie_pairs(step=1, held=())", (1, 1, 1), (3, 4, 4), ALL),
    ],
)
def test_lie_pairs_take_one_step_on_a_circle(images, text, length, poses, columns):
    rows, weights = rows_of(images)
    cases = [
        (1 / len(columns), steps(column, length[column], poses[column])) for column in columns
    ]
    check(counts(drawn_by(text, images), len(rows)), further(rows, weights, cases))


def test_steps_on_dsprites_are_the_published_ones():
    # Largest steps of the published code for dSprites: 1, 2, 20, 20, 20, so that 2 is never cut.
    data = load_dataset("dsprites(grid=(3, 6, 40, 8, 8))")
    factors = data.factors(drawn_by("lie_pairs(compat=clg)", data, 4000).reshape(-1))
    first, second = factors.reshape(4000, 2, 5).transpose(1, 0, 2)
    moved = (second - first) % data.factor_space.sizes
    assert ((moved != 0).sum(axis=1) == 1).all()
    for column, size in enumerate(data.factor_space.sizes):
        assert set(moved[:, column]) == ({0} if column == 0 else {0, 2, size - 2})


@pytest.mark.parametrize("text", [text for text in TEXTS if "labels" not in text])
@pytest.mark.parametrize("round_trips", [True, False])
def test_a_walk_moves_one_factor_by_one_value(text, round_trips, home):
    images = load_dataset(TEXTS[text])
    rows, weights = rows_of(images)
    drawn = drawn_by(f"walk(length=3, round_trips={round_trips})", images)
    circles = {2: 4} if round_trips else {}
    law = neighbours(rows, weights, SPACE.sizes, circles)
    check(counts(drawn[:, :2], len(rows)), weights[:, np.newaxis] * law)
    reached = weights @ law
    check(counts(drawn[:, 1:], len(rows)), reached[:, np.newaxis] * law)


def test_several_moves_lie_between_the_images_of_a_walk(home):
    data = load_dataset(GRID)
    rows, weights = rows_of(data)
    law = neighbours(rows, weights, SPACE.sizes, {2: 4})
    drawn = drawn_by("walk(moves=(1, 3))", data)
    mixed = sum(np.linalg.matrix_power(law, moves) for moves in (1, 2, 3)) / 3
    check(counts(drawn, len(rows)), weights[:, np.newaxis] * mixed)


@pytest.mark.parametrize("text", ["labels", "labels with odds"])
def test_a_walk_of_labelled_images_steps_between_their_combinations(text, home):
    data = load_dataset(TEXTS[text])
    rows, weights = rows_of(data)
    cells = sorted(set(rows))
    place = np.array([cells.index(row) for row in rows])
    total = np.bincount(place, weights)
    mean = total / np.bincount(place)
    drawn = drawn_by("walk(length=3, round_trips=False)", data)
    law = neighbours(cells, mean, SPACE.sizes, {})
    check(counts(place[drawn[:, :2]], len(cells)), total[:, np.newaxis] * law)
    # Within a combination images come by their odds.
    reached = (total @ law)[place] * weights / total[place]
    check(np.bincount(drawn[:, 1], minlength=len(rows)), reached)


@pytest.mark.parametrize("text", ["composition", "composition(factors=(shape, angle))"])
def test_composition_triplets(images, text):
    rows, weights = rows_of(images)
    columns = ALL if text == "composition" else [0, 2]
    sampler = parse(text, Sampler)
    drawn = drawn_by(text, images)
    actions = sampler.actions(images, drawn)
    reference, sample, target = images.factors(drawn.T.reshape(-1)).reshape(3, MANY, 3)
    chosen = np.arange(MANY), actions
    # The target is the reference but for one factor, which is the sample's.
    assert ((reference != target).sum(axis=1) == 1).all()
    np.testing.assert_array_equal(sample[chosen], target[chosen])
    assert (reference[chosen] != target[chosen]).all()
    check(np.bincount(actions, minlength=3), np.isin(ALL, columns) / len(columns))
    cases = [(1 / len(columns), other_values(SPACE.sizes, (column,), False)) for column in columns]
    check(counts(drawn[:, [0, 2]], len(rows)), further(rows, weights, cases))
    # Of one action and value, samples come by their odds, whatever else they show.
    column = columns[-1]
    for value in range(SPACE.sizes[column]):
        here = (actions == column) & (target[:, column] == value)
        law = np.array([w * (row[column] == value) for row, w in zip(rows, weights, strict=True)])
        check(np.bincount(drawn[here, 1], minlength=len(rows)), law / law.sum())


THIN = {
    # Pairs are seldom along any factor, and many an image has no other on a line.
    "few": f"subset(data={GRID}, images=14, seed=1)",
    "few with odds": f"correlated(data=subset(data={GRID}, images=14, seed=1), "
    "pairs=((pos_x, angle),), strength=0.4)",
    # No two images differ in shape or pos_x alone.
    "tied": f"only(data={GRID}, where='index(pos_x) == index(shape)')",
}


@pytest.mark.parametrize("text", THIN.values(), ids=THIN)
def test_composition_takes_every_factor_that_has_triplets_and_no_other(text, home):
    data = load_dataset(text)
    rows, weights = rows_of(data)
    near = [
        {
            column
            for one, other in itertools.combinations(rows, 2)
            if [a == b for a, b in zip(one, other, strict=True)].count(False) == 1
            and one[column] != other[column]
        }
        for column in ALL
    ]
    there = [column for column in ALL if near[column]]
    sizes = data.factor_space.sizes
    drawn = drawn_by("composition", data)
    found = np.bincount(Composition().actions(data, drawn), minlength=3)
    assert np.flatnonzero(found).tolist() == there
    if len(there) > 1:
        check(found, np.isin(ALL, there) / len(there))
    cases = [(1 / len(there), other_values(sizes, (column,), False)) for column in there]
    law = further(rows, weights, cases)
    check(counts(drawn[:, [0, 2]], len(rows)), law)
    assert (law.sum(axis=1) == 0).any() == (text != THIN["tied"])
    if text == THIN["tied"]:
        assert there == [2]
        with pytest.raises(DataError, match="no two of them differ in one of shape, pos_x alone"):
            drawn_by("composition(factors=(shape, pos_x))", data, 5)


def test_composition_makes_its_tables_once(home, monkeypatch):
    made = []
    whole = Lines.__init__

    def noted(self, *given):
        made.append(given[2])
        whole(self, *given)

    monkeypatch.setattr(Lines, "__init__", noted)
    data = load_dataset(HOLE)
    for seed in range(5):
        drawn_by("composition", data, 7, seed)
    assert sorted(made) == ALL
    # Of a whole grid there are none: whatever is drawn is there.
    drawn_by("composition", load_dataset(GRID), 7)
    assert sorted(made) == ALL


def slow_order(factors, text: str, scaled: bool) -> bool:
    """Whether positive and negative are exchanged, of one triplet."""
    anchor, second, third = factors
    return slow_distance(anchor, second, text, scaled) > slow_distance(anchor, third, text, scaled)


@functools.cache
def slow_distance(anchor: tuple[int, ...], other: tuple[int, ...], text: str, scaled: bool):
    """What is compared of two images, in fractions that nothing is rounded of."""
    pairs = [*zip(anchor, other, strict=True)]
    differ = sum(a != b for a, b in pairs)
    far = sum(
        Fraction(abs(a - b), size - 1 if scaled else 1)
        for (a, b), size in zip(pairs, SPACE.sizes, strict=True)
    )
    return {"factors": differ, "manhattan": far, "combined": (differ, far)}[text]


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize("distance", ["factors", "manhattan", "combined"])
def test_triplets_are_in_order(images, distance, scaled):
    text = f"triplets(distance={distance}, scaled={scaled})"
    drawn = drawn_by(text, images, 3000)
    exchanged = drawn_by(
        f"triplets(distance={distance}, scaled={scaled}, swapped=1)", images, 3000
    )
    np.testing.assert_array_equal(exchanged, drawn[:, [0, 2, 1]])
    strict = 0
    rows, _ = rows_of(images)
    for anchor, near, far in drawn.tolist():
        factors = rows[anchor], rows[near], rows[far]
        assert not slow_order(factors, distance, scaled)
        strict += slow_order((factors[0], factors[2], factors[1]), distance, scaled)
    assert strict > 1000


def test_anchors_and_others_come_by_their_odds(images):
    rows, weights = rows_of(images)
    drawn = drawn_by("triplets(swapped=0.3)", images)
    check(np.bincount(drawn[:, 0], minlength=len(rows)), weights)
    others = np.bincount(drawn[:, 1:].reshape(-1), minlength=len(rows))
    check(others, weights)


@pytest.mark.parametrize("distance", ["factors", "manhattan", "combined"])
def test_triplets_are_any_three_images_in_order(images, distance):
    rows, weights = rows_of(images)
    total = len(rows)
    drawn = drawn_by(f"triplets(distance={distance})", images)
    # Each is drawn by its odds on its own. The positive is the nearer of the two others, in either
    # order of theirs; of equally near ones, the first.
    law = {name: np.zeros((total, total)) for name in ("positive", "negative")}
    for anchor, row in enumerate(rows):
        keys = [slow_distance(row, other, distance, True) for other in rows]
        place = {key: number for number, key in enumerate(sorted(set(keys)))}
        order = np.array([place[key] for key in keys])
        nearer, as_near = order[:, np.newaxis] < order, order[:, np.newaxis] == order
        for name, table in (("positive", nearer), ("negative", nearer.T)):
            share = weights * ((2 * table + as_near) @ weights)
            law[name][anchor] = weights[anchor] * share
    for place, name in enumerate(law, 1):
        check(counts(drawn[:, [0, place]], total), law[name])


def test_rounding_exchanges_no_triplet():
    data = load_dataset("dsprites(grid=(1, 1, 7, 7, 7))")
    # One generator, so the same images: as drawn where equally many factors differ.
    by_factors, by_distance = (
        drawn_by(f"triplets(distance={distance})", data) for distance in ("factors", "manhattan")
    )
    anchor, first, second = data.factors(by_factors.T.reshape(-1)).reshape(3, MANY, 5)
    # All steps are sixths.
    gaps = [np.abs(anchor - other) for other in (first, second)]
    even = gaps[0].sum(axis=1) == gaps[1].sum(axis=1)
    even &= (gaps[0] > 0).sum(axis=1) == (gaps[1] > 0).sum(axis=1)
    assert even.sum() > 2000
    np.testing.assert_array_equal(by_distance[even], by_factors[even])


def test_a_share_of_triplets_is_exchanged(home):
    data = load_dataset(GRID)
    # Twice the same generator: the same triplets, but for those that are exchanged.
    plain, noisy = (drawn_by(f"triplets(swapped={swapped})", data) for swapped in (0, 0.3))
    np.testing.assert_array_equal(np.sort(plain[:, 1:]), np.sort(noisy[:, 1:]))
    differs = plain[:, 1] != plain[:, 2]
    share = (plain[differs] != noisy[differs]).any(axis=1).mean()
    assert share == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize("cls", members(Sampler).values(), ids=lambda cls: cls.name)
def test_draws_are_a_function_of_the_generator(cls, images):
    sampler = build(cls, {"images": 20} if cls is Labelled else {})
    again = [sampler.draw(images, 50, np.random.default_rng(seed)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(again[0], again[1])
    assert (again[0] != again[2]).any()
    assert sampler.draw(images, 0, np.random.default_rng(0)).shape == (0, sampler.per_draw)
    with pytest.raises(SpecError, match="cannot draw -1 times"):
        sampler.draw(images, -1, np.random.default_rng(0))


def test_nothing_that_was_left_out_is_drawn(home):
    data = load_dataset(HOLE)
    for sampler in (
        Pairs(),
        LaplacePairs(),
        LiePairs(),
        Triplets(),
        Walk(length=4),
        Composition(),
    ):
        flat = sampler.draw(data, 2000, np.random.default_rng(5)).reshape(-1)
        shape, pos_x, angle = data.factors(flat).T
        assert not ((shape == 0) & (pos_x > 1)).any()
        assert not ((angle == 0) & (pos_x == 0)).any()


@pytest.mark.parametrize("text", ["pairs(changed=1)", "walk", "composition", "lie_pairs"])
def test_images_without_any_such_other_are_said(home, text):
    data = load_dataset("loose_for_test_samplers(diagonal=True)")
    with pytest.raises(DataError, match="has too few images for"):
        drawn_by(text, data, 10)
    # What differs in every factor there is.
    assert (np.diff(drawn_by("pairs(changed=2)", data, 10)) != 0).all()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pairs(changed=0)", "changed must be at least 1"),
        ("pairs(changed=(2, 1))", "from low to high"),
        ("pairs(changed=(1, 2), compat=dlib)", "has no range"),
        ("pairs(changed=4)", "only 3 factors can change: shape, pos_x, angle"),
        ("pairs(changed=2, factors=(shape,))", "only 1 factors can change"),
        ("pairs(factors=(shape, shape))", "has a name twice"),
        ("pairs(factors=(sape,))", "Did you mean shape"),
        ("laplace_pairs(rate=0)", "must be more than 0"),
        ("laplace_pairs(held=(shape, pos_x, angle))", "every factor is held"),
        ("lie_pairs(held=(colour,))", "Unknown factor 'colour'"),
        ("walk(length=1)", "length must be at least 2"),
        ("walk(moves=0)", "moves must be at least 1"),
        ("triplets(swapped=2)", "swapped must be at most 1"),
        ("composition(factors=(sape,))", "Did you mean shape"),
        ("labelled(images=61)", "images is 61, but there are 60"),
    ],
)
def test_what_fits_no_factors_is_refused(text, said, home):
    data = load_dataset(GRID)
    with pytest.raises(SpecError) as caught:
        drawn_by(text, data, 5)
    assert said in str(caught.value)


def test_factors_with_one_value_never_change():
    data = load_dataset("dsprites(grid=(1, 2, 1, 1, 2))")
    for text in ("pairs", "composition", "walk", "laplace_pairs", "lie_pairs"):
        first, last = data.factors(drawn_by(text, data, 200)[:, [0, -1]].T.reshape(-1)).reshape(
            2, 200, 5
        )
        assert (first != last).any(axis=1).all()
    with pytest.raises(SpecError, match="shape has one value"):
        drawn_by("pairs(factors=(shape,))", data, 5)
    fixed = load_dataset("dsprites(grid=(1, 1, 1, 1, 1))")
    with pytest.raises(SpecError, match="no factor has more than one value"):
        drawn_by("pairs", fixed, 5)
    with pytest.raises(DataError, match="hardly an image"):
        drawn_by("walk", fixed, 5)


def test_images_without_factors_cannot_be_drawn_by_them(home):
    class Bare(StoredSpec):
        name = "bare_for_test_samplers"
        listed = False
        labelled = False
        count = 5
        image_shape = (1, 1, 1)
        source = "own"
        encoding = "bytes"

        def encoded_blocks(self, first, details, progress):
            yield np.zeros((5, 1), np.uint8)

    with pytest.raises(DataError, match="factors of bare_for_test_samplers are not known"):
        drawn_by("triplets", Bare().open(), 5)


def test_laws_are_listed_in_full():
    # The reference itself: on a grid every case is a law, and any order of factors is alike.
    rows = list(itertools.product(range(2), range(3)))
    law = further(rows, [1 / 6] * 6, [(1.0, other_values((2, 3), (0, 1), True))])
    np.testing.assert_allclose(law, 1 / 36)
    moves = neighbours(rows, [1 / 6] * 6, (2, 3), {})
    assert moves[0].tolist() == [0, 0.5, 0, 0.5, 0, 0]
