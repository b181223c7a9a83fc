"""Write the page of several runs beside one another."""

from __future__ import annotations

__all__ = ["check_place", "write_comparison"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from unweave._version import __version__
from unweave.errors import SpecError
from unweave.report.page import environment
from unweave.report.place import check_page
from unweave.rundir import atomic_write, explain_os_error

_GENERATOR: Final = "unweave, comparison of runs"
# The mark of a page stands in so many bytes.
_HEAD: Final = 4096


def check_place(path: Path) -> None:
    """Refuse a file that is no page, or that would be lost, before any work.

    Raises:
        SpecError: The name does not end in .html, or there is a folder, or a file that is no
            comparison of runs.
        UnweaveError: What is there cannot be read.
    """
    check_page(path, "several runs")
    try:
        with path.open("rb") as handle:
            head = handle.read(_HEAD)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise explain_os_error(error, path) from error
    if _GENERATOR.encode() not in head:
        raise SpecError(
            f"{path} is there already, and is no comparison of runs, so it is left as it is. Name "
            "another file with --out, or remove this one."
        )


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
    page = template.render({**content, "version": __version__, "generator": _GENERATOR})
    with atomic_write(out) as handle:
        handle.write(page.encode("utf-8"))
    return out
