"""Which values latents take on a walk: ranges, quantiles, and cycles."""

from __future__ import annotations

__all__ = ["Beginning", "Walk", "cycle_values", "walk"]

from dataclasses import dataclass
from typing import Final, final

import numpy as np
import torch
from numpy.typing import NDArray

from unweave import plots
from unweave.errors import SpecError
from unweave.figures.look import Cycle, Look, Start
from unweave.pictures import Encoded

_RANGE: Final = 2.0
# Below it a range is a share of probability, as in disentangling-vae.
_SHARES: Final = 0.5
# Probabilities at which a cycle through them turns.
_ENDS: Final = (0.001, 0.999)
_INTERVAL: Final = 2.0


@final
@dataclass(frozen=True)
class Beginning:
    """Where a walk begins.

    Attributes:
        at: At the centre of the prior, or at the code of an image.
        mean: The code, (L,).
        std: Standard deviation of each latent there, (L,); None for codes without noise.
        told: Labels that a conditional model is told, (1, width); None where it is told none.
        image: The image, (H, W, C) uint8, if it is one.
    """

    at: Start
    mean: NDArray[np.float32]
    std: NDArray[np.float32] | None
    told: torch.Tensor | None = None
    image: NDArray[np.uint8] | None = None


@final
@dataclass(frozen=True)
class Walk:
    """What each latent is set to.

    Attributes:
        values: (L, S).
        heads: What each column is called, (S,).
    """

    values: NDArray[np.float64]
    heads: list[str]


def walk(look: Look, steps: int, beginning: Beginning, furthest: float = _RANGE) -> Walk:
    """A walk of every latent, in equal steps.

    A range of at least 0.5 is how far all latents walk from 0 to each side, wherever the walk
    begins. Below, latents walk between quantiles: 0.475 is from the one of 2.5 % to the one of
    97.5 %, of the prior; or, from the code of an image, of its posterior, around its mean.

    The layout of disentangling-vae walks as its code does: from the upper quantile of the prior
    to the lower; and from the code of an image over as much to each side of 0 as the lower
    quantile of its posterior is from 0.

    Args:
        look: Has the range and the layout.
        steps: How many values.
        beginning: Where the walk begins.
        furthest: The range where none is asked for.

    Raises:
        SpecError: Quantiles of posteriors are asked for, of codes without noise.
    """
    from scipy.special import ndtri

    wide = furthest if look.range is None else look.range
    ones = np.ones((len(beginning.mean), 1))
    if wide >= _SHARES:
        values = np.linspace(-wide, wide, steps)
        return Walk(ones * values, plots.signed(values.round(2)))
    if beginning.at == "prior":
        end = float(ndtri(0.5 + wide))
        values = np.linspace(-end, end, steps)
        values = -values if look.layout == "disvae" else values
        return Walk(ones * values, plots.signed(values.round(2)))
    if beginning.std is None:
        raise SpecError(
            f"range={wide:g} asks for quantiles of the posterior, and the codes of this model "
            "have no noise. Give a range of 0.5 or more, or start at the prior."
        )
    mean, std = (np.asarray(of, np.float64)[:, None] for of in (beginning.mean, beginning.std))
    if look.layout == "disvae":
        low = mean + std * ndtri((1 - 2 * wide) / 2)
        return Walk(-low + 2 * low * np.linspace(0, 1, steps), [""] * steps)
    offsets = np.linspace(ndtri(0.5 - wide), ndtri(0.5 + wide), steps)
    heads = [
        f"{text} \N{GREEK SMALL LETTER SIGMA}" if text != "0" else "mean"
        for text in plots.signed(offsets.round(2))
    ]
    return Walk(mean + std * offsets, heads)


def cycle_values(
    cycle: Cycle, steps: int, start: NDArray[np.floating], fitted: Encoded
) -> NDArray[np.float64]:
    """Values of each latent that goes up from where it is, turns, and comes back.

    Args:
        cycle: Through what.
        steps: How many values; the first is `start`, but where it lies outside of what is walked.
        start: Code of an image, (L,).
        fitted: Images whose codes say how far latents spread; their mean, and their mean variance
            plus the variance of their means, are those of the fitted normal.

    Returns:
        (L, steps). A latent whose codes are all equal stays where it is.

    References:
        | https://github.com/google-research/disentanglement_lib
    """
    at = np.asarray(start, np.float64)[:, None]
    means = np.asarray(fitted.mean, np.float64)
    if cycle == "std_gaussian":
        return _through_normal(at, steps, np.zeros_like(at), np.ones_like(at))
    variances = 0.0 if fitted.std is None else np.square(fitted.std.astype(np.float64)).mean(0)
    centre = means.mean(0)[:, None]
    spread = np.sqrt(variances + means.var(0))[:, None]
    if cycle == "fitted_gaussian":
        return _through_normal(at, steps, centre, spread)
    if cycle == "fixed_interval":
        low, high = np.full_like(at, -_INTERVAL), np.full_like(at, _INTERVAL)
    elif cycle == "conf_interval":
        low, high = centre - _INTERVAL * spread, centre + _INTERVAL * spread
    else:
        low, high = means.min(0)[:, None], means.max(0)[:, None]
    width = high - low
    with np.errstate(divide="ignore", invalid="ignore"):
        values = low + width * _reflected((at - low) / width, steps)
    return np.where(width > 0, values, at)


def _through_normal(
    at: NDArray[np.float64],
    steps: int,
    centre: NDArray[np.float64],
    spread: NDArray[np.float64],
) -> NDArray[np.float64]:
    from scipy.special import ndtr, ndtri

    with np.errstate(divide="ignore", invalid="ignore"):
        share = ndtr((at - centre) / spread)
    values: NDArray[np.float64] = ndtri(np.clip(_reflected(share, steps), *_ENDS))
    return np.where(spread > 0, centre + spread * values, at)


def _reflected(start: NDArray[np.float64], steps: int) -> NDArray[np.float64]:
    """From a share of the way up to 1, down to 0, and up again, without the start at the end."""
    way = start + np.linspace(0, 2, steps, endpoint=False)
    way = way - np.maximum(0, 2 * way - 2)
    turned: NDArray[np.float64] = way + np.maximum(0, -2 * way)
    return turned
