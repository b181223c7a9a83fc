"""Batches of images on the training device."""

from __future__ import annotations

__all__ = ["ImageSource", "to_images"]

from typing import final

import numpy as np
import torch
from torch import Tensor

from unweave.data import Batches, Dataset
from unweave.objectives import Batch
from unweave.training.config import TrainConfig
from unweave.training.resident import resident


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
        second: Whether each step gets a second, independent batch.
    """

    def __init__(
        self, dataset: Dataset, indices: np.ndarray | None, config: TrainConfig, *, second: bool
    ) -> None:
        self._dataset = dataset
        images = len(dataset) if indices is None else indices
        weights = dataset.weights
        if weights is not None and indices is not None:
            weights = weights[indices]
        self._device = torch.device(config.device)
        self._resident = resident(dataset.store, self._device)

        def batches(purpose: str) -> Batches:
            return Batches(images, config.batch_size, config.seed, purpose, weights)

        self._first = batches("batches")
        self._second = batches("second batches") if second else None

    @property
    def images_per_step(self) -> int:
        """Images encoded in one step."""
        return self._first.batch_size * (1 if self._second is None else 2)

    def batch(self, step: int) -> Batch:
        """The batch of a step, counted from 1."""
        second = None if self._second is None else self._load(self._second.indices(step))
        return Batch(images=self._load(self._first.indices(step)), second=second)

    def _load(self, flat: np.ndarray) -> Tensor:
        if self._resident is not None:
            return self._resident.images(flat)
        pixels, scale = self._dataset.gather(flat)
        return to_images(pixels, scale, self._device)
