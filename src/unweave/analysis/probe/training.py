"""The training of a probe on true images of a whole dataset."""

from __future__ import annotations

__all__ = ["ProbeTraining", "targets_of", "train_probe"]

import math
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from unweave.analysis.probe.alike import Alike
from unweave.analysis.probe.blur import blurred
from unweave.analysis.probe.network import Probe
from unweave.data import Batches, Dataset
from unweave.errors import UnweaveError
from unweave.progress import Progress
from unweave.randomness import derive
from unweave.splits import keyed_uniform
from unweave.training.memory import keep_freed_memory
from unweave.training.resident import on_device, resident
from unweave.training.source import to_images

_PURPOSE: Final = "probe"
# Largest standard deviation of the blur, as a share of the image's longer side.
_BLUR: Final = 1.5 / 64
_LR: Final = 5e-3
# Standard deviation of the targets of ordinal and circular factors, in steps of the grid.
_SPREAD: Final = 1.0
# The share of the steps in which the learning rate goes up to its largest value.
_WARM_UP: Final = 0.05


@final
@dataclass(frozen=True)
class ProbeTraining:
    """How a probe is trained; with the dataset, all that it depends on.

    Attributes:
        steps: Optimiser steps.
        batch_size: Images in a step; all of them where there are fewer.
        seed: Seed of first weights and of the order of the images.
    """

    steps: int
    batch_size: int
    seed: int = 0


def train_probe(
    dataset: Dataset,
    training: ProbeTraining,
    device: torch.device,
    progress: Progress | None = None,
) -> Probe:
    """A probe that has learned to tell the factors of a dataset's images, in evaluation mode.

    What is minimised is the sum over factors of the cross-entropy of their values with a target,
    by Adam, whose learning rate rises to 0.005 and falls to 0 along half a cosine. The target of
    a categorical factor is its value; that of others has also the values around it, as a Gaussian
    of a standard deviation of one step, and those that look the same: so what is nearly right is
    learned first, and a network of few steps gets much further than with the one value alone.
    Where images are the same the first combination is the true one (`Alike.first`).

    The images of each step are blurred, by a Gaussian whose standard deviation is drawn from 0 to
    1.5 pixels of 64. Decoders give soft edges, and a probe that has seen sharp ones alone takes
    them for other positions and sizes.

    Args:
        dataset: The images, with their factors.
        training: How long, and by which seed.
        device: Where it is trained, and stays.
        progress: Told how many steps are done.

    Raises:
        DataError: The factors are not known.
        UnweaveError: The weights are no numbers.
    """
    keep_freed_memory()
    sizes = dataset.factor_space.sizes
    weights = torch.Generator().manual_seed(derive(training.seed, "probe weights"))
    probe = Probe.create(dataset.image_shape, sizes, weights)
    probe.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    source = _Source(dataset, training, device)
    adam = torch.optim.Adam(probe.parameters(), lr=_LR, fused=True)
    cudnn = torch.backends.cudnn
    with torch.enable_grad(), cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        for step in range(1, training.steps + 1):
            for group in adam.param_groups:
                group["lr"] = _learning_rate(step, training.steps)
            images, targets = source.batch(step)
            adam.zero_grad(set_to_none=True)
            _loss(probe(images), targets).backward()  # type: ignore[no-untyped-call]
            adam.step()
            if progress is not None:
                progress("training a probe of the factors", step, training.steps)
    if not all(bool(weight.isfinite().all()) for weight in probe.parameters()):
        raise UnweaveError(f"The probe of the factors of {dataset.spec} could not be trained.")
    return probe.eval().requires_grad_(False)


def _loss(scores: list[Tensor], targets: Tensor) -> Tensor:
    """Cross-entropies in nats, averaged over the batch and summed over factors.

    Args:
        scores: Those of the values of each factor, K times (B, size).
        targets: How likely each value shall be, those of all factors side by side, (B, sum).
    """
    each = torch.split(targets, [values.shape[1] for values in scores], dim=1)
    pairs = zip(scores, each, strict=True)
    return torch.stack([F.cross_entropy(values, target) for values, target in pairs]).sum()


def targets_of(alike: Alike, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """How likely a probe shall call each value of each factor, side by side, (n, sum of sizes).

    Args:
        alike: How far values are apart.
        rows: True factor indices, (n, K).
    """
    parts = []
    for factor, steps in zip(alike.space.factors, alike.of_values(alike.first(rows)), strict=True):
        near = (
            steps == 0 if factor.kind == "categorical" else np.exp(-0.5 * (steps / _SPREAD) ** 2)
        )
        parts.append(near / near.sum(axis=1, keepdims=True))
    return np.concatenate(parts, axis=1).astype(np.float32)


def _learning_rate(step: int, steps: int) -> float:
    """That of a step, from 1: up along a line, then down along half a cosine."""
    warm_up = max(1, round(_WARM_UP * steps))
    if step <= warm_up:
        return _LR * step / warm_up
    return _LR * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / (steps - warm_up + 1)))


@final
class _Source:
    """Images and targets of a step, a pure function of the seed and the step."""

    def __init__(self, dataset: Dataset, training: ProbeTraining, device: torch.device) -> None:
        self._dataset = dataset
        self._device = device
        self._alike = Alike(dataset.spec, dataset.factor_space)
        self._resident = resident(dataset.store, device)
        self._seed = training.seed
        self._most_blur = _BLUR * max(dataset.image_shape[:2])
        size = min(training.batch_size, len(dataset))
        self._batches = Batches(len(dataset), size, training.seed, _PURPOSE)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Pixels (B, C, H, W) in [0, 1], and targets (B, sum of sizes)."""
        flat = self._batches.indices(step)
        targets = targets_of(self._alike, self._dataset.factors(flat))
        sigma = self._most_blur * float(keyed_uniform(1, self._seed, "probe blur", step)[0])
        return blurred(self._images(flat), sigma), on_device(targets, self._device)

    def _images(self, flat: NDArray[np.int64]) -> Tensor:
        if self._resident is not None:
            return self._resident.images(flat)
        pixels, scale = self._dataset.gather(flat)
        return to_images(pixels, scale, self._device)
