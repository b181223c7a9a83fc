"""A dataset whose factors are numbered as another dataset with the same factors numbers them."""

from __future__ import annotations

__all__ = ["numbered_as"]

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset
from unweave.data.codes import places_of
from unweave.data.labels import Labels
from unweave.factors import Factor, FactorSpace
from unweave.rules.nodes import values_of


def numbered_as(dataset: Dataset, space: FactorSpace) -> Dataset:
    """The same images, in which a value of a factor has the index that it has in a space.

    Parts of a dataset number the values that they have anew, so that one value may have several
    indices. A network that was trained on indices of one part is to be given those of the others
    by value. Values are found again by name, or else by number. Those that the space lacks come
    behind its own, in their order, so that different values still have different indices.

    Args:
        dataset: The images, of which the factors are known.
        space: How the values are to be numbered, with factors of the same names in their order.

    Returns:
        A dataset whose factors are those of the space, longer by values that only it has; the
        dataset itself where they are the same already.
    """
    own = dataset.factor_space
    if own == space:
        return dataset
    pairs = [_joined(one, other) for one, other in zip(own.factors, space.factors, strict=True)]
    rows = dataset.factors(np.arange(len(dataset)))
    columns = [places[column] for (_, places), column in zip(pairs, rows.T, strict=True)]
    # A value that an image has exactly stays, and so does that of an index.
    exact = None if dataset.labels is None else dataset.labels.values
    return Dataset(
        dataset.spec,
        dataset.store,
        factor_space=FactorSpace(tuple(factor for factor, _ in pairs)),
        labels=Labels(np.stack(columns, axis=1), exact),
        weights=dataset.weights,
    )


def _joined(own: Factor, space: Factor) -> tuple[Factor, NDArray[np.int64]]:
    """The factor of a space with further values behind, and where each of one's own stands."""
    places = places_of(own, space)
    further = np.flatnonzero(places < 0)
    if not len(further):
        return space, places
    places[further] = space.size + np.arange(len(further))
    values = np.concatenate([values_of(space, False), values_of(own, False)[further]])
    labels = None
    if space.labels is not None and own.labels is not None:
        labels = (*space.labels, *(own.labels[index] for index in further))
    factor = Factor(
        space.name, len(values), tuple(values.tolist()), space.kind, closed=False, labels=labels
    )
    return factor, places
