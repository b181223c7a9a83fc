"""How concentrated importances are, as bars: of each latent over factors, and the other way."""

from __future__ import annotations

__all__ = ["Concentration", "concentration_bars"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from unweave.plots.names import shortened
from unweave.plots.sheet import head_of, write_head
from unweave.plots.style import BLUE, FAINT, INK, MARK, MUTED, WIDTH, new_figure, styled

# Inches: of a group of bars, its title, the marks above all, and the sides.
_HIGH = 1.7
_TITLE = 0.3
_KEY = 0.26
_LEFT, _GAP, _RIGHT = 0.5, 0.55, 0.25
_LETTER = 0.062
_LONGEST = 20
# A group is at least as wide as this many bars, and as its title.
_FEWEST = 4
_NARROWEST = 2.7
# Behind numbers, so that the line of the mean does not cross them.
_GROUND: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
# Inches of a bar below which its number has no room.
_NUMBER = 0.3


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Concentration:
    """A group of n bars.

    Attributes:
        name: What the bars are.
        labels: What each is called, (n,).
        values: How high each is, (n,) from 0 to 1; NaN where there is nothing to concentrate.
        shares: Share of all importance that each stands for, (n,) from 0 to 1.
        mean: Mean of all, weighted by shares.
    """

    name: str
    labels: Sequence[str]
    values: NDArray[np.float64]
    shares: NDArray[np.float64]
    mean: float


@styled
def concentration_bars(
    groups: Sequence[Concentration], *, title: str = "", note: str = ""
) -> Figure:
    """Groups of bars side by side, from 0 to 1.

    An orange mark on each bar is the share of all importance that it stands for, and a dashed line
    the mean. What stands for nothing has a faint name and no bar.

    Args:
        groups: From left to right.
        title: Words above.
        note: Smaller words below the title.

    Returns:
        The figure.

    Raises:
        ValueError: There is no group, or one is empty or has values that do not fit.
    """
    for group in groups:
        count = len(group.labels)
        if not count or group.values.shape != (count,) or group.shares.shape != (count,):
            raise ValueError(
                f"{group.name}: there must be a value and a share for each of {count} labels, at "
                f"least one; got {group.values.shape} and {group.shares.shape}."
            )
        known = group.values[np.isfinite(group.values)]
        if ((known < 0) | (known > 1 + 1e-9)).any():
            raise ValueError(f"{group.name}: values must lie between 0 and 1.")
    if not groups:
        raise ValueError("concentration_bars needs at least one group.")
    head = head_of(title, note, WIDTH)
    counts = [max(len(group.labels), _FEWEST) for group in groups]
    room = WIDTH - _LEFT - _RIGHT - _GAP * (len(groups) - 1)
    # Titles need as much as that; the rest goes by the number of bars.
    rest = max(room - _NARROWEST * len(groups), 0)
    widths = [min(_NARROWEST, room / len(groups)) + rest * n / sum(counts) for n in counts]
    each = [wide / count for wide, count in zip(widths, counts, strict=True)]
    names = [shortened(group.labels, _LONGEST) for group in groups]
    tilted = [1.1 * _LETTER * max(map(len, of)) > one for of, one in zip(names, each, strict=True)]
    foot = max(
        0.14 + 1.1 * _LETTER * max(map(len, of)) if turned else 0.28
        for of, turned in zip(names, tilted, strict=True)
    )
    height = head.height + _KEY + _TITLE + _HIGH + foot
    figure = new_figure(WIDTH, height)
    whole = figure.add_axes((0, 0, 1, 1))
    whole.set(xlim=(0, WIDTH), ylim=(height, 0))
    whole.set_axis_off()
    write_head(whole, head)
    left = _LEFT
    for group, words, turned, wide, one in zip(groups, names, tilted, widths, each, strict=True):
        axes = figure.add_axes((left / WIDTH, foot / height, wide / WIDTH, _HIGH / height))
        _draw(axes, group, words, turned=turned, room=one)
        left += wide + _GAP
    _key(figure, 1 - head.height / height)
    return figure


def _draw(
    axes: Axes, group: Concentration, words: Sequence[str], *, turned: bool, room: float
) -> None:
    """The bars of one group."""
    places = np.arange(len(words))
    known = np.isfinite(group.values)
    axes.bar(places[known], group.values[known], width=0.72, color=BLUE, alpha=0.55)
    axes.plot(places[known], group.shares[known], color=MARK, marker="D", markersize=4.5,
              linestyle="", markeredgecolor="white", markeredgewidth=0.6, zorder=3,
              clip_on=False)  # fmt: skip
    axes.axhline(group.mean, color=INK, linewidth=1.0, linestyle=(0, (4, 2)), zorder=2)
    if room >= _NUMBER:
        for place, value, share in zip(places[known], group.values[known], group.shares[known],
                                       strict=True):  # fmt: skip
            # Above the mark, too, where that is close.
            above = max(value, share + 0.03) if share > value - 0.03 else value
            axes.text(place, above + 0.025, f"{value:.2f}", ha="center", va="bottom", fontsize=7,
                      color=MUTED, bbox=_GROUND, zorder=4)  # fmt: skip
    axes.set_ylim(0, 1.15)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.set_xlim(-0.6, max(len(words), _FEWEST) - 0.4)
    axes.set_xticks(places, words, rotation=90 if turned else 0)
    axes.tick_params(axis="x", length=0, labelsize=min(8.0, 72 * room * (0.7 if turned else 1)))
    for label, there in zip(axes.get_xticklabels(), known, strict=True):
        label.set_color(INK if there else FAINT)
    axes.grid(visible=False, axis="x")
    axes.set_title(f"{group.name}: {group.mean:.3f}", fontsize=8.5, pad=6)


def _key(figure: Figure, top: float) -> None:
    """What bars, marks and lines are."""
    handles = [
        Patch(facecolor=BLUE, alpha=0.55, label="concentration"),
        Line2D([], [], color=MARK, marker="D", markersize=4.5, linestyle="",
               label="share of all importance"),
        Line2D([], [], color=INK, linewidth=1.0, linestyle=(0, (4, 2)), label="weighted mean"),
    ]  # fmt: skip
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.12 / WIDTH, top), ncols=3,
        frameon=False, fontsize=8, borderaxespad=0, borderpad=0, handlelength=1.8,
        columnspacing=1.6,
    )  # fmt: skip
