"""Write the page of several runs beside one another."""

from __future__ import annotations

__all__ = ["write_comparison"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from unweave._version import __version__
from unweave.report.page import environment
from unweave.report.place import COMPARISON
from unweave.rundir import atomic_write


def write_comparison(out: Path, content: Mapping[str, Any]) -> Path:
    """Write one HTML file from tables and pictures.

    Args:
        out: The file to write.
        content: What the template shows, in words; pictures as `report.pictures.picture` makes
            them.

    Returns:
        The file that was written.

    Raises:
        UnweaveError: The disk is full or the folder cannot be written.
    """
    template = environment().get_template("comparison.html.j2")
    page = template.render({**content, "version": __version__, "generator": COMPARISON.generator})
    with atomic_write(out) as handle:
        handle.write(page.encode("utf-8"))
    return out
