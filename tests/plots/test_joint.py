"""Shades are as dark as two values are often together."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from unweave.plots import joint_shares


def test_each_pair_has_a_panel_with_its_table():
    table = np.array([[0.5, 0.0, 0.1], [0.1, 0.1, 0.2]])
    figure = joint_shares(
        {("shape", "pos_x"): table, ("pos_x", "shape"): table.T},
        {"shape": ["square", "heart"], "pos_x": ["0", "0.5", "1"]},
    )
    first, second = figure.axes
    assert (first.get_ylabel(), first.get_xlabel()) == ("shape", "pos_x")
    assert (second.get_ylabel(), second.get_xlabel()) == ("pos_x", "shape")
    [picture] = first.images
    shown = picture.get_array()
    np.testing.assert_array_equal(shown.filled(0), table)
    # What never occurs is left white.
    np.testing.assert_array_equal(np.ma.getmaskarray(shown), table == 0)
    assert picture.get_clim() == (0, 0.5)
    # The first value of either factor stands at the bottom left.
    assert picture.origin == "lower"
    assert [label.get_text() for label in first.get_xticklabels()] == ["0", "1"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["square", "heart"]


def test_a_panel_is_as_wide_in_a_small_figure_as_in_a_large_one():
    def widths(count):
        pairs = {("a", f"b{k}"): np.full((2, 2), 0.25) for k in range(count)}
        figure = joint_shares(pairs, {name: ["0", "1"] for pair in pairs for name in pair})
        figure.draw_without_rendering()
        return figure.get_figwidth(), [axes.get_window_extent().width for axes in figure.axes]

    whole, panels = widths(5)
    for count in (1, 2, 4):
        width, some = widths(count)
        assert width == pytest.approx(whole * count / 4)
        np.testing.assert_allclose(some, panels[0], rtol=0.05)


@pytest.mark.parametrize("count", [1, 2, 64])
def test_words_of_neighbours_do_not_overlap(count):
    names = [f"a value with the name {k}" for k in range(count)]
    factors = [f"a_factor_with_the_name_{k}" for k in range(5)]
    table = np.full((count, count), 1 / count**2)
    pairs = {(factors[0], other): table for other in factors[1:]}
    figure = joint_shares(pairs, dict.fromkeys(factors, names))
    figure.draw_without_rendering()
    boxes = [
        text.get_window_extent()
        for axes in figure.axes
        for text in (
            *axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label, axes.yaxis.label
        )
        if text.get_text()
    ]  # fmt: skip
    assert len(boxes) >= 4 * len(pairs)
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert all(box.y0 >= 0 and box.y1 <= figure.bbox.y1 for box in boxes)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_what_is_no_share_is_refused():
    with pytest.raises(ValueError, match="at least one pair"):
        joint_shares({}, {})
    with pytest.raises(ValueError, match=r"of shape \(2, 3\); got shape \(3, 2\)"):
        joint_shares({("a", "b"): np.zeros((3, 2))}, {"a": ["x", "y"], "b": ["x", "y", "z"]})
    with pytest.raises(ValueError, match="must be at least 0"):
        joint_shares({("a", "a"): -np.eye(2)}, {"a": ["x", "y"]})
