"""What a worker does between two populations: label images, and choose those of the next level."""

from __future__ import annotations

__all__ = ["label", "pack", "summary"]

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave.data import Dataset, DatasetSpec, Progress
from unweave.data.views.listed import Listed
from unweave.population.recursion.cells import Cell
from unweave.population.recursion.folder import CELL_FILE
from unweave.population.recursion.merging import agreement
from unweave.population.recursion.reduction import Reduction, Step, label_level
from unweave.population.recursion.siblings import SIBLING_IMAGES, agreed
from unweave.population.surrogate_labels import (
    LabelLevel,
    SurrogateLabels,
    read_labels,
    write_labels,
)
from unweave.ranking.codes import encode
from unweave.representation import Representation
from unweave.run import Run
from unweave.session import CHECKPOINT
from unweave.splits import keyed_permutation
from unweave.trained import fingerprint
from unweave.training.checkpoint import load_tensors

# Labels without clusters are compared with factors in so many bins.
_BINS = 20


def label(
    run: Run,
    whole: DatasetSpec,
    rows: NDArray[np.int64] | None,
    reduction: Reduction,
    folder: Path,
    *,
    level: int,
    rank: int,
    siblings: Sequence[Run] = (),
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Label all images that a run was trained on, and choose those of the next level.

    Args:
        run: The best model of a population.
        whole: The whole dataset.
        rows: Flat indices there of the run's images, (N,); None for all.
        reduction: How.
        folder: Gets `labels.npz`, where there are labels, and `cell.npy`, where there is a cell.
        level: From 0, that of the whole dataset.
        rank: Which cell is taken at level 0.
        siblings: The other models of the run's member, which tell how pure the labels are.
        progress: Shows the encoding.

    Returns:
        `images`; `labels`, a list as of `summary`; `cell`, None or `file`, `digest`, `images`,
        `values`, `purity`, `cells`, `factors` (of each true factor how many values it has in the
        cell, where they are known); `why`, empty where there is a cell; `skipped`; `kl`.
    """
    dataset = run.dataset
    flat = np.arange(len(dataset), dtype=np.int64)
    space, factors = dataset.known_factors(flat)
    mean, logvar = encode(run, dataset, flat, progress)
    table = Representation(mean=mean, factors=factors, factor_space=space, logvar=logvar)
    step = reduction.step(table, level=level, rank=rank)
    folder.mkdir(parents=True, exist_ok=True)
    places = flat if rows is None else rows
    digest = fingerprint(load_tensors(run.folder / CHECKPOINT))
    shares = _agreed(step, siblings, reduction, dataset, flat, level, progress)
    found = label_level(step, places, run=str(run.folder), digest=digest, agreed=shares)
    if found.columns:
        one = SurrogateLabels(dataset=str(whole), size=whole.count, levels=(found,))
        write_labels(folder / "labels.npz", one)
    cell: dict[str, Any] | None = None
    if isinstance(step.outcome, Cell):
        listed = Listed.write(whole, folder / CELL_FILE, places[step.outcome.positions])
        cell = {
            "file": listed.file,
            "digest": listed.digest,
            "images": len(step.outcome.positions),
            "values": dict(step.outcome.values),
            "purity": step.outcome.purity,
            "cells": step.outcome.cells,
            "factors": _values_left(factors[step.outcome.positions], space.names),
        }
    return {
        "images": len(flat),
        "labels": summary(found, dataset),
        "cell": cell,
        "why": "" if isinstance(step.outcome, Cell) else step.outcome.message,
        "skipped": {each.name: each.why for each in step.skipped},
        "kl": [round(float(value), 4) for value in step.active.kl],
    }


def summary(level: LabelLevel, dataset: Dataset) -> list[dict[str, Any]]:
    """What each label of a level is, and of which factor it tells most, where these are known.

    Args:
        level: The labels of all images of the dataset, in its order.
        dataset: Its images.
    """
    space, factors = dataset.known_factors(np.arange(len(dataset), dtype=np.int64))
    rows = []
    for c, column in enumerate(level.columns):
        row: dict[str, Any] = {
            "name": column.name,
            "latents": list(column.latents),
            "kl": round(column.kl, 4),
            "clusters": len(column.intervals),
            "purity": round(column.purity, 4),
            "coverage": round(column.coverage, 4),
            "agreed": None if column.agreed is None else round(column.agreed, 4),
            "circular": column.circular,
        }
        if factors.shape[1]:
            values = level.ids[:, c].astype(np.int64)
            known = values >= 0
            if not known.any():
                values, known = _binned(level.labels[:, c]), np.ones(len(values), np.bool_)
            agreed = [agreement(values[known], column_of[known]) for column_of in factors.T]
            best = int(np.argmax(agreed))
            row |= {"factor": space.names[best], "agreement": round(float(agreed[best]), 4)}
        rows.append(row)
    return rows


def pack(
    files: Sequence[Path], out: Path, whole: DatasetSpec, settings: Mapping[str, Any]
) -> None:
    """Put the labels of the levels of a leaf-run into one file.

    Args:
        files: Of the levels that have labels, the first one first.
        out: The file to write.
        whole: The whole dataset.
        settings: What else is to be known of them.

    Raises:
        RunError: A file is missing, or damaged, or of other images.
        UnweaveError: The file cannot be written.
    """
    levels = tuple(
        level
        for file in files
        for level in read_labels(file, size=whole.count, dataset=str(whole)).levels
    )
    packed = SurrogateLabels(
        dataset=str(whole), size=whole.count, levels=levels, settings=dict(settings)
    )
    write_labels(out, packed)


def _agreed(
    step: Step,
    siblings: Sequence[Run],
    reduction: Reduction,
    dataset: Dataset,
    flat: NDArray[np.int64],
    level: int,
    progress: Progress | None,
) -> list[float | None]:
    """How pure each label is by what the same reduction makes of the other models' codes."""
    if not any(label.clusters.count for label in step.labels):
        return [None] * len(step.labels)
    rows = np.sort(keyed_permutation(len(flat), 0, "siblings")[:SIBLING_IMAGES])
    space, factors = dataset.known_factors(flat[rows])
    others = []
    for sibling in siblings:
        mean, logvar = encode(sibling, dataset, flat[rows], progress)
        table = Representation(mean=mean, factors=factors, factor_space=space, logvar=logvar)
        labels = reduction.step(table, level=level, rank=0).labels
        others.append([label.clusters.ids for label in labels if label.clusters.count])
    found = [agreed(label.clusters.ids[rows], others) for label in step.labels]
    return [None if each is None else each.share for each in found]


def _binned(values: NDArray[np.float32]) -> NDArray[np.int64]:
    low, high = float(values.min()), float(values.max())
    width = (high - low) / _BINS or 1.0
    return np.asarray(np.minimum((values - low) // width, _BINS - 1), np.int64)


def _values_left(factors: NDArray[np.int64], names: Sequence[str]) -> dict[str, int]:
    """How many values of each factor some images have."""
    return {name: len(np.unique(column)) for name, column in zip(names, factors.T, strict=False)}
