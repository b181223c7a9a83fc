"""Images on two latents: every point where it is, and words that can be read."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Ellipse

from plots.rendered import pixels
from unweave.plots import latent_positions
from unweave.plots.style import MARK

RNG = np.random.default_rng(0)
TRAINED = RNG.normal(size=(60, 2))
HELD_OUT = RNG.normal(size=(12, 2)) + 4
EXPECTED = np.array([[0.0, 1.0], [2.0, -1.0]])
LABELS = ("z3, shape", "z0, pos_x")


def drawn(figure):
    """Points of images trained on, of those held out, and expected positions."""
    [axes] = figure.axes
    return axes.collections


def words(figure):
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_every_point_is_where_it_is():
    figure = latent_positions(TRAINED, HELD_OUT, EXPECTED, LABELS)
    for points, given in zip(drawn(figure), (TRAINED, HELD_OUT, EXPECTED), strict=True):
        np.testing.assert_array_equal(points.get_offsets(), given)
    [axes] = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == LABELS
    low, high = np.array([axes.get_xlim(), axes.get_ylim()]).T
    for given in (TRAINED, HELD_OUT, EXPECTED):
        assert (given >= low).all()
        assert (given <= high).all()
    assert to_hex(drawn(figure)[1].get_edgecolor()[0]) == MARK
    assert words(figure) == ["trained on", "held out", "expected"]


@pytest.mark.parametrize("count", [2, 5, 6, 32])
def test_colours_are_those_of_values(count):
    names = [f"value {k}" for k in range(count)]
    values = np.arange(60) % count
    figure = latent_positions(
        TRAINED, HELD_OUT, EXPECTED, LABELS, values=values, names=names, factor="shape"
    )
    colours = [to_hex(colour) for colour in drawn(figure)[0].get_facecolors()]
    by_value = {value: colours[value] for value in range(count)}
    assert colours == [by_value[value] for value in values.tolist()]
    assert len(set(colours)) == count
    assert MARK not in colours
    shown = words(figure)[:-2]
    # The first and the last are among those explained.
    assert len(shown) == min(count, 5)
    assert {names[0], names[-1]} <= set(shown)
    first = figure.legends[0]
    assert first.get_title().get_text() == "trained on, by shape"
    for handle, name in zip(first.legend_handles, shown, strict=True):
        assert to_hex(handle.get_markerfacecolor()) == by_value[names.index(name)]


def test_an_ellipse_is_one_deviation_to_each_side():
    widths = np.array([[0.5, 0.25], [1.0, 2.0]])
    figure = latent_positions(TRAINED, HELD_OUT, EXPECTED, LABELS, deviations=widths)
    ellipses = [patch for patch in figure.axes[0].patches if isinstance(patch, Ellipse)]
    assert [(e.center, e.width, e.height) for e in ellipses] == [
        ((0, 1), 1, 0.5),
        ((2, -1), 2, 4),
    ]
    assert words(figure)[-1] == "one standard deviation"
    many = np.tile(EXPECTED, (30, 1))
    figure = latent_positions(TRAINED, HELD_OUT, many, LABELS, deviations=np.tile(widths, (30, 1)))
    assert not figure.axes[0].patches
    assert words(figure)[-1] == "expected"


def test_of_many_points_some_are_drawn_evenly():
    many = np.column_stack([np.arange(20_000), np.zeros(20_000)])
    figure = latent_positions(many, many[:7000], EXPECTED, LABELS)
    trained, held, _ = drawn(figure)
    for points, most, steps in ((trained, 4000, 5), (held, 1000, 7)):
        places = points.get_offsets()[:, 0]
        assert len(places) <= most
        assert set(np.diff(places)) == {steps}


@pytest.mark.parametrize("count", [3, 9])
@pytest.mark.parametrize("length", [4, 60])
def test_words_neither_overlap_nor_leave_the_figure(count, length):
    names = [f"{'n' * length} {k}" for k in range(count)]
    figure = latent_positions(
        TRAINED,
        HELD_OUT,
        EXPECTED,
        (f"z12, {'x' * length}", f"z3, {'y' * length}"),
        deviations=np.ones((2, 2)),
        values=np.arange(60) % count,
        names=names,
        factor="f" * length,
        title="A condition",
        note="Codes of 12 images that were held out, and where they are expected. " * 3,
    )
    shown = pixels(figure)
    boxes = [legend.get_window_extent() for legend in figure.legends]
    boxes += [text.get_window_extent() for text in figure.texts]
    [axes] = figure.axes
    boxes += [axes.xaxis.label.get_window_extent(), axes.yaxis.label.get_window_extent()]
    boxes.append(axes.get_window_extent())
    height, width, _ = shown.shape
    assert all(box.x0 >= 0 and box.x1 <= width for box in boxes)
    assert all(box.y0 >= 0 and box.y1 <= height for box in boxes)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_nothing_held_out_or_expected():
    figure = latent_positions(TRAINED, [], [], LABELS, deviations=[])
    assert words(figure) == ["trained on"]
    assert pixels(figure).std() > 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (([], [], [], LABELS), "at least one image"),
        ((TRAINED[:, 0], [], [], LABELS), r"trained must be of shape \(n, 2\); got shape \(60,\)"),
        ((TRAINED, [[np.nan, 1]], [], LABELS), "held_out must be finite"),
        ((TRAINED, [], np.zeros((2, 3)), LABELS), "expected must be of shape"),
    ],
)
def test_what_cannot_be_drawn(arguments, reason):
    with pytest.raises(ValueError, match=reason):
        latent_positions(*arguments)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"deviations": np.ones((3, 2))}, r"deviations must be at least 0, of shape \(2, 2\)"),
        ({"deviations": -np.ones((2, 2))}, "deviations must be at least 0"),
        ({"values": np.zeros(3, int), "names": ["a"]}, r"whole numbers of shape \(60,\)"),
        ({"values": np.zeros(60), "names": ["a"]}, "whole numbers"),
        ({"values": np.ones(60, int), "names": ["a"]}, "from 0 to 0, one for each name"),
    ],
)
def test_what_does_not_fit(more, reason):
    with pytest.raises(ValueError, match=reason):
        latent_positions(TRAINED, HELD_OUT, EXPECTED, LABELS, **more)
