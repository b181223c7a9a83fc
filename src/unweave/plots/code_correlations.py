"""Correlations of latents with each other and with factors, as two tables on one scale."""

from __future__ import annotations

__all__ = ["code_correlations"]

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike, NDArray

from unweave.plots.names import shortened
from unweave.plots.sheet import head_of, write_head
from unweave.plots.style import (
    DIVERGING,
    FAINT,
    INK,
    WIDTH,
    label_scale,
    new_figure,
    styled,
)

# Inches.
_LEFT = 0.45
_GAP = 0.28
_SCALE = 0.85
_LARGEST = 0.5
_LETTER = 0.062
_LONGEST = 24


@styled
def code_correlations(
    among: ArrayLike,
    latents: Sequence[str],
    with_factors: ArrayLike | None = None,
    factors: Sequence[str] = (),
    *,
    title: str = "",
    note: str = "",
) -> Figure:
    """A heat map of latents by latents, and beside it one of latents by factors.

    Args:
        among: Correlations of the latents, (L, L), from -1 to 1.
        latents: Names, (L,).
        with_factors: (L, K), from -1 to 1; None without factors.
        factors: Names, (K,).
        title: Words above.
        note: Smaller words below the title.

    Returns:
        The figure, with numbers where there is room for them; a value that is not finite is a
        dash.

    Raises:
        ValueError: Shapes do not fit, or a value is out of range.
    """
    count, others = len(latents), len(factors)
    square = np.asarray(among, np.float64)
    beside = np.zeros((count, 0)) if with_factors is None else np.asarray(with_factors, np.float64)
    if not count or square.shape != (count, count) or beside.shape != (count, others):
        raise ValueError(
            f"{count} latents and {others} factors need tables ({count}, {count}) and "
            f"({count}, {others}); got {square.shape} and {beside.shape}."
        )
    for table in (square, beside):
        if (np.abs(table[np.isfinite(table)]) > 1 + 1e-9).any():
            raise ValueError("Correlations must lie between -1 and 1.")
    names = shortened(factors, _LONGEST) if factors else []
    room = WIDTH - _LEFT - _SCALE - _GAP * bool(others)
    cell = min(_LARGEST, room / (count + others))
    tall = cell * count
    longest = max(map(len, names), default=0)
    tilted = longest * 1.1 * _LETTER > cell
    names_high = 0.12 + 0.72 * _LETTER * longest if tilted else 0.22
    # Tilted names end above the scale.
    beyond = 0.72 * _LETTER * len(names[-1]) - _SCALE if tilted else 0.0
    tables = cell * (count + others) + _GAP * bool(others)
    width = max(_LEFT + tables + _SCALE + max(beyond, 0), 3.6)
    head = head_of(title, note, width)
    top = head.height + max(names_high, 0.22)
    scale = max(tall, 0.9)
    height = top + scale + 0.14
    figure = new_figure(width, height)
    whole = figure.add_axes((0, 0, 1, 1))
    whole.set(xlim=(0, width), ylim=(height, 0))
    whole.set_axis_off()
    write_head(whole, head)
    left = _LEFT
    picture: AxesImage | None = None
    for table, words in ((square, list(latents)), (beside, names)):
        if not table.shape[1]:
            continue
        wide = cell * table.shape[1]
        axes = figure.add_axes((left / width, 1 - (top + tall) / height, wide / width,
                                tall / height))  # fmt: skip
        picture = axes.imshow(
            np.ma.masked_invalid(table), cmap=DIVERGING, vmin=-1, vmax=1, aspect="auto",
            interpolation="nearest",
        )  # fmt: skip
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        turned = tilted and table is beside
        axes.set_xticks(range(len(words)), words, rotation=40 if turned else 0,
                        ha="left" if turned else "center", rotation_mode="anchor")  # fmt: skip
        axes.set_yticks(range(count), list(latents) if table is square else [""] * count)
        axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False,
                         labelcolor=INK, labelsize=min(8, cell * 72 * 0.42), pad=3)  # fmt: skip
        if turned:
            # Lines of letters at that angle are closer than cells.
            axes.tick_params(axis="x", labelsize=min(8.0, cell * 72 * 0.62))
        _numbers(axes, table, min(7.5, cell * 72 * 0.27))
        left += wide + _GAP
    assert picture is not None
    bar = figure.add_axes(((left - _GAP * bool(others) - _GAP * (not others) + 0.18) / width,
                           1 - (top + scale) / height, 0.12 / width, scale / height))  # fmt: skip
    label_scale(figure.colorbar(picture, cax=bar, ticks=[-1, -0.5, 0, 0.5, 1]), "correlation")
    return figure


def _numbers(axes: object, table: NDArray[np.float64], size: float) -> None:
    """Write each number into its cell, where it can be read."""
    if size < 5:
        return
    for (row, column), value in np.ndenumerate(table):
        if not np.isfinite(value):
            words, colour = "\N{EN DASH}", FAINT
        else:
            words = f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")
            colour = "white" if abs(value) > 0.6 else INK
        axes.text(column, row, words, ha="center", va="center", color=colour, fontsize=size)  # type: ignore[attr-defined]
