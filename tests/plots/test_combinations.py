"""Shades are errors, outlines are what was held out, and grey is what nobody scored."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.colors import LogNorm, to_rgb

from plots.rendered import pixels
from unweave.plots import errors_by_combination
from unweave.plots.style import MARK

SHAPES = ["square", "ellipse", "heart"]
PLACES = ["0", "0.333", "0.667", "1"]
ERRORS = np.array([[1.0, 2, 20, 25], [3, 4, 5, np.nan], [2, 2, 2, 2]])
HELD_OUT = np.array([[0, 0, 1, 1], [0, 0, 0, 0], [0, 1, 0, 0]], bool)


def drawn(errors, held_out=HELD_OUT, rows=SHAPES, columns=PLACES, **words):
    return errors_by_combination(errors, held_out, rows, columns, axes=("shape", "x"), **words)


def edges_of(held_out):
    """Unit edges between a cell that was held out and one that was not, cell by cell."""
    found = set()
    rows, columns = held_out.shape
    for row, column in itertools.product(range(rows), range(columns)):
        for down, across in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            other = (row + down, column + across)
            inside = 0 <= other[0] < rows and 0 <= other[1] < columns
            if held_out[row, column] and not (inside and held_out[other]):
                middle = (column + across / 2, row + down / 2)
                found.add((*middle, "level" if down else "upright"))
    return found


def units_of(segments):
    """The unit edges of which lines are made."""
    found = []
    for (x, y), (right, top) in segments:
        level = y == top
        long = round(right - x if level else top - y)
        for step in range(long):
            found.append((x + step + 0.5, y, "level") if level else (x, y + step + 0.5, "upright"))
    return found


def test_cells_have_the_errors_and_held_out_ones_an_outline():
    figure = drawn({"vae": ERRORS, "beta_vae": 2 * ERRORS})
    first, second, scale = figure.axes
    for axes, table in ((first, ERRORS), (second, 2 * ERRORS)):
        [picture] = axes.images
        np.testing.assert_array_equal(picture.get_array().filled(np.nan), table)
        assert picture.origin == "lower"
        [lines] = axes.collections
        units = units_of(lines.get_segments())
        assert len(units) == len(set(units))
        assert set(units) == edges_of(HELD_OUT)
    # One scale, which is logarithmic from 30 times on: of 1 to 50.
    assert isinstance(first.images[0].norm, LogNorm)
    assert first.images[0].get_clim() == second.images[0].get_clim() == (1, 50)
    assert first.get_title("left") == "vae"
    assert (first.get_ylabel(), first.get_xlabel()) == ("shape", "x")
    assert [label.get_text() for label in first.get_yticklabels()] == SHAPES
    assert [label.get_text() for label in first.get_xticklabels()] == PLACES
    assert "excess NLL" in scale.get_ylabel()
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["held out", "no image is scored"]


def test_errors_close_together_are_shaded_by_their_size():
    figure = drawn({"vae": ERRORS})
    assert not isinstance(figure.axes[0].images[0].norm, LogNorm)
    assert figure.axes[0].images[0].get_clim() == (0, 25)
    zero = np.where(ERRORS == 1, 0, 10 * ERRORS)
    assert not isinstance(drawn({"vae": zero}).axes[0].images[0].norm, LogNorm)


def test_colours_on_the_page():
    figure = drawn({"vae": ERRORS})
    shown = pixels(figure)
    box = figure.axes[0].get_window_extent()

    def at(row, column):
        x = box.x0 + box.width * (column + 0.5) / 4
        y = box.y0 + box.height * (row + 0.5) / 3
        return tuple(shown[round(figure.bbox.height - y), round(x)].tolist())

    assert at(1, 3) == (0xC3, 0xC9, 0xD0)
    # The largest is the darkest.
    light = {(row, column): sum(at(row, column)) for row in range(3) for column in range(4)}
    assert min(light, key=light.get) == (0, 3)
    assert light[0, 0] > light[1, 0] > light[1, 2] > light[0, 2]
    edge = shown[round(figure.bbox.height - (box.y0 + box.height / 6)),
                 round(box.x0 + box.width / 2)]  # fmt: skip
    assert np.abs(edge / 255 - to_rgb(MARK)).max() < 0.1


def test_where_nothing_is_missing_or_held_out_the_legend_says_nothing_of_it():
    full = np.nan_to_num(ERRORS, nan=3)
    [legend] = drawn({"vae": full}).legends
    assert [text.get_text() for text in legend.get_texts()] == ["held out"]
    assert not drawn({"vae": full}, np.zeros_like(HELD_OUT)).legends


def test_one_factor_alone_is_one_row():
    figure = errors_by_combination(
        {"vae": ERRORS[:1]}, HELD_OUT[:1], ["all"], PLACES, axes=("", "x")
    )
    assert len(figure.axes[0].get_yticks()) == 0
    assert figure.axes[0].get_ylabel() == ""
    assert figure.axes[0].get_xlabel() == "x"


@pytest.mark.parametrize(("models", "rows", "columns"), [
    (1, 3, 4), (1, 1, 32), (3, 3, 32), (7, 3, 8), (2, 40, 32), (12, 6, 64), (5, 2, 2),
])  # fmt: skip
@pytest.mark.parametrize("far", [1.0, 1000.0])
def test_words_do_not_overlap(models, rows, columns, far):
    rng = np.random.default_rng(0)
    held_out = np.zeros((rows, columns), bool)
    held_out[0, columns // 2 :] = True
    table = rng.uniform(5, 20, held_out.shape)
    table[held_out] *= far
    table[0, 0] = np.nan
    figure = errors_by_combination(
        {f"factor_vae(gamma={k}), architecture=burgess": table for k in range(models)},
        held_out,
        [f"a value with the name {k}" for k in range(rows)],
        [f"{k / 31:.3g}" for k in range(columns)],
        axes=("a_factor_with_a_very_long_name", "pos_x"),
        title="A title of many words " * 5,
    )
    figure.draw_without_rendering()
    words = [text for text in figure.texts if text.get_text()]
    words += [text for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        words += [axes.xaxis.label, axes.yaxis.label, axes.title, axes._left_title]
        for axis in (axes.xaxis, axes.yaxis):
            words += [tick.label1 for tick in axis.get_major_ticks() if tick.label1.get_visible()]
            words += [tick.label2 for tick in axis.get_major_ticks() if tick.label2.get_visible()]
    boxes = [word.get_window_extent() for word in words if word.get_text()]
    assert len(boxes) > models
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 + 1 for box in boxes)
    assert all(box.y0 >= 0 and box.y1 <= figure.bbox.y1 + 1 for box in boxes)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at least one model"):
        drawn({})
    with pytest.raises(ValueError, match=r"'vae' must be of shape \(3, 4\); got \(4, 3\)"):
        drawn({"vae": ERRORS.T})
    with pytest.raises(ValueError, match="'held_out' must be of shape"):
        drawn({"vae": ERRORS}, HELD_OUT[:2])
    with pytest.raises(ValueError, match="at least one finite value"):
        drawn({"vae": np.full((3, 4), np.nan)})
