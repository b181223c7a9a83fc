"""How long a dataset takes until it is ready, and how much memory; run on its own."""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import time
from pathlib import Path

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
        "megabytes": _peak(),
        "stored": 0.0
        if folder is None
        else sum(path.stat().st_size for path in folder.iterdir()) / 1e6,
    }
    print(json.dumps(found))


def _peak() -> float:
    """Most memory that the process had, in units of 1,024 kB.

    Where the kernel says it, of this program alone: what `getrusage` says begins with the memory
    of the process that started it.
    """
    status = Path("/proc/self/status")
    said = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.is_file() else None
    kilobytes = int(said[1]) if said else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / 1024


if __name__ == "__main__":
    main()
