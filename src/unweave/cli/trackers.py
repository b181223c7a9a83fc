"""`unweave trackers`: where trainings can be tracked."""

from __future__ import annotations

__all__ = ["Trackers"]

from dataclasses import dataclass
from typing import final

from unweave.cli.listing import Listing, describe, text_of


@final
@dataclass(kw_only=True)
class Trackers(Listing):
    """List trackers that trainings can tell, and whether they are installed."""

    def run(self) -> int:
        """Print the list."""
        from unweave.spec import members
        from unweave.tracking import TrackerSpec

        known = members(TrackerSpec)
        rows = self.chosen(describe(TrackerSpec), "tracker")
        lines = []
        for row in rows:
            cls = known[row["name"]]
            row["installed"] = cls.is_installed()
            row["install"] = f'pip install "unweave[{cls.extra}]"'
            word = "installed" if row["installed"] else f"not installed: {row['install']}"
            lines += [text_of([row]), f"  {word}", ""]
        self.emit({"trackers": rows}, "\n".join(lines).rstrip())
        return 0
