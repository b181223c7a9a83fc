"""From sums of layers to images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["cut_off"]


def cut_off(sums: NDArray[np.int16], fraction: int) -> None:
    """Turn sums into whole numbers of 0 to 255, in their place.

    Args:
        sums: In steps of 1 / 2**`fraction`; what lies below a whole number is cut off, and what
            lies below 0 or beyond 255 too.
        fraction: How many bits of a number lie below one step of 255.
    """
    np.clip(sums, 0, 255 << fraction, out=sums)
    sums >>= fraction
