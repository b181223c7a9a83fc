"""Write the page of runs that were trained without some combinations of factors."""

from __future__ import annotations

__all__ = ["write_generalisation"]

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unweave import plots
from unweave._version import __version__
from unweave.report.page import environment
from unweave.report.pictures import Picture, picture
from unweave.report.place import GENERALISATION
from unweave.rundir import atomic_write


def write_generalisation(
    out: Path,
    *,
    title: str,
    notes: Sequence[str],
    figures: Sequence[tuple[str, str, Any]],
    conditions: Sequence[Mapping[str, Any]],
    source: str,
) -> Path:
    """Write one HTML file from tables and figures.

    Args:
        out: The file to write.
        title: Its heading.
        notes: Sentences above everything else.
        figures: Of all conditions: heading, caption and figure.
        conditions: What is said of each, in words; `pictures` as `figures`.
        source: Where published numbers come from.

    Returns:
        The file that was written.

    Raises:
        UnweaveError: The disk is full or the folder cannot be written.
    """
    page = (
        environment()
        .get_template("generalisation.html.j2")
        .render(
            title=title,
            notes=list(notes),
            pictures=_pictures(figures),
            conditions=[
                {**condition, "pictures": _pictures(condition["pictures"])}
                for condition in conditions
            ],
            source=source,
            version=__version__,
            generator=GENERALISATION.generator,
        )
    )
    with atomic_write(out) as handle:
        handle.write(page.encode("utf-8"))
    return out


def _pictures(figures: Sequence[tuple[str, str, Any]]) -> list[Picture]:
    made = [
        picture(heading, plots.png(figure), heading, caption, heading)
        for heading, caption, figure in figures
    ]
    return [each for each in made if each is not None]
