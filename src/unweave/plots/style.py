"""How every figure looks: one set of sizes, fonts and colour-blind safe colours."""

from __future__ import annotations

__all__ = [
    "ACCENT",
    "BLUE",
    "CYCLIC",
    "DIVERGING",
    "FAINT",
    "GRID",
    "INK",
    "MARK",
    "MUTED",
    "SEQUENTIAL",
    "SERIES",
    "WIDTH",
    "label_scale",
    "new_figure",
    "styled",
    "write_title",
]

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from matplotlib import style as mpl_style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from unweave.plots.shown import ShownFigure

P = ParamSpec("P")
R = TypeVar("R")

# Eight inches are as wide as the text of a report, so that nine points read as body text there.
WIDTH = 8.0
DPI = 160

INK = "#1b1f24"
MUTED = "#5c6570"
FAINT = "#a3abb5"
GRID = "#e4e7eb"

# Okabe and Ito's colours, without black and the yellow that is too light on white.
BLUE = "#0072b2"
MARK = "#d55e00"
ACCENT = BLUE
SERIES = (BLUE, MARK, "#009e73", "#cc79a7", "#56b4e9", "#e69f00")

# One hue whose lightness falls steadily: it survives every kind of colour blindness and a printer.
SEQUENTIAL = LinearSegmentedColormap.from_list(
    "unweave", ["#f7f9fb", "#d3e3f1", "#9cc3e1", "#5a9bcb", "#2170ad", "#08427d"]
)

# Two hues that differ for every kind of colour blindness, equally dark at both ends.
DIVERGING = LinearSegmentedColormap.from_list(
    "unweave_diverging",
    ["#8a3a00", "#d98a4a", "#f5dcc6", "#f7f9fb", "#c9dff0", "#5a9bcb", "#0b4f8a"],
)

# Ends where it begins. Blue and yellow, which every kind of colour blindness tells apart, lie
# opposite each other, and so do green and purple, of which one is light and one dark.
CYCLIC = LinearSegmentedColormap.from_list(
    "unweave_cyclic", ["#1f5fa8", "#4fb59a", "#e8a623", "#a13a7c", "#1f5fa8"]
)

_SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so figures are the same everywhere
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.unicode_minus": True,
    "figure.dpi": DPI,
    "figure.facecolor": "white",
    "figure.titlesize": 10.5,
    "figure.titleweight": "bold",
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "savefig.dpi": "figure",
    "xtick.color": FAINT,
    "xtick.labelcolor": MUTED,
    "xtick.labelsize": 8.0,
    "ytick.color": FAINT,
    "ytick.labelcolor": MUTED,
    "ytick.labelsize": 8.0,
}


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Run a drawing function under the project's settings, whatever the user's own are.

    matplotlib keeps its settings in one global table; it is as before when the function returns.
    """

    @functools.wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl_style.context(["default", _SETTINGS], after_reset=True):
            return draw(*args, **kwargs)

    return inner


def new_figure(width: float, height: float, dpi: int = DPI) -> ShownFigure:
    """An empty figure of a size in inches, drawn by Agg; `pyplot` does not know of it."""
    figure = ShownFigure(figsize=(width, height), dpi=dpi)
    FigureCanvasAgg(figure)
    return figure


def label_scale(bar: Colorbar, label: str) -> None:
    """Give the scale of shades beside a table its looks, and say what the numbers are."""
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=7.5, labelcolor=MUTED)
    bar.ax.grid(visible=False)
    if label:
        bar.ax.set_ylabel(label, fontsize=8, color=MUTED)


def write_title(figure: Figure, title: str) -> None:
    """Write words, if there are any, into the upper left corner of a figure."""
    if title:
        width, height = figure.get_size_inches()
        place = {"x": 0.12 / width, "y": 1 - 0.08 / height}
        figure.text(**place, s=title, fontweight="bold", fontsize=9.5, va="top")
