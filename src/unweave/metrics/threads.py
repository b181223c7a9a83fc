"""The same work for each latent or tree, on all processor cores where that is worth it."""

from __future__ import annotations

__all__ = ["Tick", "cores", "cores_for", "mapping", "over_latents"]

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from unweave.progress import Progress

T = TypeVar("T")

# Below this, threads cost more than they bring.
_SMALL = 100_000_000

Tick: TypeAlias = Callable[[int], None]
"""Told how many densities have been evaluated since it was last called."""


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cores_for(work: int, least: int) -> int:
    """All cores for at least so much work; one for less, which is done before others begin."""
    return cores() if work >= least else 1


@contextmanager
def mapping(workers: int) -> Iterator[Callable[..., Any]]:
    """A `map` by so many threads, with results in order; the plain one for a single worker."""
    if workers == 1:
        yield map
        return
    with ThreadPoolExecutor(workers) as pool:
        yield pool.map


def over_latents(
    work: Callable[[int, Tick], T], latents: int, total: int, progress: Progress | None
) -> list[T]:
    """Results of `work(latent, tick)` in the order of the latents.

    NumPy lets other threads run while it works on an array, so threads are enough. When one of
    them fails or the user interrupts, the others stop at their next tick. Little work is done in
    one thread.

    Args:
        work: Called in several threads at once; reports what it has done to its `tick`.
        latents: How many there are.
        total: Densities that all calls will evaluate, about.
        progress: Shows how many have been evaluated.
    """
    done = 0
    stopped = threading.Event()
    lock = threading.Lock()

    def tick(count: int) -> None:
        nonlocal done
        if stopped.is_set():
            raise CancelledError
        with lock:
            done += count
            if progress is not None:
                # The total is an expectation, and reaching it ends the display.
                progress("densities", min(done, total - 1), total)

    workers = 1 if total < _SMALL else min(cores(), latents)
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(work, latent, tick) for latent in range(latents)]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if progress is not None:
        progress("densities", total, total)
    return [future.result() for future in futures]
