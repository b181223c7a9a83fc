"""A CSV of factors: one row an image, one column the file, and one column a factor."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from unweave.data.own.columns import factor_name
from unweave.errors import DataError, SpecError, nearest

__all__ = ["CsvTable", "read_csv"]

_FILE: Final = ("file", "filename", "file_name", "path", "image")
_MARKS: Final = ",;\t"


@final
@dataclass(frozen=True, eq=False)
class CsvTable:
    """What a CSV says.

    Args:
        files: The files of its rows, as written, with `/` between folders.
        columns: Values of each factor as texts, by the factor's name.
    """

    files: tuple[str, ...]
    columns: dict[str, list[str]]


def read_csv(path: Path, chosen: tuple[str, ...] = ()) -> CsvTable:
    """Read a CSV with a line of names; commas, semicolons or tabs between its cells.

    Args:
        path: The file.
        chosen: The columns that are factors, in this order; all but the file when empty.

    Raises:
        DataError: It cannot be read, its rows differ in length, or names a file twice.
        SpecError: A chosen column is not there.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    first = text.partition("\n")[0]
    mark = max(_MARKS, key=first.count)
    rows = [row for row in csv.reader(text.splitlines(), delimiter=mark) if any(row)]
    if len(rows) < 2 or len(rows[0]) < 2:
        raise DataError(
            f"{path} must have a line of names, such as file,shape,x, and a line for each image."
        )
    names = [name.strip() for name in rows[0]]
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(names):
            raise DataError(
                f"{path}: line {number} has {len(row)} cells, but the first has {len(names)}."
            )
    place = next((names.index(name) for name in _FILE if name in names), 0)
    files = [row[place].strip().replace("\\", "/").removeprefix("./") for row in rows[1:]]
    twice = sorted({file for file in files if files.count(file) > 1}) if _repeated(files) else []
    if twice:
        raise DataError(f"{path} has {twice[0]} more than once; each file may have one row.")
    keys = [factor_name(name) for name in names]
    columns = [column for column in range(len(names)) if column != place]
    if chosen:
        for name in chosen:
            if name not in names and name not in keys:
                raise SpecError(f"{path} has no column {name!r}. {nearest(name, names)}")
        columns = [names.index(n) if n in names else keys.index(n) for n in chosen]
    found = {keys[column]: [row[column] for row in rows[1:]] for column in columns}
    if len(found) < len(columns) or "" in found:
        raise DataError(
            f"{path}: each column needs a name of its own, not {', '.join(names)}. Columns are "
            "chosen with columns=(...)."
        )
    return CsvTable(tuple(files), found)


def _repeated(files: list[str]) -> bool:
    return len(set(files)) < len(files)
