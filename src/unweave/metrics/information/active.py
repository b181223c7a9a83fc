"""Which latents a model uses, by three published rules."""

from __future__ import annotations

__all__ = ["ACTIVE_HELP", "ActiveRule", "active_latents"]

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.columns import with_room

ActiveRule = Literal["range20", "range8", "iqr"]
ACTIVE_HELP = (
    "Latents that count: range20 and range8, whose range is above a 20th or an 8th of the widest; "
    "iqr, whose interquartile range is above a 10th of the widest, or above 0.1 if discrete."
)


def active_latents(
    codes: NDArray[np.floating], rule: ActiveRule, discrete: bool
) -> NDArray[np.bool_]:
    """Which latents are active, (L,).

    Args:
        codes: (N, L).
        rule: The rule; those of ranges hold for discrete codes too.
        discrete: Whether codes are discrete.
    """
    codes = with_room(np.asarray(codes, np.float64), 2)
    if rule == "iqr":
        low, high = np.quantile(codes, [0.25, 0.75], axis=0)
        spread = high - low
        least = 0.1 if discrete else spread.max() / 10
    else:
        spread = np.ptp(codes, axis=0)
        least = spread.max() / (20 if rule == "range20" else 8)
    return np.asarray(spread > least)
