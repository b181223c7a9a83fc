"""What the C libraries under PyTorch must be told: keep freed memory, start workers afresh."""

from __future__ import annotations

__all__ = ["keep_freed_memory", "restart_workers"]

import ctypes
import functools
import sys
from pathlib import Path

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_GIBIBYTE = 1 << 30
_OMP_PAUSE_SOFT = 1


@functools.cache
def keep_freed_memory() -> bool:
    """Tell glibc not to give activations back to the kernel between steps.

    Activations of a few megabytes are otherwise unmapped when they are freed, and each step pays
    for the page faults of mapping them again, a quarter to a third of the time of a step on a
    processor. Resident memory is that of one step.

    Returns:
        Whether the allocator took the setting; other C libraries and systems are left as they are.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    taken = [mallopt(key, _GIBIBYTE) for key in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD)]
    return all(taken)


def restart_workers() -> bool:
    """End PyTorch's idle worker threads; new ones start with the settings of the calling thread.

    How a thread treats subnormal numbers is set when it is started, so workers that already run
    would go on with the old setting.

    Returns:
        Whether there was a library that could be asked; others keep their workers.
    """
    maps = Path("/proc/self/maps")
    if not maps.is_file():
        return False
    paths = {line.split()[-1] for line in maps.read_text().splitlines() if "libgomp" in line}
    done = []
    for path in sorted(path for path in paths if "/torch/" in path):
        try:
            done.append(ctypes.CDLL(path).omp_pause_resource_all(_OMP_PAUSE_SOFT) == 0)
        except (OSError, AttributeError):
            done.append(False)
    return any(done)
