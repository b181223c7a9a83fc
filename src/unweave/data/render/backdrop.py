"""A picture of our own to stand behind sprites: waves of warm and cold colours that swirl."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMNS", "REVISION", "ROWS", "backdrop"]

REVISION: Final = 1
"""Raised when the picture changes."""

ROWS: Final = 274
COLUMNS: Final = 350

# Bands of a sunset sky over dark water: from the top to the bottom of the picture.
_BANDS: Final = np.array(
    [
        (196.0, 78.0, 38.0),
        (226.0, 148.0, 58.0),
        (210.0, 106.0, 50.0),
        (150.0, 142.0, 118.0),
        (52.0, 74.0, 104.0),
        (30.0, 42.0, 60.0),
        (104.0, 74.0, 50.0),
    ]
)


@functools.cache
def backdrop() -> NDArray[np.uint8]:
    """The picture, (274, 350, 3) of 0 to 255; always the same, and not to be written to."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS] / ROWS
    # The bands are bent by waves, each of which is bent by the one before.
    bend = np.zeros_like(x)
    for size, turn, shift in ((0.11, 0.4, 0.3), (0.06, 1.9, 1.1), (0.035, 2.6, 2.0)):
        along = np.cos(turn) * x + np.sin(turn) * y
        bend = bend + size * np.sin(2 * np.pi * along / (6 * size) + 9 * bend + shift)
    place = np.clip(y + bend, 0, 1) * (len(_BANDS) - 1)
    stops = np.arange(len(_BANDS))
    picture = np.stack([np.interp(place, stops, channel) for channel in _BANDS.T], axis=2)
    # Strokes: fine light and dark along the bent bands.
    strokes = np.sin(150 * (y + bend) + 5 * np.sin(14 * x)) * np.sin(41 * (x - 0.6 * bend))
    picture += 16 * strokes[:, :, np.newaxis]
    result = np.clip(np.round(picture), 0, 255).astype(np.uint8)
    result.flags.writeable = False
    return result
