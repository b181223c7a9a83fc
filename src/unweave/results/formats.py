"""A table as text, Markdown, LaTeX, CSV, HTML for notebooks, or a form for JSON."""

from __future__ import annotations

__all__ = ["csv_text", "html", "json_rows", "latex", "markdown", "plain"]

import csv
import io
import math
import re
from typing import Any, Final

from unweave import display
from unweave.results.fields import Cell
from unweave.results.layouts import Sheet, Spread

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "±": r"$\pm$", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip

# What is computed here, and shown to so many digits; settings are shown as they are.
_MEASURED = ("mean", "sd", "median", "low", "high", "rho", "value")

# Rows at most in a notebook.
_ROWS: Final = 100


def plain(sheet: Sheet) -> str:
    """Columns of equal width for a terminal, with what all rows share above."""
    columns, rows, numbers = _shown(sheet)
    table = [columns, *rows]
    widths = [max(len(row[place]) for row in table) for place in range(len(columns))]
    lines = [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, numbers, strict=True)
        ).rstrip()
        for row in table
    ]
    return "\n".join([*_head(sheet), "", *lines])


def markdown(sheet: Sheet) -> str:
    """A table for Markdown, with what all rows share above."""
    columns, rows, numbers = _shown(sheet)
    lines = [
        f"| {' | '.join(_in_markdown(name) for name in columns)} |",
        f"|{'|'.join('---:' if number else '---' for number in numbers)}|",
        *(f"| {' | '.join(_in_markdown(cell) for cell in row)} |" for row in rows),
    ]
    head = [_in_markdown(line) for line in _head(sheet)]
    return "\n".join([*(part for line in head for part in (line, "")), *lines])


def latex(sheet: Sheet) -> str:
    """A `tabular` for LaTeX with the rules of booktabs, and what all rows share as comments."""
    columns, rows, numbers = _shown(sheet)
    lines = [f"% {line}" for line in (*_head(sheet), r"Needs \usepackage{booktabs}.")]
    lines += [
        rf"\begin{{tabular}}{{{''.join('r' if number else 'l' for number in numbers)}}}",
        r"\toprule",
        rf"{' & '.join(_in_latex(name) for name in columns)} \\",
        r"\midrule",
        *(rf"{' & '.join(_in_latex(cell) for cell in row)} \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines)


def html(sheet: Sheet, title: str, *notes: str) -> str:
    """A table for a notebook, with what all rows share above; of many rows the first ones.

    Args:
        sheet: The table.
        title: What it is.
        *notes: What else is to be said of it.
    """
    columns, rows, numbers = _shown(sheet)
    right = [name for name, number in zip(columns, numbers, strict=True) if number]
    parts = [display.note(line) for line in (*_head(sheet), *notes)]
    parts.append(display.table(columns, rows[:_ROWS], right))
    if len(rows) > _ROWS:
        parts.append(display.note(f"and {len(rows) - _ROWS:,} more rows"))
    return display.shown(title, *parts)


def csv_text(sheet: Sheet) -> str:
    """All columns, numbers with all their digits; what is not known is empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    wide = {
        name
        for row in sheet.rows
        for name, cell in zip(sheet.columns, row, strict=True)
        if isinstance(cell, Spread)
    }
    writer.writerow(
        part
        for name in sheet.columns
        for part in ((name, f"{name}_sd", f"{name}_n") if name in wide else (name,))
    )
    for row in sheet.rows:
        cells: list[Cell] = []
        for cell in row:
            cells += (cell.mean, cell.sd, cell.n) if isinstance(cell, Spread) else (cell,)
        writer.writerow("" if cell is None else cell for cell in cells)
    return stream.getvalue().rstrip("\n")


def json_rows(sheet: Sheet) -> list[dict[str, Any]]:
    """One object a row; numbers that are not finite are null."""
    return [
        {name: _form(cell) for name, cell in zip(sheet.columns, row, strict=True)}
        for row in sheet.rows
    ]


def _form(cell: Cell | Spread) -> Any:
    if isinstance(cell, Spread):
        return {"mean": cell.mean, "sd": cell.sd, "n": cell.n}
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


def _shown(sheet: Sheet) -> tuple[list[str], list[list[str]], list[bool]]:
    """Names, cells as text, and which columns are numbers, without the quiet ones."""
    places = [place for place, name in enumerate(sheet.columns) if name not in sheet.quiet]
    rows = [[_cell(row[place], sheet.columns[place]) for place in places] for row in sheet.rows]
    numbers = [
        all(
            row[place] is None or isinstance(row[place], int | float | Spread)
            for row in sheet.rows
        )
        for place in places
    ]
    return [sheet.columns[place] for place in places], rows, numbers


def _head(sheet: Sheet) -> list[str]:
    """What the quiet columns hold, and the notes."""
    told = []
    for name in sheet.quiet:
        place = sheet.columns.index(name)
        # Rows of timings have none of it.
        known = [row[place] for row in sheet.rows if row[place] is not None]
        if name in _WORDS and known:
            told.append(f"{_WORDS[name]} {_cell(known[0])}")
    return [*([", ".join(told)] if told else []), *map(_in_one_line, sheet.notes)]


_WORDS = {
    "protocol": "protocol",
    "data": "data",
    "source": "source",
    "part": "part",
    "codes": "codes",
    "score_seed": "score seed",
    "repeats": "repeats",
}


def _cell(cell: Cell | Spread, column: str = "") -> str:
    if isinstance(cell, Spread):
        if cell.mean is None:
            return "-"
        # With as many digits as the mean has.
        spread = "" if cell.sd is None else f" ± {cell.sd:.{_digits(cell.mean, 3)}f}"
        few = f" ({cell.n})" if cell.n != cell.runs else ""
        return f"{_number(cell.mean, 3)}{spread}{few}"
    if cell is None:
        return "-"
    if isinstance(cell, float):
        return _number(cell, 4) if column in _MEASURED else f"{cell:g}"
    return _in_one_line(str(cell))


def _in_one_line(text: str) -> str:
    """Without line ends, which would end a row of a table or a comment."""
    return " ".join(text.split())


def _number(value: float, digits: int) -> str:
    """So many digits after the point, or fewer of what is large."""
    if not math.isfinite(value):
        return "-"
    if 0 < abs(value) < 10.0**-digits:
        return f"{value:.2g}"
    return f"{value:.{_digits(value, digits)}f}"


def _digits(value: float, digits: int) -> int:
    size = 0 if abs(value) < 10 else int(math.log10(abs(value)))
    return max(0, digits - size)


def _in_markdown(text: str) -> str:
    return re.sub(r"([\\|_*`~<>\[\]$])", r"\\\1", text)


def _in_latex(text: str) -> str:
    escaped = "".join(_LATEX.get(letter, letter) for letter in text)
    # A hyphen before a number is a minus.
    return re.sub(r"(?<![\w.-])-(?=\.?\d)", "$-$", escaped)
