"""Fitness by labels that other models gave: a MIG over the levels of a recursion."""

from __future__ import annotations

__all__ = ["LeafMIG"]

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import ClassVar, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.data import Progress
from unweave.errors import DataError, SpecError
from unweave.metrics.information.nmig import own_gaps
from unweave.population.fitness.base import Fitness, Measured
from unweave.population.fitness.levels import LeafCompat, Level, gaps, leaf_shares
from unweave.population.fitness.packed_labels import read_any_labels
from unweave.population.split import LabelSplit
from unweave.population.surrogate_labels import LabelLevel
from unweave.ranking.codes import encode
from unweave.run import Run
from unweave.spec import number, option
from unweave.splits import keyed_permutation
from unweave.training import TrainConfig

Drawn: TypeAlias = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Flat indices of images, (n,) ascending, and their labels, (n, C)."""


@final
class LeafMIG(Fitness):
    """MIG of labels that models of leaf-runs gave to the images of their levels.

    No true labels are read. Each file has the labels of one leaf-run: those of its first level on
    the whole dataset, those of each further one on the images of a cell, in which all that was
    learned before is constant. The score of a file is `leaf_mig` over its levels, so that every
    column of labels weighs the same, and that of a model the median over the files. Means over
    the models of `mig.K` and `nmig.K` of file K, from 0, stand in `further`.

    A column whose clusters were fit to choose a cell has these as labels, and says nothing of
    images that are in none of them. Any other is binned.

    References:
        | Robust Disentanglement of a Few Factors at a Time using rPU-VAE
        | Estermann, Marks, Yanik, 2020, arXiv 2010.13527
    """

    name: ClassVar[str] = "leaf_mig"

    files: tuple[str, ...] = option(default=(), help="Label files, one of each leaf-run.")
    samples: int = number(
        default=50_000, low=2, help="Images of each level, all of them where there are fewer."
    )
    bins: int = number(
        default=20, low=2, help="Equally wide bins for each latent and each column of labels."
    )
    compat: LeafCompat = option(
        default="none",
        help="rpu: the labels binned, and never clusters, as in the code of rPU-VAE.",
    )

    def validate(self) -> None:
        """Refuse a file that is given twice."""
        if len(set(self.files)) < len(self.files):
            raise SpecError(f"{self.name}: a file is given twice in {self.files}.")

    def check_config(self, config: TrainConfig, split: LabelSplit) -> None:
        """Refuse a single latent, and files that are missing, damaged or of other images."""
        if not self.files:
            raise SpecError(
                f"{self.name} reads labels that leaf-runs have written: give their files, such as "
                f"{self.name}(files=('run1/labels.npz', 'run2/labels.npz'))."
            )
        if config.latents < 2:
            raise SpecError(f"{self.name} compares two latents, but latents is {config.latents}.")
        for file in self.files:
            levels = read_any_labels(
                Path(file).expanduser(), size=split.images, dataset=str(config.dataset)
            ).levels
            columns = [column for level in levels for column in _labels(level, self.compat).T]
            if not any(len(np.unique(column[~np.isnan(column)])) > 1 for column in columns):
                raise DataError(
                    f"{file} has no labels that vary, so nothing can be known of them."
                )

    def measure(
        self,
        runs: Sequence[Run],
        split: LabelSplit,
        seed: int,
        progress: Progress | None = None,
    ) -> Measured:
        """The mean over the models of the median over the files."""
        drawn = [self._drawn(file, seed) for file in self.files]
        # Levels share images, and whole datasets are the first level of every file.
        rows = np.unique(np.concatenate([flat for levels in drawn for flat, _ in levels]))
        values: list[float | None] = []
        found: list[list[tuple[float, float]]] = []
        message = ""
        for k, run in enumerate(runs):
            codes, _ = encode(run, runs[0].dataset, rows, progress)
            try:
                each = [
                    self._score([(codes[np.searchsorted(rows, flat)], y) for flat, y in levels])
                    for levels in drawn
                ]
            except DataError as error:
                values.append(None)
                message = message or f"Model {k}: {error}"
                continue
            found.append(each)
            values.append(float(np.median([mig for mig, _ in each])))
        further = {}
        for k, scores in enumerate(zip(*found, strict=True)):
            further[f"mig.{k}"], further[f"nmig.{k}"] = np.mean(scores, axis=0).tolist()
        return Measured.of(values, further, message)

    def _score(self, levels: Sequence[Level]) -> tuple[float, float]:
        """MIG and nMIG of one file."""
        shares = leaf_shares(levels, bins=self.bins, compat=self.compat)
        return float(gaps(shares).mean()), float(own_gaps(shares).mean())

    def _drawn(self, file: str, seed: int) -> list[Drawn]:
        """Images and labels of each level of a file."""
        path = Path(file).expanduser()
        stamp = path.stat().st_mtime_ns if path.exists() else 0
        return _draw(path, stamp, self.samples, self.compat, seed)


@lru_cache(maxsize=8)
def _draw(path: Path, stamp: int, samples: int, compat: LeafCompat, seed: int) -> list[Drawn]:
    """Images and labels of each level of a file; the same for all members.

    They are kept, since all members of a population ask for them.

    Args:
        path: The label file.
        stamp: When it was changed.
        samples: Images of each level at most.
        compat: Whether labels may be clusters.
        seed: Which images those are; levels of equal size have the same ones.
    """
    drawn = []
    for k, level in enumerate(read_any_labels(path).levels):
        order = keyed_permutation(len(level.flat), seed, "labels of leaf-runs", k)
        chosen = np.sort(order[:samples])
        drawn.append((level.flat[chosen], _labels(level, compat)[chosen]))
    return drawn


def _labels(level: LabelLevel, compat: LeafCompat) -> NDArray[np.float32]:
    """Labels of a level, (n, C); clusters where these are good, NaN where an image has none."""
    labels = level.labels.copy()
    for c, column in enumerate(level.columns):
        if compat == "none" and len(column.intervals) > 1 and not column.note:
            ids = level.ids[:, c].astype(np.float32)
            labels[:, c] = np.where(ids < 0, np.nan, ids)
    return labels
