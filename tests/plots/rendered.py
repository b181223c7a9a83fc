"""What a figure looks like: its pixels, and where in them an image stands."""

from __future__ import annotations

import numpy as np


def pixels(figure):
    """RGB pixels of a figure, (H, W, 3) uint8."""
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())[..., :3]


def find(picture, image):
    """Row, column and magnification of the only place where a picture shows an image.

    The image is looked for pixel by pixel, at whole magnifications from 1 to 12.
    """
    rgb = np.repeat(image, 3, axis=-1) if image.shape[-1] == 1 else image
    colours = as_numbers(picture)
    # At every magnification the first pixel has one colour.
    starts = np.argwhere(colours == as_numbers(rgb)[0, 0])
    for scale in range(12, 0, -1):
        wanted = as_numbers(rgb).repeat(scale, axis=0).repeat(scale, axis=1)
        height, width = wanted.shape
        near = starts[(starts + wanted.shape <= colours.shape).all(axis=1)]
        # A few scattered pixels leave few places at which it is worth comparing all of them.
        for y, x in ((0, width - 1), (height // 2, width // 3), (height - 1, width - 1)):
            near = near[colours[near[:, 0] + y, near[:, 1] + x] == wanted[y, x]]
        places = [
            (row, column)
            for row, column in near.tolist()
            if np.array_equal(colours[row : row + height, column : column + width], wanted)
        ]
        if places:
            assert len(places) == 1, f"the image stands at {places}"
            return *places[0], scale
    raise AssertionError("the picture does not show the image")


def as_numbers(rgb):
    """The colour of each pixel as one number, (H, W) of (H, W, 3) uint8."""
    return rgb.astype(np.uint32) @ np.uint32([1 << 16, 1 << 8, 1])
