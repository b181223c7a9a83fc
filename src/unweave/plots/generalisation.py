"""How disentangled models are, against their errors in distribution and held out."""

from __future__ import annotations

__all__ = ["disentanglement_against_error"]

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from unweave.plots.broken import AxisKind, axis_kind, broken_limits, linear_limits, mark_break
from unweave.plots.names import shortened, wrapped
from unweave.plots.scales import setting_axis
from unweave.plots.series import short
from unweave.plots.style import INK, MUTED, SERIES, WIDTH, new_figure, styled, write_title

_COLUMNS = 3
_LONGEST = 28
_WORDS = 8.5
_LEGEND = 8.0
_LETTER = 0.0088
_COLOURS = (*SERIES, INK, MUTED)
_DASHES: tuple[Any, ...] = ("-", (0, (4, 2)), (0, (1, 1.5)))
_MARKERS = ("o", "D")
_SIZES = (5.2, 4.8)
# Past 1, so that a model with the score 1 can be seen.
_MOST = 1.03
_OFF = 1e-9

Points = Mapping[str, Mapping[str, ArrayLike]]


@dataclass(frozen=True)
class _Looks:
    """Colour and line of a model."""

    colour: str
    dash: Any


@styled
def disentanglement_against_error(
    panels: Points,
    published: Points | None = None,
    *,
    title: str = "",
    score_label: str = "disentanglement",
    error_label: str = "excess NLL (nats an image)",
    regions: tuple[str, str] = ("in distribution", "held out"),
    published_label: str = "published",
    axis: Literal["auto", "linear", "broken", "log"] = "auto",
) -> Figure:
    """A panel for each condition: the score of each run against its error in two regions.

    A line joins the two points of a run. All panels have the same axis of errors. By default it is
    broken at the largest empty gap between neighbouring errors, where that takes a quarter of
    their range or more, and a side of it with half of the errors or more would be pressed into
    less than a fifth. It is logarithmic where most errors would still lie close to the lower end
    of a part; see `unweave.plots.broken.axis_kind`.

    Args:
        panels: Condition -> model -> (n, 3), a row a run: disentanglement from 0 to 1, error in
            distribution, error held out. A value that is not finite is passed over.
        published: Published numbers in the same form, of the same conditions; hollow points.
        title: Words above.
        score_label: What disentanglement is measured by.
        error_label: What the errors are, with their unit.
        regions: What the two regions are called.
        published_label: What hollow points are called.
        axis: Kind of the axis of errors.

    Returns:
        The figure; its legend is below the panels.

    Raises:
        ValueError: No panel, no finite error, values of a wrong shape, a score out of range, or an
            axis that the errors do not fit.
    """
    theirs = published or {}
    if not panels:
        raise ValueError("panels must hold at least one condition; got none.")
    if unknown := [name for name in theirs if name not in panels]:
        raise ValueError(f"published has {unknown[0]!r}, which is none of the panels.")
    found = {name: _runs(name, of) for name, of in panels.items()}
    hollow = {name: _runs(name, theirs.get(name, {})) for name in panels}
    models = list(dict.fromkeys(m for of in (*found.values(), *hollow.values()) for m in of))
    tables = [table for of in (*found.values(), *hollow.values()) for table in of.values()]
    errors = np.concatenate([np.empty(0), *(_drawn(table) for table in tables)])
    if not len(errors):
        raise ValueError("panels must hold at least one run with a finite score and error.")
    kind = _kind(errors, axis)
    looks = {
        model: _Looks(_COLOURS[k % len(_COLOURS)], _DASHES[k // len(_COLOURS) % len(_DASHES)])
        for k, model in enumerate(models)
    }

    columns = min(_COLUMNS, len(panels))
    bands = -(-len(panels) // columns)
    wide = WIDTH if columns > 1 else 5.6
    legend, legend_high = _legend(looks, regions, published_label if theirs else "", wide)
    heads = {name: wrapped(name, (wide - 0.6) / columns - 0.15, _WORDS) for name in panels}
    lines = max(head.count("\n") + 1 for head in heads.values())
    # Words of equally many lines, so that panels are of one height.
    heads = {name: "\n" * (lines - 1 - head.count("\n")) + head for name, head in heads.items()}
    title = wrapped(title, wide - 0.24, 9.5)
    above = (0.14 + 0.16 * (title.count("\n") + 1)) * bool(title)
    each = 2.45 + 0.45 * (kind == "broken") + 0.14 * (lines - 1)
    height = above + each * bands + 0.1 + legend_high
    figure = new_figure(wide, height)
    foot = (legend_high + 0.05) / height
    figure.set_layout_engine(
        "constrained",
        w_pad=0.05,
        h_pad=0.035,
        hspace=0,
        rect=(0, foot, 1, 1 - foot - above / height),
    )
    outer = figure.add_gridspec(bands, 1)
    parts = broken_limits(errors)[::-1] if kind == "broken" else (linear_limits(errors),)
    if kind == "log":
        parts = ((errors.min() / 1.25, errors.max() * 1.25),)
    for band in range(bands):
        inner = outer[band].subgridspec(len(parts), columns, height_ratios=_shares(errors, parts))
        for place, name in enumerate(list(panels)[band * columns : (band + 1) * columns]):
            drawn = [figure.add_subplot(inner[k, place]) for k in range(len(parts))]
            for axes, ends in zip(drawn, parts, strict=True):
                _axis(axes, ends, errors, log=kind == "log", labelled=place == 0)
                for model, table in found[name].items():
                    _points(axes, table, looks[model], hollow=False)
                for model, table in hollow[name].items():
                    _points(axes, table, looks[model], hollow=True)
            drawn[0].set_title(heads[name], fontsize=_WORDS)
            drawn[-1].set_xlabel(score_label)
            if len(drawn) > 1:
                mark_break(drawn[1], drawn[0])
    middle = foot + (1 - foot - above / height) / 2
    figure.supylabel(error_label, fontsize=8.5, color=MUTED, y=middle)
    for handles, ncols, top in legend:
        figure.legend(
            handles=handles, loc="upper left", ncols=ncols, frameon=False, fontsize=_LEGEND,
            bbox_to_anchor=(0.12 / wide, (legend_high - top) / height), borderaxespad=0,
            borderpad=0, handlelength=2.2, columnspacing=1.4, labelspacing=0.35,
        )  # fmt: skip
    write_title(figure, title)
    return figure


def _runs(condition: str, models: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.float64]]:
    """Each model's runs, (n, 3), checked."""
    tables = {}
    for model, given in models.items():
        table = np.asarray(given, np.float64)
        if table.ndim != 2 or table.shape[1] != 3:
            raise ValueError(
                f"{model!r} of {condition!r} must be runs by 3: disentanglement, error in "
                f"distribution and held out; got shape {table.shape}."
            )
        scores = table[np.isfinite(table[:, 0]), 0]
        if ((scores < -_OFF) | (scores > 1 + _OFF)).any():
            raise ValueError(
                f"disentanglement of {model!r} of {condition!r} must lie between 0 and 1."
            )
        tables[model] = table
    return tables


def _drawn(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Errors that have a point."""
    errors = table[np.isfinite(table[:, 0]), 1:]
    return errors[np.isfinite(errors)]


def _kind(errors: NDArray[np.float64], axis: str) -> AxisKind:
    """The kind of axis that is asked for, if errors fit it."""
    if axis == "auto":
        return axis_kind(errors)
    if axis == "log":
        if (errors <= 0).any():
            raise ValueError("a logarithmic axis needs errors above 0; choose axis='linear'.")
        return "log"
    if axis == "broken":
        if len(np.unique(errors)) < 2:
            raise ValueError("a broken axis needs two different errors; choose axis='linear'.")
        return "broken"
    if axis != "linear":
        raise ValueError(f"axis must be auto, linear, broken or log; got {axis!r}.")
    return "linear"


def _shares(errors: NDArray[np.float64], parts: Sequence[tuple[float, float]]) -> list[float]:
    """How high each part is: by how many errors it shows, and none very low."""
    counts = [int(((errors >= low) & (errors <= high)).sum()) for low, high in parts]
    return [min(0.64, max(0.36, count / len(errors))) for count in counts]


def _axis(
    axes: Axes,
    ends: tuple[float, float],
    errors: NDArray[np.float64],
    *,
    log: bool,
    labelled: bool,
) -> None:
    """Scales and marks of a panel, or of one part of it."""
    axes.set_xlim(0, _MOST)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    if log:
        setting_axis(axes, "y", errors, (), log=True)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.set_ylim(ends)
    axes.tick_params(length=2)
    if not labelled:
        axes.tick_params(axis="y", labelleft=False)


def _points(axes: Axes, table: NDArray[np.float64], looks: _Looks, *, hollow: bool) -> None:
    """Both points of each run, and the line between them."""
    low, high = axes.get_ylim()
    # Lines as they are: for each of them `plot` would look up colours and limits, which are set.
    for score, *errors in table:
        if not np.isfinite(score):
            continue
        if np.isfinite(errors).all():
            axes.add_line(Line2D(
                (score, score), errors, color=looks.colour, linewidth=1.0, alpha=0.55, zorder=2,
                linestyle=(0, (1, 1.5)) if hollow else looks.dash,
            ))  # fmt: skip
        for error, marker, size in zip(errors, _MARKERS, _SIZES, strict=True):
            # Points at an end of the axis are whole, and those of the other part not drawn.
            if low <= error <= high:
                axes.add_line(Line2D(
                    [score], [error], marker=marker, markersize=size - 0.4 * hollow, linestyle="",
                    markerfacecolor="white" if hollow else looks.colour, clip_on=False,
                    markeredgecolor=looks.colour if hollow else "white",
                    markeredgewidth=1.1 if hollow else 0.5, zorder=3 if hollow else 4,
                ))  # fmt: skip


def _legend(
    looks: Mapping[str, _Looks], regions: tuple[str, str], published: str, width: float
) -> tuple[list[tuple[list[Line2D], int, float]], float]:
    """Marks of the regions and of the models.

    Returns:
        Handles, number of columns and inches from the top of each of the two; inches of both.
    """
    names = shortened(list(looks), _LONGEST)
    marks = [
        Line2D([], [], linestyle="", marker=marker, markersize=size, color=MUTED, label=region)
        for marker, size, region in zip(_MARKERS, _SIZES, regions, strict=True)
    ]
    if published:
        marks.append(
            Line2D([], [], linestyle=(0, (1, 1.5)), marker="o", markersize=5, color=MUTED,
                   markerfacecolor="white", linewidth=1.0, label=published)
        )  # fmt: skip
    lines = list(_lines(looks, names))
    each = 0.48 + _LETTER * _LEGEND * max(map(len, names))
    ncols = max(1, min(len(lines), int((width - 0.3) / each)))
    rows = -(-len(lines) // ncols)
    return [(marks, len(marks), 0.0), (lines, ncols, 0.2)], 0.2 + 0.16 * rows + 0.06


def _lines(looks: Mapping[str, _Looks], names: Sequence[str]) -> Iterator[Line2D]:
    for look, name in zip(looks.values(), names, strict=True):
        yield Line2D([], [], color=look.colour, linestyle=look.dash, linewidth=1.8, label=name)
