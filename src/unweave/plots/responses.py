"""How each latent answers each factor: mean and spread over its values, as small panels."""

from __future__ import annotations

__all__ = ["LARGE_SHARE", "Response", "latent_responses"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unweave.plots.names import shortened
from unweave.plots.series import short
from unweave.plots.shares import clipped_end
from unweave.plots.sheet import (
    Cell,
    add_lines,
    column_heads,
    head_of,
    new_sheet,
    write_column,
    write_head,
    write_words,
)
from unweave.plots.style import BLUE, FAINT, INK, MUTED, WIDTH, styled

LARGE_SHARE = 0.1
"""Share of a latent's variance from which a factor counts as answered."""

Order: TypeAlias = Literal["ordinal", "circular", "categorical"]

# Inches.
_LEFT = 0.88
_GAP = 0.06
_WIDEST = 1.3
_TALLEST = 0.82
_SHORTEST = 0.5
_LETTER = 0.062
_LONGEST = 24
_MOST_NAMES = 8
# Shares of half the smaller side of a cell that the lowest and the highest value are from its
# middle, where values go round.
_INNER, _OUTER = 0.3, 0.96
_ROUND = 120


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Response:
    """How L latents answer one factor of V values.

    Attributes:
        factor: Its name.
        order: Whether values have an order, and whether the last one meets the first.
        places: Where each value stands, (V,): from 0 to 1 of the way from the first to the last,
            or of the whole way round.
        names: What each value is called, (V,).
        mean: Mean of each latent among the images with a value, (V, L); NaN where there are none.
        deviation: Standard deviation among them, (V, L).
        share: Share of the variance of each latent that the means make up, (L,).
    """

    factor: str
    order: Order
    places: NDArray[np.float64]
    names: Sequence[str]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    share: NDArray[np.float64]


@styled
def latent_responses(
    responses: Sequence[Response],
    latents: Sequence[str],
    follows: Sequence[str | None] | None = None,
    *,
    title: str = "",
    note: str = "",
) -> Figure:
    """Panels of latents by factors, all on one scale: the mean as a line, its spread as a band.

    Means of a circular factor go round, clockwise from the top, the further out the higher; those
    of a categorical one stand apart. What answers its factor, by at least `LARGE_SHARE` of its
    variance, is blue.

    Args:
        responses: One a factor, from left to right.
        latents: Names of the latents, from top to bottom, (L,).
        follows: Name of the factor that each latent follows, or None, (L,).
        title: Words above.
        note: Smaller words below the title.

    Returns:
        The figure.

    Raises:
        ValueError: There is nothing to draw, or shapes do not fit.
    """
    _check(responses, latents)
    follows = follows or [None] * len(latents)
    low, high = _range(responses)
    columns = len(responses)
    factors = shortened([response.factor for response in responses], _LONGEST)
    wide, tilted, names_high, beyond = column_heads(factors, WIDTH - _LEFT - 0.1, _WIDEST, _GAP)
    tall = min(_TALLEST, max(_SHORTEST, 0.78 * wide))
    width = max(_LEFT + columns * (wide + _GAP) + max(0.1, beyond), 4.2)
    words = (
        f"All panels go from {short(low)} to {short(high)}; the number in the corner is the share "
        "of the latent's variance that the factor explains."
    )
    head = head_of(title, f"{note} {words}".strip(), width)
    top = head.height + names_high
    feet = [_feet(response, wide) for response in responses]
    foot = 0.1 + max(_foot_height(each) for each in feet)
    height = top + len(latents) * (tall + _GAP) + foot
    cells = [
        [Cell(_LEFT + k * (wide + _GAP), top + j * (tall + _GAP), wide, tall)
         for k in range(columns)]
        for j in range(len(latents))
    ]  # fmt: skip
    figure, axes = new_sheet(width, height, [cell for row in cells for cell in row])
    write_head(axes, head)
    for row, (name, factor) in enumerate(zip(latents, follows, strict=True)):
        _name_row(axes, cells[row][0], name, factor)
        for column, response in enumerate(responses):
            _panel(axes, cells[row][column], response, row, low, high)
    for column, (factor, foot_words) in enumerate(zip(factors, feet, strict=True)):
        write_column(axes, cells[0][column], factor, tilted=tilted)
        _write_feet(axes, cells[-1][column], foot_words)
    return figure


def _check(responses: Sequence[Response], latents: Sequence[str]) -> None:
    if not responses or not latents:
        raise ValueError("latent_responses needs at least one factor and one latent.")
    for response in responses:
        count = len(response.names)
        shapes = {"mean": (count, len(latents)), "deviation": (count, len(latents)),
                  "places": (count,), "share": (len(latents),)}  # fmt: skip
        for name, shape in shapes.items():
            if getattr(response, name).shape != shape:
                raise ValueError(
                    f"{response.factor}: {name} must be of shape {shape}; "
                    f"got {getattr(response, name).shape}."
                )


def _range(responses: Sequence[Response]) -> tuple[float, float]:
    """Lowest and highest edge of a band, and a little more."""
    edges = [(each.mean - each.deviation, each.mean + each.deviation) for each in responses]
    values = np.concatenate([np.ravel(edge) for pair in edges for edge in pair])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (-1.0, 1.0)
    reach = 0.05 * (high - low) or 1.0
    # The number stands in the upper corner.
    return low - reach, high + 3 * reach


def _name_row(axes: Axes, cell: Cell, name: str, factor: str | None) -> None:
    middle = cell.top + cell.height / 2
    x = cell.left - 0.08
    up = 0.08 if factor else 0
    write_words(axes, x, middle - up, name, 8.5, ha="right", color=INK)
    if factor:
        write_words(axes, x, middle + 0.08, clipped_end(factor, 12), 7, ha="right")


def _panel(axes: Axes, cell: Cell, response: Response, row: int, low: float, high: float) -> None:
    """One latent and one factor."""
    known = np.isfinite(response.mean[:, row])
    if not known.any():
        return
    answers = response.share[row] >= LARGE_SHARE
    colour = BLUE if answers else MUTED
    places = response.places[known]
    mean, spread = response.mean[known, row], response.deviation[known, row]

    def scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return (values - low) / (high - low)

    draw = _ring if response.order == "circular" else _line
    draw(axes, cell, places, scaled(mean), scaled(mean - spread), scaled(mean + spread),
         colour, zero=float(scaled(np.zeros(1))[0]),
         joined=response.order != "categorical")  # fmt: skip
    share = f"{response.share[row]:.2f}"
    write_words(axes, cell.left + cell.width - 0.03, cell.top + 0.075, share, 6.5, ha="right",
                color=INK if answers else FAINT)  # fmt: skip


def _line(
    axes: Axes,
    cell: Cell,
    places: NDArray[np.float64],
    mean: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    colour: str,
    *,
    zero: float,
    joined: bool,
) -> None:
    """Means over the values from left to right, joined where these have an order."""
    if 0 < zero < 1:
        ends = np.stack([cell.x([0, 1]), cell.y([zero, zero])], axis=1)
        add_lines(axes, [ends], colors=FAINT, linewidths=0.5, zorder=1)
    x = cell.x(0.05 + 0.9 * places)
    if joined and len(places) > 1:
        band = np.concatenate([np.stack([x, cell.y(low)], axis=1),
                               np.stack([x, cell.y(high)], axis=1)[::-1]])  # fmt: skip
        fill = PolyCollection([band], facecolor=colour, alpha=0.2, linewidth=0, zorder=1.5)
        axes.add_collection(fill, autolim=False)
        middle = [np.stack([x, cell.y(mean)], axis=1)]
        add_lines(axes, middle, colors=colour, linewidths=1.2, zorder=2)
        return
    bars = [np.array([[at, a], [at, b]])
            for at, a, b in zip(x, cell.y(low), cell.y(high), strict=True)]  # fmt: skip
    add_lines(axes, bars, colors=colour, linewidths=1.0, alpha=0.5, zorder=1.5)
    axes.scatter(x, cell.y(mean), s=7, color=colour, linewidths=0, zorder=2)


def _ring(
    axes: Axes,
    cell: Cell,
    places: NDArray[np.float64],
    mean: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    colour: str,
    *,
    zero: float,
    joined: bool,
) -> None:
    """Means over the values all the way round, clockwise from the top, the higher the wider."""
    reach = min(cell.width, cell.height) / 2
    centre = cell.left + cell.width / 2, cell.top + cell.height / 2

    def around(turns: NDArray[np.float64], heights: NDArray[np.float64]) -> NDArray[np.float64]:
        radius = reach * (_INNER + (_OUTER - _INNER) * heights)
        angle = 2 * np.pi * turns
        return np.stack(
            [centre[0] + radius * np.sin(angle), centre[1] - radius * np.cos(angle)], axis=1
        )

    if 0 < zero < 1:
        turns = np.linspace(0, 1, _ROUND)
        ring = [around(turns, np.full(_ROUND, zero))]
        add_lines(axes, ring, colors=FAINT, linewidths=0.5, zorder=1)
    # Straight lines would cut corners: what is the same for all values is a circle.
    turns = np.linspace(0, 1, _ROUND)
    outer, inner, middle = (
        around(turns, np.interp(turns, places, heights, period=1)) for heights in (high, low, mean)
    )
    fill = PolyCollection(
        [np.concatenate([outer, inner[::-1]])], facecolor=colour, alpha=0.2, linewidth=0,
        zorder=1.5,
    )  # fmt: skip
    axes.add_collection(fill, autolim=False)
    add_lines(axes, [middle], colors=colour, linewidths=1.2, zorder=2)


@dataclass(frozen=True)
class _Feet:
    """Words under the panels of a factor: (share of the width, words) each."""

    words: tuple[tuple[float, str], ...]
    tilted: bool = False


def _feet(response: Response, wide: float) -> _Feet:
    """The names of values that there is room for."""
    names = [clipped_end(name, 14) for name in response.names]
    if response.order == "circular":
        return _Feet(((0.5, f"top: {names[0]}"),))
    if response.order == "categorical" and len(names) <= _MOST_NAMES:
        tilted = max(map(len, names)) * 0.9 * _LETTER * len(names) > wide
        places = 0.05 + 0.9 * response.places
        return _Feet(tuple(zip(places.tolist(), names, strict=True)), tilted)
    if response.order == "categorical":
        return _Feet(((0.5, f"{len(names)} values"),))
    if len(names) == 1:
        return _Feet(((0.5, names[0]),))
    first, last = names[0], names[-1]
    if (len(first) + len(last)) * 0.9 * _LETTER > wide:
        return _Feet(((0.5, f"{len(names)} values"),))
    return _Feet(((0.03, first), (0.97, last)))


def _foot_height(feet: _Feet) -> float:
    longest = max(len(words) for _, words in feet.words)
    return 0.08 + 0.062 * longest if feet.tilted else 0.16


def _write_feet(axes: Axes, cell: Cell, feet: _Feet) -> None:
    y = cell.top + cell.height + 0.03
    for place, words in feet.words:
        side = {0.03: "left", 0.97: "right"}.get(place, "center")
        x = float(cell.x(place))
        if feet.tilted:
            write_words(axes, x, y, words, 7, ha="center", va="top", rotation=90)
        else:
            write_words(axes, x, y, words, 7, ha=side, va="top")
