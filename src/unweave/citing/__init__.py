"""What to cite for a run: one bibliography, and who stands on which of its entries."""

from __future__ import annotations

from unweave.citing.asked import cite
from unweave.citing.bibliography import bibliography, read_entries
from unweave.citing.citations import Citations, Cited
from unweave.citing.entry import Entry
from unweave.citing.papers import NONE, PAPERS
from unweave.citing.sources import CODES, MODULES, PRESETS, PROJECTS, PROTOCOLS, by_name

__all__ = [
    "CODES",
    "MODULES",
    "NONE",
    "PAPERS",
    "PRESETS",
    "PROJECTS",
    "PROTOCOLS",
    "Citations",
    "Cited",
    "Entry",
    "bibliography",
    "by_name",
    "cite",
    "read_entries",
]
