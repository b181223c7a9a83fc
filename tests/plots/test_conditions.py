"""Every image under every label stands in its row and column, unchanged."""

from __future__ import annotations

import numpy as np
import pytest

from plots.rendered import find, pixels
from unweave.plots import conditions

GROUPS = [("shape", ["square", "heart"]), ("scale", ["0.5", "0.7", "1"])]


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_row_an_image_and_a_column_a_value(channels):
    originals, reconstructed = (noise(3, 16, 16, channels, seed=seed) for seed in (0, 1))
    changed = noise(3, 5, 16, 16, channels, seed=2)
    picture = pixels(conditions(originals, reconstructed, changed, GROUPS))
    columns = []
    for row in range(3):
        images = [originals[row], reconstructed[row], *changed[row]]
        places = [find(picture, image)[:2] for image in images]
        assert len({top for top, _ in places}) == 1
        columns.append([left for _, left in places])
    assert columns[0] == columns[1] == columns[2] == sorted(columns[0])
    steps = np.diff(columns[0])
    # Groups stand apart: the pair, two shapes, three scales.
    assert steps[0] == steps[2] == steps[4] == steps[5]
    assert steps[1] == steps[3] > steps[0]


def test_it_names_labels_and_values():
    figure = conditions(noise(2, 8, 8, 1), noise(2, 8, 8, 1), noise(2, 5, 8, 8, 1), GROUPS)
    axes = figure.axes[0]
    heads = [text.get_text() for text in axes.get_xticklabels()]
    assert heads == ["original", "reconstr.", "square", "heart", "0.5", "0.7", "1"]
    assert [text.get_text() for text in axes.texts if text.get_text()] == ["shape", "scale"]


def test_what_does_not_fit_is_refused():
    images = noise(2, 8, 8, 1)
    with pytest.raises(ValueError, match="groups must name each of 4 columns; got 5"):
        conditions(images, images, noise(2, 4, 8, 8, 1), GROUPS)
    with pytest.raises(ValueError, match="changed must have a row for each"):
        conditions(images, images, noise(3, 5, 8, 8, 1), GROUPS)
