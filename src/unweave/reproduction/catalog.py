"""All sources and rows, and how a row is looked up."""

from __future__ import annotations

__all__ = ["ROWS", "SOURCES", "find_row", "find_rows"]

from typing import Final

from unweave.errors import SpecError, nearest
from unweave.presets import preset
from unweave.reproduction.published import Row, Source
from unweave.reproduction.sources import CLG, DAG, DISVAE, DLIB, DPT, LATER, RPU

SOURCES: Final[tuple[Source, ...]] = (DISVAE, DPT, CLG, DAG, DLIB, RPU, LATER)
"""In the order of the page."""

ROWS: Final[dict[str, Row]] = {row.name: row for source in SOURCES for row in source.rows}
"""Each training with published numbers, by the name of its preset."""


def find_row(name: str) -> Row:
    """The row of that name; the long names of sources are aliases, as for presets.

    Raises:
        SpecError: There is none; the message says what there is instead.
    """
    if name in ROWS:
        return ROWS[name]
    try:
        own = preset(name).name
    except SpecError:
        sources = [source.name for source in SOURCES if source.rows]
        near = nearest(name, [*ROWS, *sources], f"Sources of rows are {', '.join(sources)}.")
        raise SpecError(
            f"There is no row {name!r:.100}. {near} `unweave reproduce list` has all of them."
        ) from None
    if own not in ROWS:
        raise SpecError(
            f"{own} is a preset without published numbers, so there is nothing to compare it "
            f"with; train it with unweave train --preset {own}. `unweave reproduce list` has the "
            "rows."
        )
    return ROWS[own]


def find_rows(names: tuple[str, ...]) -> list[Row]:
    """The rows of names, or of sources that are named; all where no name is given.

    Raises:
        SpecError: There is no such row or source.
    """
    if not names:
        return list(ROWS.values())
    sources = {source.name: source.rows for source in SOURCES if source.rows}
    found = [row for name in names for row in sources.get(name) or (find_row(name),)]
    return list(dict.fromkeys(found))
