"""How often values of two factors occur together, as shades."""

from __future__ import annotations

__all__ = ["joint_shares"]

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unweave.plots.shares import clipped_end
from unweave.plots.style import FAINT, SEQUENTIAL, WIDTH, new_figure, styled

_COLUMNS = 4


@styled
def joint_shares(
    tables: Mapping[tuple[str, str], ArrayLike], names: Mapping[str, Sequence[str]]
) -> Figure:
    """A heat map for each pair of factors, white where two values never occur together.

    Args:
        tables: (factor of the rows, factor of the columns) -> (rows, columns) shares.
        names: Factor -> (values,) what each value is called; the first and the last are written.

    Returns:
        The figure, a quarter of the usual width for each pair up to four, whose further pairs
        stand below. The first value of each factor is at the bottom left.

    Raises:
        ValueError: No pair, a share that is negative, or names that do not fit.
    """
    if not tables:
        raise ValueError("tables must hold at least one pair of factors; got none.")
    columns = min(len(tables), _COLUMNS)
    rows = -(-len(tables) // columns)
    figure = new_figure(WIDTH * columns / _COLUMNS, 0.1 + 2.0 * rows)
    figure.set_layout_engine("constrained", w_pad=0.06, h_pad=0.05)
    for number, ((down, across), values) in enumerate(tables.items()):
        table = np.asarray(values, np.float64)
        fits = table.shape == (len(names[down]), len(names[across]))
        if not fits or not (table >= 0).all():
            raise ValueError(
                f"tables[{(down, across)!r}] must be at least 0, of shape "
                f"{(len(names[down]), len(names[across]))}; got shape {table.shape}."
            )
        axes = figure.add_subplot(rows, columns, number + 1)
        _panel(axes, table, names[down], names[across])
        axes.set_xlabel(across, labelpad=1)
        axes.set_ylabel(down, labelpad=1)
    return figure


def _panel(
    axes: Axes, table: NDArray[np.float64], down: Sequence[str], across: Sequence[str]
) -> None:
    """Shades of one pair, with the names of first and last values."""
    shown = np.ma.masked_equal(table, 0)
    axes.imshow(
        shown, cmap=SEQUENTIAL, vmin=0, vmax=max(float(table.max()), 1e-300), aspect="auto",
        origin="lower", interpolation="nearest",
    )  # fmt: skip
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set(visible=True, edgecolor=FAINT)
    axes.tick_params(length=0, labelsize=7)
    axes.set_xticks(*_ends(across))
    axes.set_yticks(*_ends(down), rotation=90)
    for labels, sides in (
        (axes.get_xticklabels(), ("left", "right")),
        (axes.get_yticklabels(), ("bottom", "top")),
    ):
        if len(labels) == 1:
            continue
        for label, side in zip(labels, sides, strict=True):
            label.set(**{"ha" if side in ("left", "right") else "va": side})


def _ends(names: Sequence[str]) -> tuple[list[float], list[str]]:
    """Where the names of the first and the last value stand, and what they are."""
    last = len(names) - 1
    if last == 0:
        return [0.0], [clipped_end(names[0])]
    return [-0.5, last + 0.5], [clipped_end(names[0]), clipped_end(names[-1])]
