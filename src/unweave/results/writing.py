"""The tidy table as a file, and what may stand in the way of files."""

from __future__ import annotations

__all__ = ["check_out", "check_place", "write_table", "write_to"]

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import polars as pl

from unweave.errors import SpecError
from unweave.rundir import atomic_write

_WRITERS: dict[str, Callable[[pl.LazyFrame, Any], object]] = {
    ".parquet": lambda frame, file: frame.sink_parquet(file),
    ".csv": lambda frame, file: frame.sink_csv(file),
}


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


def check_place(folder: Path) -> None:
    """Refuse a place for figures that is no folder, before any work.

    Raises:
        SpecError: There is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise SpecError(f"--plots takes a folder, and {folder} is a file.")
