"""Label files of leaf-runs: our own, and those that the code of rPU-VAE packed."""

from __future__ import annotations

__all__ = ["read_any_labels"]

import itertools
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError, RunError
from unweave.population.surrogate_labels import (
    LabelColumn,
    LabelLevel,
    SurrogateLabels,
    compose,
    read_labels,
)

# Kinds of arrays of whole numbers and of numbers with a point.
_NUMBERS = "iuf"
_BROKEN = (OSError, EOFError, ValueError, TypeError, zipfile.BadZipFile, zlib.error)


def read_any_labels(
    path: Path, *, size: int | None = None, dataset: str | None = None
) -> SurrogateLabels:
    """Read a label file, or one that the code of rPU-VAE has packed.

    That code keeps `labels_K`, (n, C), the means of active latents on the images of level K, and
    `indices_K`, which of these images are those of level K + 1; those of the last level are a
    placeholder. Which dataset they are of, which latents they were and their KL it does not keep:
    the first level must have a row for each image, in the dataset's order; columns are numbered,
    with a KL of 0.

    Args:
        path: The npz file.
        size: Images of the dataset that it must be of; None for any.
        dataset: The dataset that it must be of; None for any. A packed file is taken at its word.

    Raises:
        RunError: The file is missing, damaged, no label file, or of another dataset.
    """
    path = Path(path)
    arrays = _packed(path)
    if arrays is None:
        return read_labels(path, size=size, dataset=dataset)
    try:
        levels = _levels(arrays)
        labels = SurrogateLabels(
            dataset=dataset or "", size=len(levels[0].flat), levels=levels, settings={}
        )
    except DataError as error:
        raise RunError(f"{path} has packed labels that do not fit together: {error}") from None
    if size is not None and labels.size != size:
        raise RunError(
            f"{path} has labels of a dataset of {labels.size:,} images, and not of {size:,}."
        )
    return labels


def _packed(path: Path) -> dict[str, NDArray[Any]] | None:
    """The arrays of a packed file; None for any other file."""
    try:
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as found:
            if "summary" in found.files or not {"labels_0", "indices_0"} <= set(found.files):
                return None
            return {name: found[name] for name in found.files}
    except (*_BROKEN, AttributeError):
        # Whoever reads it as one of our own says what is wrong with it.
        return None


def _levels(arrays: Mapping[str, NDArray[Any]]) -> tuple[LabelLevel, ...]:
    """All levels of a packed file, each with its images in the order of the dataset.

    Raises:
        DataError: Labels and indices do not fit together.
    """
    first = arrays["labels_0"]
    flat = np.arange(len(first) if first.ndim else 0, dtype=np.int64)
    levels: list[LabelLevel] = []
    for k in itertools.takewhile(lambda k: f"indices_{k}" in arrays, itertools.count()):
        if k:
            flat = compose(flat, _positions(arrays, k - 1))
        labels = arrays.get(f"labels_{k}")
        if labels is None or not labels.ndim or len(labels) != len(flat):
            count = "none" if labels is None or not labels.ndim else f"{len(labels):,}"
            raise DataError(f"level {k} has {len(flat):,} images, and labels of {count}.")
        if labels.dtype.kind not in _NUMBERS or not len(labels):
            raise DataError(
                f"labels_{k} must be numbers of one image or more, not {labels.dtype} "
                f"{labels.shape}."
            )
        values = np.asarray(labels, np.float32).reshape(len(flat), -1)
        order = np.argsort(flat, kind="stable")
        columns = tuple(
            LabelColumn(name=f"active {c}", latents=(c,), kl=0.0) for c in range(values.shape[1])
        )
        ids = np.full(values.shape, -1, np.int32)
        level = LabelLevel(flat=flat[order], labels=values[order], ids=ids, columns=columns)
        levels.append(level)
    return tuple(levels)


def _positions(arrays: Mapping[str, NDArray[Any]], level: int) -> NDArray[np.int64]:
    """Which images of a level are those of the next one, (n,).

    Raises:
        DataError: They are no whole numbers.
    """
    found = arrays[f"indices_{level}"].ravel()
    if found.dtype.kind not in _NUMBERS or not (found == np.trunc(found)).all():
        raise DataError(f"indices_{level} must be whole numbers, not {found.dtype}.")
    return found.astype(np.int64)
