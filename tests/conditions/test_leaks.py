"""Copies are those that comparing every two images finds; twins are those of loops over turns."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reference.conditions_reference import exchanged, nearest_turn
from unweave.conditions import copies_of, leaks_of, split_of, twins_of
from unweave.conditions import leaks as module
from unweave.data import load_dataset
from unweave.errors import SpecError

# All orientations of each shape at one place.
TURNS = "dsprites(grid=(3, 1, 40, 1, 1))"
PLACES = "dsprites(grid=(3, 2, 40, 2, 1))"
TWO = "two_shapes(grid=(2, 2), hues=3)"
GRIDS = [
    (TURNS, "orientation > 4"),
    (TURNS, "index(orientation) % 3 == 1"),
    (TURNS, "index(orientation) == 0 and shape == 'heart'"),
    (PLACES, "shape == 'ellipse' and 2 * pi / 3 < orientation < 4 * pi / 3 and pos_x > 0.5"),
    (PLACES, "shape == 'square' and pos_x > 0.5"),
    (PLACES, "scale > 0.7"),
    (TWO, "hue_1 < 0.1 and hue_2 > 0.5"),
    (TWO, "index(shape_1) > index(shape_2)"),
    ("two_shapes(grid=(2, 2), hues=2, apart=True)", "hue_1 < 0.1 and hue_2 > 0.4"),
    ("dsprites(grid=(3, 2, 4, 2, 2))", "shape == 'square' and orientation > 3"),
    (f"subset(data={PLACES}, images=250, seed=1)", "orientation > 3"),
    (f"only(data={PLACES}, where='orientation > 1')", "orientation > 3"),
    ("shapes3d(grid=(2, 2, 2, 2, 4, 2))", "shape == 'pill' and floor_hue > 0.2"),
]


def equal_pairs(split, dataset):
    """Of each held-out image that is equal to one of training, the first such."""
    found = {}
    trained = dataset.images(split.train)
    for row in split.held_out:
        image = dataset.images([row])[0]
        equal = [np.array_equal(image, other) for other in trained]
        if any(equal):
            found[int(row)] = int(split.train[equal.index(True)])
    return found


@pytest.mark.parametrize(("data", "rule"), GRIDS)
def test_copies_are_all_equal_pairs(data, rule):
    dataset = load_dataset(data)
    split = split_of(rule, data)
    expected = equal_pairs(split, dataset)
    copies = copies_of(split, dataset)
    assert dict(zip(copies.held_out.tolist(), copies.trained.tolist(), strict=True)) == expected
    leaks = leaks_of(split, dataset)
    assert leaks.share_copies == len(expected) / len(split.held_out)
    assert leaks.share >= leaks.share_copies


def test_digests_that_agree_by_chance_decide_nothing(monkeypatch):
    dataset, split = load_dataset(TURNS), split_of("index(orientation) % 3 == 0", TURNS)
    expected = equal_pairs(split, dataset)
    assert 0 < len(expected) < len(split.held_out)
    monkeypatch.setattr(
        module, "_digests", lambda dataset, rows, *_: np.zeros(len(rows), np.uint64)
    )
    copies = copies_of(split, dataset)
    assert dict(zip(copies.held_out.tolist(), copies.trained.tolist(), strict=True)) == expected


def test_images_are_read_in_blocks_and_counted(monkeypatch):
    dataset, split = load_dataset(PLACES), split_of("orientation > 4", PLACES)
    whole = copies_of(split, dataset)
    monkeypatch.setattr(module, "_BLOCK", 50)
    told = []
    small = copies_of(split, dataset, lambda *words: told.append(words))
    np.testing.assert_array_equal(small.held_out, whole.held_out)
    np.testing.assert_array_equal(small.trained, whole.trained)
    what, done, total = zip(*told, strict=True)
    assert set(what) == {"comparing images"}
    assert set(total) == {len(dataset)}
    assert list(done) == sorted(set(done))
    assert done[-1] == len(dataset)


def turns_of(split):
    """Of each Turn that is written of dSprites: its held-out images and their distances."""
    space = split.space
    column = space.position("orientation")
    values = space.factors[column].values
    rows = split.table.indices(split.held_out).tolist()
    trained = split.table.indices(split.train).tolist()
    names = space.factors[0].labels
    for what, label, period in (
        ("the first and the last orientation", None, 2 * math.pi),
        ("a square", "square", math.pi / 2),
        ("an ellipse", "ellipse", math.pi),
    ):
        chosen = {
            int(flat): nearest_turn(row, trained, column, values, period)
            for flat, row in zip(split.held_out, rows, strict=True)
            if label is None or names[row[0]] == label
        }
        if chosen:
            yield what, chosen


@pytest.mark.parametrize(
    ("data", "rule"), [(data, rule) for data, rule in GRIDS if "dsprites" in data]
)
def test_twins_by_turns(data, rule):
    split = split_of(rule, data)
    twins = {each.symmetry: each for each in twins_of(split)}
    values = np.array(split.space.factors[2].values)
    step = np.diff(values).min()
    closed = values[-1] - values[0] > 6.28
    expected = {what: of for what, of in turns_of(split) if closed or what[:9] != "the first"}
    assert len(twins) == len(expected)
    for (symmetry, found), (what, distances) in zip(twins.items(), expected.items(), strict=True):
        assert symmetry.startswith(what)
        assert found.concerned == len(distances)
        near = sorted(row for row, gap in distances.items() if gap < step - 1e-6)
        assert found.rows.tolist() == near
        assert found.near == len(near)
        assert found.same == sum(gap < 1e-6 for gap in distances.values())
        some = [gap for gap in distances.values() if math.isfinite(gap)]
        if some:
            ends = np.array([min(some), max(some)])
            np.testing.assert_allclose(found.steps, ends / step, atol=1e-9)
            np.testing.assert_allclose(found.degrees, np.degrees(ends), atol=1e-9)
        else:
            assert found.steps is None


def test_the_ellipses_of_the_published_cell_have_twins_half_a_step_away():
    leaks = leaks_of(split_of("leave1out", "dsprites"))
    assert leaks.share == 1
    full, half = leaks.twins
    assert (full.same, full.near) == (0, 0)
    assert full.symmetry.startswith("the first and the last orientation")
    assert half.symmetry.startswith("an ellipse")
    assert (half.concerned, half.same, half.near) == (5808, 0, 5808)
    # Half a turn is 19.5 steps, of 360 / 39 degrees each.
    np.testing.assert_allclose(half.steps, (0.5, 0.5))
    np.testing.assert_allclose(half.degrees, (180 / 39, 180 / 39))


@pytest.mark.parametrize(("data", "rule"), [each for each in GRIDS if "two_shapes" in each[0]])
def test_twins_by_exchange(data, rule):
    split = split_of(rule, data)
    [twins] = twins_of(split)
    trained = {tuple(row) for row in split.table.indices(split.train).tolist()}
    expected = [
        int(flat)
        for flat, row in zip(
            split.held_out, split.table.indices(split.held_out).tolist(), strict=True
        )
        if exchanged(row) in trained
    ]
    if "apart" in data:
        # The two have no place in common.
        expected = []
    assert twins.rows.tolist() == expected
    assert (twins.near, twins.concerned) == (len(expected), len(split.held_out))
    assert twins.steps is None


def test_most_exchanged_images_are_the_same():
    """What the declared symmetry says, by pixels: but where one shape covers the other."""
    dataset, split = load_dataset(TWO), split_of("hue_1 < 0.1 and hue_2 > 0.5", TWO)
    [twins] = twins_of(split)
    space = split.space
    rows = split.table.indices(twins.rows)
    twin = space.ravel([exchanged(row) for row in rows.tolist()])
    same = (dataset.images(twins.rows) == dataset.images(twin)).all(axis=(1, 2, 3))
    apart = (rows[:, :2] != rows[:, 4:6]).any(axis=1)
    np.testing.assert_array_equal(same, apart)


def test_nothing_is_known_where_no_symmetry_is():
    split = split_of("floor_hue >= 0.5", "shapes3d(grid=(4, 2, 2, 2, 2, 2))")
    leaks = leaks_of(split)
    assert (leaks.twins, leaks.copies, leaks.share, leaks.share_copies) == ((), None, None, None)
    # Exact orientations lie between those of the grid.
    load_dataset("sprites(images=300)")
    assert twins_of(split_of("pos_x > 0.5", "sprites(images=300)")) == []


def test_images_of_another_dataset_are_refused():
    with pytest.raises(SpecError, match=r"The split is of .*, and the images are of"):
        copies_of(split_of("orientation > 4", TURNS), load_dataset(PLACES))
