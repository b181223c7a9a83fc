"""Batches of the images that an analysis scores, in the form that an objective needs."""

from __future__ import annotations

__all__ = ["scored_batch"]

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unweave.analysis.base import Subject
from unweave.objectives import Batch, LabelledImages, Needs
from unweave.splits import keyed_generator
from unweave.training.source import to_images

_PURPOSE = "scored draws"


def scored_batch(
    subject: Subject,
    needs: Needs,
    rows: NDArray[np.int64],
    second: NDArray[np.int64],
    index: int,
) -> Batch:
    """A batch of images that are scored.

    Where a sampler draws images that belong together, it draws anew from all images that are
    scored, as often as makes this many reconstructions. Few labels are a matter of training: here
    each image has one, given by the same labeller. Factors are numbered as in training.

    Args:
        subject: What is scored.
        needs: What the objective needs.
        rows: Flat indices of the batch's images, (B,).
        second: Those of an independent batch.
        index: Number of the batch, which keys what is drawn.
    """
    images = rows
    if needs.sampler is not None:
        rng = keyed_generator(subject.seed, _PURPOSE, index)
        draws = max(1, len(rows) // needs.reconstructed)
        images = subject.flat[needs.sampler.draw(subject.pool, draws, rng).T.reshape(-1)]
    return Batch(
        images=_load(subject, images),
        second=_load(subject, second) if needs.second else None,
        factors=_factors(subject, images) if needs.factors else None,
        second_factors=_factors(subject, second) if needs.second and needs.factors else None,
        labelled=_labelled(subject, needs, rows),
        codes=_codes(subject, images) if needs.codes is not None else None,
    )


def _labelled(subject: Subject, needs: Needs, rows: NDArray[np.int64]) -> LabelledImages | None:
    if needs.labelled is None:
        return None
    dataset = subject.told
    table = needs.labelled.label(dataset.factors(rows), dataset.factor_space)
    labels = torch.from_numpy(np.ascontiguousarray(table.labels))
    return LabelledImages(_load(subject, rows), labels.to(subject.model.device))


def _load(subject: Subject, rows: NDArray[np.int64]) -> Tensor:
    pixels, scale = subject.dataset.gather(rows)
    return to_images(pixels, scale, subject.model.device)


def _factors(subject: Subject, rows: NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(subject.told.factors(rows)).to(subject.model.device)


def _codes(subject: Subject, rows: NDArray[np.int64]) -> Tensor:
    """What a decoder alone is given of images, whichever part of the whole they are of."""
    given = subject.model.given
    assert given is not None
    return torch.from_numpy(given.of(subject.dataset)(rows)).to(subject.model.device)
