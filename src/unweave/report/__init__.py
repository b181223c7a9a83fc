"""One HTML page from a run folder, with everything it needs inside."""

from __future__ import annotations

__all__ = ["write_report"]

from unweave.report.page import write_report
