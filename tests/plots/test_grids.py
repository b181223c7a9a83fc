"""Reconstructions and traversals show every image unchanged, each in its place."""

from __future__ import annotations

import numpy as np
import pytest

from plots.rendered import find, pixels
from unweave.plots import image_rows, order_by_kl, reconstructions, traversals


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def words(figure):
    axes = figure.axes[0]
    return [text for text in axes.texts if text.get_text()]


@pytest.mark.parametrize("channels", [1, 3])
def test_each_reconstruction_stands_right_below_its_original(channels):
    above, below = noise(5, 16, 16, channels), noise(5, 16, 16, channels, seed=1)
    picture = pixels(reconstructions(above, below, columns=3))
    places = []
    for original, reconstructed in zip(above, below, strict=True):
        row, column, scale = find(picture, original)
        assert find(picture, reconstructed) == (row + (16 + 2) * scale, column, scale)
        places.append((row, column))
    first, second = places[:3], places[3:]
    assert len({row for row, _ in first}) == len({row for row, _ in second}) == 1
    assert [column for _, column in first] == sorted({column for _, column in first})
    assert second[0][1] == first[0][1]
    assert second[0][0] > first[0][0] + 2 * 16


def test_rows_say_which_is_the_original():
    figure = reconstructions(noise(4, 8, 8, 1), noise(4, 8, 8, 1, seed=1), columns=2)
    labels = [text.get_text() for text in words(figure)]
    assert labels == ["original", "reconstructed"] * 2


def test_at_most_ten_pairs_stand_side_by_side():
    wide = reconstructions(noise(11, 8, 8, 1), noise(11, 8, 8, 1, seed=1))
    assert len(words(wide)) == 4


def test_reconstructions_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="must have one shape"):
        reconstructions(noise(4, 8, 8, 1), noise(3, 8, 8, 1))
    with pytest.raises(ValueError, match="columns must be 1 or more"):
        reconstructions(noise(4, 8, 8, 1), noise(4, 8, 8, 1), columns=0)


def test_traversals_go_from_the_highest_kl_down():
    images = noise(3, 4, 16, 16, 1)
    figure = traversals(images, np.linspace(-2, 2, 4), kl=[0.5, 0.001, 2.314])
    picture = pixels(figure)
    rows = [find(picture, images[latent, 0])[0] for latent in range(3)]
    assert rows[2] < rows[0] < rows[1]
    columns = [find(picture, images[0, step])[1] for step in range(4)]
    assert columns == sorted(columns)
    assert len(set(np.diff(columns))) == 1
    assert [text.get_text() for text in words(figure)] == [
        "z2  KL 2.31",
        "z0  KL 0.50",
        "z1  KL 0.00",
    ]


def test_a_latent_that_carries_nothing_has_another_colour():
    figure = traversals(noise(3, 2, 8, 8, 1), [-1, 1], kl=[0.0099, 0.0101, 3])
    colour = {text.get_text()[:2]: text.get_color() for text in words(figure)}
    assert colour["z1"] == colour["z2"] != colour["z0"]


def test_row_labels_name_the_latent_and_its_factor():
    figure = traversals(
        noise(2, 2, 8, 8, 3), [-1, 1], kl=[1, 2], latents=[7, 4], labels=["scale", None]
    )
    assert [text.get_text() for text in words(figure)] == ["z4  KL 2.00", "z7  KL 1.00", "scale"]


@pytest.mark.parametrize("labels", [None, [None, None, ""]])
def test_each_row_label_is_level_with_its_row(labels):
    images = noise(3, 3, 16, 16, 1)
    figure = traversals(images, [-1, 0, 1], kl=[3, 2, 1], labels=labels)
    picture = pixels(figure)
    for latent, text in enumerate(words(figure)):
        row, column, scale = find(picture, images[latent, 0])
        box = text.get_window_extent()
        middle = picture.shape[0] - (box.y0 + box.y1) / 2
        assert abs(middle - (row + 8 * scale)) < 2 * scale
        assert 0 < box.x0 < box.x1 < column


def test_long_names_of_factors_stay_inside_the_figure():
    figure = traversals(noise(1, 9, 64, 64, 1), range(9), labels=["orientation, position_y"])
    pixels(figure)
    assert all(text.get_window_extent().x0 >= 0 for text in words(figure))


@pytest.mark.parametrize(
    ("values", "heads"),
    [
        ([-2, 0, 2], ["−2.0", "0", "+2.0"]),
        ([-0.25, 0.5, 1.25], ["−0.25", "+0.50", "+1.25"]),
        ([-1 / 3, 0, 1 / 3], ["−0.333", "0", "+0.333"]),
    ],
)
def test_columns_are_headed_by_their_values(values, heads):
    axes = traversals(noise(1, 3, 8, 8, 1), values).axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == heads


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"values": [0, 1, 2]}, "values"),
        ({"kl": [1.0]}, "kl"),
        ({"latents": [1]}, "latents"),
        ({"labels": ["scale"] * 3}, "labels"),
    ],
)
def test_lengths_that_do_not_agree_are_refused(arguments, name):
    with pytest.raises(ValueError, match=f"{name} must be one for each"):
        traversals(noise(2, 2, 8, 8, 1), **({"values": [0, 1]} | arguments))


def test_equal_kl_keeps_the_order_of_the_latents():
    assert order_by_kl([0, 1, 0, 1, 2]) == [4, 1, 3, 0, 2]


@pytest.mark.parametrize(("steps", "side"), [(3, 64), (11, 64), (11, 32), (40, 64)])
def test_pictures_are_as_wide_as_a_report_and_no_wider(steps, side):
    figure = traversals(noise(2, steps, side, side, 1), np.arange(steps))
    assert figure.get_figwidth() <= 8.05
    if steps >= 11:
        assert figure.get_figwidth() > 7.5


def test_rows_of_images_have_their_names():
    images = noise(3, 4, 16, 16, 3)
    figure = image_rows(images, ["random", "shape", "scale"], "dsprites (rendered)")
    picture = pixels(figure)
    rows = [find(picture, images[row, 2])[0] for row in range(3)]
    assert rows == sorted(rows)
    assert [text.get_text() for text in words(figure)] == ["random", "shape", "scale"]
    (title,) = figure.texts
    assert title.get_text() == "dsprites (rendered)"
    assert title.get_window_extent().y1 <= picture.shape[0]
    # It stands over the images.
    assert title.get_window_extent().y0 >= picture.shape[0] - rows[0] / 2
    with pytest.raises(ValueError, match="labels must be one for each of 3 rows"):
        image_rows(images, ["random"])


def test_rows_of_other_lengths_and_sizes_stand_in_tiles_of_one_size():
    large, small, odd = (
        noise(4, 32, 32, 3),
        noise(2, 8, 16, 1, seed=1),
        noise(3, 11, 11, 3, seed=2),
    )
    picture = pixels(image_rows([large, small, odd], ["large", "small", "odd"]))
    row, column, scale = find(picture, large[1])
    # Twice as large, and in the middle of the tile's height.
    assert find(picture, small[1]) == (row + (32 + 2 + 8) * scale, column, 2 * scale)
    place = find(picture, odd[1].repeat(2, axis=0).repeat(2, axis=1))
    assert place == (row + (2 * 34 + 5) * scale, column + 5 * scale, scale)
    with pytest.raises(AssertionError, match="does not show"):
        find(picture, np.zeros((32, 32, 3), np.uint8))
    with pytest.raises(ValueError, match="0 rows"):
        image_rows([], [])
