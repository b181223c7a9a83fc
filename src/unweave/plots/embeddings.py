"""Points in two dimensions, once for each factor, by which they are coloured."""

from __future__ import annotations

__all__ = ["Colouring", "embeddings"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, to_rgba_array
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unweave.plots.names import shortened
from unweave.plots.responses import Order
from unweave.plots.shares import clipped_end
from unweave.plots.sheet import head_of, write_head
from unweave.plots.style import (
    BLUE,
    CYCLIC,
    INK,
    MUTED,
    SEQUENTIAL,
    SERIES,
    WIDTH,
    new_figure,
    styled,
)

# Inches.
_EDGE = 0.12
_GAP = 0.22
_NAMES = 0.42
_LARGEST = 2.42
_LONGEST = 22
_FOOT = 0.24
_LETTER = 0.062


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Colouring:
    """A factor by which points are coloured.

    Attributes:
        factor: Its name.
        order: Whether its V values have an order, and whether the last one meets the first.
        places: Where each stands, (V,), from 0 to 1 of the way, or of the whole way round.
        names: What each is called.
        of: The value of each point, (N,) from 0 to V - 1.
    """

    factor: str
    order: Order
    places: NDArray[np.float64]
    names: Sequence[str]
    of: NDArray[np.int64]


@styled
def embeddings(
    points: ArrayLike,
    panels: Sequence[Colouring] = (),
    labels: tuple[str, str] = ("", ""),
    *,
    title: str = "",
    note: str = "",
) -> Figure:
    """The same points in a panel for each factor; in one panel of one colour where there is none.

    Args:
        points: (N, 2).
        panels: The factors.
        labels: What the two directions are, below and beside the first panel of the last row.
        title: Words above.
        note: Smaller words below the title.

    Returns:
        The figure. Values in order are shades, those of circular factors go through colours that
        meet, others have colours of their own, of which there are six.

    Raises:
        ValueError: There is no point, or shapes do not fit.
    """
    places = np.asarray(points, np.float64)
    if places.ndim != 2 or places.shape[1] != 2 or not len(places):
        raise ValueError(f"points must be (N, 2) with at least one; got {places.shape}.")
    for panel in panels:
        if panel.of.shape != (len(places),) or len(panel.names) != len(panel.places):
            raise ValueError(
                f"{panel.factor}: there must be a value for each of {len(places)} points, and a "
                f"name for each value; got {panel.of.shape} and {len(panel.names)} names."
            )
    count = max(len(panels), 1)
    columns = count if count <= 3 else min(3, -(-count // 2)) if count <= 4 else 3
    rows = -(-count // columns)
    side = min(_LARGEST, (WIDTH - 2 * _EDGE - _GAP * columns) / columns)
    width = max(2 * _EDGE + 0.1 + columns * (side + _GAP), 4.2)
    head = head_of(title, note, width)
    height = head.height + rows * (side + _NAMES) + _FOOT
    figure = new_figure(width, height)
    whole = figure.add_axes((0, 0, 1, 1))
    whole.set(xlim=(0, width), ylim=(height, 0))
    whole.set_axis_off()
    write_head(whole, head)
    names = shortened([panel.factor for panel in panels], _LONGEST) if panels else []
    for number in range(count):
        left = _EDGE + 0.16 + (number % columns) * (side + _GAP)
        top = head.height + (number // columns) * (side + _NAMES) + _NAMES - 0.06
        axes = figure.add_axes((left / width, (height - top - side) / height, side / width,
                                side / height))  # fmt: skip
        axes.grid(visible=False)
        axes.set(xticks=[], yticks=[])
        axes.margins(0.05)
        if number == (rows - 1) * columns:
            axes.set_xlabel(labels[0], labelpad=4)
            axes.set_ylabel(labels[1], labelpad=4)
        if not panels:
            axes.scatter(places[:, 0], places[:, 1], s=4, color=BLUE, alpha=0.5, linewidths=0)
            continue
        panel = panels[number]
        _scatter(axes, places, panel)
        write: dict[str, Any] = {"fontsize": 8.5, "color": INK, "fontweight": "bold"}
        whole.text(left, top - 0.22, names[number], va="center_baseline", **write)
        _legend(whole, panel, left, top - 0.08, side)
    return figure


def _scatter(axes: Axes, places: NDArray[np.float64], panel: Colouring) -> None:
    colours = np.array(_colours(panel))[panel.of]
    axes.scatter(places[:, 0], places[:, 1], s=5, c=colours, alpha=0.7, linewidths=0, zorder=2)


def _colours(panel: Colouring) -> list[Any]:
    """The colour of each value."""
    if panel.order == "categorical" and len(panel.names) <= len(SERIES):
        return [tuple(colour) for colour in _rgba(SERIES[: len(panel.names)])]
    shades: Colormap = CYCLIC if panel.order == "circular" else SEQUENTIAL
    at = panel.places % 1 if panel.order == "circular" else 0.22 + 0.78 * panel.places
    return [tuple(shade) for shade in shades(at)]


def _rgba(colours: Sequence[str]) -> NDArray[np.float64]:
    return np.asarray(to_rgba_array(list(colours)))


def _legend(whole: Axes, panel: Colouring, left: float, y: float, side: float) -> None:
    """Names of the values over a panel, as many as there is room for: all, or first and last."""
    colours = _colours(panel)
    names = [clipped_end(name, 12) for name in panel.names]
    small: dict[str, Any] = {"fontsize": 7, "color": MUTED, "va": "center_baseline"}
    each = [0.15 + 0.9 * _LETTER * len(name) for name in names]
    if len(names) <= len(SERIES) and sum(each) + 0.05 <= side:
        x = left
        for colour, name, wide in zip(colours, names, each, strict=True):
            whole.scatter([x + 0.04], [y], s=14, color=[colour], linewidths=0)
            whole.text(x + 0.1, y, name, **small)
            x += wide
        return
    if panel.order == "categorical":
        whole.text(left, y, f"{len(names)} values", **small)
        return
    first, last = names[0], names[-1]
    start = left + 0.9 * _LETTER * len(first) + 0.06
    bar = max(min(1.1, side - 0.9 * _LETTER * (len(first) + len(last)) - 0.15), 0.2)
    whole.text(left, y, first, **small)
    ramp = np.linspace(0, 1, 64)
    across, down = whole.get_xlim(), whole.get_ylim()
    shades = CYCLIC(ramp) if panel.order == "circular" else SEQUENTIAL(0.22 + 0.78 * ramp)
    whole.imshow(shades[None], extent=(start, start + bar, y + 0.035, y - 0.035), aspect="auto")
    # An image takes the axes for its own.
    whole.set(xlim=across, ylim=down)
    whole.text(start + bar + 0.06, y, last, **small)
