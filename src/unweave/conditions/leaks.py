"""How much of what is held out is in training all the same: equal images, and alike ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.conditions.split import Split
from unweave.conditions.symmetries import Twins, twins_of
from unweave.data import Dataset
from unweave.errors import SpecError
from unweave.progress import Progress

__all__ = ["Copies", "Leaks", "copies_of", "leaks_of"]

_BLOCK: Final = 4096


@final
@dataclass(frozen=True, eq=False)
class Copies:
    """Held-out images that are in training, pixel by pixel.

    Attributes:
        held_out: Flat indices of the held-out images that are, ascending, (n,).
        trained: Flat index of the first image of training that is equal to each, (n,).
    """

    held_out: NDArray[np.int64]
    trained: NDArray[np.int64]


@final
@dataclass(frozen=True, eq=False)
class Leaks:
    """How many held-out images are in training, or look like one that is.

    Attributes:
        num_held_out: How many images are held out.
        twins: By each symmetry that is known.
        copies: Those that are equal; None where the images were not read.
    """

    num_held_out: int
    twins: tuple[Twins, ...]
    copies: Copies | None

    @property
    def share_copies(self) -> float | None:
        """Share of the held-out images that are equal to one in training."""
        return None if self.copies is None else len(self.copies.held_out) / self.num_held_out

    @property
    def share(self) -> float | None:
        """Share of the held-out images that are equal to one in training, or nearly its twin.

        None where no image was read and no symmetry concerns them, so that nothing is known.
        """
        rows = [each.rows for each in self.twins]
        rows += [] if self.copies is None else [self.copies.held_out]
        return len(np.unique(np.concatenate(rows))) / self.num_held_out if rows else None


def leaks_of(
    split: Split, dataset: Dataset | None = None, progress: Progress | None = None
) -> Leaks:
    """How much of what is held out is in training all the same.

    Args:
        split: What is trained on and what is held out.
        dataset: The split's dataset, opened: all of its images are read and compared. None to go
            by symmetries alone.
        progress: Told how many images are read.

    Raises:
        SpecError: The dataset is another one.
    """
    copies = None if dataset is None else copies_of(split, dataset, progress)
    return Leaks(len(split.held_out), tuple(twins_of(split)), copies)


def copies_of(split: Split, dataset: Dataset, progress: Progress | None = None) -> Copies:
    """The held-out images that are equal to one in training, pixel by pixel.

    Digests of all images say which may be equal, and their pixels whether they are.

    Args:
        split: What is trained on and what is held out.
        dataset: The split's dataset, opened.
        progress: Told how many images are read.

    Raises:
        SpecError: The dataset is another one.
    """
    if dataset.spec != split.data:
        raise SpecError(f"The split is of {split.data}, and the images are of {dataset.spec}.")
    total = len(split.train) + len(split.held_out)
    trained = _digests(dataset, split.train, 0, total, progress)
    held = _digests(dataset, split.held_out, len(split.train), total, progress)
    # Stable, so that of equal images the first stands first.
    order = np.argsort(trained, kind="stable")
    ranked = trained[order]
    low, high = np.searchsorted(ranked, held, "left"), np.searchsorted(ranked, held, "right")
    found = np.full(len(held), -1, np.int64)
    open_places = np.flatnonzero(low < high)
    while len(open_places):
        rows = split.train[order[low[open_places]]]
        equal = _equal(dataset, split.held_out[open_places], rows)
        found[open_places[equal]] = rows[equal]
        # Digests of 64 bits that agree by chance: the next one is asked.
        low[open_places] += 1
        open_places = open_places[~equal]
        open_places = open_places[low[open_places] < high[open_places]]
    there = found >= 0
    return Copies(split.held_out[there], found[there])


def _digests(
    dataset: Dataset, rows: NDArray[np.int64], done: int, total: int, progress: Progress | None
) -> NDArray[np.uint64]:
    """A digest of each image, (n,)."""
    found = np.empty(len(rows), np.uint64)
    for first in range(0, len(rows), _BLOCK):
        images = dataset.images(rows[first : first + _BLOCK])
        lines = np.ascontiguousarray(images).reshape(len(images), -1)
        digests = b"".join(hashlib.blake2b(line.data, digest_size=8).digest() for line in lines)
        found[first : first + len(images)] = np.frombuffer(digests, np.uint64)
        if progress is not None:
            progress("comparing images", done + first + len(images), total)
    return found


def _equal(
    dataset: Dataset, one: NDArray[np.int64], other: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether two images are equal, pair by pair, (n,)."""
    found = np.empty(len(one), bool)
    for first in range(0, len(one), _BLOCK):
        pair = slice(first, first + _BLOCK)
        same = dataset.images(one[pair]) == dataset.images(other[pair])
        found[pair] = same.reshape(len(same), -1).all(axis=1)
    return found
