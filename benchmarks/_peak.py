"""How much memory a process has had."""

from __future__ import annotations

__all__ = ["peak"]

import re
import resource
from pathlib import Path


def peak() -> float:
    """Most memory that this process had, in units of 1,024 kB.

    Where the kernel says it, of this program alone: what `getrusage` says begins with the memory
    of the process that started it.
    """
    status = Path("/proc/self/status")
    said = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.is_file() else None
    kilobytes = int(said[1]) if said else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / 1024
