"""Where a page can be written."""

from __future__ import annotations

__all__ = ["check_page"]

from pathlib import Path

from unweave.errors import SpecError


def check_page(path: Path, what: str) -> None:
    """Refuse a file that cannot be a page, before any work.

    Args:
        path: The file that is asked for.
        what: Whose page it is, such as `several runs`.

    Raises:
        SpecError: The name does not end in .html, or there is a folder.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise SpecError(f"The page of {what} must end in .html, but --out is {str(path)!r}.")
    if path.is_dir():
        raise SpecError(f"--out must be a file, but {path} is a folder.")
