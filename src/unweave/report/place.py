"""Where a page can be written: a file of its own, never over one that is no such page."""

from __future__ import annotations

__all__ = ["COMPARISON", "DATASETS", "GENERALISATION", "RUN", "PageKind", "check_page"]

from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from unweave.errors import SpecError
from unweave.rundir import check_replaceable

# The mark of a page stands in so many bytes.
_HEAD: Final = 4096


@final
@dataclass(frozen=True)
class PageKind:
    """A kind of page, which can be told from other files.

    Attributes:
        of: Whose page it is, such as `several runs`.
        name: What such a page is, such as `comparison of runs`.
    """

    of: str
    name: str

    @property
    def generator(self) -> str:
        """The mark by which the page is known, which it has as its generator."""
        return f"unweave, {self.name}"


RUN: Final = PageKind("a run", "report of a run")
COMPARISON: Final = PageKind("several runs", "comparison of runs")
DATASETS: Final = PageKind("datasets", "page of datasets")
GENERALISATION: Final = PageKind("runs", "report of generalisation")


def check_page(path: Path, kind: PageKind) -> None:
    """Refuse a file that cannot be such a page, or that would be lost, before any work.

    Args:
        path: The file that is asked for.
        kind: What is written there. A page of this kind that is there is replaced.

    Raises:
        SpecError: The name does not end in .html, or there is a folder, or a file that is no page
            of this kind.
        UnweaveError: What is there cannot be read.
    """
    if path.suffix.lower() not in (".html", ".htm"):
        raise SpecError(f"The page of {kind.of} must end in .html, but --out is {str(path)!r}.")
    mark = kind.generator.encode()
    check_replaceable(path, kind.name, lambda handle: mark in handle.read(_HEAD))
