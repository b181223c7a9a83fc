"""Grey and HSV against Pillow, colorsys and exact fractions."""

import colorsys
import itertools
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from PIL import Image

from unweave.data.own.colours import recolour, to_grey, to_hsv

LEVELS = (0, 1, 2, 51, 85, 127, 128, 170, 200, 254, 255)
COLOURS = np.array(list(itertools.product(LEVELS, repeat=3)), np.uint8)


def exact_hsv(red, green, blue):
    """The documented formula in fractions, halves up."""
    most, spread = max(red, green, blue), max(red, green, blue) - min(red, green, blue)
    if spread == 0:
        return 0, 0, most
    if most == red:
        sixths = Fraction(green - blue, spread)
    elif most == green:
        sixths = 2 + Fraction(blue - red, spread)
    else:
        sixths = 4 + Fraction(red - green, spread)
    half = Fraction(1, 2)
    return floor(256 * sixths / 6 + half) % 256, floor(Fraction(255 * spread, most) + half), most


def test_hsv_is_the_documented_formula():
    expected = [exact_hsv(*map(int, colour)) for colour in COLOURS]
    np.testing.assert_array_equal(to_hsv(COLOURS), expected)


def test_hsv_is_that_of_colorsys():
    colours = np.random.default_rng(0).integers(0, 256, (2000, 3), dtype=np.uint8)
    for colour, (hue, saturation, value) in zip(colours, to_hsv(colours).tolist(), strict=True):
        h, s, v = colorsys.rgb_to_hsv(*(colour / 255.0))
        # Half a step, and no more than what rounding in colorsys adds; hues are on a circle.
        away = abs(256 * h - hue)
        assert min(away, 256 - away) <= 0.5 + 1e-9
        assert abs(255 * s - saturation) <= 0.5 + 1e-9
        assert 255 * v == pytest.approx(value)


def test_hues_of_pure_colours():
    pure = np.array([[255, 0, 0], [255, 255, 0], [0, 255, 0], [0, 255, 255], [0, 0, 255]])
    hues = to_hsv(pure.astype(np.uint8))
    # A sixth of 256 is 42 2/3.
    assert hues[:, 0].tolist() == [0, 43, 85, 128, 171]
    assert (hues[:, 1:] == 255).all()


def test_grey_is_that_of_pillow():
    picture = Image.fromarray(COLOURS.reshape(11, 121, 3))
    expected = np.asarray(picture.convert("L")).reshape(-1, 1)
    np.testing.assert_array_equal(to_grey(COLOURS), expected)


def test_grey_images_have_equal_channels_in_colour_and_no_hue():
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    np.testing.assert_array_equal(recolour(grey, "rgb"), np.dstack([grey] * 3))
    np.testing.assert_array_equal(recolour(grey, "grey"), grey)
    np.testing.assert_array_equal(recolour(grey, "hsv")[..., 2:], grey)
    assert not recolour(grey, "hsv")[..., :2].any()
    # Equal channels are that grey again, although weights are rounded.
    np.testing.assert_array_equal(recolour(np.dstack([grey] * 3), "grey"), grey)
