"""Which latent weighs how much for which factor, as squares: one diagram a model."""

from __future__ import annotations

__all__ = ["hinton_diagrams"]

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from unweave.plots.names import shortened, wrapped
from unweave.plots.series import short
from unweave.plots.style import (
    BLUE,
    FAINT,
    INK,
    MARK,
    MUTED,
    WIDTH,
    new_figure,
    styled,
    write_title,
)

# Share of the side of a cell that the largest square takes, so that neighbours stay apart.
_FILL = 0.94
# Inches: sides of cells, between diagrams, and the least that a diagram with its words takes.
_LARGEST_CELL = 0.3
_SMALLEST_CELL = 0.15
_READABLE_CELL = 0.19
_TALLEST = 5.5
_GAP = 0.16
_NARROWEST = 1.12
_EDGE = 0.12
# Points, and inches that a letter of one point takes.
_HEAD = 8.5
_WORDS = 7.5
_LETTER = 0.0084
_LONGEST = 24


@dataclass(frozen=True)
class _Colours:
    """What squares, the ground below them and rows without any look like."""

    ground: str
    positive: str
    negative: str
    dead: str
    between: str


_PLAIN = _Colours("#e9edf1", BLUE, MARK, "#ffffff", "#ffffff")
_GREYS = _Colours("#8a8a8a", "#ffffff", "#000000", "#c4c4c4", "none")


@dataclass(frozen=True)
class _Panel:
    """One diagram: its numbers, the words of its rows, and which of them are dead."""

    name: str
    values: NDArray[np.float64]
    rows: list[str]
    dead: NDArray[np.bool_]


@styled
def hinton_diagrams(
    matrices: Sequence[ArrayLike],
    names: Sequence[str],
    factor_names: Sequence[str],
    latent_names: Sequence[Sequence[str]] | None = None,
    *,
    active: Sequence[ArrayLike] | None = None,
    largest: float | None = None,
    title: str = "",
    value_label: str = "",
    greys: bool = False,
) -> Figure:
    """Hinton diagrams side by side: the area of a square is its value, on one scale for all.

    A square fills its cell at the largest value, which is the power of two that is next above the
    largest size of all diagrams, unless `largest` is given; larger ones are cut to their cells.
    Diagrams that do not fit side by side go on below.

    Args:
        matrices: One a model, (L, K): a row a latent, a column a factor. L may differ.
        names: Of the models.
        factor_names: (K,).
        latent_names: Of each model, (L,); z0, z1 and so on by default.
        active: Of each model, (L,) whether a latent carries anything. By default a latent whose
            values are all zero is dead.
        largest: The value that fills a cell, above 0.
        title: Words above.
        value_label: What the values are; beside the sizes.
        greys: White for positive and black for negative values on grey, as these diagrams often
            are printed; blue and orange otherwise.

    Returns:
        The figure. A dead latent has a faint name and a line through its row; a value that is not
        finite is a dash.

    Raises:
        ValueError: No matrix, shapes or names that do not fit, or `largest` not above 0.
    """
    panels = _checked(matrices, names, factor_names, latent_names, active)
    sizes = np.concatenate([np.abs(panel.values).ravel() for panel in panels])
    top = _top(sizes[np.isfinite(sizes)], largest)
    colours = _GREYS if greys else _PLAIN
    factors = shortened(factor_names, _LONGEST)
    count = len(factors)

    tall = max(len(panel.rows) for panel in panels)
    columns, cell, starts, used = _across(panels, count, tall)
    tilted = max(map(len, factors)) * _LETTER * _WORDS > cell
    heads = [wrapped(panel.name, max(count * cell, _NARROWEST) - 0.05, _HEAD) for panel in panels]
    bands = [range(k, min(k + columns, len(panels))) for k in range(0, len(panels), columns)]
    names_high = (0.06 + _LETTER * _WORDS * max(map(len, factors))) if tilted else 0.2
    lines = [max(heads[k].count("\n") + 1 for k in band) for band in bands]
    highs = [
        0.16 * line + 0.06 + names_high + cell * max(len(panels[k].rows) for k in band) + 0.16
        for line, band in zip(lines, bands, strict=True)
    ]
    width = max(used, 3.2)
    legend = _legend_lines(panels, sizes, top, value_label, width)
    title = wrapped(title, width - 2 * _EDGE, 9.5)
    above = 0.1 + (0.14 + 0.16 * (title.count("\n") + 1)) * bool(title)
    foot = 0.06 + 0.3 * len(legend)
    height = above + sum(highs) + foot
    figure = new_figure(width, height)
    edge = above
    for band, line, high in zip(bands, lines, highs, strict=True):
        upper = edge + 0.16 * line + 0.06 + names_high
        for k in band:
            panel = panels[k]
            box = (starts[k], height - upper - cell * len(panel.rows))
            axes = figure.add_axes((box[0] / width, box[1] / height, count * cell / width,
                                    cell * len(panel.rows) / height))  # fmt: skip
            _draw(axes, panel, top, colours, cell)
            _words(
                axes,
                panel,
                factors,
                tilted=tilted,
                rows=not _repeats(panels, k, columns),
                cell=cell,
            )
            figure.text(
                box[0] / width, 1 - (edge + 0.16 * line - 0.03) / height, heads[k], va="baseline",
                fontweight="bold", fontsize=_HEAD, linespacing=1.1,
            )  # fmt: skip
        edge += high
    _legend(figure, legend, colours, foot)
    write_title(figure, title)
    return figure


def _checked(
    matrices: Sequence[ArrayLike],
    names: Sequence[str],
    factor_names: Sequence[str],
    latent_names: Sequence[Sequence[str]] | None,
    active: Sequence[ArrayLike] | None,
) -> list[_Panel]:
    """The diagrams, each with the words of its rows."""
    count = len(names)
    given = {"matrices": matrices, "latent_names": latent_names, "active": active}
    for what, of in given.items():
        if of is not None and len(of) != count:
            raise ValueError(f"{what} must be one for each of {count} names; got {len(of)}.")
    if not count or not len(factor_names):
        raise ValueError("hinton_diagrams needs at least one matrix and one factor.")
    panels = []
    for k, name in enumerate(names):
        values = np.asarray(matrices[k], np.float64)
        if values.ndim != 2 or values.shape[1] != len(factor_names) or not len(values):
            raise ValueError(
                f"the matrix of {name!r} must be latents by {len(factor_names)} factors; "
                f"got shape {values.shape}."
            )
        rows = [f"z{i}" for i in range(len(values))]
        if latent_names is not None:
            rows = shortened(latent_names[k], _LONGEST)
        alive = np.any(values != 0, axis=1) if active is None else np.asarray(active[k], np.bool_)
        if len(rows) != len(values) or alive.shape != (len(values),):
            raise ValueError(
                f"{name!r} has {len(values)} latents; got {len(rows)} latent_names and active of "
                f"shape {alive.shape}."
            )
        panels.append(_Panel(name, values, rows, ~alive))
    return panels


def _top(sizes: NDArray[np.float64], largest: float | None) -> float:
    """The value that fills a cell."""
    if largest is not None:
        if not (math.isfinite(largest) and largest > 0):
            raise ValueError(f"largest must be above 0; got {largest}.")
        return float(largest)
    most = float(sizes.max(initial=0.0))
    if not most:
        return 1.0
    # frexp is exact: m * 2^e with m from 1/2 up to, but without, 1.
    mantissa, exponent = math.frexp(most)
    return math.ldexp(1.0, exponent - (mantissa == 0.5))


def _across(
    panels: Sequence[_Panel], count: int, tall: int
) -> tuple[int, float, list[float], float]:
    """How many diagrams stand side by side, the side of a cell, where they start, and the width.

    All of them do if their cells can be read; else as few rows of diagrams as make them so.
    """
    most = min(_LARGEST_CELL, max(_SMALLEST_CELL, _TALLEST / tall))
    for bands in range(1, len(panels) + 1):
        columns = -(-len(panels) // bands)
        words = [_beside(panels, k, columns) for k in range(len(panels))]
        # The band whose words take the most room.
        most_words = max(sum(words[k : k + columns]) for k in range(0, len(panels), columns))
        room = WIDTH - 2 * _EDGE - most_words - _GAP * (columns - 1)
        cell = min(most, room / (columns * count))
        if columns == 1 or (
            cell >= min(most, _READABLE_CELL) and columns * max(count * cell, _NARROWEST) <= room
        ):
            break
    starts: list[float] = []
    each = max(count * cell, _NARROWEST)
    for k, wide in enumerate(words):
        before = starts[-1] + each + _GAP if k % columns else _EDGE
        starts.append(before + wide)
    return columns, cell, starts, max(starts) + each + _EDGE


def _repeats(panels: Sequence[_Panel], k: int, columns: int) -> bool:
    """Whether the rows of a diagram are called what those of the one on its left are."""
    rows = panels[k].rows
    return k % columns > 0 and panels[k - 1].rows[: len(rows)] == rows


def _beside(panels: Sequence[_Panel], k: int, columns: int) -> float:
    """Inches that the names of the rows of a diagram take."""
    if _repeats(panels, k, columns):
        return 0.0
    return 0.08 + _LETTER * _WORDS * max(map(len, panels[k].rows))


def _draw(axes: Axes, panel: _Panel, top: float, colours: _Colours, cell: float) -> None:
    """The squares of one diagram on their ground."""
    rows, columns = panel.values.shape
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), facecolor=colours.ground)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if colours.between != "none":
        line: dict[str, Any] = {"colors": colours.between, "linewidth": 0.8, "zorder": 1.2}
        axes.vlines(np.arange(1, columns) - 0.5, -0.5, rows - 0.5, **line)
        axes.hlines(np.arange(1, rows) - 0.5, -0.5, columns - 0.5, **line)
    for row in np.flatnonzero(panel.dead):
        axes.add_patch(
            Rectangle((-0.5, row - 0.5), columns, 1, facecolor=colours.dead, linewidth=0,
                      zorder=1.4, label="dead")
        )  # fmt: skip
        axes.plot((-0.5, columns - 0.5), (row, row), color=FAINT, linewidth=0.8, zorder=1.5,
                  solid_capstyle="butt")  # fmt: skip
    for (row, column), value in np.ndenumerate(panel.values):
        if not np.isfinite(value):
            axes.text(column, row, "\N{EN DASH}", ha="center", va="center", color=MUTED,
                      fontsize=min(8.0, cell * 72 * 0.5))  # fmt: skip
        elif value:
            # Limits are set, and to look for them takes most of the time of `add_patch`.
            axes.add_artist(_square(column, row, value / top, colours))


def _square(x: float, y: float, share: float, colours: _Colours, side: float = 1.0) -> Rectangle:
    """A square in the middle of a cell whose area is the size of a share of the largest one."""
    wide = side * _FILL * math.sqrt(min(abs(share), 1.0))
    colour = colours.positive if share > 0 else colours.negative
    return Rectangle((x - wide / 2, y - wide / 2), wide, wide, facecolor=colour, linewidth=0,
                     zorder=2)  # fmt: skip


def _words(
    axes: Axes, panel: _Panel, factors: list[str], *, tilted: bool, rows: bool, cell: float
) -> None:
    """Names of the factors above a diagram, and of its latents on the left."""
    axes.set_xticks(range(len(factors)), factors, rotation=90 if tilted else 0)
    axes.set_yticks(range(len(panel.rows)), panel.rows if rows else [""] * len(panel.rows))
    axes.tick_params(
        length=0, top=True, labeltop=True, bottom=False, labelbottom=False, pad=2.5,
        labelcolor=INK, labelsize=_WORDS,
    )  # fmt: skip
    axes.tick_params(axis="y", labelsize=min(_WORDS, cell * 72 * 0.62))
    for label, dead in zip(axes.get_yticklabels(), panel.dead, strict=True):
        label.set_color(FAINT if dead else INK)


@dataclass(frozen=True)
class _Key:
    """A mark of the legend: its share of the largest square, None for a dead row, and words."""

    share: float | None
    words: str
    wide: float


def _legend_lines(
    panels: Sequence[_Panel], sizes: NDArray[np.float64], top: float, label: str, width: float
) -> list[list[_Key | str]]:
    """What the legend shows, in as many lines as the width asks for."""
    groups: list[list[_Key | str]] = []
    sized: list[_Key | str] = [_key(1 / of, short(top / of)) for of in (1, 4, 16)]
    words: list[_Key | str] = [label] if label else []
    # The words stand before the sizes, or above them where the line is too short for both.
    if sum(_wide(item) for item in [*words, *sized]) <= width - 2 * _EDGE:
        groups.append([*words, *sized])
    else:
        groups += [words, sized]
    values = np.concatenate([panel.values.ravel() for panel in panels])
    if (values[np.isfinite(values)] < 0).any():
        groups += [[_key(1.0, "positive")], [_key(-1.0, "negative")]]
    if any(panel.dead.any() for panel in panels):
        groups.append([_key(None, "dead latent")])
    lines: list[list[_Key | str]] = [[]]
    used = 0.0
    for group in groups:
        wide = sum(_wide(item) for item in group)
        if lines[-1] and used + wide > width - 2 * _EDGE:
            lines.append([])
            used = 0.0
        lines[-1] += group
        used += wide
    return lines


def _key(share: float | None, words: str) -> _Key:
    return _Key(share, words, 0.3 + _LETTER * _WORDS * len(words) + 0.14)


def _wide(item: _Key | str) -> float:
    return item.wide if isinstance(item, _Key) else _LETTER * _WORDS * len(item) + 0.14


def _legend(figure: Figure, lines: list[list[_Key | str]], colours: _Colours, foot: float) -> None:
    """Squares of some sizes at the foot of a figure, in cells as they are in the diagrams."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0, 0, 1, foot / height))
    axes.set(xlim=(0, width), ylim=(0, foot))
    axes.set_axis_off()
    side = 0.2
    for number, line in enumerate(lines):
        x, y = _EDGE, foot - 0.15 - 0.3 * number
        for item in line:
            if isinstance(item, str):
                axes.text(x, y, item, fontsize=_WORDS, color=MUTED, va="center_baseline")
                x += _wide(item)
                continue
            ground = colours.ground if item.share is not None else colours.dead
            edge = FAINT if item.share is None else "none"
            axes.add_patch(
                Rectangle((x, y - side / 2), side, side, facecolor=ground, edgecolor=edge,
                          linewidth=0.5, zorder=1)
            )  # fmt: skip
            if item.share is None:
                axes.plot((x, x + side), (y, y), color=FAINT, linewidth=0.8)
            else:
                axes.add_patch(_square(x + side / 2, y, item.share, colours, side))
            axes.text(x + side + 0.06, y, item.words, fontsize=_WORDS, color=INK,
                      va="center_baseline")  # fmt: skip
            x += _wide(item)
