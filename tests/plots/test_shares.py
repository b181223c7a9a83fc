"""Bars are as high as the shares."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from unweave.plots import share_bars


def bars(axes):
    return [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in axes.patches]


def ticks(axes):
    return [label.get_text() for label in axes.get_xticklabels()]


def test_each_value_has_a_bar_and_few_values_their_names():
    figure = share_bars(
        {"shape": [0.5, 0.3, 0.2], "pos_x": np.full(10, 0.1)},
        {"shape": ["square", "ellipse", "heart"], "pos_x": [str(k) for k in range(10)]},
    )
    shape, pos_x = figure.axes
    assert [axes.get_title("left") for axes in figure.axes] == ["shape", "pos_x"]
    assert [height for _, _, height in bars(shape)] == [0.5, 0.3, 0.2]
    assert ticks(shape) == ["square", "ellipse", "heart"]
    assert ticks(pos_x) == ["0", "9"]
    assert shape.get_ylim()[0] == 0
    assert [text.get_text() for text in shape.texts] == []
    assert [text.get_text() for text in pos_x.texts] == ["10 values"]
    # The dashed line is where equal bars would end.
    assert shape.lines[0].get_ydata()[0] == pytest.approx(1 / 3)


def test_neighbours_of_many_values_are_joined():
    shares = np.random.default_rng(0).dirichlet(np.ones(1393))
    figure = share_bars({"chair": shares}, {"chair": [str(k) for k in range(1393)]})
    [axes] = figure.axes
    found = bars(axes)
    assert len(found) == 64
    assert sum(width for _, width, _ in found) == pytest.approx(1393)
    for x, width, height in found:
        first, last = round(x), round(x + width)
        assert height == pytest.approx(shares[first:last].sum())
    assert ticks(axes) == ["0", "1392"]


@pytest.mark.parametrize(
    "names",
    [
        ["red 1/4", *["..."] * 22, "magenta 4/4"],
        ["12345678", *["..."] * 1391, "12345678"],
        [f"a value with the name {k}" for k in range(9)],
        ["absent", "present"],
        ["a single value of a long name"],
    ],
    ids=len,
)
def test_words_of_neighbours_do_not_overlap(names):
    factors = [f"a_factor_with_the_name_{k}" for k in range(4)]
    share = np.full(len(names), 1 / len(names))
    figure = share_bars(dict.fromkeys(factors, share), dict.fromkeys(factors, names))
    figure.draw_without_rendering()
    boxes = [
        text.get_window_extent()
        for axes in figure.axes
        for text in (*axes.get_xticklabels(), *axes.texts, *axes.findobj(_is_title))
        if text.get_text()
    ]
    assert len(boxes) >= 2 * len(factors)
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def _is_title(one):
    return getattr(one, "get_text", str)().startswith("a_factor")


def test_what_is_no_share_is_refused():
    with pytest.raises(ValueError, match="at least one factor"):
        share_bars({}, {})
    with pytest.raises(ValueError, match="one for each of 3 names"):
        share_bars({"a": [0.5, 0.5]}, {"a": ["x", "y", "z"]})
    with pytest.raises(ValueError, match="must be at least 0"):
        share_bars({"a": [1.5, -0.5]}, {"a": ["x", "y"]})
