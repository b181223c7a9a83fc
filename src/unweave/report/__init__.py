"""One HTML page from a run folder, or of datasets, with everything it needs inside."""

from __future__ import annotations

__all__ = ["write_datasets", "write_report"]

from unweave.report.datasets import write_datasets
from unweave.report.page import write_report
