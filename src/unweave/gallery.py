"""What a dataset looks like: random images, one factor at a time, and how often values occur."""

from __future__ import annotations

__all__ = ["contact_sheet", "dataset_figure", "is_flat", "shares", "shares_figure", "value_names"]

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.data import Dataset
from unweave.factors import Factor
from unweave.splits import keyed_generator

SHOWN_IMAGES = 10
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


def value_names(factor: Factor) -> list[str]:
    """What each value of a factor is called: its label, else its number."""
    if factor.labels is not None:
        return list(factor.labels)
    return [f"{value:.3g}" for value in factor.values or range(factor.size)]


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
