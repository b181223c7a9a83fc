"""What is held out of a dataset that is trained on is known from its text."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from reference.conditions_reference import MODIFIERS as THEIR_MODIFIERS
from reference.conditions_reference import SPLITS, mask_of
from unweave.conditions import (
    CONDITIONS,
    MODIFIERS,
    held_out_text,
    modifiers_of,
    named_data,
    split_of,
)
from unweave.data import parse_dataset
from unweave.errors import SpecError
from unweave.presets import PRESETS

SMALL = "dsprites(grid=(3, 3, 4, 8, 8))"
KEYS = [(each.dataset.partition("(")[0], each.name) for each in CONDITIONS]


def spec_of(dataset):
    return parse_dataset("mpi3d(subset=real)" if dataset == "mpi3d" else dataset)


@functools.cache
def held_out_of(text):
    return held_out_text(parse_dataset(text))


@pytest.mark.parametrize("key", KEYS, ids="-".join)
def test_of_every_published_condition_it_is_what_is_written(key):
    """By index predicates, which no rule has been read for."""
    condition = CONDITIONS[KEYS.index(key)]
    text = held_out_of(condition.train_text())
    held = mask_of(SPLITS[key][0], spec_of(key[0]).factor_space)
    np.testing.assert_array_equal(parse_dataset(text).part().rows, np.flatnonzero(held))
    assert text == split_of(condition).test_text


@pytest.mark.parametrize("key", KEYS, ids="-".join)
def test_of_every_published_condition_under_modifiers(key):
    condition = CONDITIONS[KEYS.index(key)]
    space = spec_of(key[0]).factor_space
    held = mask_of(SPLITS[key][0], space)
    found = []
    for modifier in modifiers_of(condition.dataset):
        kept = mask_of(THEIR_MODIFIERS[key[0], modifier.name], space)
        train, test = (
            text(None, modifier.rule) for text in (condition.train_text, condition.test_text)
        )
        if not (held & kept).any():
            # Nothing of what is held out is kept: that is said when the dataset is made.
            with pytest.raises(SpecError, match=r"none of the .* images"):
                parse_dataset(held_out_of(train))
            continue
        assert held_out_of(train) == test
        rows = parse_dataset(test).part().rows
        np.testing.assert_array_equal(rows, np.flatnonzero(held & kept))
        found.append(modifier)
    assert found or not any(each.dataset == condition.dataset for each in MODIFIERS)


def test_the_rest_of_a_condition_that_leaves_images_aside_is_not_held_out():
    """Of horz_gt20 the images with horizontal_axis 20 are neither trained on nor held out."""
    whole = "mpi3d(subset=real)"
    text = held_out_of(f"without(data={whole}, where='horizontal_axis >= 20')")
    assert text == f"only(data={whole}, where='horizontal_axis > 20')"
    assert parse_dataset(text).count == 492_480
    kept = f"only(data={whole}, where='vertical_axis % 2 == 1 and not horizontal_axis >= 20')"
    assert held_out_of(kept) == (
        f"only(data={whole}, where='vertical_axis % 2 == 1 and horizontal_axis > 20')"
    )
    # Of another rule it is all the rest.
    assert held_out_of(f"without(data={whole}, where='horizontal_axis >= 30')") == (
        f"only(data={whole}, where='horizontal_axis >= 30')"
    )


@pytest.mark.parametrize("modifiers", [("four_shapes", "lhalf_hx"), ("four_shapes", "fix_hx")])
def test_two_modifiers_as_published(modifiers):
    rules = {each.name: each.rule for each in MODIFIERS if "mpi3d" in each.dataset}
    rule = " and ".join(rules[name] for name in modifiers)
    (condition,) = [each for each in CONDITIONS if each.name == "cyl2vx"]
    text = held_out_of(condition.train_text(None, rule))
    space = spec_of("mpi3d").factor_space
    masks = [mask_of(THEIR_MODIFIERS["mpi3d", name], space) for name in modifiers]
    masks.append(mask_of(SPLITS["mpi3d", "cyl2vx"][0], space))
    np.testing.assert_array_equal(
        parse_dataset(text).part().rows, np.flatnonzero(np.logical_and.reduce(masks))
    )


@pytest.mark.parametrize("data", [SMALL, f"subset(data={SMALL}, images=900, seed=2)"])
@pytest.mark.parametrize("rule", ["shape == 'heart' and pos_x < 0.3", "index(pos_y) % 2 == 1"])
def test_of_a_rule_of_ones_own_it_is_the_rest(data, rule):
    whole = parse_dataset(data)
    part = parse_dataset(f'without(data={data}, where="{rule}")')
    held = parse_dataset(held_out_text(part))
    together = np.concatenate([part.part().rows, held.part().rows])
    np.testing.assert_array_equal(np.sort(together), np.arange(whole.count))


def test_presets_are_tested_on_what_is_held_out():
    """All that were trained without some combinations, by the texts that they say."""
    checked = 0
    for preset in PRESETS.values():
        tested = {asked.data for asked in preset.scoring if asked.data is not None}
        if preset.name.startswith(("dag/", "lls/")) and tested:
            assert tested == {held_out_of(preset.dataset)}, preset.name
            checked += 1
    assert checked > 100


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dsprites", "Nothing is held out of dsprites. .* with --data"),
        (f"subset(data={SMALL}, images=90)", "Nothing is held out of subset.* with --data"),
        (f"only(data={SMALL}, where='pos_x < 0.5')", "no published condition .* with --data"),
        (f"only(data={SMALL}, where='pos_x < 0.5 and not pos_y > 0.3')", "with --data"),
    ],
)
def test_where_nothing_is_known_to_be_held_out_it_is_said_what_to_do(text, words):
    with pytest.raises(SpecError, match=words):
        held_out_of(text)


def test_data_are_named_by_themselves_by_text_or_as_held_out():
    trained_on = parse_dataset(f"without(data={SMALL}, where='pos_x > 0.5')")
    held = parse_dataset(f"only(data={SMALL}, where='pos_x > 0.5')")
    for data in ("held_out", " held_out ", str(held), held):
        assert named_data(data, trained_on) == held
    with pytest.raises(SpecError, match="held_ou"):
        named_data("held_ou", trained_on)
