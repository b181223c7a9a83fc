"""What a model makes of images and codes: reconstructions, traversals, told labels."""

from __future__ import annotations

__all__ = ["conditions", "reconstructions", "tells", "traversals"]

from typing import Any

import numpy as np

from unweave import plots
from unweave.data import Dataset
from unweave.factors import Factor
from unweave.figures.source import Source
from unweave.pictures import probe_indices, reconstruct, traverse, vary_factors, vary_labels
from unweave.vae import VAE

SHOWN_IMAGES = 20
# A picture of 300 rows takes half a minute and more than 4 GB.
SHOWN_LATENTS = 32
# Labels have as many columns together; a label as many as there is room for, within limits.
SHOWN_ROWS = 8
SHOWN_CONDITIONS = 24
SHOWN_VALUES = 8
TRAVERSAL = np.linspace(-2, 2, 9)


def reconstructions(source: Source) -> Any | None:
    """Images of the dataset, and what the model makes of them."""
    if source.dataset is None:
        return None
    flat = probe_indices(SHOWN_IMAGES, len(source.dataset), source.seed)
    return plots.reconstructions(*reconstruct(source.model, source.dataset, flat))


def conditions(source: Source) -> Any | None:
    """Images under each value of each label that the decoder is told."""
    model, dataset = source.model, source.dataset
    told = _told_factors(model, dataset)
    if dataset is None or told is None:
        return None
    factors = told[: SHOWN_CONDITIONS // 2]
    most = max(2, min(SHOWN_VALUES, SHOWN_CONDITIONS // len(factors)))
    shown = [factor.evenly_spaced(min(most, factor.size)).tolist() for factor in factors]
    changes = [(place, index) for place, indices in enumerate(shown) for index in indices]
    flat = probe_indices(SHOWN_ROWS, len(dataset), source.seed)
    originals, reconstructed = reconstruct(model, dataset, flat)
    groups = [
        (factor.name, [_value_name(factor, index) for index in indices])
        for factor, indices in zip(factors, shown, strict=True)
    ]
    changed = (vary_labels if model.encodes else vary_factors)(model, dataset, flat, changes)
    return plots.conditions(originals, reconstructed, changed, groups)


def traversals(source: Source) -> Any | None:
    """The decoded image while one latent after the other walks along a line."""
    if not source.model.encodes:
        return None
    count, kl = source.model.latents, source.last_kl()
    order = range(count) if kl is None else plots.order_by_kl(kl)
    latents = sorted(order[:SHOWN_LATENTS])
    names = source.latent_names()
    conditions = source.model.conditions
    # A label in the middle, since the start is no image that has labels.
    labels = None if conditions is None else [size // 2 for size in conditions.sizes]
    return plots.traversals(
        traverse(source.model, np.zeros(count, np.float32), TRAVERSAL, latents, labels),
        TRAVERSAL,
        kl=None if kl is None else kl[latents],
        latents=latents,
        labels=[names[j] for j in latents],
    )


def tells(model: VAE) -> bool:
    """Whether the decoder is told labels, or is given factors."""
    return model.conditions is not None or model.given is not None


def _told_factors(model: VAE, dataset: Dataset | None) -> tuple[Factor, ...] | None:
    """The factors whose values a decoder is told beside latents, or in their place."""
    if model.given is not None:
        return model.given.space.factors
    if model.conditions is None or dataset is None:
        return None
    return tuple(dataset.factor_space.factors[column] for column in model.conditions.columns)


def _value_name(factor: Factor, index: int) -> str:
    if factor.labels is not None:
        return factor.labels[index]
    return str(index) if factor.values is None else f"{factor.values[index]:.3g}"
