"""Published files that are too large to be made: small ones to prepare, and MPI3D without one."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from reference.published import PUBLISHED
from reference.sprites_archive import published_arrays, write_npz
from unweave.data.files import mpi3d
from unweave.data.render import rooms, sprites
from unweave.factors import Factor, FactorSpace

__all__ = ["GRID_FILES", "grid_file", "mpi3d_without_a_file"]

GRID_FILES = ("dsprites", "shapes3d", "mpi3d")
_OPEN = mpi3d.open_archive


@contextmanager
def grid_file(name: str, folder: Path) -> Iterator[Path]:
    """A block in which a file of two or three values of each factor is taken for the whole."""
    if name == "mpi3d":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(mpi3d, "open_archive", _OPEN)
            yield Path(PUBLISHED["mpi3d"](folder, patch).split("'")[1])
        return
    module = {"dsprites": sprites, "shapes3d": rooms}[name]
    space = FactorSpace(tuple(_of_two(factor) for factor in module.FACTOR_SPACE.factors))
    write = {"dsprites": _write_dsprites, "shapes3d": _write_shapes3d}[name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FACTOR_SPACE", space)
        yield write(folder, space)


@contextmanager
def mpi3d_without_a_file(path: Path, subset: mpi3d.Subset) -> Iterator[SimpleNamespace]:
    """Stands for `open_archive`: random images for whatever combinations are kept."""
    count = mpi3d.published_images(subset)

    def blocks(kept: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        images = 255 * _coarse(math.prod(map(len, kept)), 3)
        yield images.reshape(len(images), -1)

    yield SimpleNamespace(images=count, space=mpi3d.factor_space(subset, count), blocks=blocks)


def _of_two(factor: Factor) -> Factor:
    return dataclasses.replace(
        factor,
        size=2,
        values=factor.values and factor.values[:2],
        labels=factor.labels and factor.labels[:2],
        closed=False,
    )


def _coarse(*shape: int) -> np.ndarray:
    """Random images of 4x4 squares, which are quickly compressed: (N, 64, 64, ...)."""
    count, *channels = shape
    small = np.random.default_rng(0).integers(0, 2, (count, 4, 4, *channels), dtype=np.uint8)
    return small.repeat(16, axis=1).repeat(16, axis=2)


def _write_dsprites(folder: Path, space: FactorSpace) -> Path:
    return write_npz(folder / "dsprites.npz", published_arrays(space, _coarse(space.size)))


def _write_shapes3d(folder: Path, space: FactorSpace) -> Path:
    labels = list(itertools.product(*(factor.values for factor in space.factors)))
    with h5py.File(folder / "3dshapes.h5", "w") as file:
        file.create_dataset("images", data=255 * _coarse(space.size, 3), compression="gzip")
        file.create_dataset("labels", data=np.array(labels, float))
    return folder / "3dshapes.h5"
