"""What a batch costs: ours, and that of a plain `DataLoader` on the same images."""

from __future__ import annotations

__all__ = ["PictureFiles", "PlainImages", "loading", "write_pictures"]

import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

import unweave
from unweave.settings import make_config
from unweave.splits import keyed_generator
from unweave.training.precision import resolve, training_process
from unweave.training.source import ImageSource

BATCH = 64
# As many as two workers make before they are first asked.
_WARM = 8


class PlainImages(TorchDataset[tuple[Tensor, np.ndarray]]):
    """Images in memory, one at a time made a tensor, as disentangling-vae has dSprites.

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
        return _tensor(self.images[index]), self.factors[index]


class PictureFiles(TorchDataset[tuple[Tensor, np.ndarray]]):
    """Files of one image each, read when they are asked for, as disentangling-vae has all others.

    Args:
        paths: (n,) of the files.
        factors: (n, K).
    """

    def __init__(self, paths: list[Path], factors: np.ndarray) -> None:
        self.paths = paths
        self.factors = factors

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[Tensor, np.ndarray]:
        with Image.open(self.paths[index]) as picture:
            pixels = np.asarray(picture)
        return _tensor(pixels.reshape(*pixels.shape[:2], -1)), self.factors[index]


def write_pictures(images: np.ndarray, folder: Path) -> list[Path]:
    """Each of some images, (n, H, W, C) uint8, as a PNG file."""
    paths = [folder / f"{number:06d}.png" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(path)
    return paths


def _tensor(image: np.ndarray) -> Tensor:
    """(H, W, C) uint8 as (C, H, W) float32 from 0 to 1."""
    pixels = torch.from_numpy(image.transpose(2, 0, 1).copy())
    return pixels.to(torch.float32).div(255)


def loading(data: str, images: int, rounds: int, batches: int) -> dict[str, float]:
    """Milliseconds a batch; medians over the rounds, within which the ways take turns.

    Args:
        data: Text of the dataset.
        images: How many of them the plain loaders have, drawn at random.
        rounds: How often each way is timed.
        batches: Batches that are timed at once.

    Returns:
        `gather` of the dataset; `tensor`, the same as a training step gets it; `memory` and
        `files`, the plain loaders in the training process, and `memory 2` and `files 2` with two
        processes of their own.
    """
    dataset = unweave.load_dataset(data)
    rng = keyed_generator(0, "benchmark of data")
    chosen = rng.choice(len(dataset), min(images, len(dataset)), replace=False)
    pixels, factors = dataset.images(chosen), dataset.factors(chosen)
    config = resolve(make_config(data, "beta_tcvae", steps=1, batch_size=BATCH, device="cpu"))
    drawn = [rng.integers(0, len(dataset), BATCH) for _ in range(_WARM + batches)]
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        memory = PlainImages(pixels, factors)
        files = PictureFiles(write_pictures(pixels, Path(folder)), factors)
        source = ImageSource(dataset, None, config)
        ways: dict[str, Callable[[], Iterator[Any]]] = {
            "gather": lambda: (dataset.gather(flat) for flat in drawn),
            "tensor": lambda: (source.batch(step) for step in range(1, len(drawn) + 1)),
            "memory": lambda: _plain(memory, 0),
            "memory 2": lambda: _plain(memory, 2),
            "files": lambda: _plain(files, 0),
            "files 2": lambda: _plain(files, 2),
        }
        for _ in range(rounds):
            for name, way in ways.items():
                ours = name in ("gather", "tensor")
                with training_process(config) if ours else contextlib.nullcontext():
                    times.setdefault(name, []).append(_timed(way(), batches))
    return {name: statistics.median(found) for name, found in times.items()}


def _plain(images: TorchDataset[Any], workers: int) -> Iterator[Any]:
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
