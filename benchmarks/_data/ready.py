"""How long a dataset takes until it is ready, and how much memory; run on its own."""

from __future__ import annotations

import json
import os
import sys
import time

from _peak import peak

from unweave.data import load_dataset

CORES = 2


def main() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    start, used = time.perf_counter(), time.process_time()
    folder = load_dataset(sys.argv[1]).spec.folder()
    found = {
        "seconds": time.perf_counter() - start,
        "processor": time.process_time() - used,
        "megabytes": peak(),
        "stored": 0.0
        if folder is None
        else sum(path.stat().st_size for path in folder.iterdir()) / 1e6,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
