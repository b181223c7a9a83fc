"""One cell of the table: a model, a dataset size and a batch size."""

from __future__ import annotations

__all__ = ["Study"]

from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from _estimators.candidates import CANDIDATES
from _estimators.exact import component_gradient
from _estimators.gradients import (
    TERMS,
    Pullback,
    estimated_coefficients,
    exact_coefficients,
    values,
)
from _estimators.groups import PAIR_SECONDS, Group, Samples, Sizes, Told
from _estimators.models import Weights
from _estimators.statistics import Comparison, Reference
from unweave.data import Dataset
from unweave.training.source import to_images

_CHUNK = 256
_CHECKED = 8192
# Rough seconds of one image through the encoder and back; it matters to the time left alone.
_BACKWARD_SECONDS = 2.5e-4


@final
class Study:
    """Everything that is measured of one model.

    Args:
        weights: The model.
        dataset: All images.
        sizes: How much is measured.
        folder: Where codes and exact densities are kept for a rerun.
        told: Called with seconds of work done, roughly, and what it was.
    """

    def __init__(
        self, weights: Weights, dataset: Dataset, sizes: Sizes, folder: Path, told: Told
    ) -> None:
        self._weights = weights
        self._dataset = dataset
        self._sizes = sizes
        self._told = told
        self._samples = Samples(weights, dataset, sizes, folder, told)
        self._pullback = Pullback(weights.model, self._load)
        self._references: dict[int, Reference] = {}

    @property
    def encoding_work(self) -> float:
        """Seconds until the codes of all images are there, roughly."""
        return self._samples.encoding_work()

    def work(self, images: int, batches: tuple[int, ...]) -> float:
        """Seconds of work after that, roughly, of some cells of a dataset size."""
        if not batches:
            return 0.0
        groups = self._sizes.groups[images]
        missing = sum(not self._samples.is_ready(images, index) for index in range(groups))
        shared = missing * self._sizes.group * images * PAIR_SECONDS
        shared += 3 * self._sizes.samples(images) * _BACKWARD_SECONDS
        return shared + sum(self._cell_work(images, batch) for batch in batches)

    def cell(self, images: int, batch: int) -> dict[str, Any]:
        """Value and gradient of every candidate; all see the same samples."""
        names = ("exact", *CANDIDATES)
        reference = self._reference(images)
        gradients = {name: Comparison.empty(len(TERMS), self._pullback.size) for name in names}
        errors: dict[str, list[Tensor]] = {name: [] for name in names}
        truths: list[Tensor] = []
        what = f"{self._weights.name}, {images:,} images, batches of {batch}"
        slices = self._sizes.slices(images, batch)
        for number in range(self._sizes.groups[images]):
            group = self._samples.group(images, number)
            truths.append(values(group.densities))
            for index in range(self._sizes.group // batch):
                piece = group.part(index * batch, batch)
                truth = values(piece.densities).mean(0)
                errors["exact"].append(truth - truth)
                for name, candidate in CANDIDATES.items():
                    errors[name].append(values(candidate.make(piece.codes)).mean(0) - truth)
                if index < slices:
                    found = self._gradients(piece)
                    share = batch / self._sizes.samples(images)
                    others = reference.without(found["exact"], share)
                    for name, comparison in gradients.items():
                        comparison.add(found[name], found["exact"], others)
                    self._told(self._cell_work(images, batch, 1), what)
        true = torch.cat(truths).double()
        rows = []
        for name in names:
            error = torch.stack(errors[name]).double()
            for term, label in enumerate(TERMS):
                rows.append(
                    {
                        "estimator": name,
                        "term": label,
                        "bias": float(error[:, term].mean()),
                        "bias_se": float(error[:, term].std() / len(error) ** 0.5),
                        **gradients[name].summary(term, float(reference.square[term])),
                    }
                )
        return {
            "reference": {
                label: {
                    "value": float(true[:, term].mean()),
                    "se": float(true[:, term].std() / len(true) ** 0.5),
                }
                for term, label in enumerate(TERMS)
            },
            "samples": len(true),
            "batches": len(gradients["exact"].squares),
            "rows": rows,
        }

    def check(self, images: int) -> dict[str, float]:
        """The exact gradient of the total correlation with and without the components' part.

        Returns:
            The cosine of the two, and the norm of the part over that of the gradient. The part has
            zero mean, so that it shrinks as samples are added.
        """
        count = max(1, min(_CHECKED, self._sizes.samples(images)) // self._sizes.group)
        z = torch.cat([self._samples.group(images, index).codes.z for index in range(count)])
        coefficients = component_gradient(z, *self._samples.components(images))
        part = self._pullback(self._samples.subset(images), torch.stack(coefficients)[None])[0]
        reference = self._reference(images)
        gradient = reference.sums[0] / reference.chunks
        return {
            "cosine": float(torch.cosine_similarity(gradient, gradient + part, dim=0)),
            "norm": float(part.norm() / gradient.norm()),
            "samples": len(z),
        }

    def _gradients(self, group: Group) -> dict[str, Tensor]:
        """Gradients in the encoder's weights of every candidate for one batch, (3, P) each."""
        made = {"exact": _exact(group)} | {
            name: estimated_coefficients(candidate, group.codes, group.noise)
            for name, candidate in CANDIDATES.items()
        }
        # The three terms add up to the sampled KL whatever the estimator: two of each are enough.
        total = made["exact"].sum(0, keepdim=True)
        pulled = self._pullback(group.flat, torch.cat([total, *(c[:2] for c in made.values())]))
        return {
            name: _with_third(pulled[0], pulled[2 * i + 1 : 2 * i + 3])
            for i, name in enumerate(made)
        }

    def _reference(self, images: int) -> Reference:
        """The exact gradient from all samples of a dataset size."""
        if images not in self._references:
            reference = Reference.empty(len(TERMS), self._pullback.size)
            step = min(_CHUNK, self._sizes.group // 2)
            what = f"{self._weights.name}, {images:,} images, exact gradient"
            for number in range(self._sizes.groups[images]):
                group = self._samples.group(images, number)
                for start in range(0, self._sizes.group, step):
                    piece = group.part(start, step)
                    exact = _exact(piece)
                    total = exact.sum(0, keepdim=True)
                    pulled = self._pullback(piece.flat, torch.cat([total, exact[:2]]))
                    reference.add(_with_third(pulled[0], pulled[1:]))
                    self._told(3 * step * _BACKWARD_SECONDS, what)
            self._references[images] = reference
        return self._references[images]

    def _cell_work(self, images: int, batch: int, count: int | None = None) -> float:
        if count is None:
            count = self._sizes.groups[images] * self._sizes.slices(images, batch)
        return count * batch * (2 * len(CANDIDATES) + 3) * _BACKWARD_SECONDS

    def _load(self, flat: NDArray[np.int64]) -> Tensor:
        pixels, scale = self._dataset.gather(flat)
        return to_images(pixels, scale, self._weights.model.device)


def _exact(group: Group) -> Tensor:
    exact = group.exact
    return exact_coefficients(group.codes, group.noise, exact.joint_slope, exact.product_slope)


def _with_third(total: Tensor, two: Tensor) -> Tensor:
    """Total correlation, mutual information and what is left of the KL, (3, P)."""
    return torch.cat([two, (total - two.sum(0))[None]])
