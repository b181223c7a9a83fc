"""Axes of settings: plain numbers, magnitudes or texts."""

from __future__ import annotations

__all__ = ["as_numbers", "magnitude", "setting_axis"]

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from unweave.plots.series import Array, short

_FEW_DECADES = 2


def as_numbers(
    given: Sequence[Any] | NDArray[Any], *, choices: bool = False
) -> tuple[Array, list[str]]:
    """Values as numbers; of texts their places in the alphabet, and the texts in this order.

    Args:
        given: (n,) the values.
        choices: Whether numbers stand for themselves alone, with none in between. They become
            places, too: the smallest is at 0, the next one at 1.
    """
    if any(isinstance(value, str) for value in given):
        texts = sorted(set(map(str, given)))
        return np.array([texts.index(str(value)) for value in given], np.float64), texts
    values = np.asarray(given, np.float64)
    if not choices:
        return values, []
    different, places = np.unique(values, return_inverse=True)
    return places.astype(np.float64).reshape(-1), [_written(value) for value in different]


def _written(value: float) -> str:
    """A choice: a whole number with all its digits, others in three."""
    return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e9 else magnitude(value)


def setting_axis(
    axes: Axes, which: str, values: Array, texts: Sequence[str], *, log: bool
) -> None:
    """Give an axis the scale and the marks of a setting.

    Args:
        axes: Where to.
        which: `x` or `y`.
        values: The values, above zero where `log`.
        texts: What they stand for, if they do.
        log: Whether the axis is logarithmic.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    if texts:
        axis.set_ticks(range(len(texts)), list(texts))
        (axes.set_xlim if which == "x" else axes.set_ylim)(-0.5, len(texts) - 0.5)
        return
    if log:
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")
        few = np.log10(values.max() / values.min()) < _FEW_DECADES
        axis.set_major_locator(
            LogLocator(subs=(1, 2, 5) if few else (1,), numticks=8 if few else 6)
        )
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: magnitude(value)))
    else:
        whole = bool((values == np.round(values)).all())
        axis.set_major_locator(MaxNLocator(5, integer=whole))
        axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def magnitude(value: float) -> str:
    """A mark of a logarithmic axis: 0.01, 20, 1,000, and 1e-4 beyond three digits."""
    if 0.001 <= value < 100_000:
        return short(value)
    digits, exponent = f"{value:.0e}".split("e")
    return f"{digits}e{int(exponent)}".replace("-", "\N{MINUS SIGN}")
