"""Factors as Python gives them: a table, columns by name, or labels that come with the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike

from unweave.data.own.columns import Known, factor_name, known_grid, known_of, named_columns
from unweave.data.own.decoding import Unusable
from unweave.errors import DataError

__all__ = ["known_of_labels", "known_of_table", "split_item"]

_IMAGE: Final = "image"


def known_of_table(
    factors: Any,
    sizes: ArrayLike | None,
    names: Sequence[str] | None,
    count: int,
    bins: int,
    where: str,
) -> Known | None:
    """Factors of a table, (N, K) or (N,), of columns by name, of rows by name, or of a full grid.

    Raises:
        DataError: They do not fit the images, or each other.
    """
    if factors is None:
        return None if sizes is None else known_grid(sizes, names, count, where)
    if sizes is not None:
        raise DataError(f"{where}: give either factors or factor_sizes, not both.")
    if hasattr(factors, "keys"):
        # A mapping, or a table of pandas.
        if names is not None:
            raise DataError(f"{where}: a mapping has names of its own: leave factor_names out.")
        keys = list(factors.keys())
        columns = {factor_name(str(key)): np.asarray(factors[key]) for key in keys}
        for key, column in columns.items():
            if column.shape != (count,) or len(columns) < len(keys):
                raise DataError(
                    f"{where}: {key} must have a name of its own and one value for each of the "
                    f"{count:,} images, but has the shape {column.shape}."
                )
        return known_of(columns, bins, where) if columns else None
    if isinstance(factors, Sequence) and factors and isinstance(factors[0], Mapping):
        return known_of_labels(factors, names, count, bins, where)
    return known_of(named_columns(factors, names, count, where), bins, where)


def split_item(item: Any) -> tuple[Any, Any]:
    """An image and its labels, None without.

    Raises:
        Unusable: There is no image.
    """
    if isinstance(item, tuple | list):
        if not item:
            raise Unusable("an item that is empty")
        if len(item) == 1:
            return item[0], None
        return item[0], item[1] if len(item) == 2 else tuple(item[1:])
    if isinstance(item, Mapping):
        if _IMAGE not in item:
            there = ", ".join(map(str, item)) or "nothing"
            raise Unusable(f"a mapping without {_IMAGE!r}; it has {there}")
        return item[_IMAGE], {key: item[key] for key in item if key != _IMAGE} or None
    return item, None


def known_of_labels(
    rows: Sequence[Any], names: Sequence[str] | None, count: int, bins: int, where: str
) -> Known | None:
    """Factors of labels, one of each image: a value, several, or a mapping by name.

    Raises:
        DataError: They are not of one form, or do not fit the images.
    """
    if isinstance(rows[0], Mapping):
        keys = list(rows[0])
        for index, row in enumerate(rows):
            if not isinstance(row, Mapping) or list(row) != keys:
                raise DataError(
                    f"{where}: the labels of image {index} are not of "
                    f"{', '.join(map(str, keys))}, as those of the first."
                )
        table = {str(key): [_value(row[key]) for row in rows] for key in keys}
        return known_of_table(table, None, names, count, bins, where)
    first = _values(rows[0])
    cells = [_values(row) for row in rows]
    for index, row in enumerate(cells):
        if len(row) != len(first):
            raise DataError(
                f"{where}: image {index} has {len(row)} labels, but the first has {len(first)}."
            )
    columns = np.empty((len(cells), len(first)), dtype=object)
    columns[:] = cells
    return known_of(named_columns(columns, names, count, where), bins, where)


def _values(label: Any) -> list[Any]:
    """The labels of one image, as plain values."""
    if hasattr(label, "detach"):
        label = label.detach().cpu().numpy()
    if isinstance(label, tuple | list):
        return [_value(each) for each in label]
    return np.asarray(label).reshape(-1).tolist()


def _value(label: Any) -> Any:
    """A label as a number or text of Python."""
    return label.item() if hasattr(label, "item") else label
