"""`unweave demo`."""

from __future__ import annotations

__all__ = ["Demo"]

from dataclasses import dataclass
from typing import final

from unweave.cli.common import Common, Flag, Text, bar, say


@final
@dataclass(kw_only=True)
class Demo(Common):
    """Prepare dSprites, train a model, score it, and write a page about it; a few minutes.

    Run again, it goes on where it was, and shows the finished run without training anew.
    """

    out: Text = None
    """Run folder (default: runs/demo, or under UNWEAVE_RUNS)."""

    overwrite: Flag = False
    """Train anew even if the demo has been run before."""

    def run(self) -> int:
        """Run the demo."""
        from pathlib import Path

        from unweave.cli.watch import make_watch
        from unweave.demo import demo
        from unweave.rundir import runs_root

        folder = Path(self.out) if self.out else runs_root() / "demo"
        with bar() as progress:
            result = demo(
                folder, overwrite=self.overwrite, watch=make_watch(), progress=progress, say=say
            )
        lines = [
            str(result.scores),
            "",
            result.summary,
            f"Report: {result.report.resolve()}",
        ]
        self.emit(
            {
                "run": str(folder),
                "scores": {name: record.to_dict() for name, record in result.scores.items()},
                "report": str(result.report),
                "seconds": result.seconds,
            },
            "\n".join(lines),
        )
        return 0
