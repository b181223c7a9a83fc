"""Which processor core each of PyTorch's threads runs on."""

from __future__ import annotations

__all__ = ["all_cores", "own_cores"]

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

_TASKS = Path("/proc/self/task")


@contextmanager
def own_cores(threads: int) -> Iterator[bool]:
    """Keep each of PyTorch's threads on a core of its own inside the block.

    A thread that is moved leaves behind, in the other core's cache, the activations that it is
    about to read; a step on two cores then takes up to a third longer. Only when the threads are
    as many as the cores that this process may use: several trainings on one machine would else
    choose the same cores. Worker threads must have been ended before (`restart_workers`).

    Args:
        threads: PyTorch's threads, with the calling one.

    Yields:
        Whether threads were bound; systems other than Linux place them as they like.
    """
    if not sys.platform.startswith("linux"):
        yield False
        return
    cores = sorted(os.sched_getaffinity(0))
    if threads < 2 or threads != len(cores):
        yield False
        return
    before = _tasks()
    # Long enough that every thread gets a part of it, so that all of them are there.
    torch.zeros(threads << 16).add_(1)
    workers = sorted(_tasks() - before)
    if len(workers) != threads - 1:
        yield False
        return
    for task, core in zip((0, *workers), cores, strict=True):
        _bind(task, {core})
    try:
        yield True
    finally:
        for task in (0, *workers):
            _bind(task, set(cores))


@contextmanager
def all_cores() -> Iterator[None]:
    """Let the calling thread, and those that it starts, run on all cores of `own_cores` again."""
    if not sys.platform.startswith("linux"):
        yield
        return
    own = os.sched_getaffinity(0)
    _bind(0, set().union(*(_cores_of(task) for task in _tasks())))
    try:
        yield
    finally:
        _bind(0, own)


def _cores_of(task: int) -> set[int]:
    with contextlib.suppress(OSError):
        return os.sched_getaffinity(task)
    return set()


def _tasks() -> set[int]:
    """Threads of this process."""
    return {int(task.name) for task in _TASKS.iterdir()}


def _bind(task: int, cores: set[int]) -> None:
    """Let a thread, 0 for the calling one, run on these cores; none that has ended."""
    with contextlib.suppress(OSError):
        os.sched_setaffinity(task, cores)
