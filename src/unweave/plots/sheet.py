"""Many small panels on one sheet: axes that are measured in inches, and cells on them.

One axes for 60 panels takes a fifth of the time of an axes for each.
"""

from __future__ import annotations

__all__ = [
    "GROUND",
    "Cell",
    "Head",
    "add_lines",
    "column_heads",
    "head_of",
    "new_sheet",
    "write_column",
    "write_head",
    "write_words",
]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from unweave.plots.names import wrapped
from unweave.plots.style import INK, MUTED, new_figure

GROUND = "#f3f5f8"
# Inches: the edge of a sheet, a line of its title and one of the words below.
_EDGE = 0.12
_TITLE = 0.24
_LINE = 0.155
_TITLE_LINE = 0.16
_TITLE_SIZE = 9.5
_NOTE_SIZE = 8.0
# Inches of a letter of the name of a column.
_LETTER = 0.062
# What a plain letter is narrower than a bold one.
_PLAIN = 1.14


@final
@dataclass(frozen=True)
class Cell:
    """A rectangle on a sheet, in inches from its upper left corner.

    Attributes:
        left: From the left edge of the sheet.
        top: From its upper edge.
        width: Of the rectangle.
        height: Of the rectangle.
    """

    left: float
    top: float
    width: float
    height: float

    def x(self, shares: ArrayLike) -> NDArray[np.float64]:
        """Places across, of shares from 0 at the left to 1 at the right."""
        return self.left + self.width * np.asarray(shares, np.float64)

    def y(self, shares: ArrayLike) -> NDArray[np.float64]:
        """Places down, of shares from 0 at the foot to 1 at the top."""
        return self.top + self.height * (1 - np.asarray(shares, np.float64))

    @property
    def box(self) -> Rectangle:
        """Its outline."""
        return Rectangle((self.left, self.top), self.width, self.height)


@final
@dataclass(frozen=True)
class Head:
    """The words above the panels of a sheet, and how many inches they take.

    Attributes:
        title: In as many lines as it takes; empty for none.
        lines: Of the words below the title.
        height: Of all, in inches.
        title_height: Of the title alone, in inches.
    """

    title: str
    lines: tuple[str, ...]
    height: float
    title_height: float


def head_of(title: str, note: str, width: float) -> Head:
    """Words above panels, in as many lines as a sheet of a width in inches asks for."""
    lines = tuple(wrapped(note, _PLAIN * (width - 2 * _EDGE), _NOTE_SIZE).split("\n"))
    lines = lines if note else ()
    title = wrapped(title, width - 2 * _EDGE, _TITLE_SIZE)
    title_height = (_TITLE + _TITLE_LINE * title.count("\n")) * bool(title)
    return Head(title, lines, 0.1 + title_height + _LINE * len(lines) + 0.08, title_height)


def column_heads(
    names: Sequence[str], room: float, widest: float, gap: float
) -> tuple[float, bool, float, float]:
    """How names fit above columns of panels, side by side or tilted up to the right.

    Args:
        names: Of the columns.
        room: Inches for all columns.
        widest: Inches that a column may be wide at most, without the gap behind it.
        gap: Inches behind each.

    Returns:
        Inches of a column; whether names are tilted; inches that they take above the columns, and
        to the right of the last one.
    """
    wide = min(widest, room / len(names) - gap)
    longest = max(map(len, names))
    if 1.12 * _LETTER * longest <= wide:
        return wide, False, 0.22, 0.0
    # A letter at 35 degrees goes on by four fifths of its width.
    reach = 0.06 + 0.86 * _LETTER * 1.12 * len(names[-1])
    beyond = max(reach - wide, 0.0)
    wide = min(wide, (room - beyond) / len(names) - gap)
    return wide, True, 0.14 + 0.7 * _LETTER * longest, max(reach - wide, 0.0)


def write_column(axes: Axes, cell: Cell, name: str, *, tilted: bool) -> None:
    """Write the name of a column above its first panel."""
    look = {"color": INK, "fontweight": "bold"}
    if tilted:
        write_words(axes, cell.left + 0.06, cell.top - 0.05, name, 8, rotation=35, va="bottom",
                    rotation_mode="anchor", **look)  # fmt: skip
    else:
        middle = cell.left + cell.width / 2
        write_words(axes, middle, cell.top - 0.1, name, 8.5, ha="center", **look)


def new_sheet(width: float, height: float, cells: Sequence[Cell] = ()) -> tuple[Figure, Axes]:
    """A figure with one axes all over it, in inches from the upper left corner, and its cells."""
    figure = new_figure(width, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    if cells:
        boxes = PatchCollection([cell.box for cell in cells], facecolor=GROUND, linewidth=0)
        boxes.set_zorder(0.5)
        axes.add_collection(boxes, autolim=False)
    return figure, axes


def write_head(axes: Axes, head: Head) -> None:
    """Write title and note into the upper left corner."""
    if head.title:
        axes.text(
            _EDGE, 0.08, head.title, fontweight="bold", fontsize=_TITLE_SIZE, va="top", color=INK
        )
    axes.text(
        _EDGE, 0.1 + head.title_height, "\n".join(head.lines), fontsize=_NOTE_SIZE,
        va="top", color=MUTED, linespacing=1.25,
    )  # fmt: skip


def write_words(axes: Axes, x: float, y: float, words: str, size: float, **look: Any) -> None:
    """Small words at a place of a sheet, by default left of it, in the middle, and muted."""
    given: dict[str, Any] = {"color": MUTED, "ha": "left", "va": "center_baseline"}
    axes.text(x, y, words, fontsize=size, **(given | look))


def add_lines(axes: Axes, lines: Sequence[NDArray[np.float64]], **look: Any) -> None:
    """Many lines at once, each (n, 2)."""
    axes.add_collection(LineCollection(lines, **look), autolim=False)
