"""How long `unweave results` takes, and how much memory; run on its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
import time

from _peak import peak

CORES = 2


def main() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    start, used = time.perf_counter(), time.process_time()
    from unweave.cli import main as unweave

    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        code = unweave(sys.argv[1:])
    assert code == 0
    found = {
        "seconds": time.perf_counter() - start,
        "processor": time.process_time() - used,
        "megabytes": peak(),
        "lines": len(shown.getvalue().splitlines()),
        "torch": "torch" in sys.modules,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
