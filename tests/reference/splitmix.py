"""SplitMix64 in whole numbers of Python, one output after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

__all__ = ["PUBLISHED", "draws", "outputs"]

# The first outputs from state 1234567, as published test vectors have them.
PUBLISHED = (
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
)

_MASK = (1 << 64) - 1


def outputs(state: int) -> Iterator[int]:
    """All outputs of the generator that starts in this state."""
    while True:
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        mixed = state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        yield mixed ^ (mixed >> 31)


def draws(seed: int, purpose: str, image: int, count: int) -> list[int]:
    """The words of one image: those after the words of all images before it."""
    digest = hashlib.sha256(repr((seed, purpose)).encode()).digest()
    state = int.from_bytes(digest[:8], "little")
    state = (state + image * count * 0x9E3779B97F4A7C15) & _MASK
    stream = outputs(state)
    return [next(stream) for _ in range(count)]
