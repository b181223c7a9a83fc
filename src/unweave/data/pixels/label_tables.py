"""Factors and labels of images, as tables that lie beside them in a store."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unweave.data.labels import Labels
from unweave.data.pixels.manifest import MANIFEST, remedy
from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.rundir import flush

__all__ = ["read_labels", "write_labels"]

_FACTORS: Final = "factors.npy"
_VALUES: Final = "values.npy"


def write_labels(folder: Path, space: FactorSpace, labels: Labels, count: int) -> dict[str, Any]:
    """Write the tables, and return what the manifest says of them."""
    if len(labels.indices) != count:
        raise ValueError(f"expected labels of {count} images, not {len(labels.indices)}")
    tables: dict[str, NDArray[Any]] = {_FACTORS: space.check_indices(labels.indices)}
    if labels.values is not None:
        tables[_VALUES] = np.asarray(labels.values, np.float64)
    digests = {}
    for name, table in tables.items():
        stream = io.BytesIO()
        np.save(stream, table)
        digests[name] = hashlib.sha256(stream.getvalue()).hexdigest()
        with (folder / name).open("wb") as handle:
            handle.write(stream.getvalue())
            flush(handle)
    return {"factors": space.to_list(), "sha256": digests}


def read_labels(folder: Path, form: Mapping[str, Any]) -> tuple[FactorSpace, Labels]:
    """Read what `write_labels` wrote.

    Args:
        folder: The store.
        form: What its manifest says of the tables.

    Raises:
        DataError: They are damaged.
    """
    try:
        space = FactorSpace.from_list(form["factors"])
        sums = {name: str(form["sha256"][name]) for name in (_FACTORS, *form["sha256"])}
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f"{folder / MANIFEST} is damaged: what it says of the factors does not fit together. "
            f"{remedy(folder)}"
        ) from None
    tables: list[NDArray[Any]] = []
    for name, expected in sums.items():
        path = folder / name
        try:
            data = path.read_bytes()
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}. {remedy(folder)}") from None
        if hashlib.sha256(data).hexdigest() != expected:
            raise DataError(f"{path} is damaged. {remedy(folder)}")
        tables.append(np.load(io.BytesIO(data)))
    values = tables[1] if len(tables) > 1 else None
    return space, Labels(tables[0], values)
