"""From a dataset that is trained on back to what was held out of it."""

from __future__ import annotations

import pytest

from unweave.conditions import CONDITIONS, split_of
from unweave.conditions.recovering import recover
from unweave.conditions.registry import modifiers_of
from unweave.data import parse_dataset
from unweave.errors import SpecError

# Two names of one rule.
SAME = {"sqr2tx_flnk": "sqr2tx_cent"}


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda each: f"{each.dataset}-{each.name}")
def test_every_published_condition_is_found_again(condition):
    for modifier in (None, *modifiers_of(condition.dataset)):
        rule = modifier and modifier.rule
        found = recover(condition.train_text(None, rule))
        assert found.condition.name == SAME.get(condition.name, condition.name)
        assert found.modifier == modifier
        assert str(found.data) == condition.dataset
        assert found.held_out_text == condition.test_text(None, rule)


@pytest.mark.parametrize(
    "asked",
    [
        ("shape2tx", "dsprites(grid=(3, 2, 4, 4, 4))", None),
        ("horz_gt20", None, None),
        ("index(pos_x) >= 2 and scale > 0.7", "dsprites(grid=(3, 2, 4, 4, 4))", None),
        ("blank_side", "dsprites(grid=(3, 2, 4, 4, 4))", "index(pos_y) < 2"),
    ],
)
def test_what_a_split_trains_on_leads_to_what_it_holds_out(asked):
    split = split_of(*asked)
    if asked[2] is None:
        found = recover(split.train_text)
        assert found.held_out_text == split.test_text
        assert found.condition.held_out == split.condition.held_out
        assert found.data == split.data
    else:
        # A rule of one's own that keeps some images cannot be told from a condition.
        with pytest.raises(SpecError, match="it is not known which others are held out"):
            recover(split.train_text)


def test_a_condition_on_a_part_has_its_published_name():
    part = "only(data=dsprites(grid=(3, 2, 4, 4, 4)), where='pos_y < 0.5')"
    text = f"without(data={part}, where=\"shape == 'square' and pos_x > 0.5\")"
    found = recover(parse_dataset(text))
    assert (found.condition.name, str(found.data)) == ("shape2tx", str(parse_dataset(part)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dsprites", r"Nothing is held out of dsprites\. Train on a part of it"),
        ("only(data=dsprites, where='pos_x < 0.2')", r"Name them with --data"),
        ("subset(data=dsprites, images=100)", r"Nothing is held out of subset"),
    ],
)
def test_where_nothing_is_known_to_be_held_out(text, message):
    with pytest.raises(SpecError, match=message):
        recover(text)
