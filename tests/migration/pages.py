r"""Migration pages, read as what a test can follow: rows with the commands in their cells.

For whoever writes a page below docs/how-to/migrate:

- Tables below `## Commands` hold whole command lines in their middle cell, each in backticks,
  with `<br>` between. A pipe within a cell is written `\|`.
- Tables below `## Options` hold flags, each pair of backticks one set of them. The last line
  before such a table that reads "Added to `unweave ...`:" says what they are added to. A cell may
  also hold whole commands. `none`, without backticks, is for what unweave does not have.
- Two commands that are not joined by `<br>` are two commands all the same.
- A row whose last cell says "ends with code 2" promises that its commands are refused.
- A line "A file `NAME`:" before a fenced block has that block written to NAME before the first
  command of the page.

`ready.py` says which runs and files there are before a page begins, `small.py` what is shortened.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FOLDER", "PAGES", "Page", "Row", "cells_of", "read"]

FOLDER = Path(__file__).parents[2] / "docs" / "how-to" / "migrate"
PAGES = sorted(FOLDER.glob("from-*.md"))

_BASE = re.compile(r"^Added to `(unweave [^`]*)`:$")
_FILE = re.compile(r"^A file `([^`]+)`:\n\n```\w*\n(.*?)^```$", re.M | re.S)
_CODE = re.compile(r"`([^`]+)`")
_ENDS = re.compile(r"\bends with code (\d+)\b")
_RULE = re.compile(r"^\|(\s*:?-+:?\s*\|)+$")


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        line: Where in the page it stands.
        there: What the old code has.
        base: The command that flags of this row are added to; None where there is none.
        here: What stands in backticks in the middle cell.
        text: The middle cell as it is.
        differs: What the row says of differences.
    """

    line: int
    there: str
    base: str | None
    here: tuple[str, ...]
    text: str
    differs: str

    @property
    def ends(self) -> int:
        """The exit code that is promised."""
        found = _ENDS.search(self.differs)
        return int(found[1]) if found else 0

    @property
    def commands(self) -> list[list[str]]:
        """Every command in words, without the `unweave` before it; completed by its base."""
        found = []
        for text in self.here:
            whole = text if text.startswith("unweave ") else f"{self.base} {text}"
            found.append(shlex.split(whole)[1:])
        return found


@dataclass(frozen=True)
class Page:
    """A page: its name, its rows in order, and files that it has the user write."""

    name: str
    commands: tuple[Row, ...]
    options: tuple[Row, ...]
    files: dict[str, str]


def cells_of(line: str) -> list[str]:
    r"""Cells of a line of a table; `\|` is a pipe, and no end of a cell."""
    cells = re.split(r"(?<!\\)\|", line.strip())[1:-1]
    return [cell.replace(r"\|", "|").strip() for cell in cells]


def read(path: Path) -> Page:
    """Read a page.

    Raises:
        ValueError: A table of commands or options has other than three cells in a row, or flags
            without a command that they are added to; with the line.
    """
    text = path.read_text("utf-8")
    rows: dict[str, list[Row]] = {"Commands": [], "Options": []}
    section, base, fenced, body = "", None, False, False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            fenced = not fenced
        if fenced:
            continue
        if line.startswith("## "):
            section, base = line[3:].strip(), None
        elif line.startswith("### "):
            base = None
        found = _BASE.match(line)
        if found:
            base = found[1]
        if not line.startswith("|"):
            body = False
        elif _RULE.match(line):
            body = True
        elif body and section in rows:
            rows[section].append(_row(f"{path.name}:{number}", number, line, base))
    files = dict(_FILE.findall(text))
    return Page(path.stem, tuple(rows["Commands"]), tuple(rows["Options"]), files)


def _row(place: str, number: int, line: str, base: str | None) -> Row:
    cells = cells_of(line)
    if len(cells) != 3:
        raise ValueError(f"{place}: {len(cells)} cells; expected there, unweave, what differs")
    there, here, differs = cells
    row = Row(number, there, base, tuple(_CODE.findall(here)), here, differs)
    for text in row.here:
        if base is None and not text.startswith("unweave "):
            raise ValueError(
                f"{place}: {text!r} is no whole command, and no line before the table reads "
                "Added to `unweave ...`:"
            )
    return row
