"""Files that grow by one JSON value a line, of which a kill may tear the last."""

from __future__ import annotations

__all__ = ["append_line", "last_line", "read_lines", "read_rows", "trim_lines"]

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from unweave.rundir import atomic_write, explain_os_error, flush

# The last line of a file is looked for in so many bytes.
_TAIL: Final = 2**16


def append_line(path: Path, value: Any, *, durable: bool = False) -> None:
    """Append one JSON object as a line to a file; on the disk before it returns if `durable`.

    Args:
        path: The file; it is made when it is missing.
        value: An object for JSON.
        durable: Whether the line is on the disk when the function returns.

    Raises:
        UnweaveError: The disk is full or the file cannot be written.
    """
    line = json.dumps(value, allow_nan=False) + "\n"
    try:
        with path.open("a", encoding="utf-8") as handle:
            handle.write(line)
            if durable:
                flush(handle)
    except OSError as error:
        raise explain_os_error(error, path) from error


def read_lines(path: Path) -> list[Any]:
    """The values of a JSON-lines file; a torn last line, left by a kill, is passed over."""
    if not path.is_file():
        return []
    rows: list[Any] = []
    for line in path.read_bytes().splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            break
    return rows


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON-lines file; lines that are none are passed over."""
    return [row for row in read_lines(path) if isinstance(row, dict)]


def last_line(path: Path, wanted: Callable[[Any], bool] = lambda value: True) -> Any:
    """The last value of a JSON-lines file, however long the file is; None where there is none.

    A torn last line is passed over, and what lies far from the end is not seen.

    Args:
        path: The file.
        wanted: Which values count.
    """
    try:
        with path.open("rb") as handle:
            size = handle.seek(0, os.SEEK_END)
            handle.seek(max(size - _TAIL, 0))
            lines = handle.read().splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        with contextlib.suppress(ValueError):
            value = json.loads(line)
            if wanted(value):
                return value
    return None


def trim_lines(path: Path, keep: Callable[[Any], bool]) -> None:
    """Rewrite a JSON-lines file with the objects for which `keep` holds."""
    if not path.is_file():
        return
    rows = [row for row in read_rows(path) if keep(row)]
    with atomic_write(path) as handle:
        handle.write("".join(json.dumps(row, allow_nan=False) + "\n" for row in rows).encode())
