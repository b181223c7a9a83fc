"""Published conditions hold out the images that are written of them, and are found by name."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from reference.conditions_reference import MODIFIERS as THEIR_MODIFIERS
from reference.conditions_reference import SPLITS, mask_of
from unweave.conditions import (
    CONDITIONS,
    MODIFIERS,
    conditions_of,
    find_condition,
    find_modifier,
    fitting,
    modifiers_of,
    split_of,
)
from unweave.data import parse_dataset
from unweave.errors import SpecError

# By the images that are trained on, where the source says something else.
FOUND = {
    ("shapes3d", "recomb2element/shape2ohue"): "recombination_to_range",
    ("circles", "midpos"): "recombination_to_element",
    ("circles", "shape2px"): "recombination_to_element",
    ("simple", "midpos"): "recombination_to_element",
    ("simple", "shape2px"): "recombination_to_element",
}
KEYS = [(each.dataset.partition("(")[0], each.name) for each in CONDITIONS]


def test_there_are_those_that_are_published_and_no_others():
    assert sorted(KEYS) == sorted(SPLITS)
    first = [each for each in CONDITIONS if "qbH974jKUVy" in each.source]
    assert Counter(each.dataset for each in first) == {
        "dsprites": 3, "shapes3d": 5, "mpi3d(subset=real)": 5,
    }  # fmt: skip
    assert {(each.dataset.partition("(")[0], each.name) for each in MODIFIERS} == {
        *THEIR_MODIFIERS
    }
    # A dataset and a name are of one condition alone.
    for dataset in {each.dataset for each in CONDITIONS}:
        names = [name for each in conditions_of(dataset) for name in each.names]
        assert len(names) == len(set(names))


@pytest.mark.parametrize(("dataset", "name"), KEYS)
def test_what_is_held_out_is_what_is_written(dataset, name):
    predicate, held_out, trained = SPLITS[dataset, name]
    condition = find_condition(name, dataset)
    split = split_of(condition)
    held = mask_of(predicate, split.space)
    np.testing.assert_array_equal(split.states == 1, held)
    np.testing.assert_array_equal(split.held_out, np.flatnonzero(held))
    if held_out is not None:
        assert len(split.held_out) == held_out
    if trained is not None:
        assert len(split.train) == trained
    if name == "horz_gt20":
        neither = mask_of(lambda g: g["horizontal_axis"] == 20, split.space)
        np.testing.assert_array_equal(split.discarded, np.flatnonzero(neither))
        assert len(split.discarded) == 25_920
    else:
        np.testing.assert_array_equal(split.train, np.flatnonzero(~held))
    assert split.finding.kind == FOUND.get((dataset, name), condition.kind)
    assert split.kind == condition.kind


@pytest.mark.parametrize(("dataset", "name"), [*THEIR_MODIFIERS])
def test_modifiers_keep_what_is_written(dataset, name):
    spec = parse_dataset("mpi3d(subset=real)" if dataset == "mpi3d" else dataset)
    kept = mask_of(THEIR_MODIFIERS[dataset, name], spec.factor_space)
    rule = "shape_1 == 0" if dataset == "two_shapes" else None
    first = conditions_of(spec)[0].name if rule is None else rule
    if name in ("half_ohues", "sparse_posX", "lhalf_hx", "fix_hx"):
        # What the first holds out is not among what is kept.
        first = {"dsprites": "shape == 'heart'", "shapes3d": "scale > 1.2"}.get(
            dataset, "vertical_axis > 20"
        )
    split = split_of(first, spec, name)
    np.testing.assert_array_equal(split.states != 2, kept & (split_of(first, spec).states != 2))
    assert split.modifier is find_modifier(name, spec)
    assert split.modifier in modifiers_of(spec)


def test_names_that_mislead_say_so():
    doubts = {(each.dataset, each.name): " ".join(each.doubts) for each in CONDITIONS}
    for key in (
        ("shapes3d", "ohue+whue2fhue"),
        ("dsprites", "sqr2tx_flnk"),
        ("dsprites", "sqr2tx_ls"),
        ("mpi3d(subset=real)", "bkg2cyl"),
        ("circles", "shape2px"),
    ):
        assert "The name misleads" in doubts[key]
    assert "misleads" in " ".join(find_modifier("even_vx", "mpi3d").doubts)
    assert "neither" in doubts["mpi3d(subset=real)", "horz_gt20"]


@pytest.mark.parametrize(
    ("text", "data", "name"),
    [
        ("sqr2tx", None, "shape2tx"),
        ("missing_fh", None, "fhue_gt50"),
        ("cyl2hx", None, "cyl2horz"),
        ("redoc2hx", None, "objc2horz"),
        ("recomb2range/shape2tx", None, "shape2tx"),
        ("recombination_to_range/sqr2tx", None, "shape2tx"),
        ("extrp/blank_side", None, "blank_side"),
        ("shape2ohue", None, "shape2ohue"),
        ("recomb2range/shape2ohue", None, "shape2ohue"),
        ("recomb2element/shape2ohue", None, "recomb2element/shape2ohue"),
        ("recombination_to_element/shape2ohue", "shapes3d", "recomb2element/shape2ohue"),
        ("leave1out", "dsprites(grid=(3, 3, 8, 8, 8))", "leave1out"),
        ("leave1out", "only(data=mpi3d, where='object_color > 2')", "leave1out"),
        ("leave1out", "color_dsprites", "leave1out"),
        (" shape2tx ", "dsprites", "shape2tx"),
    ],
)
def test_conditions_are_found_by_all_their_names(text, data, name):
    assert find_condition(text, data).name == name


def test_a_rule_is_a_condition_too():
    found = find_condition(" pos_x > 0.5 ", "circles(grid=(4, 4))")
    assert (found.name, found.held_out) == ("pos_x > 0.5", "pos_x > 0.5")
    assert (found.dataset, found.kind) == ("circles(grid=(4, 4))", None)


@pytest.mark.parametrize(
    ("text", "data", "words"),
    [
        ("shape2t", None, "Did you mean shape2tx"),
        ("blank", "dsprites", "Did you mean blank_side"),
        ("blank_side_50", None, "an old name of blank_side"),
        ("leave1out_trans", None, "an old name of shape2tx"),
        ("leave1out_comb", "dsprites", "an old name of leave1out"),
        ("floor_hue_50", None, "an old name of fhue_gt50"),
        ("shape_to_objh", None, "an old name of shape2ohue"),
        ("shape_to_floor", None, "an old name of shape2fhue"),
        ("objh_wall_to_floor", None, r"an old name of ohue\+whue2fhue"),
        ("leave1out_scale", None, "rule is not known"),
        ("rotation_extrp", None, "rule is not known"),
        ("shape2tx", "shapes3d", "a condition of dsprites, not of shapes3d.*fhue_gt50"),
        ("blank_side", "mnist", "a condition of dsprites, not of mnist"),
        ("blank_side", "dsprits", "Unknown dataset 'dsprits'"),
        ("leave1out", None, r"dsprites, shapes3d and mpi3d\(subset=real\): say of which"),
        ("any", "cars3d", "no published condition; give a rule"),
        ("pos_x > 0.5", None, "Of which dataset"),
        ("pos_x >", "dsprites", "not understood"),
        ("", None, "is empty"),
        ("  ", "dsprites", "is empty"),
    ],
)
def test_names_that_are_not_there_are_refused_with_the_nearest(text, data, words):
    with pytest.raises(SpecError, match=words):
        find_condition(text, data)


@pytest.mark.parametrize(
    ("text", "data", "words"),
    [
        ("even_ohue", "shapes3d", "Unknown modifier 'even_ohue'. Did you mean even_ohues"),
        ("even_ohues", "dsprites", "a modifier of shapes3d, not of dsprites.*sparse_posX"),
        ("any", "cars3d", "There are none to choose from"),
        ("index(pos_x) ==", "dsprites", "not understood"),
    ],
)
def test_modifiers_that_are_not_there_are_refused(text, data, words):
    with pytest.raises(SpecError, match=words):
        find_modifier(text, data)


def test_a_name_of_several_datasets_fits_all_of_them():
    assert [each.dataset for each in fitting("leave1out")] == [
        "dsprites", "shapes3d", "mpi3d(subset=real)",
    ]  # fmt: skip
    assert [each.dataset for each in fitting("leave1out", "shapes3d")] == ["shapes3d"]
