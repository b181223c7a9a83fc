"""Samples of subsets of a dataset and their exact densities, kept on the disk for a rerun."""

from __future__ import annotations

__all__ = ["PAIR_SECONDS", "Group", "Samples", "Sizes", "Told"]

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from _estimators.candidates import Codes
from _estimators.exact import ExactDensities, exact_densities
from _estimators.models import Weights
from unweave.data import Dataset
from unweave.encoding import encode_rows
from unweave.latents import log_normal
from unweave.objectives.densities import Densities
from unweave.rundir import atomic_write
from unweave.splits import keyed_generator, keyed_permutation

# Rough seconds of one pair of sample and component, and of encoding an image; they matter to the
# time left alone.
PAIR_SECONDS = 2e-8
_ENCODE_SECONDS = 8e-5
_FURTHER = 1024

Told = Callable[[float, str], None]


@final
@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        groups: Groups of samples for each dataset size N.
        batches: Batch sizes B. The largest is the size of a group.
        most: Samples that go through the encoder in one cell, at most, but for one batch of each
            group, which always does.
        seed: Seed of subsets, groups and noise.
    """

    groups: dict[int, int]
    batches: tuple[int, ...]
    most: int
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse sizes of which nothing is left when a batch is compared with all others."""
        if min(self.groups.values()) < 2:
            raise ValueError("Each dataset size needs two groups: one is compared with the rest.")

    @property
    def group(self) -> int:
        """Samples in a group."""
        return max(self.batches)

    def samples(self, images: int) -> int:
        """Samples of a dataset size."""
        return self.groups[images] * self.group

    def slices(self, images: int, batch: int) -> int:
        """Batches of each group whose gradients are taken."""
        return max(1, min(self.group, self.most // self.groups[images]) // batch)


@final
@dataclass(frozen=True)
class Group:
    """Samples of different images, and what is known about them.

    Attributes:
        flat: Flat indices of the images in the dataset, (B,).
        codes: Their posteriors and samples.
        noise: Standard normal numbers behind the samples, (B, L).
        exact: Densities under all N posteriors.
    """

    flat: NDArray[np.int64]
    codes: Codes
    noise: Tensor
    exact: ExactDensities

    def part(self, start: int, count: int) -> Group:
        """Some of the samples, in order; the further images of the codes stay."""
        s = slice(start, start + count)
        codes = self.codes
        return Group(
            flat=self.flat[s],
            codes=replace(codes, mean=codes.mean[s], logvar=codes.logvar[s], z=codes.z[s]),
            noise=self.noise[s],
            exact=ExactDensities(*(getattr(self.exact, f.name)[s] for f in fields(self.exact))),
        )

    @property
    def densities(self) -> Densities:
        """The exact densities in the form that estimators give."""
        z = self.codes.z
        return Densities(
            conditional=log_normal(z, self.codes.mean, self.codes.logvar).sum(1),
            joint=self.exact.joint,
            product=self.exact.product,
            prior=log_normal(z, torch.zeros_like(z), torch.zeros_like(z)).sum(1),
        )


@final
class Samples:
    """Groups of samples under one model.

    Args:
        weights: The model.
        dataset: All images; subsets of N are drawn from it by key.
        sizes: How many.
        folder: Where codes and densities are kept.
        told: Called with seconds of work done, roughly, and what it was.
    """

    def __init__(
        self, weights: Weights, dataset: Dataset, sizes: Sizes, folder: Path, told: Told
    ) -> None:
        self._weights = weights
        self._dataset = dataset
        self._sizes = sizes
        self._folder = folder / weights.digest
        self._told = told

    def subset(self, images: int) -> NDArray[np.int64]:
        """Flat indices of the images of a dataset size."""
        return keyed_permutation(len(self._dataset), self._sizes.seed, "subset", images)[:images]

    @cached_property
    def table(self) -> tuple[Tensor, Tensor]:
        """Means and log variances of all images."""
        path = self._codes
        if not path.is_file():
            count, model = len(self._dataset), self._weights.model
            mean = np.empty((count, model.latents), np.float32)
            logvar = np.empty_like(mean)
            done = 0

            def progress(_: str, now: int, total: int) -> None:
                nonlocal done
                self._told((now - done) * _ENCODE_SECONDS, f"{self._weights.name}, encoding")
                done = now

            encode_rows(model, self._dataset, np.arange(count), mean, logvar, progress)
            with atomic_write(path) as handle:
                np.savez(handle, mean=mean, logvar=logvar)
        with np.load(path) as kept:
            return torch.from_numpy(kept["mean"]), torch.from_numpy(kept["logvar"])

    @property
    def _codes(self) -> Path:
        return self._folder / f"codes-{len(self._dataset)}.npz"

    def encoding_work(self) -> float:
        """Seconds that the codes take, roughly; none when they are on the disk."""
        return 0.0 if self._codes.is_file() else len(self._dataset) * _ENCODE_SECONDS

    def components(self, images: int) -> tuple[Tensor, Tensor]:
        """Means and log variances of the images of a dataset size."""
        rows = self.subset(images)
        return self.table[0][rows], self.table[1][rows]

    def group(self, images: int, index: int) -> Group:
        """One group; its exact densities are computed when they are not on the disk."""
        size, seed = self._sizes.group, self._sizes.seed
        order = keyed_permutation(images, seed, "group", images, index)
        subset = self.subset(images)
        flat, further = subset[order[:size]], subset[order[size : size + _FURTHER]]
        mean, logvar = self.table[0][flat], self.table[1][flat]
        generator = keyed_generator(seed, "noise", images, index)
        noise = torch.from_numpy(generator.standard_normal(mean.shape, dtype=np.float32))
        codes = Codes(
            mean=mean,
            logvar=logvar,
            z=mean + torch.exp(0.5 * logvar) * noise,
            images=images,
            further=(self.table[0][further], self.table[1][further]),
        )
        path = self._folder / f"densities-{images}-{size}-{seed}-{index}.npz"
        names = [f.name for f in fields(ExactDensities)]
        if not path.is_file():
            what = f"{self._weights.name}, {images:,} images, exact densities {index + 1}"
            found = exact_densities(
                codes.z,
                *self.components(images),
                done=lambda count: self._told(count * images * PAIR_SECONDS, what),
            )
            with atomic_write(path) as handle:
                np.savez(handle, **{name: getattr(found, name).numpy() for name in names})
        with np.load(path) as kept:
            exact = ExactDensities(*(torch.from_numpy(kept[name]) for name in names))
        return Group(flat=flat, codes=codes, noise=noise, exact=exact)

    def is_ready(self, images: int, index: int) -> bool:
        """Whether the exact densities of a group are on the disk."""
        name = f"densities-{images}-{self._sizes.group}-{self._sizes.seed}-{index}.npz"
        return (self._folder / name).is_file()
