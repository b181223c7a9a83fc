"""The label file of a leaf-run: what its models say of the images of each level."""

from __future__ import annotations

__all__ = [
    "LabelColumn",
    "LabelLevel",
    "SurrogateLabels",
    "compose",
    "read_labels",
    "write_labels",
]

import dataclasses
import json
import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError, RunError
from unweave.rundir import atomic_write

FORMAT: Final = 1

_SUMMARY = "summary"


@final
@dataclass(frozen=True, kw_only=True)
class LabelColumn:
    """Where one column of labels comes from.

    Attributes:
        name: Unique in its level, such as `latent 3` or `ring of 2 and 5`.
        latents: Numbers of the latents, one, or the two of a ring.
        kl: Their KL to the prior in nats, the sum of a ring's.
        purity: Mean probability with which an image is its cluster's; 0 without clusters.
        coverage: Share of the images in usable clusters.
        agreed: How pure the clusters are by the labels of the member's other models, as
            `recursion.siblings` says it; None where none of them has the label.
        circular: Whether the labels are angles in radians.
        intervals: From where to below where each cluster goes; where a circle is cut open, the
            last may end beyond a turn.
        note: Why there are no clusters, or why they had no say in the cell; else empty.
    """

    name: str
    latents: tuple[int, ...]
    kl: float
    purity: float = 0.0
    coverage: float = 0.0
    agreed: float | None = None
    circular: bool = False
    intervals: tuple[tuple[float, float], ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        """Check the numbers."""
        if len(self.latents) != 1 + self.circular:
            raise DataError(f"Labels {self.name} come from {len(self.latents)} latents.")
        numbers = (self.kl, *(bound for pair in self.intervals for bound in pair))
        if not all(map(math.isfinite, numbers)):
            raise DataError(f"KL and intervals of labels {self.name} must be finite.")
        shares = (self.purity, self.coverage, 0.0 if self.agreed is None else self.agreed)
        if not all(0 <= share <= 1 for share in shares):
            raise DataError(
                f"Purity, coverage and agreed share of labels {self.name} must be from 0 to 1, "
                f"but are {self.purity}, {self.coverage} and {self.agreed}."
            )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class LabelLevel:
    """Labels that one model gives to the images of one level.

    Attributes:
        flat: Indices of its images in the whole dataset, ascending, (n,) int64.
        labels: Raw values, (n, L) float32: posterior means, or angles in radians.
        ids: Clusters, (n, L) int32; -1 where a label has none, or an image is in none of them.
        columns: What the columns are, L of them.
        run: Path of the run of the model.
        digest: Of its weights, as `trained.fingerprint` gives it.
    """

    flat: NDArray[np.int64]
    labels: NDArray[np.float32]
    ids: NDArray[np.int32]
    columns: tuple[LabelColumn, ...]
    run: str = ""
    digest: str = ""

    def __post_init__(self) -> None:
        """Check shapes and values."""
        if self.flat.ndim != 1 or not len(self.flat) or self.flat.dtype != np.int64:
            raise DataError(
                f"Indices must be int64 (n,), n at least 1, not {self.flat.dtype} "
                f"{self.flat.shape}."
            )
        if self.flat[0] < 0 or not (np.diff(self.flat) > 0).all():
            raise DataError("Indices of a level must be at least 0, and ascend.")
        shape = (len(self.flat), len(self.columns))
        for name, array, kind in (("labels", self.labels, "f4"), ("ids", self.ids, "i4")):
            if array.shape != shape or array.dtype != np.dtype(kind):
                raise DataError(
                    f"{name} must be {np.dtype(kind)} {shape}, one row an image and one column a "
                    f"label, not {array.dtype} {array.shape}."
                )
        if not np.isfinite(self.labels).all():
            raise DataError("Labels must be finite.")
        counts = [len(column.intervals) for column in self.columns]
        if (self.ids < -1).any() or (self.ids >= np.array(counts, np.int64)).any():
            raise DataError("Ids must be at least -1, and less than the number of clusters.")
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names):
            raise DataError(f"Names of labels must differ, but are {names}.")

    def only(self, columns: Sequence[int]) -> Self:
        """The same level with some of its columns."""
        chosen = list(columns)
        return dataclasses.replace(
            self,
            labels=self.labels[:, chosen],
            ids=self.ids[:, chosen],
            columns=tuple(self.columns[c] for c in chosen),
        )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SurrogateLabels:
    """All labels of a leaf-run.

    Attributes:
        dataset: Text of the dataset, or its fingerprint.
        size: Images of the whole dataset.
        levels: From the level of the whole dataset on; the images of each are among those of the
            one before.
        settings: What else is to be known of how they came about, in a form for JSON.
    """

    dataset: str
    size: int
    levels: tuple[LabelLevel, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that the levels are parts of the dataset, each of the one before."""
        before = np.arange(0)
        for k, level in enumerate(self.levels):
            if level.flat[-1] >= self.size:
                raise DataError(
                    f"Level {k} has image {level.flat[-1]:,}, but the dataset has {self.size:,}."
                )
            if k and not np.isin(level.flat, before, assume_unique=True).all():
                raise DataError(f"Level {k} has images that level {k - 1} does not have.")
            before = level.flat

    def positions(self, level: int) -> NDArray[np.int64]:
        """Positions of a level's images in the level before, int64; of level 0 in the dataset."""
        if not level:
            return self.levels[0].flat
        found = np.searchsorted(self.levels[level - 1].flat, self.levels[level].flat)
        return found.astype(np.int64)


def compose(flat: NDArray[np.int64], *positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indices in the whole dataset of images that are told by positions, level by level.

    Args:
        flat: Indices of the images of the first level, (n,).
        *positions: Positions of each further level's images in the level before.

    Returns:
        Indices of the images of the last level, int64.

    Raises:
        DataError: A position is out of range.

    Example:
        >>> compose(np.array([10, 20, 30, 40]), np.array([1, 2, 3]), np.array([0, 2]))
        array([20, 40])
    """
    for k, chosen in enumerate(positions):
        if len(chosen) and not 0 <= chosen.min() <= chosen.max() < len(flat):
            raise DataError(
                f"Positions of level {k + 1} must be from 0 to below {len(flat):,}, but go from "
                f"{chosen.min():,} to {chosen.max():,}."
            )
        flat = flat[chosen]
    return flat


def write_labels(path: Path, labels: SurrogateLabels) -> None:
    """Write a label file: an npz with a JSON text inside, whole or not at all.

    Raises:
        UnweaveError: The file cannot be written.
        DataError: The settings have no form for JSON.
    """
    summary = {
        "format": FORMAT,
        "dataset": labels.dataset,
        "size": labels.size,
        "settings": dict(labels.settings),
        "levels": [
            {
                "run": level.run,
                "digest": level.digest,
                "columns": [dataclasses.asdict(column) for column in level.columns],
            }
            for level in labels.levels
        ],
    }
    try:
        text = json.dumps(summary, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(f"Settings of labels must have a form for JSON: {error}.") from None
    arrays: dict[str, NDArray[Any]] = {_SUMMARY: np.frombuffer(text.encode(), np.uint8)}
    for k, level in enumerate(labels.levels):
        arrays |= {f"flat_{k}": level.flat, f"labels_{k}": level.labels, f"ids_{k}": level.ids}
    with atomic_write(path) as handle:
        np.savez_compressed(handle, **arrays)  # type: ignore[arg-type]


def read_labels(
    path: Path, *, size: int | None = None, dataset: str | None = None
) -> SurrogateLabels:
    """Read a label file, and check all of it.

    Args:
        path: The npz file.
        size: Images of the dataset that it must be of; None for any.
        dataset: The dataset that it must be of; None for any.

    Raises:
        RunError: The file is missing, damaged, no label file, or of another dataset.
    """
    path = Path(path)
    try:
        # NumPy leaves files open that it cannot read.
        with path.open("rb") as handle, np.load(handle, allow_pickle=False) as arrays:
            summary = json.loads(arrays[_SUMMARY].tobytes())
            if summary["format"] != FORMAT:
                raise RunError(f"{path} has another format than this version reads.")
            levels = tuple(
                LabelLevel(
                    flat=arrays[f"flat_{k}"],
                    labels=arrays[f"labels_{k}"],
                    ids=arrays[f"ids_{k}"],
                    columns=tuple(map(_column, level["columns"])),
                    run=str(level["run"]),
                    digest=str(level["digest"]),
                )
                for k, level in enumerate(summary["levels"])
            )
        labels = SurrogateLabels(
            dataset=str(summary["dataset"]),
            size=int(summary["size"]),
            levels=levels,
            settings=dict(summary["settings"]),
        )
    except FileNotFoundError:
        raise RunError(f"{path} does not exist.") from None
    except DataError as error:
        raise RunError(f"{path} is damaged, so make the labels anew: {error}") from None
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path} is not a label file: {error}.") from None
    except (zipfile.BadZipFile, zlib.error) as error:
        raise RunError(f"{path} is damaged, so make the labels anew: {error}.") from None
    if size is not None and labels.size != size:
        raise RunError(
            f"{path} has labels of a dataset of {labels.size:,} images, and not of {size:,}."
        )
    if dataset is not None and labels.dataset != dataset:
        raise RunError(f"{path} has labels of {labels.dataset}, and not of {dataset}.")
    return labels


def _column(form: Mapping[str, Any]) -> LabelColumn:
    fields = dict(form)
    fields["latents"] = tuple(int(j) for j in form["latents"])
    fields["intervals"] = tuple((float(a), float(b)) for a, b in form["intervals"])
    return LabelColumn(**fields)
