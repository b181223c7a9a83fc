"""Blocks of images stand below each other, with their names at their rows."""

from __future__ import annotations

import numpy as np
import pytest

from plots.rendered import find, pixels
from unweave.plots import Block, enlarge, image_blocks, joined_blocks


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def blocks():
    return [
        Block(images=noise(2, 4, 16, 16, 1), names=("original", "reconstructed")),
        Block(
            images=noise(3, 3, 16, 16, 1, seed=1),
            names=("z4", "z0", "z1"),
            notes=("scale", None, None),
            faint=(False, False, True),
            heads=("-1", "0", "+1"),
        ),
    ]


def test_every_image_stands_in_its_place(blocks):
    figure = image_blocks(blocks)
    picture = pixels(figure)
    places = [
        [[find(picture, image) for image in row] for row in block.images] for block in blocks
    ]
    tops = [row[0][0] for block in places for row in block]
    assert tops == sorted(tops)
    for block in places:
        for row in block:
            assert len({top for top, _, _ in row}) == 1
    assert [row[0][1] for row in places[0]] == [row[0][1] for row in places[1]][:2]
    texts = {text.get_text(): text for text in figure.axes[0].texts}
    assert {"original", "reconstructed", "z4", "scale", "z0", "z1", "0", "+1"} <= set(texts)
    assert texts["z1"].get_color() != texts["z0"].get_color()
    for name, (top, left, scale) in (
        ("reconstructed", places[0][1][0]),
        ("z0", places[1][1][0]),
    ):
        box = texts[name].get_window_extent()
        middle = picture.shape[0] - (box.y0 + box.y1) / 2
        assert abs(middle - (top + 8 * scale)) < 3 * scale
        assert 0 <= box.x0 < box.x1 < left
    # Words above a block stand between it and the one above.
    box = texts["0"].get_window_extent()
    top, left, scale = places[1][0][1]
    assert picture.shape[0] - box.y0 <= top
    assert picture.shape[0] - box.y1 >= places[0][1][0][0] + 16 * scale
    assert abs((box.x0 + box.x1) / 2 - (left + 8 * scale)) < 2 * scale


def test_without_words_they_are_pixels_alone(blocks):
    canvas = joined_blocks(blocks)
    assert canvas.shape == (2 * 18 + 2 + 6 + 3 * 18 + 2, 4 * 18 + 2, 3)
    np.testing.assert_array_equal(canvas[2:18, 2:18], blocks[0].images[0, 0].repeat(3, axis=2))
    at = 2 * 18 + 2 + 6 + 18 + 2
    np.testing.assert_array_equal(
        canvas[at : at + 16, 20:36], blocks[1].images[1, 1].repeat(3, axis=2)
    )


@pytest.mark.parametrize(
    ("wrong", "word"),
    [({"names": ("a",)}, "names"), ({"notes": ("a",)}, "notes"), ({"heads": ("a",)}, "heads")],
)
def test_names_that_do_not_fit(wrong, word):
    given = {"images": noise(2, 3, 4, 4, 1), "names": ("a", "b")}
    with pytest.raises(ValueError, match=f"{word} must be"):
        image_blocks([Block(**{**given, **wrong})])


def test_pixels_are_repeated_in_both_directions():
    image = noise(2, 3, 4, 1)
    large = enlarge(image, 3)
    assert large.shape == (2, 9, 12, 1)
    for y in range(9):
        for x in range(12):
            np.testing.assert_array_equal(large[:, y, x], image[:, y // 3, x // 3])
