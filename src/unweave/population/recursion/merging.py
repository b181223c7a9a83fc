"""Labels that say the same, of levels or leaf-runs, are one: the purest is kept."""

from __future__ import annotations

__all__ = ["LabelKey", "Merged", "Merging", "agreement", "merge_labels"]

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import SpecError
from unweave.metrics.plug_in import discretise, entropies, mutual_information
from unweave.population.surrogate_labels import SurrogateLabels

_Rows: TypeAlias = "NDArray[np.intp] | slice"

# Nats; of a label with two values, one of them of one image in fifty.
_LEAST_ENTROPY = 0.1


class LabelKey(NamedTuple):
    """Which column of which level of which leaf-run.

    Attributes:
        run: Index of the leaf-run.
        level: Index of its level.
        column: Index of the column.
    """

    run: int
    level: int
    column: int


@final
@dataclass(frozen=True)
class Merged:
    """A label that is left out, and the one that says the same.

    Attributes:
        label: Which is left out.
        into: Which is kept.
        agreement: Their normalised mutual information.
        images: Images that have both.
    """

    label: LabelKey
    into: LabelKey
    agreement: float
    images: int


@final
@dataclass(frozen=True)
class Merging:
    """What is kept, and what became of the rest.

    Attributes:
        kept: In the order of runs, levels and columns.
        merged: In the same order.
    """

    kept: tuple[LabelKey, ...]
    merged: tuple[Merged, ...]

    def apply(self, files: Sequence[SurrogateLabels]) -> list[SurrogateLabels]:
        """The files without the labels that are left out; a level may have none left."""
        kept = set(self.kept)
        found = []
        for run, labels in enumerate(files):
            levels = tuple(
                level.only([c for c in range(len(level.columns)) if (run, k, c) in kept])
                for k, level in enumerate(labels.levels)
            )
            found.append(dataclasses.replace(labels, levels=levels))
        return found


def merge_labels(
    files: Sequence[SurrogateLabels],
    *,
    threshold: float = 0.9,
    fewest: int = 100,
    bins: int = 20,
) -> Merging:
    """Find labels that say the same.

    The purest label comes first, of equally pure ones that with most images, and then the first;
    each further one is merged into the one kept so far with which it agrees most, where that is
    at least the threshold.

    Args:
        files: Labels of leaf-runs on one dataset.
        threshold: Normalised mutual information, above 0 and at most 1.
        fewest: Images that two labels must have in common to be compared.
        bins: Bins of labels of which one has no clusters.

    Raises:
        SpecError: A setting is out of range, or the files are of different datasets.
    """
    if not 0 < threshold <= 1:
        raise SpecError(f"threshold must be more than 0 and at most 1, but is {threshold}.")
    if fewest < 1 or bins < 2:
        raise SpecError(
            f"fewest must be at least 1 and bins at least 2, but they are {fewest} and {bins}."
        )
    datasets = sorted({(labels.dataset, labels.size) for labels in files})
    if len(datasets) > 1:
        raise SpecError(f"Labels that are merged must be of one dataset, not of {datasets}.")
    keys = [
        LabelKey(run, k, c)
        for run, labels in enumerate(files)
        for k, level in enumerate(labels.levels)
        for c in range(len(level.columns))
    ]

    def order(key: LabelKey) -> tuple[float, int, LabelKey]:
        level = files[key.run].levels[key.level]
        return -level.columns[key.column].purity, -len(level.flat), key

    compare = _Comparison(files, fewest, bins)
    kept: list[LabelKey] = []
    merged: list[Merged] = []
    for key in sorted(keys, key=order):
        best: Merged | None = None
        for other in kept:
            value, images = compare(key, other)
            if value >= threshold and (best is None or value > best.agreement):
                best = Merged(label=key, into=other, agreement=value, images=images)
        if best is None:
            kept.append(key)
        else:
            merged.append(best)
    return Merging(
        kept=tuple(sorted(kept)), merged=tuple(sorted(merged, key=lambda each: each.label))
    )


def agreement(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Mutual information of two labels by the mean of their entropies.

    It is 0 where one is all but constant, since a single image could make the two agree.

    Args:
        first: Whole numbers from 0, (n,), n at least 1.
        second: Whole numbers from 0, (n,).
    """
    sizes = int(first.max()) + 1, int(second.max()) + 1
    one, other = entropies(np.stack([first, second], axis=1), sizes).tolist()
    if min(one, other) < _LEAST_ENTROPY:
        return 0.0
    information = mutual_information(first[:, None], second[:, None], sizes[0], sizes[1:])
    return float(information[0, 0] / ((one + other) / 2))


@final
class _Comparison:
    """Compares labels, and finds the images that two levels have in common once."""

    def __init__(self, files: Sequence[SurrogateLabels], fewest: int, bins: int) -> None:
        self._files = files
        self._fewest = fewest
        self._bins = bins
        self._common: dict[tuple[int, int, int, int], tuple[_Rows, _Rows]] = {}

    def __call__(self, first: LabelKey, second: LabelKey) -> tuple[float, int]:
        """How far two labels agree, and on how many images; 0 where they cannot be compared."""
        one, other = (self._files[key.run].levels[key.level] for key in (first, second))
        place = (first.run, first.level, second.run, second.level)
        if place not in self._common:
            self._common[place] = _shared_rows(one.flat, other.flat)
        rows, others = self._common[place]
        if one.columns[first.column].intervals and other.columns[second.column].intervals:
            ids = one.ids[rows, first.column], other.ids[others, second.column]
            # Of images in no cluster a label says nothing.
            said = (ids[0] >= 0) & (ids[1] >= 0)
            labels = [each[said].astype(np.int64) for each in ids]
        else:
            raw = one.labels[rows, first.column], other.labels[others, second.column]
            if len(raw[0]) < self._fewest:
                return 0.0, 0
            labels = list(discretise(np.stack(raw, axis=1), self._bins).T)
        if len(labels[0]) < self._fewest:
            return 0.0, 0
        return agreement(*labels), len(labels[0])


def _shared_rows(first: NDArray[np.int64], second: NDArray[np.int64]) -> tuple[_Rows, _Rows]:
    """Rows of the images that both have, in each."""
    if np.array_equal(first, second):
        return slice(None), slice(None)
    _, rows, others = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    return rows, others
