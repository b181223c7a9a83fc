"""A driver in a process of its own: `python driver.py FILE.json` does what the file says."""

from __future__ import annotations

__all__ = ["main"]

import json
import sys
from pathlib import Path


def main() -> None:
    # Here, so that workers which import this file again do not import all of it.
    from unweave.studies import run_study, study_of

    form = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    run_study(study_of(form["study"], form["name"]), **form["arguments"])


if __name__ == "__main__":
    main()
