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
    for scale in range(12, 0, -1):
        wanted = rgb.repeat(scale, axis=0).repeat(scale, axis=1)
        height, width, _ = wanted.shape
        if height > picture.shape[0] or width > picture.shape[1]:
            continue
        rows, columns = picture.shape[0] - height + 1, picture.shape[1] - width + 1
        # A few scattered pixels leave few places at which it is worth comparing all of them.
        agree = np.ones((rows, columns), bool)
        for y, x in ((0, 0), (0, width - 1), (height // 2, width // 3), (height - 1, width - 1)):
            agree &= (picture[y : y + rows, x : x + columns] == wanted[y, x]).all(axis=-1)
        places = [
            (int(row), int(column))
            for row, column in np.argwhere(agree)
            if np.array_equal(picture[row : row + height, column : column + width], wanted)
        ]
        if places:
            assert len(places) == 1, f"the image stands at {places}"
            return *places[0], scale
    raise AssertionError("the picture does not show the image")
