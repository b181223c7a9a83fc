"""Which combinations of factors are held out of training, as maps, beside images of both sorts."""

from __future__ import annotations

__all__ = ["held_out_maps"]

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import ArrayLike, NDArray

from unweave.plots.grid import centres, label_row
from unweave.plots.images import as_rgb, edge_colour, tile
from unweave.plots.names import spread_ticks, wrapped
from unweave.plots.shares import clipped_end
from unweave.plots.style import (
    DPI,
    FAINT,
    INK,
    MARK,
    MUTED,
    WIDTH,
    new_figure,
    styled,
    write_title,
)

_COLUMNS = 4
_TRAINED = "#cfe1f0"
_NEITHER = "#e4e7eb"
# Shares of what is held out, from none to all.
_SHARES = LinearSegmentedColormap.from_list("held_out", [_TRAINED, "#f0b183", MARK])
_PAD = 2
_LEFT = 1.15
_LARGEST_TILE = 1.1
_LONGEST_NAME = 18


@styled
def held_out_maps(
    counts: Mapping[tuple[str, ...], ArrayLike],
    names: Mapping[str, Sequence[str]],
    *,
    images: Mapping[str, NDArray[Any]] | None = None,
    title: str = "",
    notes: Sequence[str] = (),
) -> Figure:
    """A map of each pair of factors, with the share of images that are held out in each cell.

    One map is drawn large; there, the darkest shade is held out altogether. Of several, the
    darkest shade of each is its own largest share, which is written above it. The first value of
    each factor is at the bottom left.

    Args:
        counts: (factor of the rows, factor of the columns): how many images are trained on, held
            out and neither, (3, rows, columns); or one factor alone, (3, size).
        names: Factor -> what each of its values is called.
        images: What each row of images is called: (n, H, W, C) uint8 with C of 1 or 3, of one size
            in all rows. Rows end early where there is no room for more.
        title: Words above.
        notes: Smaller words below the title, a paragraph each.

    Returns:
        The figure; images are drawn without resampling where at least one fits.

    Raises:
        ValueError: No map, counts below 0 or none at all, or names that do not fit.
    """
    tables = _checked(counts, names)
    one = len(tables) == 1
    lines = [line for note in notes for line in wrapped(note, 1.16 * WIDTH, 8).split("\n")]
    head = 0.1 + (0.24 if title else 0) + 0.155 * len(lines) + 0.3
    if one:
        [(key, table)] = tables.items()
        down = table.shape[1]
        body = 0.75 + (0.35 if len(key) == 1 else min(3.2, max(0.7, 0.24 * down)))
    else:
        body = 0.1 + 1.95 * -(-len(tables) // _COLUMNS)
    canvas, per_pixel = _canvas(images or {})
    foot = 0.1 + (0 if canvas is None else canvas.shape[0] * per_pixel / DPI + 0.12)
    height = round((head + body + foot) * DPI) / DPI
    figure = new_figure(WIDTH + 0.01 / DPI, height + 0.01 / DPI)
    figure.set_layout_engine(
        "constrained", w_pad=0.06, h_pad=0.05, rect=(0, foot / height, 1, body / height)
    )
    for number, (key, table) in enumerate(tables.items()):
        columns = 1 if one else _COLUMNS
        axes = figure.add_subplot(-(-len(tables) // columns), columns, number + 1)
        _panel(axes, key, table, names, large=one)
    write_title(figure, title)
    top = 1 - (0.1 + (0.24 if title else 0)) / height
    figure.text(
        0.12 / WIDTH, top, "\n".join(lines), fontsize=8, va="top", color=MUTED, linespacing=1.25
    )
    _legend(figure, tables, (foot + body + 0.02) / height)
    if canvas is not None:
        _strip(figure, canvas, per_pixel, images or {})
    return figure


def _checked(
    counts: Mapping[tuple[str, ...], ArrayLike], names: Mapping[str, Sequence[str]]
) -> dict[tuple[str, ...], NDArray[np.float64]]:
    """Counts as (3, rows, columns), checked."""
    if not counts:
        raise ValueError("counts must hold at least one map; got none.")
    tables = {}
    for key, given in counts.items():
        table = np.asarray(given, np.float64)
        shape = (3, *(len(names[name]) for name in key))
        if table.shape != shape or len(key) not in (1, 2) or not (table >= 0).all():
            raise ValueError(
                f"counts[{key!r}] must be at least 0, of shape {shape}; got shape {table.shape}."
            )
        if not table.any():
            raise ValueError(f"counts[{key!r}] must count at least one image.")
        tables[key] = table.reshape(3, -1, shape[-1])
    return tables


def _panel(
    axes: Axes,
    key: tuple[str, ...],
    table: NDArray[np.float64],
    names: Mapping[str, Sequence[str]],
    *,
    large: bool,
) -> None:
    """Shares of one map."""
    trained, held, _ = table
    kept = trained + held
    shares = np.ma.masked_where(kept == 0, held / np.maximum(kept, 1))
    top = 1.0 if large else float(np.max(shares.filled(0)))
    axes.set_facecolor(_NEITHER)
    axes.imshow(
        shares, cmap=_SHARES, vmin=0, vmax=top or 1.0, aspect="auto", origin="lower",
        interpolation="nearest",
    )  # fmt: skip
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set(visible=True, edgecolor=FAINT)
    size = 8 if large else 7
    axes.tick_params(length=2 if large else 0, labelsize=size)
    across = names[key[-1]]
    axes.set_xticks(*spread_ticks(across, 6.5 if large else 1.4, size))
    axes.set_xlabel(key[-1] if large else clipped_end(key[-1], _LONGEST_NAME), labelpad=2)
    if len(key) == 1:
        axes.set_yticks([])
    else:
        down = names[key[0]]
        room = min(3.2, max(0.7, 0.24 * len(down))) if large else 1.2
        axes.set_yticks(*spread_ticks(down, room))
        axes.set_ylabel(clipped_end(key[0], _LONGEST_NAME), labelpad=2)
    if large:
        _separate(axes, table.shape[1:])
    else:
        up_to = f"up to {100 * top:.3g} %"
        axes.set_title(up_to, fontsize=7, fontweight="normal", color=MUTED, pad=2)


def _separate(axes: Axes, shape: tuple[int, ...]) -> None:
    """Thin white lines between the cells of a large map."""
    rows, columns = shape
    lines: dict[str, Any] = {"colors": "white", "linewidth": 0.6}
    axes.vlines(np.arange(1, columns) - 0.5, -0.5, rows - 0.5, **lines)
    axes.hlines(np.arange(1, rows) - 0.5, -0.5, columns - 0.5, **lines)


def _legend(
    figure: Figure, tables: Mapping[tuple[str, ...], NDArray[np.float64]], bottom: float
) -> None:
    """What the colours are."""
    patches = [
        Patch(facecolor=_TRAINED, label="trained on"),
        Patch(
            facecolor=MARK,
            label="held out" if len(tables) == 1 else "largest share held out of each map",
        ),
    ]
    if any(table[2].any() for table in tables.values()):
        patches.append(Patch(facecolor=_NEITHER, edgecolor=FAINT, label="neither"))
    figure.legend(
        handles=patches, loc="lower left", bbox_to_anchor=(0.12 / WIDTH, bottom), ncols=3,
        frameon=False, fontsize=8, borderaxespad=0, borderpad=0, handlelength=1.1,
        handleheight=1.0, columnspacing=1.4,
    )  # fmt: skip


def _canvas(images: Mapping[str, NDArray[Any]]) -> tuple[NDArray[np.uint8] | None, int]:
    """Rows of images as one canvas, and how many pixels of the figure each of its pixels takes."""
    if not images:
        return None, 1
    rows = [as_rgb(row, 4, f"images[{name!r}]") for name, row in images.items()]
    if len({row.shape[1:] for row in rows}) > 1:
        raise ValueError("images must have one size in all rows.")
    height, width, _ = rows[0].shape[1:]
    room = int((WIDTH - _LEFT - 0.1) * DPI)
    count = max(1, min(max(map(len, rows)), (room - _PAD) // (width + _PAD)))
    shade = min(edge_colour(row) for row in rows)
    tiles = np.full((len(rows), count, height, width, 3), shade, np.uint8)
    for place, row in zip(tiles, rows, strict=True):
        place[: len(row)] = row[:count]
    canvas = tile(tiles, _PAD, shade)
    return canvas, max(1, min(room // canvas.shape[1], int(_LARGEST_TILE * DPI) // width))


def _strip(
    figure: Figure,
    canvas: NDArray[np.uint8],
    per_pixel: int,
    images: Mapping[str, NDArray[Any]],
) -> None:
    """The rows of images at the foot of a figure, each with its name."""
    height, width, _ = canvas.shape
    all_width, all_height = (round(inches * DPI) for inches in figure.get_size_inches())
    place = (
        round(_LEFT * DPI) / all_width,
        round(0.1 * DPI) / all_height,
        width * per_pixel / all_width,
        height * per_pixel / all_height,
    )
    axes = figure.add_axes(place)
    axes.imshow(canvas, interpolation="nearest", aspect="auto", extent=(0, width, height, 0))
    axes.set_axis_off()
    tall = next(iter(images.values())).shape[1]
    for middle, name in zip(centres(len(images), tall, _PAD), images, strict=True):
        label_row(axes, middle, name, 8.5, INK)
