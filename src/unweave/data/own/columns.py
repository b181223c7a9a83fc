"""Columns of anyone's table as factors: numbers, texts, and numbers that vary continuously."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave.data.labels import Labels
from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace

__all__ = ["Known", "factor_name", "known_grid", "known_of", "named_columns"]

# As scores of arrays judge it: numbers with fractions that take more values are continuous.
_FEW, _MANY = 20, 1000
_NOTHING: Final = ("na", "n/a", "none", "null", "-", "--", "?", ".")
"""What is written for a number that is missing."""


@final
@dataclass(frozen=True, eq=False)
class Known:
    """What is known of the images' factors.

    Args:
        space: The factors.
        labels: Those of each image, None for a full grid in C order.
    """

    space: FactorSpace
    labels: Labels | None


def known_of(columns: Mapping[str, ArrayLike], bins: int, where: str) -> Known:
    """Factors of images, of one column each.

    Whole numbers and numbers with few different values become ordinal factors whose values are
    those that occur, in increasing order; texts become categorical ones, in the order of the
    alphabet. Numbers with fractions that take more than 20 values, and more than half as many as
    there are rows or more than 1,000, are continuous: they get the index of one of `bins` equal
    intervals between the smallest and the largest, with its middle as value, and keep their exact
    values beside it. When the rows are every combination once, in C order, it is a full grid.

    Args:
        columns: Values of each factor, (N,), by its name.
        bins: Intervals of continuous factors.
        where: What the columns are from, the beginning of messages.

    Raises:
        DataError: A value is missing, or of no kind that can be a factor.
        SpecError: A name is no identifier.
    """
    factors, indices, exact = [], [], []
    continuous = False
    for name, column in columns.items():
        values = _plain(np.asarray(column).reshape(-1), f"{where}: {name}")
        factor, index, numbers = _factor(name, values, bins)
        continuous = continuous or numbers is not None
        if numbers is None:
            numbers = np.asarray(
                index if factor.values is None else np.array(factor.values)[index], np.float64
            )
        factors.append(factor)
        indices.append(index)
        exact.append(numbers)
    combinations = math.prod(factor.size for factor in factors)
    if combinations > np.iinfo(np.int64).max:
        raise DataError(
            f"{where}: its {len(factors)} factors have about 10^{len(str(combinations)) - 1} "
            "combinations, more than can be counted, 2^63. Take fewer columns, or fewer bins of "
            "those that are continuous."
        )
    space = FactorSpace(tuple(factors))
    table = np.stack(indices, axis=1)
    whole = not continuous and space.size == len(table)
    if whole and np.array_equal(space.ravel(table), np.arange(len(table))):
        return Known(space, None)
    return Known(space, Labels(table, np.stack(exact, axis=1) if continuous else None))


def known_grid(
    sizes: ArrayLike, names: Sequence[str] | None, count: int | None, where: str
) -> Known:
    """The full grid of factors of these sizes, in C order, for so many images if any are given.

    Raises:
        DataError: It has another number of images, or the sizes are none.
    """
    given = np.asarray(sizes)
    if given.ndim != 1 or not given.size or given.dtype.kind not in "iu" or given.min() < 1:
        raise DataError(f"{where}: factor_sizes must be whole numbers of at least 1, not {given}.")
    numbers = [int(size) for size in given]
    named = _names(names, len(numbers), where)
    space = FactorSpace(tuple(Factor(n, s) for n, s in zip(named, numbers, strict=True)))
    if count not in (None, space.size):
        raise DataError(
            f"{where}: factor_sizes {tuple(numbers)} make a grid of {space.size:,} images, but "
            f"there are {count:,}. Without factors the images must be the full grid in C order, "
            "the last factor fastest; for others give factors, (N, K)."
        )
    return Known(space, None)


def named_columns(
    table: ArrayLike, names: Sequence[str] | None, count: int, where: str
) -> dict[str, NDArray[Any]]:
    """The columns of a table, (N, K) or (N,), by their names; `factor_0`, ... without any.

    Raises:
        DataError: It does not fit the names or the images.
    """
    try:
        array = np.asarray(table)
    except ValueError:
        raise DataError(f"{where}: the rows of factors differ in length.") from None
    array = array[:, np.newaxis] if array.ndim == 1 else array
    if array.ndim != 2 or len(array) != count or not array.shape[1]:
        raise DataError(
            f"{where}: factors must have the shape ({count}, K), one row an image, not "
            f"{array.shape}."
        )
    named = _names(names, array.shape[1], where)
    return {name: array[:, column] for column, name in enumerate(named)}


def factor_name(text: str) -> str:
    """The name of a column as an identifier: what cannot be in one becomes `_`."""
    return re.sub(r"\W|^(?=\d)", "_", text.strip())


def _names(given: Sequence[str] | None, count: int, where: str) -> list[str]:
    if given is None:
        return [f"factor_{column}" for column in range(count)]
    names = [factor_name(str(name)) for name in given]
    if len(names) != count or len(set(names)) < count:
        raise DataError(
            f"{where}: {count} factors need {count} different names, not "
            f"{', '.join(map(str, given)) or 'none'}."
        )
    return names


def _factor(
    name: str, values: NDArray[Any], bins: int
) -> tuple[Factor, NDArray[np.int64], NDArray[np.float64] | None]:
    """A factor, the index of each row, and the exact values of one that is continuous."""
    found, inverse = np.unique(values, return_inverse=True)
    index = inverse.reshape(-1).astype(np.int64)
    if values.dtype.kind == "U":
        labels = tuple(found.tolist())
        return Factor(name, len(found), kind="categorical", labels=labels), index, None
    limit = max(_FEW, min(_MANY, len(values) // 2))
    if values.dtype.kind == "f" and len(found) > limit:
        low, width = float(found[0]), float(found[-1]) - float(found[0])
        middles = low + width * (np.arange(bins) + 0.5) / bins
        place = ((values - low) / width * bins).astype(np.int64)
        # The largest value belongs to the last interval.
        return Factor(name, bins, tuple(middles.tolist())), np.minimum(place, bins - 1), values
    return Factor(name, len(found), tuple(float(value) for value in found)), index, None


def _plain(column: NDArray[Any], where: str) -> NDArray[Any]:
    """A column as int64, float64 or texts; none is missing."""
    if column.dtype.kind in "OS":
        column = _unpacked(column, where)
    if column.dtype.kind in "UT":
        return _numbers_or_texts(column.astype(np.str_), where)
    if column.dtype.kind in "biu":
        return column.astype(np.int64)
    if column.dtype.kind != "f":
        raise DataError(f"{where} must be numbers or texts, not of type {column.dtype}.")
    _check_present(~np.isfinite(column), column, where)
    numbers = column.astype(np.float64)
    # Whole numbers above this are not told apart as floats.
    whole = bool((np.round(numbers) == numbers).all()) and np.abs(numbers).max(initial=0) < 2**53
    return numbers.astype(np.int64) if whole else numbers


def _unpacked(column: NDArray[Any], where: str) -> NDArray[Any]:
    """A column of Python objects or bytes as numbers or texts."""
    values = [each.item() if isinstance(each, np.generic) else each for each in column.tolist()]
    try:
        values = [each.decode() if isinstance(each, bytes) else each for each in values]
    except UnicodeDecodeError as error:
        raise DataError(f"{where} has texts that are not in UTF-8: {error}.") from error
    # Only NaN differs from itself.
    gone = np.array([value is None or value != value for value in values])
    _check_present(gone, column, where)
    if all(isinstance(value, str) for value in values):
        return np.array(values, np.str_)
    if all(isinstance(value, bool | int | float) for value in values):
        return np.array(values)
    raise DataError(f"{where} mixes texts with other values: make it one kind.")


def _numbers_or_texts(column: NDArray[np.str_], where: str) -> NDArray[Any]:
    """Numbers, where every text is one; else the texts."""
    column = np.char.strip(column)
    lower = np.char.lower(column)
    _check_present((lower == "") | (lower == "nan"), column, where)
    try:
        return column.astype(np.int64)
    except (ValueError, OverflowError):
        pass
    try:
        return _plain(column.astype(np.float64), where)
    except ValueError:
        pass
    # Among texts such a word may be a value, among numbers it stands for none.
    nothing = np.isin(lower, _NOTHING)
    if nothing.any() and not nothing.all() and _are_numbers(column[~nothing]):
        _check_present(nothing, column, where)
    return column


def _are_numbers(column: NDArray[np.str_]) -> bool:
    try:
        column.astype(np.float64)
    except ValueError:
        return False
    return True


def _check_present(gone: NDArray[np.bool_], column: NDArray[Any], where: str) -> None:
    if gone.any():
        row = int(np.argmax(gone))
        raise DataError(
            f"{where} has no value in {int(gone.sum()):,} of {len(gone):,} rows; the first is "
            f"row {row}, which has {column.tolist()[row]!r}. Fill them in, or leave such images "
            "out."
        )
