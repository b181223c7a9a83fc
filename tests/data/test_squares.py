"""XYSquares and XYObject against their geometry, pixel by pixel."""

import numpy as np
import pytest

from unweave.data import load_dataset, parse_dataset
from unweave.errors import SpecError

RAINBOW = [(1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1)]


def drawn(*squares, side=64, channels=3):
    """An image from (left, top, edge, color), channel by channel the brightest."""
    image = np.zeros((side, side, channels), dtype=np.uint8)
    for left, top, edge, color in squares:
        for row in range(top, top + edge):
            for column in range(left, left + edge):
                image[row, column] = np.maximum(image[row, column], color)
    return image


def test_squares_lie_on_a_grid_of_8_by_8():
    data = load_dataset("xysquares")
    assert len(data) == 8**6 == 262_144
    assert data.image_shape == (64, 64, 3)
    assert data.factor_space.names == (
        "pos_x_red",
        "pos_y_red",
        "pos_x_green",
        "pos_y_green",
        "pos_x_blue",
        "pos_y_blue",
    )
    flat = np.random.default_rng(0).integers(0, len(data), 20)
    for image, (a, b, c, d, e, f) in zip(
        data.images(flat), data.factors(flat).tolist(), strict=True
    ):
        expected = drawn(
            (8 * a, 8 * b, 8, (255, 0, 0)),
            (8 * c, 8 * d, 8, (0, 255, 0)),
            (8 * e, 8 * f, 8, (0, 0, 255)),
        )
        np.testing.assert_array_equal(image, expected)


def test_pixels_say_how_many_squares_moved_and_not_how_far():
    data = load_dataset("xysquares")
    rng = np.random.default_rng(1)
    first, second = rng.integers(0, len(data), (2, 300))
    second = np.where(rng.random(300) < 0.5, second, first ^ rng.integers(0, 64, 300))
    images = data.images(first) != data.images(second)
    distance = images.reshape(300, -1).sum(axis=1)
    places = [data.factors(flat).reshape(300, 3, 2) for flat in (first, second)]
    moved = (places[0] != places[1]).any(axis=2).sum(axis=1)
    assert set(moved.tolist()) >= {1, 3}
    # Each square that moved leaves 64 pixels and takes 64 others, wherever they are.
    np.testing.assert_array_equal(distance, 128 * moved)


def test_with_small_steps_places_overlap_and_distance_returns():
    data = load_dataset("xysquares(squares=1, spacing=2)")
    assert data.factor_space.names == ("pos_x", "pos_y")
    assert data.factor_space.sizes == (29, 29)
    assert data.image_shape == (64, 64, 1)
    row = data.images(data.find([[x, 0] for x in range(6)])).reshape(6, -1) > 0
    assert (row[0] != row[1:]).sum(axis=1).tolist() == [32, 64, 96, 128, 128]


def test_fewer_places_lie_in_the_middle():
    space = load_dataset("xysquares(squares=2, spacing=5, places=4)").factor_space
    assert space.names == ("pos_x_red", "pos_y_red", "pos_x_green", "pos_y_green")
    # (64 - (8 + 3 * 5)) // 2 = 20.
    assert {factor.values for factor in space.factors} == {(20.0, 25.0, 30.0, 35.0)}


def test_colours_of_squares_at_one_place_add_up():
    data = load_dataset("xysquares(squares=2, side=20, size=10)")
    image = data.images([0])[0]
    np.testing.assert_array_equal(image, drawn((0, 0, 10, (255, 255, 0)), side=20))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("xysquares(size=65)", "size=65 is more than the image's side of 64"),
        ("xysquares(places=9)", "places=9, but 8 fit along 64 pixels in steps of 8"),
        ("xysquares(spacing=2)", "would have 594,823,321 images, and at most 100,000,000"),
        ("two_shapes(grid=(32, 32))", "would have 104,857,600 images"),
        ("xyobject(largest=5)", "smallest=7, largest=5 and side=64"),
        ("xyobject(side=14)", "must not fall"),
        ("xyobject(palette=greys, shaded=True)", "shaded needs a palette of several colours"),
        ("xyobject(shades=1, shaded=True)", "at least 2 shades"),
    ],
)
def test_geometry_that_is_none_is_refused(text, message):
    with pytest.raises(SpecError, match=message):
        parse_dataset(text)


def test_an_object_has_place_size_and_colour():
    data = load_dataset("xyobject")
    assert data.factor_space.names == ("pos_x", "pos_y", "scale", "color")
    assert data.factor_space.sizes == (25, 25, 5, 24)
    assert len(data) == 75_000
    flat = np.concatenate([[0, 74_999], np.random.default_rng(0).integers(0, len(data), 40)])
    for image, (x, y, scale, color) in zip(
        data.images(flat), data.factors(flat).tolist(), strict=True
    ):
        edge = 7 + 2 * scale
        shade = 255 * (color // 6 + 1) // 4
        margin = (15 - edge) // 2
        expected = drawn(
            (2 * x + margin, 2 * y + margin, edge, np.multiply(RAINBOW[color % 6], shade))
        )
        np.testing.assert_array_equal(image, expected)
    # The first: 7 by 7 pixels of the darkest red, 4 from the corner; the last: full magenta.
    first, last = data.images([0, 74_999])
    assert (first[4:11, 4:11] == (63, 0, 0)).all()
    assert first.sum() == 49 * 63
    assert (last[48:63, 48:63] == (255, 0, 255)).all()
    assert data.factor_space.factors[3].labels[:2] == ("red 1/4", "yellow 1/4")


def test_a_shaded_object_is_the_same_images_with_one_factor_more():
    plain, shaded = load_dataset("xyobject"), load_dataset("xyobject(shaded=True)")
    assert shaded.factor_space.sizes == (25, 25, 5, 4, 6)
    assert shaded.factor_space.factors[3].values == (0.25, 0.5, 0.75, 1.0)
    assert shaded.factor_space.factors[4].kind == "circular"
    flat = np.random.default_rng(0).integers(0, len(plain), 200)
    np.testing.assert_array_equal(plain.images(flat), shaded.images(flat))
    assert plain.store.fingerprint() != shaded.store.fingerprint()


@pytest.mark.parametrize(
    ("palette", "count"), [("rainbow", 6), ("colors", 7), ("rgb", 3), ("greys", 1)]
)
def test_palettes(palette, count):
    data = load_dataset(f"xyobject(palette={palette}, shades=2)")
    assert data.factor_space.sizes[3] == 2 * count
    channels = 1 if palette == "greys" else 3
    assert data.image_shape == (64, 64, channels)
    seen = data.images(np.arange(2 * count)).reshape(2 * count, -1, channels).max(axis=1)
    assert len(np.unique(seen, axis=0)) == 2 * count
    # Half as bright, then full; full colours have channels of 0 and 255 alone.
    np.testing.assert_array_equal(seen[:count], seen[count:] // 2)
    assert set(np.unique(seen[count:])) <= {0, 255}
