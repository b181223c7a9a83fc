"""Which tuned settings go with which scores."""

from __future__ import annotations

__all__ = ["hyper_map"]

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import PatchCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from unweave.plots.scales import as_numbers, setting_axis
from unweave.plots.style import (
    BLUE,
    FAINT,
    INK,
    MARK,
    SEQUENTIAL,
    WIDTH,
    label_scale,
    new_figure,
    styled,
)

# From so many scores on there are squares in place of points.
_MOST_POINTS = 100
# A field of more different values is cut into as many equal parts at most.
_MOST_PARTS = 12
# Fractions whose multiples fill an interval evenly; fields differ in theirs, so that points of two
# fields of choices lie in no line.
_STRIDES = (0.6180339887498949, 0.7548776662466927, 0.5698402909980532, 0.8191725133961645)


@dataclass(frozen=True)
class _Field:
    """A setting: its values as they are drawn, and where its axis is cut."""

    name: str
    values: NDArray[np.float64]
    texts: list[str]
    log: bool
    stride: float

    def along(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Places on the axis."""
        return np.log(values) if self.log else values

    @property
    def spread(self) -> NDArray[np.float64]:
        """The values; equal texts or choices a little apart, so that each point can be seen."""
        if not self.texts:
            return self.values
        # Points of one value are counted; the first is in the middle.
        order = np.zeros(len(self.values))
        for value in np.unique(self.values):
            equal = self.values == value
            order[equal] = np.arange(equal.sum())
        return self.values + ((order * self.stride + 0.5) % 1 - 0.5) * 0.4

    def edges(self) -> NDArray[np.float64]:
        """Where its parts begin and end, as values: around each one, or evenly spaced."""
        different = self.along(np.unique(self.values))
        if len(different) <= _MOST_PARTS:
            if len(different) == 1:
                cuts = different[0] + np.array([-0.5, 0.5])
            else:
                middle = (different[1:] + different[:-1]) / 2
                first, last = different[1] - different[0], different[-1] - different[-2]
                cuts = np.array([different[0] - first / 2, *middle, different[-1] + last / 2])
        else:
            cuts = np.linspace(different[0], different[-1], _MOST_PARTS + 1)
        ends: NDArray[np.float64] = np.exp(cuts) if self.log else cuts
        return ends


@styled
def hyper_map(
    fields: Mapping[str, Sequence[Any] | NDArray[Any]],
    scores: ArrayLike,
    log: Collection[str] = (),
    title: str = "",
    score_label: str = "score",
    choices: Collection[str] = (),
) -> Figure:
    """Scores over two settings; of more, over each pair; of one, over its values.

    Fewer than 100 scores are points, the better ones on top. More are squares, each the mean
    score of a part of the plane, and the larger, the more scores it stands for; a part without
    any is empty.

    Args:
        fields: Name -> (n,) values, numbers or texts.
        scores: (n,) what is not finite is none, and a cross where there are points.
        log: Names whose axis is logarithmic, where all values are above zero.
        title: Words above.
        score_label: What the scores are; beside the scale.
        choices: Names whose numbers stand apart, each one with a mark of its own.

    Returns:
        The figure; the best score has an orange ring. Points of equal choices, or of equal texts,
        lie a little apart.

    Raises:
        ValueError: No fields, no scores, or lists of different length.
    """
    values = np.asarray(scores, np.float64)
    if not fields or values.ndim != 1 or not len(values):
        raise ValueError("hyper_map needs at least one field and one score.")
    for name, given in fields.items():
        if np.shape(given) != values.shape:
            raise ValueError(f"{name} has shape {np.shape(given)}, and scores {values.shape}.")
    found = [
        _field(name, given, name in log, name in choices, _STRIDES[place % len(_STRIDES)])
        for place, (name, given) in enumerate(fields.items())
    ]
    if len(found) == 1:
        return _alone(found[0], values, title, score_label)
    side = len(found) - 1
    cell = (WIDTH - 1.3) / side if side > 1 else 4.8
    width, height = cell * side + 1.2, cell * side * 0.86 + 0.6
    figure = new_figure(width, height)
    figure.set_layout_engine(
        "constrained", w_pad=0.06, h_pad=0.06, rect=(0, 0, 1, 1 - 0.32 / height)
    )
    grid = figure.add_gridspec(side, side)
    sparse = len(values) < _MOST_POINTS
    shaded: list[ScalarMappable] = []
    for row, column in itertools.product(range(side), range(side)):
        if column > row:
            continue
        across, up = found[column], found[row + 1]
        axes = figure.add_subplot(grid[row, column])
        if sparse:
            shaded.append(_points(axes, across.spread, up.spread, values))
        else:
            shaded.append(_squares(axes, across, up, values))
        where = (across.spread, up.spread) if sparse else (across.values, up.values)
        _ring(axes, *where, values)
        _axis(axes, "x", across, labelled=row == side - 1)
        _axis(axes, "y", up, labelled=column == 0)
    # One scale for all panels.
    norm = _norm(np.concatenate([np.asarray(one.get_array(), np.float64) for one in shaded]))
    for one in shaded:
        one.set_norm(norm)
    scale = figure.colorbar(
        ScalarMappable(norm, SEQUENTIAL), ax=figure.axes, aspect=30, pad=0.02, shrink=0.9
    )
    label_scale(scale, score_label if sparse else f"mean {score_label}")
    _words(figure, values, sparse, title)
    return figure


def _field(
    name: str, given: Sequence[Any] | NDArray[Any], log: bool, choices: bool, stride: float
) -> _Field:
    values, texts = as_numbers(given, choices=choices)
    return _Field(name, values, texts, log and not texts and bool((values > 0).all()), stride)


def _norm(values: NDArray[np.float64]) -> Normalize:
    """The shades of scores; the lowest is not as light as the paper."""
    if not len(values):
        return Normalize(0, 1)
    low, high = float(values.min()), float(values.max())
    reach = (high - low) or abs(high) or 1.0
    return Normalize(low - 0.12 * reach, high)


def _alone(field: _Field, scores: NDArray[np.float64], title: str, score_label: str) -> Figure:
    """The scores of one setting, over its values."""
    figure = new_figure(WIDTH, 3.2)
    figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.06, rect=(0, 0, 1, 0.9))
    axes = figure.add_subplot()
    known = np.isfinite(scores)
    axes.scatter(field.spread[known], scores[known], s=22, color=BLUE, alpha=0.6, linewidths=0)
    axes.plot(field.spread[~known], np.full((~known).sum(), 0.03), color=INK, linestyle="",
              marker="x", markersize=5, transform=axes.get_xaxis_transform())  # fmt: skip
    _ring(axes, field.spread, scores, scores)
    _axis(axes, "x", field, labelled=True)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.set_ylabel(score_label)
    axes.margins(y=0.1)
    _words(figure, scores, True, title)
    return figure


def _points(
    axes: Axes,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    scores: NDArray[np.float64],
) -> ScalarMappable:
    known = np.isfinite(scores)
    axes.plot(x[~known], y[~known], color=INK, linestyle="", marker="x", markersize=5, zorder=2)
    order = np.flatnonzero(known)[np.argsort(scores[known], kind="stable")]
    return axes.scatter(
        x[order], y[order], c=scores[order], s=38, cmap=SEQUENTIAL, edgecolors=FAINT,
        linewidths=0.5, zorder=3,
    )  # fmt: skip


def _squares(
    axes: Axes, across: _Field, up: _Field, scores: NDArray[np.float64]
) -> ScalarMappable:
    """Means of parts of the plane, each as large as the share of scores that it stands for."""
    known = np.isfinite(scores)
    cuts = across.edges(), up.edges()
    places = [
        np.clip(np.searchsorted(cut, f.values[known], side="right") - 1, 0, len(cut) - 2)
        for f, cut in zip((across, up), cuts, strict=True)
    ]
    shape = len(cuts[0]) - 1, len(cuts[1]) - 1
    flat = np.ravel_multi_index((places[0], places[1]), shape)
    counts = np.bincount(flat, minlength=shape[0] * shape[1])
    sums = np.bincount(flat, weights=scores[known], minlength=shape[0] * shape[1])
    patches, means = [], []
    for cell in np.flatnonzero(counts):
        share = 0.3 + 0.65 * np.sqrt(counts[cell] / counts.max())
        k, m = np.unravel_index(cell, shape)
        (left, right), (low, high) = (
            _within(f, cut[place : place + 2], share)
            for f, cut, place in ((across, cuts[0], k), (up, cuts[1], m))
        )
        patches.append(Rectangle((left, low), right - left, high - low))
        means.append(sums[cell] / counts[cell])
    squares = PatchCollection(patches, cmap=SEQUENTIAL, edgecolors=FAINT,
                              linewidths=0.4, zorder=3)  # fmt: skip
    squares.set_array(np.array(means))
    axes.add_collection(squares)
    for f, cut, limit in ((across, cuts[0], axes.set_xlim), (up, cuts[1], axes.set_ylim)):
        if f.log:
            (axes.set_xscale if f is across else axes.set_yscale)("log")
        limit(cut[0], cut[-1])
    return squares


def _within(field: _Field, ends: NDArray[np.float64], share: float) -> tuple[float, float]:
    """The middle part of an interval, in the distances of the axis."""
    low, high = field.along(ends)
    middle, half = (low + high) / 2, share * (high - low) / 2
    inner = np.array([middle - half, middle + half])
    first, last = np.exp(inner) if field.log else inner
    return float(first), float(last)


def _ring(
    axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], scores: NDArray[np.float64]
) -> None:
    if np.isfinite(scores).any():
        best = int(np.nanargmax(np.where(np.isfinite(scores), scores, np.nan)))
        axes.plot(x[best], y[best], marker="o", markersize=9, markerfacecolor="none",
                  markeredgecolor=MARK, markeredgewidth=1.8, linestyle="", zorder=5,
                  clip_on=False)  # fmt: skip


def _axis(axes: Axes, which: str, field: _Field, *, labelled: bool) -> None:
    setting_axis(axes, which, field.values, field.texts, log=field.log)
    axis = axes.xaxis if which == "x" else axes.yaxis
    if labelled:
        axis.set_label_text(field.name)
    else:
        axis.set_tick_params(labelbottom=False, labelleft=False)


def _words(figure: Figure, scores: NDArray[np.float64], sparse: bool, title: str) -> None:
    """The title, and what marks mean."""
    handles = [Line2D([], [], marker="o", markersize=7, markerfacecolor="none", linestyle="",
                      markeredgecolor=MARK, markeredgewidth=1.6, label="best")]  # fmt: skip
    lost = int((~np.isfinite(scores)).sum())
    if lost and sparse:
        handles.append(Line2D([], [], color=INK, linestyle="", marker="x", markersize=5,
                              label="no score"))  # fmt: skip
    if not sparse:
        words = f"the larger, the more of {len(scores) - lost:,} scores"
        handles.append(Line2D([], [], color=SEQUENTIAL(0.6), linestyle="", marker="s",
                              markersize=6, label=words))  # fmt: skip
    figure.legend(handles=handles, loc="upper right", ncols=3, frameon=False, fontsize=7.5,
                  borderpad=0.2)  # fmt: skip
    if title:
        figure.text(0.06 / figure.get_figwidth(), 1 - 0.1 / figure.get_figheight(), title,
                    fontweight="bold", fontsize=9.5, va="top")  # fmt: skip
