"""One HTML page with everything it needs inside: of a run, of datasets, of generalisation."""

from __future__ import annotations

__all__ = [
    "explorer_frame",
    "explorer_page",
    "page_room",
    "write_datasets",
    "write_generalisation",
    "write_report",
]

from unweave.report.datasets import write_datasets
from unweave.report.explorer import explorer_frame, explorer_page
from unweave.report.generalisation import write_generalisation
from unweave.report.page import page_room, write_report
