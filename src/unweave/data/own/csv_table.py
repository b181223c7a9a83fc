"""A CSV of factors: one row an image, one column the file, and one column a factor."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from unweave.data.own.columns import factor_name
from unweave.errors import DataError, SpecError, nearest

__all__ = ["CsvTable", "read_csv"]

_FILE: Final = ("file", "filename", "file_name", "path", "image")
_MARKS: Final = ",;\t"
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_COMMA: Final = re.compile(r"\s*[+-]?\d*,?\d+(?:[eE][+-]?\d+)?\s*")
"""A number with a comma, as tables between semicolons have it where a comma is the mark."""


@final
@dataclass(frozen=True, eq=False)
class CsvTable:
    """What a CSV says.

    Args:
        head: The name of the column of files.
        files: The files of its rows, as written, with `/` between folders.
        columns: Values of each factor as texts, by the factor's name.
    """

    head: str
    files: tuple[str, ...]
    columns: dict[str, list[str]]


def read_csv(path: Path, chosen: tuple[str, ...] = ()) -> CsvTable:
    """Read a CSV with a line of names; commas, semicolons or tabs between its cells.

    It is UTF-8, or UTF-16 that says so in its first bytes. Between semicolons or tabs, numbers may
    have a decimal comma. Columns without a name and a value are passed over.

    Args:
        path: The file.
        chosen: The columns that are factors, in this order; all but the file when empty.

    Raises:
        DataError: It cannot be read, or its rows differ in length.
        SpecError: A chosen column is not there.
    """
    names, rows, commas = _cells(path)
    lower = [name.lower() for name in names]
    place = next((lower.index(name) for name in _FILE if name in lower), 0)
    files = [row[place].strip().replace("\\", "/").removeprefix("./") for row in rows]
    keys = [factor_name(name) for name in names]
    columns = [column for column in range(len(names)) if column != place]
    if chosen:
        for name in chosen:
            if name not in names and name not in keys:
                raise SpecError(f"{path} has no column {name!r}. {nearest(name, names)}")
        columns = [names.index(n) if n in names else keys.index(n) for n in chosen]
    found = {keys[column]: [row[column] for row in rows] for column in columns}
    if len(found) < len(columns) or not all(key.isidentifier() for key in found):
        raise DataError(
            f"{path}: each column needs a name of its own, with a letter in it, not "
            f"{', '.join(name or repr(name) for name in names)}. Columns are chosen with "
            "columns=(...)."
        )
    if commas:
        found = {key: _with_points(column) for key, column in found.items()}
    return CsvTable(names[place], tuple(files), found)


def _cells(path: Path) -> tuple[list[str], list[list[str]], bool]:
    """Names, rows, and whether numbers may have a decimal comma."""
    try:
        data = path.read_bytes()
        text = data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is no text in UTF-8: {error}. Save it as UTF-8, as spreadsheets can."
        ) from error
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    mark = max(_MARKS, key=first.count)
    # Not by lines: a cell in quotes may have several.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True)
    lines: list[tuple[int, list[str]]] = []
    try:
        lines += ((reader.line_num, row) for row in reader if any(row))
    except csv.Error as error:
        raise DataError(f"{path} cannot be read: line {reader.line_num}: {error}.") from error
    if len(lines) < 2 or len(lines[0][1]) < 2:
        raise DataError(
            f"{path} must have a line of names, such as file,shape,x, and a line for each image."
        )
    names = [name.strip() for name in lines[0][1]]
    for number, row in lines[1:]:
        if len(row) != len(names):
            raise DataError(
                f"{path}: line {number} has {len(row)} cells, but the first has {len(names)}."
            )
    rows = [row for _, row in lines[1:]]
    kept = [c for c, name in enumerate(names) if name or any(row[c].strip() for row in rows)]
    if len(kept) < len(names):
        names, rows = [names[c] for c in kept], [[row[c] for c in kept] for row in rows]
    return names, rows, mark != ","


def _with_points(column: list[str]) -> list[str]:
    """Numbers with a decimal comma as numbers with a point; other columns as they are."""
    if not any("," in cell for cell in column) or not all(map(_COMMA.fullmatch, column)):
        return column
    return [cell.replace(",", ".") for cell in column]
