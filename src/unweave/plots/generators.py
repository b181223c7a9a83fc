"""Generators of a Lie group: norms, products, commutators and eigenvalues."""

from __future__ import annotations

__all__ = ["generators"]

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from unweave.plots.series import short
from unweave.plots.sheet import head_of, write_head
from unweave.plots.style import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    SEQUENTIAL,
    SERIES,
    WIDTH,
    label_scale,
    new_figure,
    styled,
)

# Inches.
_LEFT = 0.55
_SIDE = 2.5
_ACROSS = 4.05
_FIRST = 0.36
_DOWN = 3.32
_FOOT = 0.15
# More names of latents side by side are turned.
_LEVEL = 12
_MARKERS = ("o", "s", "^", "D")


@styled
def generators(
    norms: ArrayLike,
    products: ArrayLike,
    commutators: ArrayLike,
    eigenvalues: Sequence[ArrayLike],
    latents: Sequence[str],
    follows: Sequence[str | None] | None = None,
    *,
    title: str = "",
    note: str = "",
) -> Figure:
    """Four panels of L generators A.

    Args:
        norms: Frobenius norm of each, (L,).
        products: Norm of A_i A_j over those of both, (L, L).
        commutators: The same of A_i A_j - A_j A_i, (L, L); its scale ends at the root of 2, which
            no pair exceeds.
        eigenvalues: Of each, (M,) complex.
        latents: Names, (L,).
        follows: Name of the factor that each latent follows, or None, (L,).
        title: Words above.
        note: Smaller words below the title.

    Returns:
        The figure; a value that is not finite is a dash.

    Raises:
        ValueError: There is no generator, or shapes do not fit.
    """
    count = len(latents)
    sizes = np.asarray(norms, np.float64)
    tables = [np.asarray(table, np.float64) for table in (products, commutators)]
    if (
        not count or sizes.shape != (count,) or len(eigenvalues) != count
        or any(table.shape != (count, count) for table in tables)
    ):  # fmt: skip
        raise ValueError(
            f"{count} generators need as many norms and lists of eigenvalues, and tables "
            f"({count}, {count})."
        )
    follows = follows or [None] * count
    head = head_of(title, note, WIDTH)
    height = head.height + _FIRST + _DOWN + _SIDE + _FOOT
    figure = new_figure(WIDTH, height)
    whole = figure.add_axes((0, 0, 1, 1))
    whole.set(xlim=(0, WIDTH), ylim=(height, 0))
    whole.set_axis_off()
    write_head(whole, head)

    def place(column: int, row: int, wide: float = _SIDE) -> Axes:
        left, top = _LEFT + column * _ACROSS, head.height + _FIRST + row * _DOWN
        return figure.add_axes((left / WIDTH, (height - top - _SIDE) / height, wide / WIDTH,
                                _SIDE / height))  # fmt: skip

    _norms(place(0, 0), sizes, latents, follows)
    _eigenvalues(place(1, 0), whole, eigenvalues, latents)
    names = ("Products", "Commutators")
    words = (
        "\N{DOUBLE VERTICAL LINE}A\N{LATIN SUBSCRIPT SMALL LETTER I}A"
        "\N{LATIN SUBSCRIPT SMALL LETTER J}\N{DOUBLE VERTICAL LINE} over both norms",
        "\N{DOUBLE VERTICAL LINE}A\N{LATIN SUBSCRIPT SMALL LETTER I}A"
        "\N{LATIN SUBSCRIPT SMALL LETTER J} \N{MINUS SIGN} A\N{LATIN SUBSCRIPT SMALL LETTER J}A"
        "\N{LATIN SUBSCRIPT SMALL LETTER I}\N{DOUBLE VERTICAL LINE} over both norms",
    )
    for column, (table, name, label) in enumerate(zip(tables, names, words, strict=True)):
        axes = place(column, 1)
        top = 1.0 if column == 0 else float(np.sqrt(2))
        _table(figure, axes, table, latents, top)
        axes.set_title(f"{name}: {label}", fontsize=8.5, pad=18)
    return figure


def _norms(
    axes: Axes, sizes: NDArray[np.float64], latents: Sequence[str], follows: Sequence[str | None]
) -> None:
    rows = np.arange(len(sizes))
    axes.barh(rows, sizes, height=0.66, color=BLUE)
    axes.set_yticks(rows, list(latents))
    axes.set_ylim(len(sizes) - 0.4, -0.6)
    axes.set_xlim(0, (float(sizes.max()) or 1.0) * 1.25)
    axes.grid(visible=False, axis="y")
    size_of = min(8.0, 72 * _SIDE / len(sizes) * 0.72)
    axes.tick_params(axis="y", length=0, labelcolor=INK, labelsize=size_of)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: short(v)))
    for row, (size, factor) in enumerate(zip(sizes.tolist(), follows, strict=True)):
        words = short(size) if factor is None else f"{short(size)}  {factor}"
        axes.annotate(words, (size, row), xytext=(3, 0), textcoords="offset points",
                      fontsize=min(7.0, size_of), color=MUTED, va="center_baseline")  # fmt: skip
    axes.set_title("Norms \N{DOUBLE VERTICAL LINE}A\N{DOUBLE VERTICAL LINE}", pad=6)


def _eigenvalues(
    axes: Axes, whole: Axes, eigenvalues: Sequence[ArrayLike], latents: Sequence[str]
) -> None:
    """Each eigenvalue in the plane: to the right those that grow, up and down those that turn."""
    every = [np.asarray(values, np.complex128) for values in eigenvalues]
    for k, values in enumerate(every):
        look: dict[str, Any] = {"s": 14, "linewidths": 0, "alpha": 0.85, "zorder": 2}
        axes.scatter(values.real, values.imag, color=SERIES[k % len(SERIES)],
                     marker=_MARKERS[k // len(SERIES) % len(_MARKERS)], label=latents[k],
                     **look)  # fmt: skip
    joined = np.concatenate(every)
    reach = 1.12 * float(np.abs(np.concatenate([joined.real, joined.imag])).max()) or 1.0
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
    axes.axhline(0, color=FAINT, linewidth=0.6, zorder=1)
    axes.axvline(0, color=FAINT, linewidth=0.6, zorder=1)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(4))
        axis.set_major_formatter(FuncFormatter(lambda v, _: short(v)))
    axes.set_title("Eigenvalues", pad=6)
    axes.set_xlabel("real part: growth", labelpad=2)
    axes.set_ylabel("imaginary part: turning", labelpad=2)
    if len(latents) <= len(SERIES) * len(_MARKERS):
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.02), frameon=False, fontsize=7,
                    handletextpad=0.1, borderpad=0.2, labelspacing=0.25, ncols=1)  # fmt: skip


def _table(
    figure: Figure, axes: Axes, table: NDArray[np.float64], latents: Sequence[str], top: float
) -> None:
    count = len(latents)
    picture = axes.imshow(np.ma.masked_invalid(table), cmap=SEQUENTIAL, vmin=0, vmax=top,
                          aspect="auto", interpolation="nearest")  # fmt: skip
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks(range(count), list(latents), rotation=90 if count > _LEVEL else 0)
    axes.set_yticks(range(count), list(latents))
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False, pad=2,
                     labelcolor=INK, labelsize=min(8.0, 72 * _SIDE / count * 0.72))  # fmt: skip
    box = axes.get_position()
    scale = figure.add_axes((box.x1 + 0.12 / WIDTH, box.y0, 0.1 / WIDTH, box.height))
    label_scale(figure.colorbar(picture, cax=scale), "")
    size = min(7.5, 72 * _SIDE / count * 0.3)
    for (row, column), value in np.ndenumerate(table):
        if not np.isfinite(value):
            axes.text(column, row, "\N{EN DASH}", ha="center", va="center", color=FAINT)
        elif size >= 5:
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=size,
                      color="white" if value > 0.55 * top else INK)  # fmt: skip
