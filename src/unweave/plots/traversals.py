"""What happens to the image while one latent walks along a line."""

from __future__ import annotations

__all__ = ["INACTIVE_KL", "order_by_kl", "signed", "traversals"]

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from unweave.plots.grid import centres, image_grid, label_row
from unweave.plots.images import as_rgb, edge_colour, tile
from unweave.plots.style import ACCENT, FAINT, INK, MUTED, styled

INACTIVE_KL = 0.01
"""Nats below which a latent carries nothing worth a look."""

_PAD = 2


def order_by_kl(kl: ArrayLike) -> list[int]:
    """Positions of the latents, highest KL first; equal ones stay in their order.

    Args:
        kl: (L,) nats.
    """
    return [int(i) for i in np.argsort(-np.asarray(kl, np.float64), kind="stable")]


@styled
def traversals(
    images: NDArray[Any],
    values: ArrayLike,
    *,
    kl: ArrayLike | None = None,
    latents: Sequence[int] | None = None,
    labels: Sequence[str | None] | None = None,
    heads: Sequence[str] | None = None,
) -> Figure:
    """One row a latent: the decoded images while it takes each value and the others rest.

    Args:
        images: (L, steps, H, W, C) uint8 with C of 1 or 3; row i belongs to `latents[i]`.
        values: (steps,) what the latent is set to in each column.
        kl: (L,) mean KL of each row's latent in nats. With it the rows are ordered by KL, highest
            first, and latents below `INACTIVE_KL` have a grey label.
        latents: (L,) numbers of the latents, by default 0 to L - 1.
        labels: (L,) name of the factor that each row's latent follows, or None.
        heads: (steps,) words above the columns; the values by default.

    Returns:
        The figure; tiles are drawn without resampling.

    Raises:
        ValueError: Wrong type, or lengths that do not agree.
    """
    rgb = as_rgb(images, 5, "images")
    rows, steps, height, width, _ = rgb.shape
    at = np.asarray(values, np.float64)
    names = list(range(rows)) if latents is None else [int(i) for i in latents]
    factors = [None] * rows if labels is None else list(labels)
    nats = None if kl is None else np.asarray(kl, np.float64)
    if at.shape != (steps,):
        raise ValueError(f"values must be one for each of {steps} columns; got {at.shape}.")
    if heads is not None and len(heads) != steps:
        raise ValueError(f"heads must be one for each of {steps} columns; got {len(heads)}.")
    for name, length in (("latents", len(names)), ("labels", len(factors))):
        if length != rows:
            raise ValueError(f"{name} must be one for each of {rows} rows; got {length}.")
    if nats is not None and nats.shape != (rows,):
        raise ValueError(f"kl must be one for each of {rows} rows; got shape {nats.shape}.")

    order = list(range(rows)) if nats is None else order_by_kl(nats)
    canvas = tile(rgb[order], _PAD, edge_colour(rgb))
    words = signed(at) if heads is None else list(heads)
    columns = list(zip(centres(steps, width, _PAD).tolist(), words, strict=True))
    longest = max((len(factor) for factor in factors if factor), default=0)
    left = max(1.05, min(2.4, 0.35 + 0.078 * longest))
    figure, axes, inches = image_grid(
        canvas, columns=columns, left=left, top=0.3, tile_width=width
    )
    lines = 2 if any(factors) else 1
    size = max(3.5, min(8.5, (height + _PAD) * inches * 72 / lines * 0.72))
    room = (width + _PAD) * inches * 72 / (0.72 * max(map(len, words)))
    axes.tick_params(axis="x", labelsize=max(3.0, min(8.0, room)), labelcolor=MUTED)
    for middle, row in zip(centres(rows, height, _PAD), order, strict=True):
        idle = nats is not None and nats[row] < INACTIVE_KL
        name = f"z{names[row]}" if nats is None else f"z{names[row]}  KL {nats[row]:.2f}"
        factor = factors[row]
        texts = [(name, FAINT if idle else INK)]
        if factor:
            texts.append((factor, FAINT if idle else ACCENT))
        for number, (text, colour) in enumerate(texts):
            up = ((len(texts) - 1) / 2 - number) * size * 1.3
            label_row(axes, middle, text, size, colour, up)
    return figure


def signed(values: NDArray[np.float64]) -> list[str]:
    """Signed values with as few decimals, up to three, as keep them exact."""
    decimals = next((d for d in (1, 2) if np.allclose(values, values.round(d), atol=1e-6)), 3)
    texts = [f"{value:+.{decimals}f}" for value in values]
    return ["0" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}") for text in texts]
