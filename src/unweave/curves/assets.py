"""The files that draw curves on a page, in the order in which they must stand there."""

from __future__ import annotations

__all__ = ["SCRIPTS", "STYLE", "asset"]

from importlib import resources
from typing import Final

SCRIPTS: Final = (
    "elements.js",
    "scales.js",
    "hands.js",
    "legend.js",
    "chart.js",
    "layout.js",
    "board.js",
)
"""Each adds to the object `unweaveCurves`; the last has the `Board`, all charts of a run."""

STYLE: Final = "curves.css"
"""Light and dark, phone and paper; its names all begin with `u-`."""


def asset(name: str) -> str:
    """The text of one of these files."""
    return resources.files("unweave.curves").joinpath(name).read_text(encoding="utf-8")
