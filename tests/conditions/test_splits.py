"""A split divides the images of a dataset, and the views have the same images as it says."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from unweave.conditions import CONDITIONS, Condition, Modifier, split_of, write_split
from unweave.conditions.describing import describe, lines_of
from unweave.conditions.leaks import leaks_of
from unweave.conditions.writing import file_stem
from unweave.data import load_dataset, parse_dataset
from unweave.errors import SpecError
from unweave.session.preparation import training_rows
from unweave.settings import make_config

SMALL = "dsprites(grid=(3, 3, 4, 8, 8))"
HALF = "pos_x > 0.5"
CORNER = "shape == 'square' and pos_x > 0.5"


def rows_of(text):
    return parse_dataset(text).part().rows


def check_views(split):
    np.testing.assert_array_equal(rows_of(split.train_text), split.train)
    np.testing.assert_array_equal(rows_of(split.test_text), split.held_out)


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda each: f"{each.dataset}-{each.name}")
def test_views_have_the_images_of_published_splits(condition):
    split = split_of(condition)
    together = np.concatenate([split.train, split.held_out, split.discarded])
    np.testing.assert_array_equal(np.sort(together), np.arange(split.data.count))
    check_views(split)


@pytest.mark.parametrize(
    ("data", "condition", "modifier"),
    [
        (SMALL, "shape2tx", None),
        (SMALL, CORNER, "index(pos_y) % 2 == 0"),
        # By index: in a part indices are others than in the whole.
        (SMALL, "index(pos_x) >= 4", "index(pos_x) in (0, 3, 4, 7)"),
        (SMALL, f"{CORNER} or scale > 0.9", "pos_y < 0.3 or pos_y > 0.8"),
        (f"only(data={SMALL}, where='shape != 3 or pos_y > 0.5')", CORNER, None),
        (f"only(data={SMALL}, where='scale < 0.9')", CORNER, "index(pos_y) < 4"),
        (f"subset(data={SMALL}, images=500, seed=3)", "shape2tx", "scale < 0.9"),
        (f"correlated(data={SMALL}, pairs=((pos_x, pos_y),))", "blank_side", None),
        ("dsprites", "shape2tx", "sparse_posX"),
        ("two_shapes", "huecomb", "noverlap"),
        ("sprites(images=300)", "pos_x > 0.52", None),
    ],
)
def test_views_have_the_images_of_splits_of_any_data(data, condition, modifier):
    if data.startswith("sprites"):
        parse_dataset(data).open()
    split = split_of(condition, data, modifier)
    check_views(split)
    assert not set(split.train) & set(split.held_out)
    assert len(split.train) + len(split.held_out) + len(split.discarded) == split.data.count
    assert bool(len(split.discarded)) == (modifier is not None)


def test_a_modifier_keeps_out_of_both():
    whole = split_of("shape2tx", SMALL)
    split = split_of("shape2tx", SMALL, "scale < 0.9")
    scale = split.space.position("scale")
    small = split.space.unravel(np.arange(split.space.size))[:, scale] < 2
    np.testing.assert_array_equal(split.train, np.flatnonzero((whole.states == 0) & small))
    np.testing.assert_array_equal(split.held_out, np.flatnonzero((whole.states == 1) & small))
    np.testing.assert_array_equal(split.discarded, np.flatnonzero(~small))


def test_a_trained_rule_leaves_some_images_aside():
    condition = Condition(
        name="gap", dataset=SMALL, held_out="index(pos_x) > 5", trained="index(pos_x) < 4"
    )
    split = split_of(condition)
    assert split.train_text == f"only(data={SMALL}, where='index(pos_x) < 4')"
    check_views(split)
    assert len(split.discarded) == split.space.size // 4
    assert split.borders == [
        "pos_x: the last trained value is 3 (0.419), the first held out 6 (0.871), and 4 (0.581) "
        "to 5 (0.71) is neither"
    ]
    check_views(split_of(condition, SMALL, Modifier(name="m", dataset=SMALL, rule="scale > 0.7")))


def test_a_denial_is_written_as_without():
    text = split_of("horz_gt20").train_text
    assert text == "without(data=mpi3d(subset=real), where='horizontal_axis >= 20')"
    condition = Condition(
        name="x", dataset=SMALL, held_out="scale > 0.9", trained="not (scale > 0.9 or shape == 3)"
    )
    assert condition.train_text() == f"without(data={SMALL}, where='scale > 0.9 or shape == 3')"
    check_views(split_of(condition))


@pytest.mark.parametrize("condition", ["shape2tx", "horz_gt20"])
def test_the_slice_for_tests_is_that_of_a_training(condition):
    split = split_of(
        condition, SMALL if condition == "shape2tx" else "mpi3d(grid=(2, 2, 1, 1, 1, 40, 4))"
    )
    train, left = split.in_distribution(0.05, 7)
    config = make_config(split.train_text, "vae", steps=1, holdout=0.05, seed=7)
    rows, held = training_rows(config, config.dataset.count)
    whole = rows_of(split.train_text)
    np.testing.assert_array_equal(train, whole[rows])
    np.testing.assert_array_equal(left, whole[held])
    np.testing.assert_array_equal(np.union1d(train, left), split.train)
    assert len(left) == round(0.05 * len(split.train))
    for fraction in (1.5, 1e-9):
        with pytest.raises(SpecError, match="holdout"):
            split.in_distribution(fraction, 0)


def test_digests_are_of_the_indices():
    split = split_of(CORNER, SMALL)
    for name, rows in split.rows().items():
        content = b"".join(int(row).to_bytes(8, "little") for row in rows)
        assert split.digests[name] == hashlib.sha256(content).hexdigest()
    # However it is written.
    other = split_of("not (shape != 1 or index(pos_x) < 4)", SMALL)
    assert other.digests == split.digests


@pytest.mark.parametrize(
    ("condition", "data", "modifier", "words"),
    [
        ("index(pos_x) > 7", SMALL, None, "holds nothing out .*: 0 of 2,304 combinations"),
        ("index(pos_x) >= 0", SMALL, None, "leaves nothing to train on"),
        (HALF, SMALL, "pos_x < 0.5", "holds nothing out .* among the images that 'pos_x < 0.5'"),
        (HALF, SMALL, HALF, "leaves nothing to train on .* among"),
        ("pos_z > 0.5", SMALL, None, "'pos_z' is no factor. Did you mean pos_y or pos_x"),
        ("shape == 'circle'", SMALL, None, "has no value named 'circle'"),
        ("pos_x >> 1", SMALL, None, "no place in a rule"),
        ("pos_x +", SMALL, None, "cannot be read"),
        ("pos_x > 0.5", SMALL, "pos_y >", "cannot be read"),
        ("shape2tx", "shapes3d", None, "not of shapes3d"),
        ("shape2tx", SMALL, "even_ohues", "a modifier of shapes3d"),
        ("index(x) > 3", "folder(path='nothing')", None, "folder"),
    ],
)
def test_what_is_no_split_is_refused(condition, data, modifier, words):
    with pytest.raises(Exception, match=words) as caught:
        split_of(condition, data, modifier)
    assert "\n" not in str(caught.value)


def test_what_is_trained_on_cannot_be_held_out():
    both = Condition(name="both", dataset=SMALL, held_out=HALF, trained="pos_x > 0.4")
    with pytest.raises(SpecError, match=r"1,152 images .* are both trained on"):
        split_of(both)
    other = Condition(name="mine", dataset="circles", held_out=HALF)
    with pytest.raises(SpecError, match="mine is a condition of circles, not of dsprites"):
        split_of(other, SMALL)
    with pytest.raises(SpecError, match="not understood"):
        Condition(name="wrong", dataset=SMALL, held_out="pos_x >")


def test_files_have_the_indices(tmp_path):
    split = split_of("horz_gt20")
    leaks = leaks_of(split)
    npz, document = write_split(split, tmp_path, in_distribution=(0.1, 3), leaks=leaks)
    assert (npz.name, document.name) == ("mpi3d-horz_gt20.npz", "mpi3d-horz_gt20.json")
    train, left = split.in_distribution(0.1, 3)
    with np.load(npz) as arrays:
        assert sorted(arrays) == ["discarded", "held_out", "in_distribution", "train"]
        for name, rows in (
            ("train", train),
            ("in_distribution", left),
            ("held_out", split.held_out),
            ("discarded", split.discarded),
        ):
            assert arrays[name].dtype == np.int64
            np.testing.assert_array_equal(arrays[name], rows)
    form = json.loads(document.read_text("utf-8"))
    assert form["format"] == 1
    assert form["file"] == npz.name
    assert form["in_distribution"]["num_in_distribution"] == len(left)
    assert form["leaks"] == {
        "share": None, "num_copies": None, "share_copies": None, "symmetries": [],
    }  # fmt: skip
    assert {key: form[key] for key in describe(split)} == describe(split)
    before = npz.read_bytes()
    write_split(split, tmp_path, in_distribution=(0.1, 3), leaks=leaks)
    assert npz.read_bytes() == before


def test_files_of_different_splits_have_different_names():
    splits = [
        split_of("shape2tx", "dsprites"),
        split_of("shape2tx", SMALL),
        split_of(CORNER, SMALL),
        split_of(HALF, SMALL),
        split_of("shape2tx", "dsprites", "sparse_posX"),
        split_of("shape2tx", SMALL, "scale > 0.7"),
        split_of("recomb2element/shape2ohue"),
        split_of("shape2ohue"),
    ]
    names = [file_stem(split) for split in splits]
    assert names[0] == "dsprites-shape2tx"
    assert names[4] == "dsprites-shape2tx-sparse_posX"
    assert names[6:] == ["shapes3d-recomb2element-shape2ohue", "shapes3d-shape2ohue"]
    assert len(set(names)) == len(names)


def test_words_say_the_numbers():
    split = split_of("horz_gt20")
    lines = "\n".join(lines_of(split, leaks_of(split)))
    for words in (
        "horz_gt20: extrapolation on mpi3d(subset=real)",
        "1,036,800 images: 518,400 trained on (50 %), 492,480 held out (47.5 %), 25,920 neither",
        "found to be extrapolation: never trained on, and not between values that are: "
        "horizontal_axis 21 to 39",
        "the last trained value is 19, the first held out 21, and 20 is neither",
        f"train on: {split.train_text}",
        f"test on: {split.test_text}",
        "no symmetry is known",
        "OpenReview qbH974jKUVy",
    ):
        assert words in lines
    split = split_of("midpos", "circles")
    assert "but found to be recombination_to_element" in "\n".join(
        lines_of(split, leaks_of(split))
    )
    assert describe(split)["condition"] == "recombination_to_range"
    assert describe(split)["kind"] == "recombination_to_element"
    assert "72 images are held out" in "\n".join(
        lines_of(split_of("leave1out", "shapes3d"), leaks_of(split))
    )


def test_a_split_says_what_it_is():
    assert repr(split_of(CORNER, SMALL)) == (
        f"<Split {CORNER} of {SMALL}: 1,920 trained on, 384 held out, 0 neither>"
    )


def test_images_of_both_parts_are_those_of_the_indices():
    split = split_of(CORNER, SMALL)
    whole = load_dataset(SMALL)
    for text, rows in ((split.train_text, split.train), (split.test_text, split.held_out)):
        part = load_dataset(text)
        np.testing.assert_array_equal(part.images(np.arange(len(part))), whole.images(rows))
