"""How much each latent is used: KL, variances and the distribution of its codes, a row each."""

from __future__ import annotations

__all__ = ["latent_usage"]

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from unweave.plots.series import short
from unweave.plots.shares import clipped_end
from unweave.plots.sheet import Cell, add_lines, head_of, new_sheet, write_head, write_words
from unweave.plots.style import BLUE, FAINT, GRID, INK, MARK, WIDTH, styled

# Inches.
_LEFT = 1.2
_GAP = 0.3
_ROW = 0.36
_LOW_ROW = 0.27
_HEADS = 0.3
_FOOT = 0.3
_WIDTHS = (1.75, 2.05, 2.15)
_FILL = 0.62
_MANY = 16
# Height of a density, in shares of a row, where it is as high as the prior.
_PRIOR = 0.55


@styled
def latent_usage(
    latents: Sequence[str],
    variance: ArrayLike,
    histograms: tuple[ArrayLike, ArrayLike],
    used: ArrayLike,
    *,
    kl: ArrayLike | None = None,
    posterior: ArrayLike | None = None,
    beyond: ArrayLike | None = None,
    follows: Sequence[str | None] | None = None,
    prior: bool = True,
    title: str = "",
    note: str = "",
) -> Figure:
    """A row for each latent: KL as a bar, variances as dots, and a histogram of its means.

    Args:
        latents: Names, from top to bottom, (L,).
        variance: Variance of the posterior means, (L,).
        histograms: Edges (B + 1,) and densities (L, B) of the means.
        used: Which latents are used, (L,); others are grey.
        kl: Nats, (L,); None for codes without noise.
        posterior: Mean of the posterior variances, (L,); None likewise.
        beyond: Share of the means beyond the edges, (L,), said where it is at least 1 %.
        follows: Name of the factor that each latent follows, or None, (L,).
        prior: Whether the density of a standard normal prior is drawn.
        title: Words above.
        note: Smaller words below the title.

    Returns:
        The figure; histograms that are higher than their rows are cut.

    Raises:
        ValueError: There is no latent, or shapes do not fit.
    """
    count = len(latents)
    spread, alive = np.asarray(variance, np.float64), np.asarray(used, np.bool_)
    edges, density = (np.asarray(each, np.float64) for each in histograms)
    nats = None if kl is None else np.asarray(kl, np.float64)
    noise = None if posterior is None else np.asarray(posterior, np.float64)
    rows = {"variance": spread, "used": alive, "kl": nats, "posterior": noise}
    for name, values in rows.items():
        if values is not None and values.shape != (count,):
            raise ValueError(f"{name} must be of shape ({count},); got {values.shape}.")
    if not count or density.shape != (count, len(edges) - 1):
        raise ValueError(
            f"densities must be of shape ({count}, {len(edges) - 1}), with at least one latent; "
            f"got {density.shape}."
        )
    follows = follows or [None] * count
    head = head_of(title, note, WIDTH)
    row = _ROW if count <= _MANY else _LOW_ROW
    top = head.height + _HEADS
    tall = row * count
    figure, axes = new_sheet(WIDTH, top + tall + _FOOT)
    write_head(axes, head)
    lefts = _LEFT + np.concatenate([[0], np.cumsum(np.array(_WIDTHS[:2]) + _GAP)])
    bands = [
        Cell(left, top, wide, tall) for left, wide in zip(lefts.tolist(), _WIDTHS, strict=True)
    ]
    middles: NDArray[np.float64] = top + row * (np.arange(count, dtype=np.float64) + 0.5)
    stripes = [np.array([[0.12, y], [WIDTH - 0.12, y]])
               for y in top + row * np.arange(count + 1)]  # fmt: skip
    add_lines(axes, stripes, colors=GRID, linewidths=0.5, zorder=0.6)
    colours = [BLUE if each else FAINT for each in alive]
    for middle, name, factor, each in zip(middles, latents, follows, alive, strict=True):
        words = name if factor is None else f"{name}  {clipped_end(factor, 11)}"
        write_words(axes, 0.16, middle, words, 8 if factor is None else 7.5,
                    color=INK if each else FAINT)  # fmt: skip
    if nats is not None:
        _bars(axes, bands[0], middles, nats, colours, row)
    _dots(axes, bands[1], middles, spread, noise, colours)
    _shapes(axes, bands[2], middles, edges, density, colours, row, prior=prior)
    if beyond is not None:
        for middle, share in zip(middles, np.asarray(beyond, np.float64), strict=True):
            if share >= 0.01:
                x = bands[2].left + bands[2].width
                write_words(axes, x, middle - row * 0.22, f"{100 * share:.0f} % beyond", 6.5,
                            ha="right")  # fmt: skip
    return figure


def _heading(axes: Axes, band: Cell, words: str) -> None:
    write_words(axes, band.left, band.top - 0.14, words, 8.5, color=INK, fontweight="bold")


def _scale(axes: Axes, band: Cell, ticks: Sequence[float], low: float, high: float) -> None:
    """Marks under a band, and faint lines through it."""
    for tick in ticks:
        x = float(band.x((tick - low) / (high - low)))
        write_words(axes, x, band.top + band.height + 0.1, short(tick), 7, ha="center")
        line = np.array([[x, band.top], [x, band.top + band.height]])
        add_lines(axes, [line], colors=GRID, linewidths=0.7, zorder=0.6)


def _ticks(high: float) -> list[float]:
    return [float(t) for t in MaxNLocator(4).tick_values(0, high) if 0 <= t <= high * 1.001]


def _bars(
    axes: Axes,
    band: Cell,
    middles: NDArray[np.float64],
    nats: NDArray[np.float64],
    colours: Sequence[str],
    row: float,
) -> None:
    """KL of each latent, with its number behind the bar."""
    _heading(axes, band, "KL (nats)")
    # Room for the number behind the longest one.
    high = max(float(nats.max()), 1e-6) * 1.28
    _scale(axes, band, _ticks(float(nats.max()) or 1.0), 0, high)
    tall = _FILL * row
    boxes = [Rectangle((band.left, middle - tall / 2), band.width * value / high, tall)
             for middle, value in zip(middles, np.maximum(nats, 0), strict=True)]  # fmt: skip
    bars = PatchCollection(boxes, facecolors=list(colours), linewidth=0, zorder=1)
    axes.add_collection(bars, autolim=False)
    for middle, value in zip(middles, nats, strict=True):
        x = float(band.x(max(value, 0) / high)) + 0.05
        write_words(axes, x, middle, f"{value:.2f}", 7)


def _dots(
    axes: Axes,
    band: Cell,
    middles: NDArray[np.float64],
    spread: NDArray[np.float64],
    noise: NDArray[np.float64] | None,
    colours: Sequence[str],
) -> None:
    """Variance of the means as a full dot, mean variance of the posteriors as an empty one."""
    _heading(axes, band, "variance" if noise is not None else "variance of codes")
    most = float(max(spread.max(), 0 if noise is None else noise.max())) or 1.0
    high = most * 1.06
    _scale(axes, band, _ticks(most), 0, high)
    x = band.x(spread / high)
    if noise is not None:
        other = band.x(noise / high)
        pairs = [np.array([[a, y], [b, y]]) for a, b, y in zip(x, other, middles, strict=True)]
        add_lines(axes, pairs, colors=FAINT, linewidths=0.8, zorder=1)
        axes.scatter(other, middles, s=22, facecolors="white", edgecolors=MARK, linewidths=1.1,
                     zorder=2)  # fmt: skip
        y = band.top - 0.14
        at = band.left + 0.74
        axes.scatter([at, at + 0.66], [y, y], s=18, facecolors=[BLUE, "white"],
                     edgecolors=[BLUE, MARK], linewidths=1.1, zorder=2)  # fmt: skip
        write_words(axes, at + 0.07, y, "of means", 7)
        write_words(axes, at + 0.73, y, "of posteriors", 7)
    axes.scatter(x, middles, s=24, color=list(colours), linewidths=0, zorder=3)


def _shapes(
    axes: Axes,
    band: Cell,
    middles: NDArray[np.float64],
    edges: NDArray[np.float64],
    density: NDArray[np.float64],
    colours: Sequence[str],
    row: float,
    *,
    prior: bool,
) -> None:
    """A histogram of the means of each latent, and the prior as a line."""
    low, high = float(edges[0]), float(edges[-1])
    _heading(axes, band, "means" if prior else "codes")
    if prior:
        y = band.top - 0.14
        add_lines(axes, [np.array([[band.left + 0.6, y], [band.left + 0.8, y]])], colors=MARK,
                  linewidths=1.1)  # fmt: skip
        write_words(axes, band.left + 0.85, y, "prior", 7)
    ticks = [t for t in MaxNLocator(5).tick_values(low, high) if low <= t <= high]
    _scale(axes, band, ticks, low, high)
    xs = band.x((np.repeat(edges, 2)[1:-1] - low) / (high - low))
    unit = _PRIOR * np.sqrt(2 * np.pi) * row if prior else None
    shapes = []
    for middle, heights in zip(middles, density, strict=True):
        foot = middle + 0.46 * row
        # Without a prior to compare with, each is as high as its row.
        tall = unit if unit is not None else 0.85 * row / (float(heights.max()) or 1.0)
        ys = foot - np.minimum(np.repeat(heights, 2) * tall, 0.92 * row)
        outline = np.stack([xs, ys], axis=1)
        ends = np.array([[xs[-1], foot], [xs[0], foot]])
        shapes.append(np.concatenate([outline, ends]))
    fill = PolyCollection(shapes, facecolors=list(colours), linewidths=0, alpha=0.65, zorder=1)
    axes.add_collection(fill, autolim=False)
    if unit is not None:
        points = np.linspace(low, high, 80)
        bell = np.exp(-(points**2) / 2) / np.sqrt(2 * np.pi) * unit
        x = band.x((points - low) / (high - low))
        curves = [np.stack([x, middle + 0.46 * row - bell], axis=1) for middle in middles]
        add_lines(axes, curves, colors=MARK, linewidths=0.9, zorder=2)
