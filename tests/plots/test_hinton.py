"""The area of each square is its value, on one scale for all diagrams."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex

from plots.rendered import pixels
from unweave.plots import hinton_diagrams
from unweave.plots.style import BLUE, FAINT, MARK

TITLE = " ".join(["A title of many words"] * 6)
FACTORS = ["shape", "scale", "orientation", "position_x", "position_y"]


def weights(rows, columns=5, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, columns))


def squares(axes):
    """(row, column) -> area and colour of each square, which must be in the middle of its cell."""
    found = {}
    for patch in axes.patches:
        if patch.get_label() == "dead":
            continue
        wide = patch.get_width()
        assert wide == patch.get_height()
        x, y = patch.get_x() + wide / 2, patch.get_y() + wide / 2
        row, column = round(y), round(x)
        assert (x, y) == pytest.approx((column, row), abs=1e-9)
        found[row, column] = wide**2, to_hex(patch.get_facecolor())
    return found


def diagrams(figure):
    """The axes of the diagrams, without those of the legend."""
    return figure.axes[:-1]


def test_areas_are_values_on_one_scale():
    one, other = weights(4), 0.1 * weights(3, seed=1)
    figure = hinton_diagrams([one, other], ["one", "other"], FACTORS)
    most = max(np.abs(one).max(), np.abs(other).max())
    top = 2 ** np.ceil(np.log2(most))
    assert top == 4
    for axes, matrix in zip(diagrams(figure), (one, other), strict=True):
        found = squares(axes)
        assert len(found) == matrix.size
        for place, (area, colour) in found.items():
            assert area == pytest.approx(0.94**2 * abs(matrix[place]) / top)
            assert colour == (BLUE if matrix[place] > 0 else MARK)
    # One size of cells, too, and the first latent on top.
    boxes = [axes.get_window_extent() for axes in diagrams(figure)]
    assert boxes[0].height / 4 == pytest.approx(boxes[1].height / 3)
    assert boxes[0].width / 5 == pytest.approx(boxes[0].height / 4)
    assert boxes[0].y1 == pytest.approx(boxes[1].y1)
    assert all(axes.yaxis_inverted() for axes in diagrams(figure))


@pytest.mark.parametrize(
    ("most", "top"), [(0.5, 0.5), (0.51, 1), (1, 1), (1.01, 2), (3, 4), (2**-10, 2**-10)]
)
def test_the_scale_ends_at_the_next_power_of_two(most, top):
    (axes,) = diagrams(hinton_diagrams([[[most]]], ["a"], ["x"]))
    assert squares(axes)[0, 0][0] == pytest.approx(0.94**2 * most / top)


def test_a_scale_that_is_given_cuts_larger_values():
    figure = hinton_diagrams([[[1.0], [-8.0]]], ["a"], ["x"], largest=2)
    found = squares(diagrams(figure)[0])
    assert found[0, 0][0] == pytest.approx(0.94**2 / 2)
    assert found[1, 0][0] == pytest.approx(0.94**2)


def test_dead_latents_are_seen():
    matrix = weights(4)
    matrix[1] = 0
    figure = hinton_diagrams([matrix, matrix], ["a", "b"], FACTORS,
                             active=[[1, 0, 1, 1], [1, 0, 1, 0]])  # fmt: skip
    for axes, dead in zip(diagrams(figure), ([1], [1, 3]), strict=True):
        rows = [patch for patch in axes.patches if patch.get_label() == "dead"]
        assert [patch.get_y() + 0.5 for patch in rows] == dead
        assert [line.get_ydata()[0] for line in axes.lines] == dead
        faint = [k for k, one in enumerate(axes.get_yticklabels()) if one.get_color() == FAINT]
        assert faint == dead
    assert "dead latent" in words(figure)
    # By default those without any square, and no mark in the legend where there is none.
    (axes,) = diagrams(hinton_diagrams([matrix], ["a"], FACTORS))
    assert [line.get_ydata()[0] for line in axes.lines] == [1]
    assert "dead latent" not in words(hinton_diagrams([weights(4)], ["a"], FACTORS))


def words(figure):
    return [text.get_text() for text in figure.axes[-1].texts]


def test_the_legend_shows_sizes_and_signs():
    figure = hinton_diagrams([[[0.7, 0.1]]], ["a"], ["x", "y"], value_label="weight")
    assert words(figure) == ["weight", "1", "0.25", "0.0625"]
    sides = [patch.get_width() for patch in figure.axes[-1].patches][1::2]
    assert np.array(sides) / sides[0] == pytest.approx([1, 1 / 2, 1 / 4])
    figure = hinton_diagrams([[[-30, 1]]], ["a"], ["x", "y"])
    assert words(figure) == ["32", "8", "2", "positive", "negative"]


def test_greys_are_white_and_black_on_grey():
    figure = hinton_diagrams([[[1.0, -1.0]]], ["a"], ["x", "y"], greys=True)
    (axes,) = diagrams(figure)
    picture = pixels(figure)
    box = axes.get_window_extent()
    row = picture[round(picture.shape[0] - (box.y0 + box.y1) / 2)]
    assert row[round(box.x0 + box.width / 4)].tolist() == [255] * 3
    assert row[round(box.x0 + 3 * box.width / 4)].tolist() == [0] * 3
    assert row[round(box.x0 + 1)].tolist() == [0x8A] * 3


def test_a_value_that_is_not_finite_is_a_dash():
    (axes,) = diagrams(hinton_diagrams([[[np.nan, 1.0]]], ["a"], ["x", "y"]))
    assert [(text.get_text(), text.get_position()) for text in axes.texts] == [("–", (0, 0))]
    assert list(squares(axes)) == [(0, 1)]
    (axes,) = diagrams(hinton_diagrams([np.zeros((2, 2))], ["a"], ["x", "y"]))
    assert squares(axes) == {}


def test_names_stand_beside_rows_once_where_they_are_the_same():
    figure = hinton_diagrams([weights(3), weights(3), np.eye(5)], ["a", "b", "truth"], FACTORS,
                             latent_names=[["z0", "z1", "z2"]] * 2 + [FACTORS])  # fmt: skip
    rows = [[label.get_text() for label in axes.get_yticklabels()] for axes in diagrams(figure)]
    assert rows == [["z0", "z1", "z2"], ["", "", ""], FACTORS]
    for axes in diagrams(figure):
        assert [label.get_text() for label in axes.get_xticklabels()] == FACTORS


@pytest.mark.parametrize(
    ("rows", "columns", "count"),
    [
        *((*sizes, count) for sizes in ((2, 2), (10, 5)) for count in (1, 2, 3, 7, 8)),
        *((32, 7, count) for count in (1, 2, 7)),
        *(pytest.param(32, 7, count, marks=pytest.mark.slow) for count in (3, 8)),
    ],
)
def test_words_do_not_overlap(count, rows, columns):
    factors = [*FACTORS, "a_factor_with_a_name_of_many_letters", "view"][:columns]
    matrices = [weights(rows, columns, seed) for seed in range(count)]
    matrices[0][1] = 0
    names = [f"A model of the name number {k}" for k in range(count)]
    figure = hinton_diagrams(matrices, names, factors, title=TITLE, value_label="weight")
    figure.draw_without_rendering()
    texts = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    for axes in diagrams(figure):
        texts += [*axes.get_xticklabels(), *axes.get_yticklabels()]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    # Letters reach less far than lines of text do.
    boxes = [box.from_extents(box.x0 + 1, box.y0 + 2, box.x1 - 1, box.y1 - 2) for box in boxes]
    boxes += [axes.get_window_extent() for axes in diagrams(figure)]
    assert len(boxes) >= count * (columns + 2)
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert all(box.y0 >= 0 and box.y1 <= figure.bbox.y1 for box in boxes)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert figure.get_figwidth() <= 8.05


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at least one matrix"):
        hinton_diagrams([], [], FACTORS)
    with pytest.raises(ValueError, match="matrices must be one for each of 2 names; got 1"):
        hinton_diagrams([weights(3)], ["a", "b"], FACTORS)
    with pytest.raises(ValueError, match=r"latents by 5 factors; got shape \(3, 4\)"):
        hinton_diagrams([weights(3, 4)], ["a"], FACTORS)
    with pytest.raises(ValueError, match="3 latents; got 2 latent_names"):
        hinton_diagrams([weights(3)], ["a"], FACTORS, [["z0", "z1"]])
    with pytest.raises(ValueError, match="active must be one for each"):
        hinton_diagrams([weights(3)], ["a"], FACTORS, active=[])
    with pytest.raises(ValueError, match=r"active of shape \(2,\)"):
        hinton_diagrams([weights(3)], ["a"], FACTORS, active=[[True, False]])
    for largest in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="largest must be above 0"):
            hinton_diagrams([weights(3)], ["a"], FACTORS, largest=largest)
