"""Pictures decoded ahead: one control at a time, for decoders that no page can run."""

from __future__ import annotations

__all__ = ["POSITIONS", "Sheet", "positions", "sheet"]

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.explorer.starts import Start, data_url

POSITIONS: Final = 11
"""Values of a slider that are decoded."""

_MOST_OPTIONS: Final = 16


@final
@dataclass(frozen=True)
class Sheet:
    """The pictures of a start.

    Attributes:
        source: One image of them all, as the address of itself: a row for each control and a
            column for each of its values; the start itself stands first in a last row.
        bytes: Length of the address.
    """

    source: str

    @property
    def bytes(self) -> int:
        """How much of a page it takes."""
        return len(self.source)


def positions(controls: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The controls with what can be chosen: evenly spaced values, and at most 16 options."""
    made = []
    for control in controls:
        if control["kind"] == "choice":
            options = control["options"]
            shown = np.linspace(0, len(options) - 1, min(len(options), _MOST_OPTIONS))
            made.append(control | {"options": [options[k] for k in np.rint(shown).astype(int)]})
        else:
            made.append(control | {"positions": POSITIONS})
    return made


def sheet(
    start: Start,
    controls: Sequence[dict[str, Any]],
    decode: Callable[[NDArray[np.float32]], NDArray[np.uint8]],
) -> Sheet:
    """Decode a start while each control in turn takes each of its values.

    Args:
        start: Where the other controls rest.
        controls: As `positions` gives them.
        decode: From what the decoder is given, (B, N), to pixels (B, H, W, C).
    """
    codes, places = [start.given], [(len(controls), 0)]
    for row, control in enumerate(controls):
        for column, code in enumerate(_codes(control)):
            changed = start.given.copy()
            changed[control["at"] : control["at"] + len(code)] = code
            codes.append(changed)
            places.append((row, column))
    pixels = decode(np.stack(codes))
    height, width, channels = pixels.shape[1:]
    columns = max(column for _, column in places) + 1
    image = np.zeros((height * (len(controls) + 1), width * columns, channels), np.uint8)
    for (row, column), tile in zip(places, pixels, strict=True):
        image[row * height : (row + 1) * height, column * width : (column + 1) * width] = tile
    return Sheet(data_url(image, "WEBP"))


def _codes(control: dict[str, Any]) -> list[list[float]]:
    """What a control writes for each of its values."""
    if control["kind"] == "choice":
        return [option["code"] for option in control["options"]]
    values = np.linspace(control["low"], control["high"], control["positions"]).tolist()
    if control["kind"] == "latent":
        return [[value] for value in values]
    if control["kind"] == "number":
        return [[control["scale"] * value + control["offset"]] for value in values]
    turns = [2 * math.pi * (v - control["first"]) / control["period"] for v in values]
    return [[math.sin(turn), math.cos(turn)] for turn in turns]
