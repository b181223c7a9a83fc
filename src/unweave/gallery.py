"""What a dataset looks like: random images, one factor at a time, and how often values occur."""

from __future__ import annotations

__all__ = [
    "MOST_PAIRS",
    "Pair",
    "contact_sheet",
    "dataset_figure",
    "dataset_film",
    "dependent_pairs",
    "is_flat",
    "pairs_figure",
    "shares",
    "shares_figure",
    "value_names",
]

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.data import Dataset
from unweave.errors import DataError
from unweave.factors import Factor
from unweave.splits import keyed_generator

SHOWN_IMAGES = 10
MOST_PAIRS = 4
"""Most pairs of factors whose joint distribution a gallery shows."""

# Columns of a moving picture, its frames, and milliseconds of each.
_FILM_IMAGES, _FILM_FRAMES, _FILM_MILLISECONDS = 5, 20, 100
# Below it two factors know next to nothing of each other.
_LEAST_CRAMER = 0.1
_MOST_CELLS_ALONG = 64
# Letters that there is room for.
_LABEL, _TITLE = 26, 44


def dataset_figure(dataset: Dataset, seed: int) -> Any:
    """Random images above one traversal for each factor, from a random image on.

    Each traversal has up to ten evenly spaced values of its factor. Where a combination is
    missing, the image that comes closest to it is shown. Without factors there are random images
    alone.
    """
    rng = keyed_generator(seed, "shown images")
    rows, labels = [_random(dataset, rng)], ["random"]
    factors = dataset.factor_space.factors if dataset.labelled else ()
    if factors:
        start = dataset.factors(np.array([rng.integers(len(dataset))]))[0]
    for k, factor in enumerate(factors):
        values = factor.evenly_spaced(min(SHOWN_IMAGES, factor.size))
        indices = np.tile(start, (len(values), 1))
        indices[:, k] = values
        rows.append(dataset.images(_closest(dataset, indices, k)))
        labels.append(factor.name)
    text = _clipped(str(dataset.spec), _TITLE)
    title = f"{text} ({dataset.source}, {len(dataset):,} images)"
    return plots.image_rows(rows, labels, title)


def dataset_film(dataset: Dataset, seed: int) -> plots.Animation:
    """A column for each of five random images, a row for each factor, which all go at once.

    Each row goes through the values of its factor, up and down, each for about as long; those of a
    circular factor once round. Where a combination is missing, the image that comes closest to it
    is shown.

    Raises:
        DataError: The factors are not known, or none varies.
    """
    factors = dataset.factor_space.factors if dataset.labelled else ()
    varied = [k for k, factor in enumerate(factors) if factor.size > 1]
    if not varied:
        raise DataError(
            f"A moving picture shows what factors do, and {dataset.spec} has none that is known "
            "and varies. Draw a still one."
        )
    rng = keyed_generator(seed, "shown images")
    flat = rng.choice(len(dataset), min(_FILM_IMAGES, len(dataset)), replace=False)
    starts = np.asarray(dataset.factors(np.sort(flat)))
    rows = []
    for k in varied:
        indices = np.repeat(starts[None], _FILM_FRAMES, axis=0)
        indices[:, :, k] = _going(factors[k], _FILM_FRAMES)[:, None]
        # Values stand for several frames, and to look for the closest image takes time.
        different, places = np.unique(
            indices.reshape(-1, len(factors)), axis=0, return_inverse=True
        )
        images = dataset.images(_closest(dataset, different, k))[places.reshape(-1)]
        rows.append(images.reshape(_FILM_FRAMES, len(starts), *images.shape[1:]))
    grids = np.stack(rows, axis=1)
    shade, tall = plots.edge_colour(grids), grids.shape[3]
    middles = [2 + tall / 2 + place * (tall + 2) for place in range(len(varied))]
    names = [_clipped(factors[k].name, _LABEL) for k in varied]
    frames = [plots.beside(plots.tile(grid, 2, shade), names, middles) for grid in grids]
    return plots.Animation(frames=np.stack(frames), milliseconds=_FILM_MILLISECONDS)


def _going(factor: Factor, frames: int) -> NDArray[np.int64]:
    """Values that a factor goes through in so many frames, by index: there and back, or round."""
    at = (np.arange(frames) + 0.5) / frames
    if factor.kind == "circular":
        values = factor.evenly_spaced(min(frames, factor.size))
    else:
        values = factor.evenly_spaced(min(frames // 2, factor.size))
        at = 1 - np.abs(1 - 2 * at)
    return np.asarray(values)[(at * len(values)).astype(np.int64)]


def contact_sheet(datasets: Sequence[Dataset], seed: int) -> Any:
    """A row of random images of each dataset, by its name, or its text where two have one name."""
    rows = [_random(data, keyed_generator(seed, "shown images")) for data in datasets]
    names = [data.spec.name for data in datasets]
    labels = [
        name if names.count(name) == 1 else _clipped(str(data.spec), _LABEL)
        for name, data in zip(names, datasets, strict=True)
    ]
    sources = sorted({data.source for data in datasets})
    return plots.image_rows(rows, labels, f"Random images ({', '.join(sources)})")


def shares(dataset: Dataset) -> list[NDArray[np.float64]]:
    """How often each value of each factor occurs, or is drawn in training where there are odds.

    Returns:
        For each factor, (size,) with the sum 1.

    Raises:
        DataError: The factors are not known.
    """
    if is_flat(dataset):
        return [np.full(size, 1 / size) for size in dataset.factor_space.sizes]
    found = dataset.factors(np.arange(len(dataset)))
    weights = dataset.weights
    return [
        np.bincount(found[:, k], weights, factor.size)
        / (len(dataset) if weights is None else weights.sum())
        for k, factor in enumerate(dataset.factor_space.factors)
    ]


def is_flat(dataset: Dataset) -> bool:
    """Whether every value of a factor occurs as often as any other, known without counting."""
    return dataset.is_grid and dataset.weights is None


def shares_figure(dataset: Dataset) -> Any:
    """Bars of how often each value of each factor occurs.

    Raises:
        DataError: The factors are not known.
    """
    factors = dataset.factor_space.factors
    return plots.share_bars(
        {factor.name: share for factor, share in zip(factors, shares(dataset), strict=True)},
        {factor.name: value_names(factor) for factor in factors},
    )


@final
@dataclass(frozen=True)
class Pair:
    """Two factors whose values depend on each other.

    Attributes:
        row: Which factor goes along the rows.
        column: Which one along the columns.
        table: How often two values occur together, (values of row, values of column), sum 1.
        cramer: Cramer's V, from 0, independent, to 1: one tells the other; less what chance gives.
    """

    row: int
    column: int
    table: NDArray[np.float64]
    cramer: float


def dependent_pairs(dataset: Dataset) -> list[Pair]:
    """Factors of which one tells something of the other, at most four pairs, the closest first.

    Of n images with labels, what chance gives independent factors is taken off chi-square / n:
    (d + 4 sqrt(2 d)) / n for d degrees of freedom, its mean and four standard deviations. Odds are
    the law itself, so nothing is. Factors of more than 64 values are left out, since no table of
    them would be legible.

    Raises:
        DataError: The factors are not known.
    """
    space, weights = dataset.factor_space, dataset.weights
    if is_flat(dataset):
        return []
    found, pairs = dataset.factors(np.arange(len(dataset))), []
    small = [k for k, size in enumerate(space.sizes) if size <= _MOST_CELLS_ALONG]
    for row, column in combinations(small, 2):
        rows, columns = space.sizes[row], space.sizes[column]
        cells = np.bincount(found[:, row] * columns + found[:, column], weights, rows * columns)
        table = cells.reshape(rows, columns) / cells.sum()
        cramer = _cramer(table, len(dataset) if weights is None else None)
        if cramer >= _LEAST_CRAMER:
            pairs.append(Pair(row, column, table, cramer))
    return sorted(pairs, key=lambda pair: -pair.cramer)[:MOST_PAIRS]


def pairs_figure(dataset: Dataset, pairs: Sequence[Pair]) -> Any:
    """Heat maps of how often values of two factors occur together."""
    factors = dataset.factor_space.factors
    return plots.joint_shares(
        {(factors[pair.row].name, factors[pair.column].name): pair.table for pair in pairs},
        {factor.name: value_names(factor) for factor in factors},
    )


def value_names(factor: Factor) -> list[str]:
    """What each value of a factor is called: its label, else its number."""
    if factor.labels is not None:
        return list(factor.labels)
    return [f"{value:.3g}" for value in factor.values or range(factor.size)]


def _cramer(table: NDArray[np.float64], drawn: int | None) -> float:
    """Cramer's V of a table of shares, less what chance gives it in so many draws."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    table = table[rows > 0][:, columns > 0]
    expected = np.outer(rows[rows > 0], columns[columns > 0])
    most = min(table.shape) - 1
    if most == 0:
        return 0.0
    square = float(((table - expected) ** 2 / expected).sum())
    if drawn is not None:
        freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
        square -= (freedom + 4 * np.sqrt(2 * freedom)) / drawn
    return float(np.sqrt(max(square, 0.0) / most))


def _clipped(text: str, most: int) -> str:
    """As much of a text as there is room for."""
    return text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


def _random(dataset: Dataset, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Random images, as training draws them."""
    count = min(SHOWN_IMAGES, len(dataset))
    if dataset.weights is None:
        return dataset.images(rng.choice(len(dataset), count, replace=False))
    return dataset.images(rng.choice(len(dataset), SHOWN_IMAGES, p=dataset.weights))


def _closest(dataset: Dataset, indices: NDArray[np.int64], first: int) -> NDArray[np.int64]:
    """Flat index of the image that shows each combination, or comes closest to it.

    Args:
        dataset: With factors.
        indices: Combinations, (n, K).
        first: The factor that must fit first of all.
    """
    if dataset.is_grid:
        return dataset.find(indices)
    present = dataset.factors(np.arange(len(dataset)))
    found = []
    for wanted in indices:
        distance = np.zeros(len(dataset))
        for k, factor in enumerate(dataset.factor_space.factors):
            steps = np.abs(present[:, k] - wanted[k])
            if factor.kind == "circular":
                steps = np.minimum(steps, factor.size - steps)
            elif factor.kind == "categorical":
                steps = np.where(steps > 0, factor.size, 0)
            # No sum over the others outweighs a step of the first.
            weight = 2.0 * len(wanted) if k == first else 1 / factor.size
            distance += weight * steps
        found.append(int(distance.argmin()))
    return np.array(found)
