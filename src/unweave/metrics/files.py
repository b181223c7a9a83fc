"""Tables of codes from files: npz, npy and csv, and never a pickle."""

from __future__ import annotations

__all__ = ["read_table"]

import csv
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.metrics.table import table_from_arrays, table_without_factors
from unweave.representation import Representation

_KEYS = ("codes", "factors", "factor_sizes", "factor_names", "logvar")
_TEXT = (".csv", ".tsv", ".txt")

Cells: TypeAlias = list[list[str]]


def read_table(
    file: str | Path, factors_file: str | Path | None = None, *, factors_needed: bool = True
) -> Representation:
    """A table of codes from a file, or from one file of codes and one of factors.

    Args:
        file: An npz with `codes`, (N, L), and `factors`, (N, K), or `factor_sizes`, (K,), when
            the rows are the full grid in C order; it may have `factor_names`, (K,), and `logvar`,
            (N, L). Or an npy or csv of codes. A csv may have a line of names, and commas,
            semicolons, tabs or spaces between its cells.
        factors_file: An npy or csv of factors, (N, K), when `file` has only codes.
        factors_needed: Whether codes without factors are refused.

    Raises:
        DataError: A file cannot be read, or its arrays do not fit together.
        SpecError: A factor's name is no identifier, or two are the same.
    """
    path = Path(file)
    if path.suffix == ".npz":
        arrays = _read_npz(path)
        if factors_file is not None and {"factors", "factor_sizes"} & arrays.keys():
            raise DataError(f"{path} has factors of its own, so give it without {factors_file}.")
    else:
        arrays = {"codes": _read_codes(path)}
        if factors_file is None and factors_needed:
            raise DataError(
                f"{path} has only codes: name a file of factors after it, npy or csv, or save "
                f"both with numpy.savez(FILE, codes=..., factors=...)."
            )
    if factors_file is not None:
        factors, names = _read_factors(Path(factors_file), len(np.atleast_1d(arrays["codes"])))
        arrays |= {"factors": factors}
        if names is not None:
            arrays |= {"factor_names": names}
    try:
        if not factors_needed and not {"factors", "factor_sizes"} & arrays.keys():
            return table_without_factors(arrays["codes"], logvar=arrays.get("logvar"))
        return table_from_arrays(**arrays)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _read_npz(path: Path) -> dict[str, Any]:
    with _opened(path) as held:
        if not isinstance(held, np.lib.npyio.NpzFile):
            raise DataError(f"{path} is not an npz file, which numpy.savez writes.")
        if "codes" not in held.files:
            names = ", ".join(held.files) or "nothing"
            raise DataError(f"{path} must hold an array named codes, (N, L), but holds {names}.")
        arrays: dict[str, Any] = {key: held[key] for key in _KEYS if key in held.files}
    if "factor_names" in arrays:
        arrays["factor_names"] = [str(name) for name in np.ravel(arrays["factor_names"])]
    return arrays


def _read_array(path: Path) -> NDArray[Any]:
    with _opened(path) as held:
        if isinstance(held, np.ndarray):
            return held
        raise DataError(f"{path} is an npz file; give it alone, with the suffix .npz.")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """What NumPy finds in a file; whatever goes wrong in the block is the file's fault."""
    try:
        with path.open("rb") as handle:
            yield np.load(handle, allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise _unreadable(str(path), error) from error


def _unreadable(what: str, error: Exception) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError(f"{what} does not exist.")
    if "Object arrays" in str(error):
        return DataError(
            f"{what} holds Python objects, which are pickles and are not read, since they can run "
            f"code. Save plain arrays of numbers or texts, such as numpy.array(x, dtype=str)."
        )
    # NumPy takes whatever it does not know for a pickle.
    if "pickle" in str(error):
        return DataError(f"{what} is not a file that numpy.save or savez writes, or is damaged.")
    reason = " ".join(str(error).split()) or type(error).__name__
    return DataError(f"{what} cannot be read: {reason.rstrip('.')}.")


def _read_codes(path: Path) -> NDArray[Any]:
    if path.suffix == ".npy":
        return _read_array(path)
    rows = _read_cells(path)
    if not all(map(_is_number, rows[0])):
        _check_names(path, rows[0])
        rows = rows[1:]
    for i, row in enumerate(rows):
        for cell in row:
            if not _is_number(cell):
                raise DataError(f"{path}: codes must be numbers, but row {i} has {cell!r}.")
    return np.array(rows, np.float64).reshape(len(rows), -1)


def _read_factors(path: Path, count: int) -> tuple[NDArray[Any], list[str] | None]:
    """Factors, (N, K), and their names where the file has them."""
    if path.suffix == ".npy":
        return _read_array(path), None
    rows = _read_cells(path)
    # Texts may be values too, so that only the number of rows tells a line of names.
    if len(rows) != count + 1:
        return np.array(rows, np.str_), None
    _check_names(path, rows[0])
    names = [re.sub(r"\W|^(?=\d)", "_", name.strip()) for name in rows[0]]
    return np.array(rows[1:], np.str_), names


def _read_cells(path: Path) -> Cells:
    """The cells of a text file, all rows of one length."""
    if path.suffix == ".npz":
        raise DataError(f"{path} holds several arrays; give factors as npy or csv.")
    if path.suffix not in _TEXT:
        raise DataError(f"{path} must end in .npz, .npy or .csv.")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(str(path), error) from error
    lines = [line for line in lines if line.strip()]
    if not lines:
        raise DataError(f"{path} is empty.")
    # As numpy.savetxt writes a line of names.
    lines[0] = lines[0].removeprefix("# ")
    mark = next((mark for mark in ",;\t" if mark in lines[0]), None)
    if mark is None:
        rows = [line.split() for line in lines]
    else:
        rows = list(csv.reader(lines, delimiter=mark))
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise DataError(
                f"{path}: line {i + 1} has {len(row)} cells, but the first has {len(rows[0])}."
            )
    return rows


def _check_names(path: Path, names: list[str]) -> None:
    if not names[0].strip():
        raise DataError(
            f"{path}: the first column has no name, as the row numbers that pandas writes; leave "
            f"them out, with to_csv(..., index=False)."
        )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
