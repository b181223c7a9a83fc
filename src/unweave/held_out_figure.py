"""What a condition holds out, as a figure: maps of the factors, and images of both sorts."""

from __future__ import annotations

__all__ = ["held_out_figure"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.conditions import Split
from unweave.conditions.maps import maps_of
from unweave.data import Dataset
from unweave.errors import SpecError
from unweave.gallery import value_names
from unweave.splits import keyed_generator

_SHOWN = 8


def held_out_figure(split: Split, dataset: Dataset | None = None, seed: int = 0) -> Any:
    """Maps of what is trained on and held out, above a few random images of each.

    There is a map of the factors that the rules compare, or one for each two of more than two.

    Args:
        split: What is trained on and what is held out.
        dataset: The split's dataset, opened; None for maps without images.
        seed: Which images are shown.

    Raises:
        SpecError: The dataset is another one.
    """
    if dataset is not None and dataset.spec != split.data:
        raise SpecError(f"The split is of {split.data}, and the images are of {dataset.spec}.")
    condition = split.condition
    named = condition.name != condition.held_out
    title = f"{condition.name} of {split.data}" if named else f"Held out of {split.data}"
    notes = [f"{split.kind.replace('_', ' ')}; held out: {condition.held_out}"]
    if condition.trained is not None:
        notes.append(f"trained on: {condition.trained}")
    if split.modifier is not None:
        notes.append(f"of images with: {split.modifier.rule}")
    if dataset is None:
        notes.append("The images are not on this machine.")
    images = {}
    if dataset is not None:
        for purpose, what, rows in (
            ("trained images", "trained on", split.train),
            ("held-out images", "held out", split.held_out),
        ):
            rng = keyed_generator(seed, purpose)
            images[f"{what}\n{len(rows):,}"] = dataset.images(_some(rows, rng))
    return plots.held_out_maps(
        maps_of(split),
        {factor.name: value_names(factor) for factor in split.space.factors},
        images=images,
        title=title,
        notes=notes,
    )


def _some(rows: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """A few of some rows, in their order."""
    return np.sort(rng.choice(rows, min(_SHOWN, len(rows)), replace=False))
