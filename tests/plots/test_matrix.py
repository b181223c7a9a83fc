"""The table of latents and factors says what its numbers say."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from plots.rendered import pixels
from unweave.plots import best_latents, latent_factor_matrix

MATRIX = [[0.1, 0.0, np.nan], [0.05, 0.0, 1.234], [0.4, 0.0, 0.5]]


def draw(matrix=MATRIX, **options):
    rows, columns = np.shape(matrix)
    factors = ["shape", "scale", "position_x", "more"][:columns]
    return latent_factor_matrix(matrix, factors, [f"z{i}" for i in range(rows)], **options)


def test_best_latents():
    assert best_latents(MATRIX) == [2, None, 1]
    assert best_latents([[1.0], [1.0]]) == [0]
    assert best_latents([[np.nan], [np.nan]]) == [None]


def test_the_best_latent_of_each_factor_is_outlined():
    axes = draw().axes[0]
    corners = [patch.get_xy() for patch in axes.patches if isinstance(patch, Rectangle)]
    assert corners == [(-0.5, 1.5), (1.5, 0.5)]


def test_each_cell_shows_its_number():
    axes = draw().axes[0]
    shown = {text.get_position(): text.get_text() for text in axes.texts}
    assert shown == {
        (0, 0): "0.10", (1, 0): "0.00", (2, 0): "–",
        (0, 1): "0.05", (1, 1): "0.00", (2, 1): "1.23",
        (0, 2): "0.40", (1, 2): "0.00", (2, 2): "0.50",
    }  # fmt: skip


def test_numbers_are_light_on_dark_cells():
    axes = draw().axes[0]
    colours = {text.get_position(): text.get_color() for text in axes.texts}
    assert colours[2, 1] == "white"
    assert "white" not in {colours[0, 0], colours[2, 2]}


def test_larger_numbers_have_darker_cells():
    # One factor, so that columns stay clear of the outline when the middle of the left is read.
    figure = draw(matrix=[[0.0, 0.2], [0.4, 0.1], [0.9, 1.0]])
    picture = pixels(figure).astype(int)
    box = figure.axes[0].get_window_extent()
    height = box.height / 3
    brightness = [
        picture[int(picture.shape[0] - box.y1 + height * (row + 0.25)), int(box.x0 + 10)].sum()
        for row in range(3)
    ]
    assert brightness[0] > brightness[1] > brightness[2]


def test_names_title_and_label_are_shown():
    figure = draw(title="Information", value_label="nats")
    axes, scale = figure.axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["shape", "scale", "position_x"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["z0", "z1", "z2"]
    assert [text.get_text() for text in figure.texts] == ["Information"]
    assert scale.get_ylabel() == "nats"


@pytest.mark.parametrize("rows", [1, 10, 64])
def test_words_stay_inside_the_figure(rows):
    figure = draw(matrix=np.full((rows, 4), 0.5), title="Information", value_label="nats")
    picture = pixels(figure)
    height, width, _ = picture.shape
    words = [*figure.texts, *figure.axes[0].get_xticklabels(), *figure.axes[0].get_yticklabels()]
    for text in words:
        box = text.get_window_extent()
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
    assert figure.get_figwidth() <= 8.05


def test_a_table_without_information_is_drawn():
    axes = draw(matrix=np.zeros((2, 2))).axes[0]
    assert not axes.patches
    assert {text.get_text() for text in axes.texts} == {"0.00"}


def test_names_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="2 latents and 1 factors"):
        latent_factor_matrix([[1.0], [2.0]], ["a"], ["z0"])
    with pytest.raises(ValueError, match="latents by factors"):
        latent_factor_matrix([1.0], ["a"], ["z0"])


@pytest.mark.parametrize("latents", [1, 3, 10, 40])
@pytest.mark.parametrize("factors", [1, 5, 10])
def test_long_words_beside_the_scale_stay_inside(latents, factors):
    figure = latent_factor_matrix(
        np.linspace(0, 1, latents * factors).reshape(latents, factors),
        [f"f{k}" for k in range(factors)],
        [f"z{j}" for j in range(latents)],
        value_label="accuracy of one latent on test rows, 0 for a constant factor",
    )
    figure.draw_without_rendering()
    label = figure.axes[1].yaxis.label
    box, whole = label.get_window_extent(), figure.bbox
    assert whole.x0 <= box.x0 < box.x1 <= whole.x1
    assert whole.y0 <= box.y0 < box.y1 <= whole.y1
    assert " ".join(label.get_text().split()).endswith("0 for a constant factor")
    assert figure.get_figwidth() <= 8.3
