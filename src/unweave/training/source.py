"""Batches of images on the training device."""

from __future__ import annotations

__all__ = ["ImageSource", "to_images"]

from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unweave.data import Batches, Dataset
from unweave.objectives import Batch, LabelledImages, Needs
from unweave.splits import keyed_generator
from unweave.training.config import TrainConfig
from unweave.training.resident import on_device, resident


def to_images(pixels: np.ndarray, scale: float, device: torch.device) -> Tensor:
    """uint8 pixels (B, H, W, C) as float32 (B, C, H, W) in [0, 1], channels last in memory."""
    host = torch.from_numpy(pixels)
    if device.type == "cuda":
        # From pinned memory the copy overlaps with the step before.
        host = host.pin_memory()
    images = host.to(device, non_blocking=True).permute(0, 3, 1, 2).to(torch.float32)
    return images if scale == 1.0 else images.mul_(scale)


@final
class ImageSource:
    """The batch of a step, a pure function of the seed and the step.

    Args:
        dataset: Where images come from.
        indices: Flat indices of the training images, or None for all.
        config: Gives batch size, seed and device.
        needs: What a batch holds beside images.

    Raises:
        SpecError: The dataset has not the factors, or the images, that its draws need.
    """

    def __init__(
        self,
        dataset: Dataset,
        indices: np.ndarray | None,
        config: TrainConfig,
        needs: Needs | None = None,
    ) -> None:
        self._pool = dataset if indices is None else dataset.select(indices)
        self._needs = needs or Needs()
        self._seed = config.seed
        self._batch_size = config.batch_size
        self._draws = self._needs.draws(config.batch_size)
        self._device = torch.device(config.device)
        self._resident = resident(self._pool.store, self._device)
        labelled = self._needs.labelled
        self._codes = None
        if self._needs.codes is not None:
            codes = self._needs.codes.on(self._pool.spec.whole_space)
            self._codes = codes.of(self._pool)
        self._few = None if labelled is None else labelled.few(self._pool)
        self._first = self._batches("batches")
        self._second = self._batches("second batches") if self._needs.second else None

    @property
    def images_per_step(self) -> int:
        """Images encoded in one step."""
        return self._needs.encoded(self._batch_size)

    def batch(self, step: int) -> Batch:
        """The batch of a step, counted from 1."""
        flat = self._flat(step)
        second = None if self._second is None else self._second.indices(step)
        factors = self._needs.factors
        return Batch(
            images=self._load(flat),
            second=None if second is None else self._load(second),
            factors=self._factors(flat) if factors else None,
            second_factors=self._factors(second) if factors and second is not None else None,
            labelled=self._labelled(step),
            codes=None if self._codes is None else on_device(self._codes(flat), self._device),
        )

    def _batches(self, purpose: str) -> Batches:
        pool = self._pool
        return Batches(len(pool), self._batch_size, self._seed, purpose, pool.weights)

    def _flat(self, step: int) -> NDArray[np.int64]:
        """Which images a step has: one after the other, or draws that belong together."""
        if self._needs.sampler is None:
            return self._first.indices(step)
        rng = keyed_generator(self._seed, "draws", step)
        return self._needs.sampler.draw(self._pool, self._draws, rng).T.reshape(-1)

    def _labelled(self, step: int) -> LabelledImages | None:
        """Some of the few images that have labels, as many as the batch has."""
        labelled = self._needs.labelled
        if labelled is None or self._few is None:
            return None
        rng = keyed_generator(self._seed, "labelled images", step)
        flat = labelled.draw(self._pool, self._batch_size, rng)[:, 0]
        return LabelledImages(self._load(flat), self._to_device(self._few.of(flat)))

    def _load(self, flat: NDArray[np.int64]) -> Tensor:
        if self._resident is not None:
            return self._resident.images(flat)
        pixels, scale = self._pool.gather(flat)
        return to_images(pixels, scale, self._device)

    def _factors(self, flat: NDArray[np.int64]) -> Tensor:
        return self._to_device(self._pool.factors(flat))

    def _to_device(self, numbers: NDArray[np.int64]) -> Tensor:
        return on_device(numbers, self._device)
