"""The tidy table as a file, and what may stand in the way of files."""

from __future__ import annotations

__all__ = ["check_out", "check_place", "check_table", "write_table", "write_to"]

import csv
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

import polars as pl

from unweave.errors import SpecError
from unweave.rundir import atomic_write, check_replaceable

_WRITERS: dict[str, Callable[[pl.LazyFrame, Any], object]] = {
    ".parquet": lambda frame, file: frame.sink_parquet(file),
    ".csv": lambda frame, file: frame.sink_csv(file),
}

# Columns by which a table of scores is known, and in how many bytes of a CSV they stand.
_COLUMNS: Final = {"run", "state", "metric", "value", "protocol", "score_seed"}
_HEAD: Final = 2**16
# How every Parquet file begins.
_PARQUET: Final = b"PAR1"


def write_table(frame: pl.LazyFrame, path: Path) -> None:
    """Write a table as Parquet or CSV, by the end of the name: whole or not at all.

    Raises:
        SpecError: The name ends in neither, or is that of a folder.
        UnweaveError: It cannot be written.
    """
    check_out(path)
    with atomic_write(path) as file:
        write_to(file, frame, path.suffix.lower())


def write_to(file: IO[bytes], frame: pl.LazyFrame, kind: str) -> None:
    """Write a table into an open file.

    Args:
        file: Where to.
        frame: The table.
        kind: `.parquet` or `.csv`.

    Raises:
        OSError: It cannot be written, whatever polars calls that.
    """
    try:
        _WRITERS[kind](frame, file)
    except (pl.exceptions.PolarsError, OSError) as error:
        found = re.search(r"\(os error (\d+)\)", str(error))
        if found is None:
            raise
        raise OSError(int(found[1]), os.strerror(int(found[1]))) from error


def check_out(path: Path) -> None:
    """Refuse a file that `write_table` does not write, before any work.

    Raises:
        SpecError: The name ends in neither `.parquet` nor `.csv`, or is that of a folder.
    """
    if path.suffix.lower() not in _WRITERS:
        raise SpecError(f"--out takes a file that ends in .parquet or .csv, not {path}.")
    if path.is_dir():
        raise SpecError(f"--out must be a file, but {path} is a folder.")


def check_table(path: Path) -> None:
    """Refuse to write a table of scores over another file, before any work.

    Args:
        path: The file that is asked for. A table of scores of its format that is there is
            replaced.

    Raises:
        SpecError: As of `check_out`, or a file is there that is no such table.
        UnweaveError: What is there cannot be read.
    """
    check_out(path)
    check_replaceable(path, "table of scores", lambda handle: _columns(path, handle) >= _COLUMNS)


def _columns(path: Path, handle: IO[bytes]) -> set[str]:
    """Names of the columns of a file; none, or other words, where it is not what its name says."""
    try:
        if path.suffix.lower() == ".csv":
            line = handle.readline(_HEAD).decode("utf-8", errors="replace")
            return {name for row in csv.reader([line]) for name in row}
        if handle.read(len(_PARQUET)) == _PARQUET:
            return set(pl.scan_parquet(path, glob=False).collect_schema())
    except (csv.Error, pl.exceptions.PolarsError):
        return set()
    return set()


def check_place(folder: Path) -> None:
    """Refuse a place for figures that is no folder, before any work.

    Raises:
        SpecError: There is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise SpecError(f"--plots takes a folder, and {folder} is a file.")
