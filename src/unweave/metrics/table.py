"""Anyone's arrays as a table of codes: what is accepted, and what is said of all else."""

from __future__ import annotations

__all__ = ["table_from_arrays", "table_without_factors"]

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace
from unweave.representation import Representation

# A factor of numbers with fractions that takes more values than this is taken to be continuous.
_FEW, _MANY = 20, 1000


def table_from_arrays(
    codes: ArrayLike,
    factors: ArrayLike | None = None,
    *,
    factor_sizes: Sequence[int] | NDArray[np.integer] | None = None,
    factor_names: Sequence[str] | None = None,
    logvar: ArrayLike | None = None,
) -> Representation:
    """A table of codes from arrays.

    Numbers of single precision stay so, all other codes become double precision. Each column of
    factors becomes a factor whose values are those that occur, in increasing order: numbers, and
    texts that are numbers, by size; other texts by the alphabet. With `factor_sizes` the factors
    are indices from 0 instead, so that a value that does not occur counts all the same.

    Args:
        codes: Codes of N rows, (N, L) numbers.
        factors: Whole numbers, texts, or numbers with fractions that take few values, (N, K).
            None when the rows are the full grid, in C order, the last factor fastest.
        factor_sizes: Number of values of each factor, (K,); needed when there are no `factors`.
        factor_names: Names of the factors, K identifiers; `factor_0`, ... when there are none.
        logvar: Logarithms of posterior variances, (N, L), for the metrics that need them.

    Raises:
        DataError: The arrays do not fit together, or a value cannot be used; the message says
            where it is, and what to do.
        SpecError: A factor's name is no identifier, or two are the same.
    """
    mean = _numbers("codes", codes)
    rows = len(mean)
    if rows < 2:
        raise DataError(f"A table needs at least 2 rows to be scored, but codes has {rows}.")
    if factors is None:
        sizes = _sizes(factor_sizes)
        space = FactorSpace(_factors(sizes, factor_names))
        if space.size != rows:
            raise DataError(
                f"factor_sizes {sizes} make a grid of {space.size:,} rows, but codes has "
                f"{rows:,}. Without factors the rows must be the full grid in C order, the last "
                f"factor fastest; for other rows give factors, (N, K)."
            )
        indices = space.unravel(np.arange(rows))
    else:
        columns = _columns(factors, mean)
        names = _names(factor_names, len(columns))
        if factor_sizes is not None:
            sizes = _sizes(factor_sizes)
            space = FactorSpace(_factors(sizes, factor_names, len(columns)))
            indices = _as_indices(columns, space)
        else:
            found = [_categories(n, c) for n, c in zip(names, columns, strict=True)]
            space = FactorSpace(tuple(factor for factor, _ in found))
            indices = np.stack([column for _, column in found], axis=1)
    return Representation(
        mean=mean,
        factors=indices,
        factor_space=space,
        logvar=None if logvar is None else _logvar(logvar, mean.shape),
    )


def table_without_factors(codes: ArrayLike, *, logvar: ArrayLike | None = None) -> Representation:
    """A table of codes whose factors are not known, for metrics that need none.

    Args:
        codes: Codes of N rows, (N, L) numbers.
        logvar: Logarithms of posterior variances, (N, L), for the metrics that need them.

    Raises:
        DataError: The arrays do not fit together, or a value cannot be used.
    """
    mean = _numbers("codes", codes)
    if len(mean) < 2:
        raise DataError(f"A table needs at least 2 rows to be scored, but codes has {len(mean)}.")
    return Representation(
        mean=mean,
        factors=np.empty((len(mean), 0), np.int64),
        factor_space=FactorSpace.unknown(),
        logvar=None if logvar is None else _logvar(logvar, mean.shape),
    )


def _numbers(name: str, given: ArrayLike) -> NDArray[Any]:
    """Finite numbers, (N, L) with L of at least 1."""
    array = _array(name, given)
    if array.ndim == 1:
        raise DataError(
            f"{name} must have the shape (N, L), but is ({len(array)},). One latent is a column: "
            f"give {name}.reshape(-1, 1)."
        )
    if array.ndim != 2 or array.shape[1] < 1:
        raise DataError(
            f"{name} must have the shape (N, L), one row for each image and one column for each "
            f"latent, not {array.shape}."
        )
    kept = np.float32 if array.dtype in (np.float16, np.float32) else np.float64
    try:
        if array.dtype.kind not in "fiubOUST":
            raise TypeError
        array = np.ascontiguousarray(array, kept)
    except (TypeError, ValueError):
        raise DataError(f"{name} must be numbers, not {_kind(array)}.") from None
    _check_finite(name, array)
    return array


def _check_finite(name: str, array: NDArray[Any]) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        bad = np.flatnonzero(~finite.all(axis=1))
        row = int(bad[0])
        column = int(np.argmin(finite[row]))
        raise DataError(
            f"{name} must be finite, but {len(bad):,} of {len(array):,} rows are not; the first "
            f"is row {row}, which has {array[row, column]} in column {column}. Leave such rows "
            f"out, of factors too."
        )


def _array(name: str, given: ArrayLike) -> NDArray[Any]:
    """An array of what is given, whose rows all have one length."""
    try:
        return np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        if "inhomogeneous" in str(error):
            raise DataError(f"{name} must be one array, but its rows differ in length.") from None
        # A tensor on a graphics card, with a gradient, or in bfloat16: its own words tell.
        reason = " ".join(str(error).split()).rstrip(".")
        raise DataError(f"{name} cannot be made a NumPy array: {reason}.") from error


def _kind(array: NDArray[Any]) -> str:
    return {"U": "texts", "S": "bytes", "O": "Python objects", "c": "complex numbers"}.get(
        array.dtype.kind, f"of type {array.dtype}"
    )


def _sizes(given: Sequence[int] | NDArray[np.integer] | None) -> tuple[int, ...]:
    """Number of values of each factor."""
    if given is None:
        raise DataError(
            "Factors are needed: give factors, (N, K), or factor_sizes, (K,), when the rows are "
            "the full grid in C order, the last factor fastest."
        )
    sizes = _array("factor_sizes", given)
    if sizes.ndim != 1 or not sizes.size or sizes.dtype.kind not in "iu" or sizes.min() < 1:
        raise DataError(
            f"factor_sizes must be whole numbers of at least 1, one for each factor, not {given}."
        )
    return tuple(int(size) for size in sizes)


def _names(given: Sequence[str] | None, count: int) -> tuple[str, ...]:
    if given is None:
        return tuple(f"factor_{k}" for k in range(count))
    names = (given,) if isinstance(given, str) else tuple(str(name) for name in given)
    if len(names) != count:
        raise DataError(f"factor_names has {len(names)} names, but there are {count} factors.")
    return names


def _factors(
    sizes: tuple[int, ...], names: Sequence[str] | None, count: int | None = None
) -> tuple[Factor, ...]:
    if count is not None and len(sizes) != count:
        raise DataError(f"factor_sizes has {len(sizes)} sizes, but factors has {count} columns.")
    named = zip(_names(names, len(sizes)), sizes, strict=True)
    return tuple(Factor(name, size) for name, size in named)


def _columns(given: ArrayLike, mean: NDArray[Any]) -> list[NDArray[Any]]:
    """The columns of factors, each (N,) of one kind."""
    array = _array("factors", given)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or array.shape[1] < 1:
        raise DataError(
            f"factors must have the shape (N, K), one row for each row of codes, not "
            f"{array.shape}."
        )
    if len(array) != len(mean):
        turned = mean.shape[1] == array.shape[1] and len(mean) < mean.shape[1]
        hint = " Rows come first: give codes.T and factors.T." if turned else ""
        raise DataError(f"codes has {len(mean):,} rows, but factors has {len(array):,}.{hint}")
    return [array[:, k] for k in range(array.shape[1])]


def _as_indices(columns: list[NDArray[Any]], space: FactorSpace) -> NDArray[np.int64]:
    """Factors that are indices already."""
    indices = []
    for column, factor in zip(columns, space.factors, strict=True):
        values = _values(factor.name, column)
        if values.dtype.kind not in "iu":
            raise DataError(
                f"factors: with factor_sizes they are indices from 0, but {factor.name} is not of "
                f"whole numbers. Leave factor_sizes out to take the values that occur."
            )
        low, high = int(values.min()), int(values.max())
        if low < 0 or high >= factor.size:
            raise DataError(
                f"factors: {factor.name} has the index {low if low < 0 else high}, but "
                f"factor_sizes allows 0 to {factor.size - 1}."
            )
        indices.append(values.astype(np.int64))
    return np.stack(indices, axis=1)


def _categories(name: str, column: NDArray[Any]) -> tuple[Factor, NDArray[np.int64]]:
    """The factor that a column is, and the index of each row, (N,)."""
    values = _values(name, column)
    found, indices = np.unique(values, return_inverse=True)
    indices = indices.reshape(-1).astype(np.int64)
    if values.dtype.kind == "U":
        return Factor(name, len(found), kind="categorical"), indices
    limit = max(_FEW, min(_MANY, len(values) // 2))
    if values.dtype.kind == "f" and len(found) > limit:
        raise DataError(
            f"factors: {name} takes {len(found):,} different values in {len(values):,} rows, so "
            f"it is continuous, and metrics compare categories. Bin it first, for instance with "
            f"numpy.digitize(x, numpy.quantile(x, numpy.linspace(0, 1, 11)[1:-1]))."
        )
    return Factor(name, len(found), tuple(float(value) for value in found)), indices


def _values(name: str, column: NDArray[Any]) -> NDArray[Any]:
    """A column as whole numbers, numbers with fractions or texts; none is missing."""
    if column.dtype.kind in "OS":
        column = _unpacked(name, column)
    if column.dtype.kind == "b":
        return column.astype(np.int64)
    if column.dtype.kind in "iu":
        return column
    if column.dtype.kind in "UT":
        return _from_texts(name, column.astype(np.str_))
    if column.dtype.kind != "f":
        raise DataError(f"factors: {name} must be numbers or texts, not {_kind(column)}.")
    _check_present(name, ~np.isfinite(column), column)
    # Whole numbers above this are not told apart as floats.
    whole = (np.round(column) == column).all() and np.abs(column).max(initial=0) < 2**53
    return column.astype(np.int64) if whole else column


def _unpacked(name: str, column: NDArray[Any]) -> NDArray[Any]:
    """A column of Python objects or bytes as numbers or texts."""
    values = [value.decode() if isinstance(value, bytes) else value for value in column.tolist()]
    # Only NaN differs from itself.
    gone = np.array([value is None or value != value for value in values])
    _check_present(name, gone, column)
    if all(isinstance(value, str) for value in values):
        return np.array(values, np.str_)
    if all(isinstance(value, bool | int | float) for value in values):
        return np.array(values)
    raise DataError(
        f"factors: {name} mixes texts with other values. Make it one kind, for instance with "
        f"[str(value) for value in column]."
    )


def _from_texts(name: str, column: NDArray[np.str_]) -> NDArray[Any]:
    """Numbers, where every text is one; else the texts."""
    column = np.char.strip(column)
    gone = (column == "") | (np.char.lower(column) == "nan")
    _check_present(name, gone, column)
    try:
        return _values(name, column.astype(np.float64))
    except ValueError:
        return column


def _check_present(name: str, gone: NDArray[np.bool_], column: NDArray[Any]) -> None:
    if gone.any():
        row = int(np.argmax(gone))
        raise DataError(
            f"factors: {name} has no value in {int(gone.sum()):,} of {len(gone):,} rows; the "
            f"first is row {row}, which has {column.tolist()[row]!r}. Leave such rows out, of "
            f"codes too."
        )


def _logvar(given: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Logarithms of variances of the codes' shape."""
    array = _numbers("logvar", given)
    if array.shape != shape:
        raise DataError(f"logvar must have the shape of codes, {shape}, not {array.shape}.")
    return array.astype(np.float32)
