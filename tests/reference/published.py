"""Small files in the layouts of published archives, and datasets that take them for the whole."""

from __future__ import annotations

import dataclasses
import io
import zipfile

import numpy as np
from PIL import Image

from unweave.data.files import mpi3d as mpi3d_file
from unweave.data.sets import falcor3d, isaac3d
from unweave.factors import Factor, FactorSpace

__all__ = ["PUBLISHED", "few", "png", "write_mpi3d", "write_pngs"]


def write_mpi3d(path, images, how=np.savez):
    """An npz with the images alone, stored as published."""
    how(path, images=images)
    return path


def png(pixels):
    """The bytes of a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def write_pngs(path, layout, images, changes=()):
    """A zip of numbered images beside a table of factor values.

    `changes` are members with other bytes, or None for one that is left out.
    """
    space = layout.space
    table = io.BytesIO()
    np.save(table, space.values(space.unravel(np.arange(space.size))))
    members = {layout.labels: table.getvalue()}
    for place, pixels in enumerate(images):
        members[f"images/{place:06}.png"] = png(pixels)
    members |= dict(changes)
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            if content is not None:
                file.writestr(f"{layout.folder}/{name}", content)
    return path


def few(layout, sizes):
    """A layout of the same factors, each with fewer values."""
    factors = tuple(
        Factor(factor.name, size, tuple(np.linspace(0, 1, size).tolist()), factor.kind)
        for factor, size in zip(layout.space.factors, sizes, strict=True)
    )
    return dataclasses.replace(layout, space=FactorSpace(factors))


def _coarse(count, side):
    """Random images of large squares, which are quickly compressed."""
    small = np.random.default_rng(0).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return small.repeat(side // 8, axis=1).repeat(side // 8, axis=2)


def _mpi3d(folder, patch):
    sizes = {192: (2, 2, 2, 3, 2, 2, 2), 128: (2, 2, 2, 2, 2, 2, 2)}
    patch.setattr(mpi3d_file, "SIZES", sizes)
    path = write_mpi3d(folder / "toy.npz", _coarse(192, 64))
    return f"mpi3d(path={str(path)!r})"


def _pngs(module, name):
    def write(folder, patch):
        layout = few(module.LAYOUT, [2] * len(module.LAYOUT.space.factors))
        patch.setattr(module, "LAYOUT", layout)
        path = write_pngs(folder / "file.zip", layout, _coarse(layout.space.size, 128))
        return f"{name}(path={str(path)!r})"

    return write


PUBLISHED = {
    "falcor3d": _pngs(falcor3d, "falcor3d"),
    "isaac3d": _pngs(isaac3d, "isaac3d"),
    "mpi3d": _mpi3d,
}
"""By the name of a dataset: writes a small archive to a folder and gives the dataset's text."""
