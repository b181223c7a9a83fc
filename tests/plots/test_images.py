"""Tiles have the size and the place that they are asked to have, to the pixel."""

from __future__ import annotations

import numpy as np
import pytest

from unweave.plots import tile
from unweave.plots.images import edge_colour


def slow_tile(images, pad, background):
    """The obvious way: one pixel after the other."""
    rows, cols, height, width, channels = images.shape
    out = np.zeros((rows * (height + pad) + pad, cols * (width + pad) + pad, 3), np.uint8)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            row, inner_y = divmod(y - pad, height + pad)
            col, inner_x = divmod(x - pad, width + pad)
            inside = y >= pad and x >= pad and inner_y < height and inner_x < width
            if inside and row < rows and col < cols:
                colour = images[row, col, inner_y, inner_x]
                out[y, x] = colour if channels == 3 else [colour[0]] * 3
            else:
                out[y, x] = background
    return out


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("pad", "background"), [(0, 0), (1, 7), (2, 255), (3, (10, 20, 30))])
def test_each_pixel_is_where_the_slow_way_puts_it(channels, pad, background):
    images = np.random.default_rng(1).integers(0, 256, (2, 3, 5, 4, channels), dtype=np.uint8)
    np.testing.assert_array_equal(
        tile(images, pad, background), slow_tile(images, pad, background)
    )


def test_ten_by_ten_sprites_are_662_pixels_wide():
    # The published grids of 64-pixel images with two pixels between them have this size.
    assert tile(np.zeros((10, 10, 64, 64, 1), np.uint8)).shape == (662, 662, 3)


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((1, 1, 4, 4, 1), np.float32),
        np.zeros((1, 4, 4, 1), np.uint8),
        np.zeros((1, 1, 4, 4, 2), np.uint8),
        np.zeros((0, 1, 4, 4, 1), np.uint8),
    ],
)
def test_what_is_not_a_grid_of_images_is_refused(images):
    with pytest.raises(ValueError, match="images must"):
        tile(images)


def test_a_negative_pad_is_refused():
    with pytest.raises(ValueError, match="pad must be 0 or more"):
        tile(np.zeros((1, 1, 4, 4, 1), np.uint8), pad=-1)


def test_light_images_are_set_off_by_grey_and_dark_ones_by_white():
    light = np.full((3, 8, 8, 3), 250, np.uint8)
    dark = np.zeros((3, 8, 8, 1), np.uint8)
    dark[:, 2:6, 2:6] = 255  # a light middle does not matter, the edge does
    assert edge_colour(light) < 200
    assert edge_colour(dark) == 255
