"""Parts of datasets and correlated factors, against loops over all images."""

from __future__ import annotations

import math
import re
from typing import ClassVar, final

import numpy as np
import pytest

from unweave.data import (
    Batches,
    DatasetSpec,
    Labels,
    StoredSpec,
    load_dataset,
    parse_dataset,
    with_file,
)
from unweave.data.views import CORRELATIONS
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.spec import members, option

BASE = "dsprites(grid=(3, 3, 4, 8, 8))"
PARTS = [
    ("shape == 'heart'", lambda v: v[0] == 3, True),
    ("pos_x > 0.5 and scale < 0.9", lambda v: v[3] > 0.5 and v[1] < 0.9, True),
    ("shape == 1 or pos_y > 0.5", lambda v: v[0] == 1 or v[4] > 0.5, False),
    ("index(pos_x) == index(pos_y)", lambda v: v[3] == v[4], False),
    ("index(orientation) in (0, 2)", lambda v: v[2] in (0.0, ANGLES[2]), True),
]
ANGLES = parse_dataset(BASE).factor_space.factors[2].values
SPACE = FactorSpace((Factor("hue", 4, (0.0, 0.25, 0.5, 0.75), "circular"), Factor("size", 3)))
TABLE = np.random.default_rng(1).integers(0, (4, 3), (50, 2))
EXACT = TABLE * (0.25, 1.0) + np.random.default_rng(2).uniform(-0.1, 0.1, (50, 2))


@final
class Fifty(StoredSpec):
    """Fifty images with labels, some combinations twice, some never."""

    name: ClassVar[str] = "fifty_for_test_views"
    listed: ClassVar[bool] = False
    exact: bool = option(default=False, help="Whether exact values are known.")
    count: ClassVar[int] = 50
    image_shape: ClassVar[tuple[int, int, int]] = (2, 2, 1)
    source: ClassVar[str] = "own"
    encoding: ClassVar[str] = "bytes"

    def encoded_blocks(self, first, details, progress):
        yield np.arange(50, dtype=np.uint8)[:, np.newaxis].repeat(4, axis=1)

    def labels(self) -> tuple[FactorSpace, Labels] | None:
        return SPACE, Labels(TABLE, EXACT if self.exact else None)


@pytest.fixture(scope="module")
def base():
    return load_dataset(BASE)


@pytest.mark.parametrize("word", ["only", "without"])
@pytest.mark.parametrize(("rule", "takes", "grid"), PARTS)
def test_a_part_has_the_images_that_its_rule_says(base, word, rule, takes, grid):
    values = base.values(np.arange(len(base)))
    rows = [row for row in range(len(base)) if takes(values[row]) == (word == "only")]
    part = load_dataset(f'{word}(data={BASE}, where="{rule}")')
    flat = np.arange(len(rows))
    assert len(part) == part.spec.count == len(rows)
    np.testing.assert_array_equal(part.images(flat), base.images(rows))
    np.testing.assert_array_equal(part.values(flat), values[rows])
    np.testing.assert_array_equal(part.gather(flat[::-2])[0], base.gather(rows[::-2])[0])
    if word == "only":
        assert part.is_grid == grid
    # Values that no image has any more are gone; the others keep their order.
    for column, factor in enumerate(part.factor_space.factors):
        assert list(factor.values) == sorted(set(values[rows][:, column]))
    found = part.find(part.factors(flat))
    np.testing.assert_array_equal(found, flat)


def test_the_hole_and_the_rest_are_all_images_once(base):
    rule = "shape == 'square' and pos_x > 0.5"
    hole, rest = (
        load_dataset(f'{word}(data={BASE}, where="{rule}")') for word in ("only", "without")
    )
    assert len(hole) == len(base) // 6
    assert len(hole) + len(rest) == len(base)
    assert hole.is_grid
    assert not rest.is_grid
    assert rest.factor_space == base.factor_space
    assert hole.factor_space.factors[0].labels == ("square",)


def test_counts_of_published_held_out_sets_need_no_image(tmp_path, monkeypatch):
    # The table of Montero et al.'s code for dSprites, left out and kept.
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path))
    for rule, left_out in (
        ("pos_x > 0.5", 368_640),
        ("shape == 'square' and pos_x > 0.5", 122_880),
        (
            "shape == 'ellipse' and scale > 0.6 and 2 * pi / 3 < orientation < 4 * pi / 3 "
            "and pos_x > 0.66 and pos_y > 0.66",
            5_808,
        ),
    ):
        spec = parse_dataset(f'without(data=dsprites, where="{rule}")')
        assert spec.count == 737_280 - left_out
        assert parse_dataset(f'only(data=dsprites, where="{rule}")').count == left_out
        assert spec.image_shape == (64, 64, 1)
        assert spec.source == "rendered"
        assert not spec.ready()
    assert list(tmp_path.iterdir()) == []


def test_parts_nest_and_know_equal_images(base):
    nested = load_dataset(f"only(data=only(data={BASE}, where='shape == 3'), where='pos_x > 0.5')")
    at_once = load_dataset(f"only(data={BASE}, where='shape == 3 and pos_x > 0.5')")
    fixed = load_dataset(
        f"without(data=without(data={BASE}, where='shape < 3'), where='index(pos_x) < 4')"
    )
    for one in (nested, fixed):
        assert one.is_grid
        assert one.factor_space == at_once.factor_space
        assert one.store.fingerprint() == at_once.store.fingerprint()
        np.testing.assert_array_equal(one.images([0, 5]), at_once.images([0, 5]))
    other = load_dataset(f"only(data={BASE}, where='shape == 2 and pos_x > 0.5')")
    assert other.store.fingerprint() != at_once.store.fingerprint() != base.store.fingerprint()


def test_a_part_of_what_is_no_grid_can_be_one(base):
    rule = "shape == 'square' and pos_x > 0.5"
    rest = f'without(data={BASE}, where="{rule}")'
    left = load_dataset(f"only(data={rest}, where='pos_x < 0.5')")
    assert left.is_grid
    assert left.spec.full_grid
    assert len(left) == len(base) // 2
    np.testing.assert_array_equal(
        left.values(np.arange(9)),
        load_dataset(f"only(data={BASE}, where='pos_x < 0.5')").values(np.arange(9)),
    )


@pytest.mark.parametrize("exact", [False, True])
def test_a_part_of_labelled_images(home, exact):
    text = f"only(data=fifty_for_test_views(exact={exact}), where='hue > 0.2 and size < 2')"
    spec = parse_dataset(text)
    with pytest.raises(DataError, match="Prepare the dataset first"):
        _ = spec.count
    Fifty(exact=exact).open()
    values = EXACT if exact else TABLE * (0.25, 1.0)
    rows = [row for row in range(50) if values[row][0] > 0.2 and values[row][1] < 2]
    part = spec.open()
    assert len(part) == spec.count == len(rows)
    assert part.images(np.arange(len(rows)))[:, 0, 0, 0].tolist() == rows
    np.testing.assert_array_equal(part.values(np.arange(len(rows))), values[rows])
    assert not part.is_grid
    # Indices are numbered anew, and say the same as before.
    for column, factor in enumerate(part.factor_space.factors):
        named = np.array(factor.values)[part.factors(np.arange(len(rows)))[:, column]]
        np.testing.assert_array_equal(named, (TABLE * (0.25, 1.0))[rows][:, column])


def test_a_subset_is_drawn_without_images_twice(base):
    small, large = (load_dataset(f"subset(data={BASE}, images={n}, seed=5)") for n in (100, 400))
    assert len(small) == small.spec.count == 100
    chosen = [base.find(each.factors(np.arange(len(each)))) for each in (small, large)]
    assert len(set(chosen[1])) == 400
    assert set(chosen[0]) < set(chosen[1])
    assert chosen[1].tolist() == sorted(chosen[1])
    np.testing.assert_array_equal(large.images(np.arange(400)), base.images(chosen[1]))
    assert small.factor_space == base.factor_space
    other = load_dataset(f"subset(data={BASE}, images=100, seed=6)")
    assert set(base.find(other.factors(np.arange(100)))) != set(chosen[0])


def test_every_image_is_as_likely_in_a_subset():
    counts = np.zeros(48)
    base = load_dataset("dsprites(grid=(3, 1, 1, 4, 4))")
    for seed in range(400):
        part = parse_dataset(f"subset(data={base.spec}, images=12, seed={seed})").part()
        counts[part.rows] += 1
    # 100 expected each; draws without replacement vary less than the chi-square law allows.
    statistic = float(((counts - 100) ** 2 / 100).sum())
    assert 15 < statistic < 82.7  # the 0.999 quantile at 47 degrees of freedom


def slow_odds(dataset, pairs, width):
    """The odds of every image, one after the other."""
    low, high = {}, {}
    for factor in dataset.factor_space.factors:
        low[factor.name], high[factor.name] = min(factor.values), max(factor.values)
    odds = []
    for row in range(len(dataset)):
        values = dict(zip(dataset.factor_space.names, dataset.values([row])[0], strict=True))
        product = 1.0
        for one, other in pairs:
            first, second = (
                (values[name] - low[name]) / (high[name] - low[name]) for name in (one, other)
            )
            product *= math.exp(-((first - second) ** 2) / (2 * width**2))
        odds.append(product)
    return np.array(odds) / sum(odds)


@pytest.mark.parametrize(
    ("fields", "pairs", "width"),
    [
        ("pairs=((pos_x, pos_y),)", [("pos_x", "pos_y")], 0.1),
        ("pairs=((pos_x, pos_y),), strength=strong", [("pos_x", "pos_y")], 0.1),
        ("pairs=((shape, scale),), strength=weak", [("shape", "scale")], 0.4),
        ("preset=single_1, strength=very_strong", [("shape", "scale")], 0.04),
        ("preset=double_1, strength=0.25", [("shape", "pos_x"), ("scale", "pos_y")], 0.25),
        (
            "confounder=scale",
            [("scale", other) for other in ("shape", "orientation", "pos_x", "pos_y")],
            0.2,
        ),
        (
            "preset=confounder_2",
            [("pos_x", other) for other in ("shape", "scale", "orientation", "pos_y")],
            0.2,
        ),
    ],
)
def test_odds_follow_the_published_formula(fields, pairs, width):
    small = load_dataset("dsprites(grid=(3, 3, 2, 4, 4))")
    data = load_dataset(f"correlated(data={small.spec}, {fields})")
    np.testing.assert_allclose(data.weights, slow_odds(small, pairs, width), rtol=1e-12)
    # The images, and what is computed from them, are those of the whole.
    assert data.is_grid
    assert data.store.fingerprint() == small.store.fingerprint()


def test_odds_are_multiplied_when_nested_and_kept_by_parts():
    small = load_dataset("dsprites(grid=(3, 3, 2, 4, 4))")
    inner = f"correlated(data={small.spec}, pairs=((pos_x, pos_y),), strength=0.3)"
    both = load_dataset(f"correlated(data={inner}, pairs=((shape, scale),))")
    expected = slow_odds(small, [("pos_x", "pos_y")], 0.3) * slow_odds(
        small, [("shape", "scale")], 0.1
    )
    np.testing.assert_allclose(both.weights, expected / expected.sum(), rtol=1e-12)
    part = load_dataset(f"only(data={inner}, where='shape == 2 or pos_x > 0.5')")
    values = small.values(np.arange(len(small)))
    rows = [row for row in range(len(small)) if values[row][0] == 2 or values[row][3] > 0.5]
    kept = slow_odds(small, [("pos_x", "pos_y")], 0.3)[rows]
    np.testing.assert_allclose(part.weights, kept / kept.sum(), rtol=1e-12)


def test_labelled_images_have_odds_by_their_exact_values(home):
    data = load_dataset("correlated(data=fifty_for_test_views(exact=True), pairs=((hue, size),))")
    span = EXACT.max(axis=0) - EXACT.min(axis=0)
    scaled = (EXACT - EXACT.min(axis=0)) / span
    odds = np.exp(-((scaled[:, 0] - scaled[:, 1]) ** 2) / (2 * 0.1**2))
    np.testing.assert_allclose(data.weights, odds / odds.sum(), rtol=1e-12)
    coarse = load_dataset("correlated(data=fifty_for_test_views, pairs=((hue, size),))")
    odds = np.exp(-((TABLE[:, 0] / 3 - TABLE[:, 1] / 2) ** 2) / (2 * 0.1**2))
    np.testing.assert_allclose(coarse.weights, odds / odds.sum(), rtol=1e-12)


@pytest.mark.parametrize(("strength", "width"), [("weak", 0.4), ("strong", 0.1)])
def test_training_draws_show_the_correlation(strength, width):
    text = f"correlated(data={BASE}, pairs=((pos_x, pos_y),), strength={strength})"
    data = load_dataset(text)
    batches = Batches(len(data), 1000, seed=3, weights=data.weights)
    drawn = data.factors(np.concatenate([batches.indices(step) for step in range(1, 41)]))
    # Closed form: the law of the pair alone, since the other factors are independent of it.
    places = np.array(data.factor_space.factors[3].values)
    law = np.exp(-((places[:, np.newaxis] - places) ** 2) / (2 * width**2))
    law /= law.sum()
    count = len(drawn)
    found = np.zeros((8, 8))
    np.add.at(found, (drawn[:, 3], drawn[:, 4]), 1)
    kept = law * count >= 5
    statistic = float(((found - law * count) ** 2 / (law * count))[kept].sum())
    degrees = int(kept.sum()) - 1
    assert statistic < degrees + 3.5 * math.sqrt(2 * degrees) + 3
    mean, square = (places * law.sum(axis=1)).sum(), (places**2 * law.sum(axis=1)).sum()
    expected = ((places[:, np.newaxis] * places * law).sum() - mean**2) / (square - mean**2)
    correlation = np.corrcoef(drawn.T)
    # The error of a correlation of 40,000 draws is at most 1 / sqrt(40,000) = 0.005.
    assert correlation[3, 4] == pytest.approx(expected, abs=0.02)
    others = correlation - np.diag(np.diag(correlation))
    others[3, 4] = others[4, 3] = 0
    assert np.abs(others).max() < 0.02


def test_presets_name_factors_of_their_datasets():
    checked = 0
    for name, presets in CORRELATIONS.items():
        cls = members(DatasetSpec).get(name)
        if cls is None:
            continue
        for preset in presets:
            spec = parse_dataset(f"correlated(data={name}, preset={preset})")
            assert spec.chosen(spec.factor_space)
            checked += 1
    assert checked >= 7


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("only(data=dsprites, where='pos_x > 1')", "none of the 737,280 images of dsprites"),
        ("without(data=dsprites, where='pos_x > 1')", "so all are left"),
        ("without(data=dsprites, where='pos_x >= 0')", "so none is left"),
        ("only(data=dsprites, where='pos_z > 1')", "'pos_z' is no factor. Did you mean"),
        ("only(data=dsprites, where='pos_x >')", "cannot be read"),
        ("only(data=dsprites, where='pos_x == 0.5')", "0.483871 (index 15) and 0.516129"),
        ("only(data=celeba(attributes=False), where='a > 1')", "are not known"),
        ("only(data=dsprites)", "only needs where"),
        ("only(where='pos_x > 1')", "only needs data"),
        ("correlated(data=celeba(attributes=False), confounder=a)", "are not known"),
        ("correlated(data=dsprites)", "give one of pairs, confounder and preset"),
        ("correlated(data=dsprites, confounder=shape, preset=single_1)", "give one of"),
        ("correlated(data=dsprites, confounder=hue)", "Unknown factor 'hue'"),
        ("correlated(data=dsprites, pairs=((pos_x, pos_z),))", "Did you mean"),
        ("correlated(data=dsprites, pairs=((pos_x, pos_x),))", "paired with itself"),
        ("correlated(data=dsprites, pairs=((pos_x, pos_y), (pos_y, pos_x)))", "paired twice"),
        ("correlated(data=dsprites, preset=triple_1)", "dsprites has no preset 'triple_1'"),
        ("correlated(data=dsprites, preset=single_1, strength=0)", "must be more than 0"),
        ("correlated(data=dsprites, preset=single_1, strength=mighty)", "strength"),
        ("correlated(data=dsprites, pairs=(pos_x, pos_y))", "pairs=((pos_x, pos_y),)"),
        (
            "correlated(data=circles, preset=single_1)",
            "circles has no preset: dsprites, shapes3d, mpi3d and cars3d",
        ),
        # Labels that are not there yet, of factors that are known all the same.
        ("only(data=mnist, where='digits == 7')", "'digits' is no factor. Did you mean digit?"),
        ("without(data=celeba, where='smiling == 2')", "smiling has no value 2"),
        ("only(data=subset(data=mnist), where='digits == 7')", "'digits' is no factor"),
        ("correlated(data=mnist, confounder=digits)", "Unknown factor 'digits'"),
        ("correlated(data=sprites, pairs=((pos_x, pos_z),))", "Did you mean pos_"),
        (
            "correlated(data=subset(data=sprites), pairs=((pos_x, pos_x),))",
            "pos_x cannot be paired with itself",
        ),
        (
            "correlated(data=only(data=dsprites, where='shape == 1'), preset=single_1)",
            "shape has one value",
        ),
        ("subset(data=dsprites(grid=(1, 1, 1, 2, 2)), images=5)", "has only 4"),
        ("subset(data=celeba(attributes=False), images=202600)", "has only 202,599"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_read(text, said, tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path))
    with pytest.raises(SpecError) as caught:
        parse_dataset(text)
    assert said in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_labelled_images_are_compared_when_they_are_there(home):
    Fifty().open()
    for text, said in (
        ("only(data=fifty_for_test_views, where='hue > 5')", "none of the 50 images"),
        ("only(data=fifty_for_test_views, where='age > 5')", "'age' is no factor"),
        ("subset(data=fifty_for_test_views, images=60)", "has only 50"),
        ("correlated(data=fifty_for_test_views, pairs=((hue, age),))", "Unknown factor 'age'"),
    ):
        with pytest.raises(SpecError, match=said):
            parse_dataset(text).open()


def test_a_rule_on_own_files_is_compared_before_they_are_stored(home, tmp_path):
    path = tmp_path / "own.npz"
    np.savez(
        path,
        images=np.zeros((6, 8, 8, 1), np.uint8),
        factors=np.array([[0, 1], [1, 0], [1, 1], [2, 0], [2, 2], [0, 2]]),
        factor_names=np.array(["hue", "size"]),
    )
    own = f"arrays(path='{path}')"
    for text, said in (
        (f"only(data={own}, where='hues == 1')", "'hues' is no factor. Did you mean hue?"),
        (f"correlated(data={own}, pairs=((hue, sizes),))", "Unknown factor 'sizes'"),
    ):
        with pytest.raises(SpecError, match=re.escape(said)):
            parse_dataset(text)
    assert not (home / "data").exists()
    assert len(load_dataset(f"only(data={own}, where='hue == 1')")) == 2


def test_nothing_that_holds_for_no_image_costs_more_than_the_images(home):
    # Forty factors have a million times a million combinations, which nobody can list.
    class Attributes(StoredSpec):
        name = "attributes_for_test_views"
        listed = False
        count = 20
        image_shape = (1, 1, 1)
        source = "own"
        encoding = "bytes"

        def encoded_blocks(self, first, details, progress):
            yield np.zeros((20, 1), np.uint8)

        def labels(self):
            space = FactorSpace(tuple(Factor(f"a_{k}", 2) for k in range(40)))
            return space, Labels(np.zeros((20, 40), np.int64))

    Attributes().open()
    where = "a_0 == 1 and a_39 == 0"
    with pytest.raises(SpecError) as caught:
        load_dataset(f"only(data=attributes_for_test_views, where='{where}')")
    assert f"{where}: {2**38:,} of {2**40:,} combinations" in str(caught.value)


def test_odds_that_are_all_tiny_are_odds_all_the_same():
    # Where no image is near the diagonal, those that come nearest are drawn.
    part = f"only(data={BASE}, where='abs(pos_x - pos_y) > 0.5')"
    data = load_dataset(f"correlated(data={part}, pairs=((pos_x, pos_y),), strength=0.01)")
    gap = np.abs(np.subtract(*data.values(np.arange(len(data)))[:, 3:].T))
    nearest = np.isclose(gap, gap.min())
    assert nearest.sum() < len(data)
    np.testing.assert_allclose(data.weights, nearest / nearest.sum(), atol=1e-12)
    # One around the other, they can leave nothing: what one draws, the other never does.
    odd = (
        f"correlated(data=only(data={BASE}, where='abs(pos_x - pos_y) > 0.5 or "
        "abs(shape / 2 - 0.5 - pos_x) > 0.4'), pairs=((pos_x, pos_y),), strength=0.001)"
    )
    base = load_dataset(odd)
    drawn = base.values(np.flatnonzero(base.weights > 0))
    assert (drawn[:, 3] == drawn[:, 4]).all()
    with pytest.raises(SpecError, match="never draws"):
        load_dataset(f"correlated(data={odd}, pairs=((shape, pos_x),), strength=0.001)")


def test_a_part_without_a_drawn_image_is_refused():
    # Widths so small that the odds of images off the diagonal are 0 in the computer.
    inner = f"correlated(data={BASE}, pairs=((pos_x, pos_y),), strength=0.001)"
    with pytest.raises(SpecError, match=r"has only images that .* never draws"):
        load_dataset(f"only(data={inner}, where='pos_x < 0.1 and pos_y > 0.9')")


def test_a_confounder_leaves_out_factors_with_one_value():
    data = load_dataset(
        f"correlated(data=only(data={BASE}, where='shape == 1'), confounder=scale)"
    )
    small = load_dataset(f"only(data={BASE}, where='shape == 1')")
    pairs = [("scale", other) for other in ("orientation", "pos_x", "pos_y")]
    np.testing.assert_allclose(data.weights, slow_odds(small, pairs, 0.2), rtol=1e-12)


def test_a_subset_needs_no_factors(home):
    class Bare(StoredSpec):
        name = "bare_for_test_views"
        listed = False
        labelled = False
        count = 9
        image_shape = (1, 1, 1)
        source = "own"
        encoding = "bytes"

        def encoded_blocks(self, first, details, progress):
            yield np.arange(9, dtype=np.uint8)[:, np.newaxis]

    spec = parse_dataset("subset(data=subset(data=bare_for_test_views, images=7), images=4)")
    assert spec.count == 4
    assert not spec.labelled
    assert not spec.ready()
    part = spec.open()
    assert isinstance(part.spec.data.data, Bare)
    assert not part.labelled
    shown = part.images(np.arange(4))[:, 0, 0, 0].tolist()
    assert shown == sorted(set(shown))
    assert set(shown) <= set(range(9))
    with pytest.raises(DataError, match=r"factors of subset.* are not known"):
        _ = spec.factor_space
    with pytest.raises(DataError, match="are not known"):
        part.factors([0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("subset(data=mnist)", "there write mnist(path='a file.npz') in place of mnist."),
        (
            "noisy_dsprites(data=dsprites(grid=(3, 1, 1, 2, 2)))",
            "write dsprites(path='a file.npz', source=archive, grid=(3, 1, 1, 2, 2)) in place of",
        ),
        # The innermost is the one that is written anew.
        ("subset(data=only(data=mpi3d, where='object_size == 0'))", "in place of mpi3d."),
        ("subset(data=circles)", "circles is not read from an archive"),
    ],
)
def test_a_file_of_a_part_belongs_into_its_text(text, said):
    with pytest.raises(SpecError) as caught:
        with_file(text, "a file.npz")
    assert said in str(caught.value)
