"""What a batch costs: ours, and that of a plain `DataLoader` on the same images."""

from __future__ import annotations

__all__ = ["PlainImages", "loading"]

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

import unweave
from unweave.settings import make_config
from unweave.splits import keyed_generator
from unweave.training.source import ImageSource

BATCH = 64
# As many as two workers make before they are first asked.
_WARM = 8


class PlainImages(TorchDataset[tuple[Tensor, np.ndarray]]):
    """Images in memory, one at a time made a tensor, with its factors, as disentangling-vae does.

    Args:
        images: (n, H, W, C) uint8.
        factors: (n, K).
    """

    def __init__(self, images: np.ndarray, factors: np.ndarray) -> None:
        self.images = images
        self.factors = factors

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, np.ndarray]:
        image = torch.from_numpy(self.images[index].transpose(2, 0, 1)).contiguous()
        return image.to(torch.float32).div(255), self.factors[index]


def loading(data: str, images: int, rounds: int, batches: int) -> dict[str, float]:
    """Milliseconds a batch; medians over the rounds, within which the ways take turns.

    Args:
        data: Text of the dataset.
        images: How many of them the plain loader has in memory, drawn at random.
        rounds: How often each way is timed.
        batches: Batches that are timed at once.

    Returns:
        `gather` of the dataset; `ours`, the same as a tensor on the training device; `plain` and
        `workers`, the plain loader in the training process and with two processes of its own.
    """
    dataset = unweave.load_dataset(data)
    rng = keyed_generator(0, "benchmark of data")
    chosen = rng.choice(len(dataset), min(images, len(dataset)), replace=False)
    plain = PlainImages(dataset.images(chosen), dataset.factors(chosen))
    config = make_config(data, "beta_tcvae", steps=1, batch_size=BATCH, device="cpu")
    source = ImageSource(dataset, None, config, second=False)
    drawn = [rng.integers(0, len(dataset), BATCH) for _ in range(_WARM + batches)]
    ways: dict[str, Callable[[], Iterator[Any]]] = {
        "gather": lambda: (dataset.gather(flat) for flat in drawn),
        "ours": lambda: (source.batch(step) for step in range(1, len(drawn) + 1)),
        "plain": lambda: _plain(plain, 0),
        "workers": lambda: _plain(plain, 2),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(_timed(way(), batches))
    return {name: statistics.median(found) for name, found in times.items()}


def _plain(images: PlainImages, workers: int) -> Iterator[Any]:
    """Batches without end."""
    generator = torch.Generator().manual_seed(0)
    while True:
        yield from DataLoader(
            images, BATCH, shuffle=True, num_workers=workers, generator=generator
        )


def _timed(batches: Iterator[Any], count: int) -> float:
    """Milliseconds a batch, after some that are not timed."""
    for _ in range(_WARM):
        next(batches)
    begun = time.perf_counter()
    for _ in range(count):
        next(batches)
    return 1000 * (time.perf_counter() - begun) / count
