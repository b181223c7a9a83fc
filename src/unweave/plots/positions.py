"""Where images lie on two latents: those trained on, those held out, and where these should."""

from __future__ import annotations

__all__ = ["latent_positions"]

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Ellipse
from numpy.typing import ArrayLike, NDArray

from unweave.plots.names import shortened, wrapped
from unweave.plots.shares import clipped_end
from unweave.plots.style import (
    INK,
    MARK,
    MUTED,
    SEQUENTIAL,
    SERIES,
    WIDTH,
    new_figure,
    styled,
    write_title,
)

_COLOURS = tuple(colour for colour in SERIES if colour != MARK)
# More points hide each other, and more ellipses hide the points.
_MOST_TRAINED = 4000
_MOST_HELD_OUT = 1000
_MOST_ELLIPSES = 40
# Of ordered values with more than there are colours, so many stand in the legend.
_SHOWN = 5
_HEIGHT = 4.4
_LONGEST = 20
_LONGEST_LABEL = 44
_RIGHT = 1.95


@styled
def latent_positions(
    trained: ArrayLike,
    held_out: ArrayLike,
    expected: ArrayLike,
    labels: tuple[str, str],
    *,
    deviations: ArrayLike | None = None,
    values: ArrayLike | None = None,
    names: Sequence[str] = (),
    factor: str = "",
    title: str = "",
    note: str = "",
) -> Figure:
    """Codes of images on two latents, and the positions that held-out combinations should have.

    Args:
        trained: Codes of images that were trained on, (n, 2); at most 4,000
            are drawn, evenly chosen.
        held_out: Codes of images that were held out, (m, 2); at most 1,000 are drawn.
        expected: Expected position of each held-out combination, (c, 2).
        labels: What the two latents are, such as `z3, shape`.
        deviations: Standard deviations around the expected positions, (c, 2), drawn as ellipses
            of up to 40 combinations; None for positions alone.
        values: Index of a value for each image that was trained on, (n,), by which it is coloured;
            None for one colour.
        names: What these values are called.
        factor: Of which factor they are.
        title: Words above.
        note: Smaller words below the title.

    Returns:
        The figure; of more than five values the colours are shades in their order.

    Raises:
        ValueError: An array has another shape, is not finite, or is empty where it must not be;
            or a value has no name.
    """
    points = _points(trained, "trained")
    unseen = _points(held_out, "held_out")
    homes = _points(expected, "expected")
    widths = None if deviations is None else _points(deviations, "deviations")
    if widths is not None and (widths.shape != homes.shape or (widths < 0).any()):
        raise ValueError(
            f"deviations must be at least 0, of shape {homes.shape}; got {widths.shape}."
        )
    if not len(points):
        raise ValueError("trained must hold at least one image; got none.")
    colours, handles = _coloured(len(points), values, names)
    lines = wrapped(note, 1.16 * WIDTH, 8).split("\n") if note else []
    head = 0.1 + (0.24 if title else 0) + 0.155 * len(lines)
    height = _HEIGHT + head
    figure = new_figure(WIDTH, height)
    figure.set_layout_engine(
        "constrained",
        w_pad=0.06,
        h_pad=0.06,
        rect=(0, 0, 1 - _RIGHT / WIDTH, _HEIGHT / height),
    )
    axes = figure.add_subplot()
    _draw(axes, points, colours, unseen, homes, widths)
    axes.set_xlabel(clipped_end(labels[0], _LONGEST_LABEL))
    axes.set_ylabel(clipped_end(labels[1], _LONGEST_LABEL))
    write_title(figure, title)
    figure.text(
        0.12 / WIDTH, 1 - (0.1 + (0.24 if title else 0)) / height, "\n".join(lines), fontsize=8,
        va="top", color=MUTED, linespacing=1.25,
    )  # fmt: skip
    _legend(figure, handles, factor, unseen, homes, widths, _HEIGHT / height)
    return figure


def _points(given: ArrayLike, name: str) -> NDArray[np.float64]:
    points = np.asarray(given, np.float64)
    if points.size == 0:
        points = points.reshape(0, 2)
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(f"{name} must be of shape (n, 2); got shape {points.shape}.")
    if not np.isfinite(points).all():
        raise ValueError(f"{name} must be finite.")
    return points


def _coloured(
    count: int, values: ArrayLike | None, names: Sequence[str]
) -> tuple[NDArray[np.str_], list[tuple[str, str]]]:
    """The colour of each point, and which colours the legend explains, with their words."""
    if values is None:
        return np.full(count, SERIES[0]), [(SERIES[0], "trained on")]
    indices = np.asarray(values)
    if indices.shape != (count,) or indices.dtype.kind not in "iu":
        raise ValueError(f"values must be whole numbers of shape ({count},).")
    if not 0 <= indices.min() <= indices.max() < len(names):
        raise ValueError(f"values must lie from 0 to {len(names) - 1}, one for each name.")
    short = shortened(names, _LONGEST)
    if len(names) <= len(_COLOURS):
        palette, shown = list(_COLOURS[: len(names)]), range(len(names))
    else:
        # The lightest shades would not be seen on white.
        shades = SEQUENTIAL(np.linspace(0.3, 1, len(names)))
        palette = [to_hex(shade) for shade in shades]
        places = np.linspace(0, len(names) - 1, min(_SHOWN, len(names)))
        shown = np.round(places).astype(int).tolist()
    return np.array(palette)[indices], [(palette[k], short[k]) for k in shown]


def _draw(
    axes: Axes,
    points: NDArray[np.float64],
    colours: NDArray[np.str_],
    unseen: NDArray[np.float64],
    homes: NDArray[np.float64],
    widths: NDArray[np.float64] | None,
) -> None:
    kept, few = _evenly(len(points), _MOST_TRAINED), _evenly(len(unseen), _MOST_HELD_OUT)
    seen, held, shades = points[kept], unseen[few], colours[kept].tolist()
    axes.scatter(seen[:, 0], seen[:, 1], s=5, c=shades, alpha=0.45, linewidths=0, zorder=2)
    axes.scatter(
        held[:, 0], held[:, 1], s=9, color=MARK, marker="x", alpha=0.8, linewidths=0.6, zorder=3
    )
    if widths is not None and len(homes) <= _MOST_ELLIPSES:
        for (x, y), (wide, tall) in zip(homes.tolist(), widths.tolist(), strict=True):
            ellipse = Ellipse((x, y), 2 * wide, 2 * tall, fill=False, edgecolor=INK)
            ellipse.set(linewidth=0.7, zorder=4)
            axes.add_patch(ellipse)
    axes.scatter(
        homes[:, 0], homes[:, 1], s=26, facecolors="white", edgecolors=INK, marker="D",
        linewidths=1.0, zorder=5,
    )  # fmt: skip
    axes.margins(0.04)


def _evenly(count: int, most: int) -> NDArray[np.int64]:
    """Which of so many points are drawn."""
    return np.arange(0, count, max(1, -(-count // most)))


def _legend(
    figure: Figure,
    handles: Sequence[tuple[str, str]],
    factor: str,
    unseen: NDArray[np.float64],
    homes: NDArray[np.float64],
    widths: NDArray[np.float64] | None,
    top: float,
) -> None:
    """What the marks are, to the right of the axes."""
    look: dict[str, Any] = {"linestyle": "", "color": "none"}
    words = [
        Line2D([], [], marker="o", markersize=5, markeredgewidth=0, markerfacecolor=colour,
               label=name, **look)
        for colour, name in handles
    ]  # fmt: skip
    shared: dict[str, Any] = {
        "loc": "upper left", "frameon": False, "fontsize": 8, "alignment": "left",
        "borderaxespad": 0, "borderpad": 0, "title_fontsize": 8, "handletextpad": 0.4,
    }  # fmt: skip
    left = 1 - (_RIGHT - 0.08) / WIDTH
    heading = wrapped(f"trained on, by {factor}", _RIGHT - 0.1, 8) if factor else ""
    figure.legend(
        handles=words, title=heading or None, bbox_to_anchor=(left, top - 0.02), **shared
    )
    marks = []
    if len(unseen):
        marks.append(
            Line2D(
                [], [], marker="x", markersize=5, markeredgecolor=MARK, label="held out", **look
            )
        )
    if len(homes):
        marks.append(
            Line2D([], [], marker="D", markersize=5, markerfacecolor="white",
                   markeredgecolor=INK, label="expected", **look)
        )  # fmt: skip
        if widths is not None and len(homes) <= _MOST_ELLIPSES:
            marks.append(
                Line2D([], [], marker="o", markersize=9, markerfacecolor="none",
                       markeredgecolor=INK, markeredgewidth=0.7,
                       label="one standard deviation", **look)
            )  # fmt: skip
    lines = len(words) + len(heading.splitlines())
    figure.legend(
        handles=marks, bbox_to_anchor=(left, top - 0.02 - (0.2 * lines + 0.2) * top / _HEIGHT),
        **shared,
    )  # fmt: skip
