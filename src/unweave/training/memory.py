"""Keeping freed memory of the step for the next one."""

from __future__ import annotations

__all__ = ["keep_freed_memory"]

import ctypes
import functools
import sys

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_GIBIBYTE = 1 << 30


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
