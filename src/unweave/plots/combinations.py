"""How large errors are at each combination of two factors, trained on and held out, as maps."""

from __future__ import annotations

__all__ = ["errors_by_combination"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from unweave.plots.names import shortened, spread_ticks, wrapped
from unweave.plots.scales import magnitude
from unweave.plots.series import short
from unweave.plots.shares import clipped_end
from unweave.plots.style import (
    FAINT,
    MARK,
    SEQUENTIAL,
    WIDTH,
    label_scale,
    new_figure,
    styled,
    write_title,
)

_NONE = "#c3c9d0"
# Errors are shaded by their logarithms where the largest is so many times the smallest.
_FAR = 30.0
# Inches: of a row of cells, of the least and the most of all, of the least where no map stands
# below another, and beside the panels.
_ROW = 0.22
_LEAST, _MOST = 0.42, 3.2
_ALONE = 1.0
_LEFT, _RIGHT = 0.75, 0.75
# In lower figures the words of the scale stand in two lines.
_HIGH = 2.9
# Maps with more columns stand two side by side, and others three.
_WIDE = 16
_WORDS = 8.5
_LONGEST = 60
_LONGEST_NAME = 24
# Inches that a letter of the name of a factor takes.
_LETTER = 0.08


@dataclass(frozen=True)
class _Layout:
    """How many panels stand side by side, and inches of each."""

    columns: int
    wide: float
    high: float


@styled
def errors_by_combination(
    errors: Mapping[str, ArrayLike],
    held_out: ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    axes: tuple[str, str] = ("", ""),
    title: str = "",
    error_label: str = "excess NLL (nats an image)",
) -> Figure:
    """A map for each model: a cell for each combination, the darker, the larger its error.

    Cells that were held out have an outline. The first values are at the bottom left. All maps
    have one scale, which is logarithmic where the largest error is more than 30 times the
    smallest one and all are above 0.

    Args:
        errors: Model -> (rows, columns) errors; what is not finite is grey.
        held_out: (rows, columns), whether each combination was held out of training.
        rows: What the values of the one factor are called. Names of a single row are not written.
        columns: What the values of the other one are called.
        axes: Names of the two factors.
        title: Words above.
        error_label: What the errors are, with their unit.

    Returns:
        The figure.

    Raises:
        ValueError: No model, no finite error, or shapes that do not fit the names.
    """
    shape = (len(rows), len(columns))
    outlined = np.asarray(held_out, np.bool_)
    tables = {name: np.asarray(given, np.float64) for name, given in errors.items()}
    if not tables or 0 in shape:
        raise ValueError("errors must be of at least one model, row and column.")
    for name, table in {**tables, "held_out": outlined}.items():
        if table.shape != shape:
            raise ValueError(f"{name!r} must be of shape {shape}; got {table.shape}.")
    every = np.concatenate([table.ravel() for table in tables.values()])
    known = every[np.isfinite(every)]
    if not len(known):
        raise ValueError("errors must hold at least one finite value.")

    norm = _norm(known)
    layout = _layout(len(tables), shape)
    bands = -(-len(tables) // layout.columns)
    names = shortened(list(tables), _LONGEST)
    heads = [wrapped(name, layout.wide, _WORDS) for name in names]
    lines = [
        max(head.count("\n") + 1 for head in heads[k : k + layout.columns])
        for k in range(0, len(heads), layout.columns)
    ]
    title = wrapped(title, WIDTH - 0.24, 9.5)
    above = 0.06 + (0.1 + 0.16 * (title.count("\n") + 1)) * bool(title)
    foot = 0.32
    height = above + foot + sum(0.16 * line + 0.5 + layout.high for line in lines)
    figure = new_figure(WIDTH, height)
    figure.set_layout_engine(
        "constrained", w_pad=0.05, h_pad=0.04,
        rect=(0, foot / height, 1, 1 - (foot + above) / height),
    )  # fmt: skip
    grid = figure.add_gridspec(bands, layout.columns)
    for place, (head, table) in enumerate(zip(heads, tables.values(), strict=True)):
        panel = figure.add_subplot(grid[divmod(place, layout.columns)])
        panel.set_title(head, fontsize=_WORDS)
        _draw(panel, table, outlined, norm)
        last = place + layout.columns >= len(tables)
        _name(panel, rows, columns, axes, layout, (place % layout.columns == 0, last))
    bar = figure.colorbar(
        ScalarMappable(norm, SEQUENTIAL), ax=figure.axes, aspect=max(8.0, 9 * height / 2.4),
        pad=0.015, fraction=0.06,
    )  # fmt: skip
    bar.ax.yaxis.set_minor_locator(NullLocator())
    _scale(bar.ax, norm)
    label_scale(bar, error_label if height > _HIGH else error_label.replace(" (", "\n(", 1))
    _legend(figure, foot, empty=len(known) < len(every), outlined=bool(outlined.any()))
    write_title(figure, title)
    return figure


def _norm(known: NDArray[np.float64]) -> Normalize:
    """The shades of errors."""
    low, high = float(known.min()), float(known.max())
    if low > 0 and high > _FAR * low:
        return LogNorm(low, high)
    low = min(low, 0.0)
    return Normalize(low, high if high > low else low + 1)


def _scale(axes: Axes, norm: Normalize) -> None:
    """Marks of the scale of shades."""
    if not isinstance(norm, LogNorm):
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
        return
    low, high = axes.get_ylim()
    found = LogLocator(subs=(1,), numticks=6).tick_values(low, high)
    inside = [at for at in found if low <= at <= high]
    if len(inside) < 2:
        found = LogLocator(subs=(1, 2, 5), numticks=6).tick_values(low, high)
        inside = [at for at in found if low <= at <= high]
    axes.yaxis.set_major_locator(FixedLocator(inside))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: magnitude(value)))


def _layout(count: int, shape: tuple[int, int]) -> _Layout:
    """As many maps side by side as can be read."""
    columns = min(count, 2 if shape[1] > _WIDE else 3)
    wide = (WIDTH - _LEFT - _RIGHT) / columns - 0.1
    # Beside one row of maps there must be room for the words of the scale.
    least = _ALONE if count <= columns else _LEAST
    return _Layout(columns, wide, min(_MOST, max(least, _ROW * shape[0])))


def _draw(
    axes: Axes, table: NDArray[np.float64], held_out: NDArray[np.bool_], norm: Normalize
) -> None:
    """Shades of one map, and the outline of what was held out."""
    axes.set_facecolor(_NONE)
    axes.imshow(
        np.ma.masked_invalid(table), cmap=SEQUENTIAL, norm=norm, aspect="auto", origin="lower",
        interpolation="nearest",
    )  # fmt: skip
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set(visible=True, edgecolor=FAINT)
    axes.add_collection(
        LineCollection(_outline(held_out), colors=MARK, linewidths=1.6, clip_on=False, zorder=4,
                       capstyle="projecting", label="held out"),
        autolim=False,
    )  # fmt: skip


def _outline(held_out: NDArray[np.bool_]) -> list[list[tuple[float, float]]]:
    """Edges between cells that were held out and what was not, as lines that are not broken."""
    around = np.pad(held_out, 1)
    upright = around[1:-1, 1:] != around[1:-1, :-1]
    level = around[1:, 1:-1] != around[:-1, 1:-1]
    lines = [
        [(place - 0.5, start - 0.5), (place - 0.5, end - 0.5)]
        for place, edge in enumerate(upright.T)
        for start, end in _runs(edge)
    ]
    return lines + [
        [(start - 0.5, place - 0.5), (end - 0.5, place - 0.5)]
        for place, edge in enumerate(level)
        for start, end in _runs(edge)
    ]


def _runs(edge: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Where runs of what is true begin, and where they end, one past their last."""
    turns = np.flatnonzero(np.diff(np.concatenate([[False], edge, [False]]).astype(np.int8)))
    return list(zip(turns[::2].tolist(), turns[1::2].tolist(), strict=True))


def _name(
    panel: Axes,
    rows: Sequence[str],
    columns: Sequence[str],
    axes: tuple[str, str],
    layout: _Layout,
    outer: tuple[bool, bool],
) -> None:
    """Names of values beside a map and below it, and of factors at those at the edge."""
    panel.tick_params(length=2, labelsize=7.5)
    panel.set_xticks(*spread_ticks(columns, layout.wide, 7.5))
    first, last = outer
    if last:
        panel.set_xlabel(clipped_end(axes[1], _LONGEST_NAME), labelpad=2)
    if len(rows) == 1:
        panel.set_yticks([])
        return
    panel.set_yticks(*spread_ticks(rows, layout.high))
    panel.tick_params(axis="y", labelleft=first)
    if first:
        letters = min(_LONGEST_NAME, int((layout.high + 0.3) / _LETTER))
        panel.set_ylabel(clipped_end(axes[0], letters), labelpad=2)


def _legend(figure: Figure, foot: float, *, empty: bool, outlined: bool) -> None:
    """What the outline is, and what grey is, where there are any."""
    handles = []
    if outlined:
        handles.append(Patch(facecolor="none", edgecolor=MARK, linewidth=1.6, label="held out"))
    if empty:
        handles.append(Patch(facecolor=_NONE, label="no image is scored"))
    if not handles:
        return
    width, height = figure.get_size_inches()
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.12 / width, 0.1 / height), ncols=2,
        frameon=False, fontsize=8, borderaxespad=0, borderpad=0, handlelength=1.1,
        handleheight=1.0, columnspacing=1.6,
    )  # fmt: skip
