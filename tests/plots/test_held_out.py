"""Maps show the share that is held out of each cell, and images stand unchanged below them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from plots.rendered import find, pixels
from unweave.plots import held_out_maps

NAMES = {
    "shape": ["square", "ellipse", "heart"],
    "pos_x": [f"{k / 31:.3g}" for k in range(32)],
    "a_factor_with_a_long_name": [f"a value with the name {k}" for k in range(40)],
    "size": ["small", "large"],
}


def counts(*factors, seed=0):
    shape = (3, *(len(NAMES[name]) for name in factors))
    return np.random.default_rng(seed).integers(0, 3, shape)


def test_one_map_shows_shares_and_what_is_neither():
    table = np.array([[[4, 0, 1], [0, 2, 0]], [[0, 3, 3], [0, 0, 0]], [[0, 0, 0], [5, 0, 1]]])
    names = {"size": ["small", "large"], "pos": ["0", "0.5", "1"]}
    figure = held_out_maps({("size", "pos"): table}, names, title="A title", notes=("a note",))
    [axes] = figure.axes
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("size", "pos")
    [picture] = axes.images
    shown = picture.get_array()
    np.testing.assert_array_equal(shown.filled(-1), [[0, 1, 0.75], [-1, 0, -1]])
    assert picture.get_clim() == (0, 1)
    assert picture.origin == "lower"
    assert [label.get_text() for label in axes.get_xticklabels()] == names["pos"]
    assert [label.get_text() for label in axes.get_yticklabels()] == names["size"]
    [legend] = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "trained on",
        "held out",
        "neither",
    ]
    assert {text.get_text() for text in figure.texts} == {"A title", "a note"}


def test_colours_tell_what_is_held_out():
    table = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    figure = held_out_maps({("pos",): table}, {"pos": ["0", "0.5", "1"]})
    [axes] = figure.axes
    shown = pixels(figure)
    box = axes.get_window_extent()
    row = shown[round(figure.bbox.height - (box.y0 + box.y1) / 2)]
    trained, held, neither = (
        tuple(row[round(box.x0 + box.width * (2 * k + 1) / 6)]) for k in range(3)
    )
    assert trained == (0xCF, 0xE1, 0xF0)
    assert held == (0xD5, 0x5E, 0x00)
    assert neither == (0xE4, 0xE7, 0xEB)
    assert len(axes.get_yticks()) == 0


def test_each_of_several_maps_has_its_own_scale():
    one, other = counts("shape", "pos_x"), counts("size", "pos_x", seed=1)
    one[0] += 100
    figure = held_out_maps({("shape", "pos_x"): one, ("size", "pos_x"): other}, NAMES)
    for axes, table in zip(figure.axes, (one, other), strict=True):
        [picture] = axes.images
        kept = table[0] + table[1]
        shares = np.where(kept > 0, table[1] / np.maximum(kept, 1), -1)
        np.testing.assert_array_equal(picture.get_array().filled(-1), shares)
        assert picture.get_clim() == (0, shares.max())
        assert f"up to {100 * shares.max():.3g} %" in axes.get_title("left")
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["trained on", "largest share held out of each map", "neither"]


def test_nothing_held_out_of_a_map_is_no_error():
    table = np.stack([np.ones((3, 2)), np.zeros((3, 2)), np.zeros((3, 2))])
    figure = held_out_maps({("shape", "size"): table, ("size", "shape"): counts("size", "shape")},
                           NAMES)  # fmt: skip
    assert "up to 0 %" in figure.axes[0].get_title("left")


def test_images_stand_below_the_map():
    rng = np.random.default_rng(0)
    images = {
        "trained on": rng.integers(0, 256, (3, 32, 32, 1), dtype=np.uint8),
        "held out": rng.integers(0, 256, (2, 32, 32, 1), dtype=np.uint8),
    }
    figure = held_out_maps({("shape", "size"): counts("shape", "size")}, NAMES, images=images)
    shown = pixels(figure)
    bottom = round(figure.bbox.height - figure.axes[0].get_window_extent().y0)
    below = shown[bottom:]
    first = find(below, images["trained on"][0])
    last = find(below, images["held out"][1])
    assert first[0] < last[0]
    assert first[1] < last[1]
    assert first[2] == last[2] == 5
    assert [text.get_text() for text in figure.axes[1].texts] == [*images]


def test_rows_of_large_images_end_early():
    images = {"trained on": np.zeros((8, 300, 300, 3), np.uint8)}
    images["trained on"][0, :, :, 0] = np.arange(300, dtype=np.uint16)[:, np.newaxis] % 256
    figure = held_out_maps({("shape", "size"): counts("shape", "size")}, NAMES, images=images)
    assert find(pixels(figure), images["trained on"][0])[2] == 1


@pytest.mark.parametrize(
    "keys",
    [
        [("shape", "pos_x")],
        [("pos_x", "a_factor_with_a_long_name")],
        [("a_factor_with_a_long_name",)],
        [*itertools.combinations(NAMES, 2)],
    ],
)
def test_words_do_not_overlap(keys):
    images = {"trained on\n1,036,784": np.zeros((2, 16, 16, 1), np.uint8)}
    figure = held_out_maps(
        {key: counts(*key) for key in keys},
        NAMES,
        images=images,
        title="A condition of a dataset",
        notes=("a kind; held out: " + " and ".join(["factor > 0.123"] * 20), "a second note"),
    )
    figure.draw_without_rendering()
    words = [text for text in figure.texts if text.get_text()]
    words += [text for legend in figure.legends for text in legend.get_texts()]
    words += [text for axes in figure.axes for text in axes.texts]
    for axes in figure.axes[: len(keys)]:
        words += [axes.xaxis.label, axes.yaxis.label, axes.title, axes._left_title]
        words += [*axes.get_xticklabels(), *axes.get_yticklabels()]
    boxes = [word.get_window_extent() for word in words if word.get_text()]
    assert len(boxes) >= 8
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert all(box.y0 >= 0 and box.y1 <= figure.bbox.y1 for box in boxes)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_what_is_no_map_is_refused():
    with pytest.raises(ValueError, match="at least one map"):
        held_out_maps({}, {})
    with pytest.raises(ValueError, match=r"of shape \(3, 3, 2\); got shape \(3, 2, 3\)"):
        held_out_maps({("shape", "size"): counts("size", "shape")}, NAMES)
    with pytest.raises(ValueError, match="must be at least 0"):
        held_out_maps({("size",): -counts("size") - 1}, NAMES)
    with pytest.raises(ValueError, match="at least one image"):
        held_out_maps({("size",): 0 * counts("size")}, NAMES)
    images = {"one": np.zeros((1, 4, 4, 1), np.uint8), "two": np.zeros((1, 5, 4, 1), np.uint8)}
    with pytest.raises(ValueError, match="one size"):
        held_out_maps({("size",): counts("size")}, NAMES, images=images)
