"""Which images train a model and which are held out; keyed generators for such draws."""

from __future__ import annotations

import hashlib
import operator

import numpy as np
from numpy.typing import NDArray

from unweave.errors import SpecError

__all__ = [
    "held_out_count",
    "holdout",
    "keyed_generator",
    "keyed_permutation",
    "keyed_uniform",
]


def keyed_generator(seed: int, purpose: str, *counters: int) -> np.random.Generator:
    """A generator that is a pure function of its key.

    Args:
        seed: Whole number of at least 0.
        purpose: What the draws are for; different purposes give independent streams.
        *counters: Further whole numbers of at least 0, such as a step or an epoch.

    Raises:
        SpecError: The seed is not a whole number of at least 0.
    """
    return np.random.Generator(_keyed_bits(seed, purpose, counters))


def keyed_permutation(size: int, seed: int, purpose: str, *counters: int) -> NDArray[np.int64]:
    """A permutation of 0 .. size - 1, (size,) int64, that is a pure function of its key.

    It sorts raw 64-bit draws. NumPy promises that a bit generator's raw stream never changes, and
    makes no such promise for `Generator.permutation`.

    Args:
        size: How many numbers.
        seed: Whole number of at least 0.
        purpose: What the draws are for; different purposes give independent streams.
        *counters: Further whole numbers of at least 0, such as a step or an epoch.
    """
    draws = _keyed_bits(seed, purpose, counters).random_raw(size)
    return np.argsort(draws, kind="stable").astype(np.int64, copy=False)


def keyed_uniform(size: int, seed: int, purpose: str, *counters: int) -> NDArray[np.float64]:
    """Numbers from 0 to below 1, (size,), that are a pure function of their key.

    They are the upper 53 bits of raw 64-bit draws, as of `keyed_permutation`.

    Args:
        size: How many numbers.
        seed: Whole number of at least 0.
        purpose: What the draws are for; different purposes give independent streams.
        *counters: Further whole numbers of at least 0, such as a step or an epoch.
    """
    draws = _keyed_bits(seed, purpose, counters).random_raw(size)
    return np.asarray((draws >> np.uint64(11)) * 2.0**-53)


def holdout(
    num_images: int, fraction: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Divide images at random into a training part and a held-out part.

    The held-out part has `round(fraction * num_images)` images.

    Args:
        num_images: How many images there are.
        fraction: Share to hold out, at least 0 and less than 1.
        seed: The parts are a pure function of `num_images`, `fraction` and `seed`.

    Returns:
        Training indices and held-out indices, each sorted, int64; together every image once.

    Raises:
        SpecError: The fraction is out of range, or leaves either part without an image.
    """
    held_count = held_out_count(num_images, fraction)
    order = keyed_permutation(num_images, seed, "holdout")
    return np.sort(order[held_count:]), np.sort(order[:held_count])


def held_out_count(num_images: int, fraction: float) -> int:
    """How many images `holdout` holds out.

    Raises:
        SpecError: The fraction is out of range, or leaves either part without an image.
    """
    if not 0 <= fraction < 1:
        raise SpecError(f"holdout must be at least 0 and less than 1, but is {fraction!r}.")
    held_count = round(fraction * num_images)
    if fraction > 0 and held_count == 0:
        raise SpecError(
            f"holdout={fraction:g} of {num_images} images holds out none: give at least "
            f"{0.5 / max(num_images, 1):.2g}, or 0 for no held-out part."
        )
    if held_count >= num_images:
        raise SpecError(f"holdout={fraction:g} of {num_images} images leaves none to train on.")
    return held_count


def _keyed_bits(seed: int, purpose: str, counters: tuple[int, ...]) -> np.random.PCG64:
    try:
        whole = operator.index(seed)
    except TypeError:
        raise SpecError(f"seed must be a whole number, not {seed!r}.") from None
    if whole < 0:
        raise SpecError(f"seed must be at least 0, but is {whole}.")
    # A digest of the whole key: it is the same in every process, unlike hash(), and tells (seed,)
    # from (seed, 0), unlike a SeedSequence of the numbers.
    key = repr((whole, purpose, tuple(map(operator.index, counters))))
    return np.random.PCG64(int.from_bytes(hashlib.sha256(key.encode()).digest(), "big"))
