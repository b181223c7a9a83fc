"""Random numbers of single images: a pure function of seed, purpose and flat index.

What a dataset draws for an image must be the same whenever the image is read, in whatever batch,
and a batch must cost no loop over its images. So the numbers are hashed from a counter: SplitMix64
(Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"), of which any output
can be had without those before it.
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["random_bytes", "random_index", "random_words", "stream_key", "uniform"]

_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)
# A part of the counters that stays in the cache of a core through all steps of the hash.
_PART: Final = 2**14


def stream_key(seed: int, purpose: str) -> int:
    """The 64-bit state that a stream starts from; other purposes and seeds start elsewhere."""
    digest = hashlib.sha256(repr((int(seed), purpose)).encode()).digest()
    return int.from_bytes(digest[:8], "little")


def random_words(key: int, flat: NDArray[np.int64], count: int) -> NDArray[np.uint64]:
    """Uniform 64-bit words of images, (n, count).

    Image i has the outputs `i * count` to `(i + 1) * count - 1` of the SplitMix64 generator that
    starts in state `key`.

    Args:
        key: Of `stream_key`.
        flat: Flat indices, (n,), at least 0.
        count: Words an image, the same in every call with this key.
    """
    words = np.empty((len(flat), count), dtype=np.uint64)
    first = flat.astype(np.uint64) * np.uint64(count) + np.uint64(1)
    first *= _STEP
    first += np.uint64(key)
    offsets = np.arange(count, dtype=np.uint64) * _STEP
    rows = max(1, _PART // max(count, 1))
    spare = np.empty((min(rows, len(flat)), count), dtype=np.uint64)
    for start in range(0, len(flat), rows):
        part = words[start : start + rows]
        shifted = spare[: len(part)]
        np.add(first[start : start + rows, np.newaxis], offsets, out=part)
        for shift, factor in ((30, _FIRST), (27, _SECOND)):
            np.right_shift(part, np.uint64(shift), out=shifted)
            part ^= shifted
            part *= factor
        np.right_shift(part, np.uint64(31), out=shifted)
        part ^= shifted
    return words


def uniform(seed: int, purpose: str, flat: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Numbers from 0 to below 1 of images, (n, count), in steps of 2**-53.

    Args:
        seed: Whole number of at least 0.
        purpose: What they are for; different purposes give independent numbers.
        flat: Flat indices, (n,), at least 0.
        count: Numbers an image, the same in every call for this purpose.
    """
    words = random_words(stream_key(seed, purpose), flat, count)
    return np.asarray((words >> np.uint64(11)) * 2.0**-53)


def random_index(seed: int, purpose: str, flat: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """A whole number from 0 to size - 1 of each image, (n,); arguments as of `uniform`."""
    return (uniform(seed, purpose, flat, 1)[:, 0] * size).astype(np.int64)


def random_bytes(
    seed: int, purpose: str, flat: NDArray[np.int64], count: int
) -> NDArray[np.uint8]:
    """Numbers from 0 to 255 of images, (n, count); arguments as of `uniform`."""
    words = random_words(stream_key(seed, purpose), flat, -(-count // 8))
    # The same bytes on machines of either byte order.
    return words.astype("<u8", copy=False).view(np.uint8)[:, :count]
