"""Circles, Simple and TwoShapes against slow drawings, and what is known of their geometry."""

import colorsys
import math

import numpy as np
import pytest

from unweave.data import load_dataset

EDGE = 0.15 * 64
RADIUS = EDGE / math.sqrt(math.pi)


def covered(shape, x, y):
    """Share of each pixel that a shape covers, from 5 by 5 points; (64, 64), 25ths."""
    counts = np.zeros((64, 64), dtype=int)
    for row in range(64):
        for column in range(64):
            if math.hypot(column + 0.5 - 64 * x, row + 0.5 - 64 * y) > EDGE:
                continue
            for point in range(25):
                across = column + (point % 5 + 0.5) / 5 - 64 * x
                down = row + (point // 5 + 0.5) / 5 - 64 * y
                if shape == 0:
                    counts[row, column] += math.hypot(across, down) < RADIUS
                else:
                    counts[row, column] += max(abs(across), abs(down)) < EDGE / 2
    return counts / 25


@pytest.mark.parametrize("name", ["circles", "simple"])
def test_one_shape_is_that_of_the_slow_drawing(name):
    data = load_dataset(name)
    assert data.image_shape == (64, 64, 1)
    flat = np.random.default_rng(0).integers(0, len(data), 12)
    for image, values in zip(data.images(flat), data.values(flat), strict=True):
        shape = 0 if name == "circles" else int(values[2])
        expected = 255 * covered(shape, values[0], values[1])
        assert abs(image[:, :, 0] - expected).max() <= 0.5 + 1e-9


def test_factors_are_those_that_are_known():
    circles, simple = load_dataset("circles"), load_dataset("simple")
    assert circles.factor_space.names == ("pos_x", "pos_y")
    assert simple.factor_space.names == ("pos_x", "pos_y", "shape")
    assert (len(circles), len(simple)) == (1024, 2048)
    two = load_dataset("two_shapes")
    assert two.factor_space.names == (
        "pos_x_1",
        "pos_y_1",
        "shape_1",
        "hue_1",
        "pos_x_2",
        "pos_y_2",
        "shape_2",
        "hue_2",
    )
    assert len(two) == (6 * 6 * 2 * 5) ** 2 == 129_600
    # Conditions of the study: none is empty, none is all.
    values = circles.values(np.arange(1024))
    middle = ((values >= 0.35) & (values <= 0.65)).all(axis=1)
    corner = (values > 0.5).all(axis=1)
    assert middle.mean() == (12 / 32) ** 2
    assert corner.mean() == 0.25
    hues = two.factors(np.arange(0, len(two), 7))[:, [3, 7]]
    assert 0.1 < ((hues[:, 0] < 2) & (hues[:, 1] > 2)).mean() < 0.2


@pytest.mark.parametrize("name", ["circles", "simple"])
def test_shapes_have_one_area_and_lie_where_the_factors_say(name):
    data = load_dataset(name)
    flat = np.arange(0, len(data), 3)
    weight = data.images(flat)[..., 0] / 255
    area = weight.sum(axis=(1, 2))
    np.testing.assert_allclose(area, EDGE**2, rtol=0.05)
    np.testing.assert_allclose(area.mean(), EDGE**2, rtol=0.01)
    centres = np.arange(64) + 0.5
    x = (weight.sum(axis=1) @ centres) / area / 64
    y = (weight.sum(axis=2) @ centres) / area / 64
    np.testing.assert_allclose(x, data.values(flat)[:, 0], atol=0.003)
    np.testing.assert_allclose(y, data.values(flat)[:, 1], atol=0.003)
    # Nothing is cut off.
    assert not weight[:, [0, -1]].any()
    assert not weight[:, :, [0, -1]].any()


def test_two_shapes_lie_over_each_other():
    data = load_dataset("two_shapes")
    flat = np.random.default_rng(1).integers(0, len(data), 10)
    rows = data.factors(flat)
    # Close to each other, so that they overlap.
    rows[:6, 4:6] = np.clip(rows[:6, :2] + [[0, 0], [1, 0], [0, 1], [0, 0], [1, 1], [0, 0]], 0, 5)
    for image, indices in zip(data.images(data.find(rows)), rows.tolist(), strict=True):
        places = np.linspace(0.1, 0.9, 6)
        expected = np.zeros((64, 64, 3))
        for x, y, shape, hue in (indices[:4], indices[4:]):
            share = covered(shape, places[x], places[y])[:, :, np.newaxis]
            color = np.array(colorsys.hsv_to_rgb(hue / 5, 1, 1))
            expected = share * color + (1 - share) * expected
        # Rounded once for the share and once for each shape.
        assert abs(image - 255 * expected).max() < 1.6


def test_exchanging_two_shapes_mostly_gives_the_same_image_but_not_when_apart():
    data = load_dataset("two_shapes(grid=(2, 2), hues=2)")
    rows = data.factors(np.arange(len(data)))
    exchanged = data.images(data.find(rows[:, [4, 5, 6, 7, 0, 1, 2, 3]]))
    same = (data.images(np.arange(len(data))) == exchanged).reshape(len(data), -1).all(axis=1)
    elsewhere = (rows[:, :2] != rows[:, 4:6]).any(axis=1)
    assert same[elsewhere].all()
    apart = load_dataset("two_shapes(grid=(3, 2), hues=3, apart=True)")
    images = apart.images(np.arange(len(apart))).reshape(len(apart), -1)
    assert len({image.tobytes() for image in images}) == len(apart) == (3 * 2 * 2 * 3) ** 2
    # The first left of the middle, the second right of it: neither reaches into the other half.
    first = apart.values(np.arange(len(apart)))
    assert set(first[:, 0].round(3)) == {0.1, 0.25, 0.4}
    assert set(first[:, 4].round(3)) == {0.6, 0.75, 0.9}
    middle = images.reshape(-1, 64, 64, 3)[:, :, 31:33]
    assert not middle.any()
